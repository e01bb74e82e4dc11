"""The public `Run`: a run of a workspace or a bundle with its tables, pages and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..harness.errors import InputError
from ..harness.store.frames import RunData
from ..harness.store.runs import Run as Stored
from ..harness.store.store import Store
from .references import bundle_file, load_run, opened_run
from .session import WORKSPACE

if TYPE_CHECKING:
    import pandas as pd

    from ..reports.notebook.fragment import Fragment
    from ..reports.notebook.overview import Overview
    from ..reports.notebook.samples import Sat
    from ..reports.regression.records import Compared
    from .results import AlignmentResult

Kind = Literal["quality", "criteria", "latency"]
KINDS: tuple[Kind, ...] = ("quality", "criteria", "latency")


class Run:
    """A run in a workspace, or in the file ``bundle``. Tables are read once, on first use."""

    def __init__(self, identifier: str, workspace: str | Path = WORKSPACE, bundle: str | Path | None = None) -> None:
        self.id = identifier
        self.workspace = workspace
        self.bundle = None if bundle is None else Path(bundle)

    @cached_property
    def data(self) -> RunData:
        """All tables (`markscheme.harness.store.frames`)."""
        return load_run(self._reference, self.workspace)

    @property
    def samples(self) -> pd.DataFrame:
        """One row a sample: question, context, reference, tags."""
        return self.data.samples

    @property
    def answers(self) -> pd.DataFrame:
        """One row an answer: text, status, latency in seconds, tokens, cost_usd, origin."""
        return self.data.answers

    @property
    def grades(self) -> pd.DataFrame:
        """One row a (answer, judge, criterion): status, score, reasoning."""
        return self.data.grades

    @property
    def preferences(self) -> pd.DataFrame:
        """One row a verdict of a pairwise judge: left, right, shown_order, status, winner, reasoning."""
        return self.data.preferences

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """Every number there is, one row each: sample_id, candidate, trial, source (the judge), measure, value, why."""
        from ..reports.measurements import measurements

        return measurements(self.data)

    def summary(self) -> pd.DataFrame:
        """candidate, judge, measure, n, mean, low, high (95 % interval), method, missing, judge_only, correction."""
        from ..reports.cells import summary

        return summary(self.data, self._earlier)

    def report(
        self, folder: str | Path | None = None, *, texts: bool = True, baseline: str = "", mlflow: str = ""
    ) -> Path:
        """Write report.html and report.md; returns the path of the page.

        Without ``texts`` it holds no question, answer or reasoning. ``baseline`` is the candidate that the others are
        compared with, instead of the exam's; ``mlflow`` a tracking URI to log to, or `default`.
        """
        from .judging.labels import refresh_labels
        from .reporting import report_folder, write_report

        with self._opened() as (store, found):
            refresh_labels(store, found)
            place = Path(folder) if folder else report_folder(store, found.id, texts)
            page, _ = write_report(store, found, place, texts, baseline)
            if mlflow:
                from .tracking import log_to_mlflow

                log_to_mlflow(store, found, page, mlflow, texts)
            return page

    def align(
        self, labels: str | Path | Sequence[str | Path] = (), judge: str = "", epsilon: float = 0.2
    ) -> AlignmentResult:
        """How far the judges agree with people: the exam's labels, or those of the files ``labels`` alone.

        ``epsilon`` is that of the alternative annotator test. Raises InputError where no label holds.
        """
        from .judging.aligning import alignment
        from .results import AlignmentResult, parts

        paths = [labels] if isinstance(labels, str | Path) else labels
        with self._opened() as (store, found):
            made = alignment(store, found, [Path(path) for path in paths], judge, epsilon)
        return AlignmentResult(**parts(made))

    def compare(
        self,
        *baseline: str | Path | Run,
        candidates: Sequence[str] = (),
        intersection: bool = False,
        family: Sequence[str] = (),
        worst: int = 20,
    ) -> Compared:
        """This run against the mean of others, paired by sample: `markscheme.compare`."""
        from .comparing.comparing import compare

        return compare(
            self,
            *baseline,
            workspace=self.workspace,
            candidates=candidates,
            intersection=intersection,
            family=family,
            worst=worst,
        )

    def figure(self, kind: Kind = "quality") -> Fragment:
        """A figure for a notebook: `quality` against cost, means by `criteria`, or `latency` as box plots."""
        from ..reports.notebook import overview

        drawn = {
            "quality": overview.quality_figure,
            "criteria": overview.criteria_figure,
            "latency": overview.latency_figure,
        }
        if kind not in drawn:
            raise InputError(f"figure {kind!r}: there are {', '.join(KINDS)}")
        return drawn[kind](self._overview)

    def worst(self, n: int = 5, *, candidate: str = "", judge: str = "", measure: str = "") -> pd.DataFrame:
        """The ``n`` answers with the lowest values, a row each, with question, reference and the judge's reasoning.

        By the headline of the leading judge, or by ``measure`` (of ``judge``, '' for one without); of all candidates or
        one. Raises InputError for a name that the run does not have.
        """
        from ..reports.notebook.samples import worst_answers

        return worst_answers(self.data, self._overview, n, candidate, (judge, measure))

    def sample(self, identifier: str) -> Sat:
        """What was asked, what everybody answered, and what the judges made of it. InputError for an unknown id."""
        from ..reports.notebook.samples import sample_of

        return sample_of(self.data, identifier)

    @property
    def _reference(self) -> str:
        return self.id if self.bundle is None else str(self.bundle)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Store, Stored]]:
        with opened_run(self._reference, self.workspace) as found:
            yield found

    @cached_property
    def _earlier(self) -> list[RunData]:
        """Labelled runs that are the same but for the time, by which scores are corrected."""
        from .reporting import labelled_before

        with self._opened() as (store, found):
            return labelled_before(store, found)

    @cached_property
    def _overview(self) -> Overview:
        from ..reports.notebook.overview import overview

        return overview(self.data, self._earlier)

    def __repr__(self) -> str:
        where = f"workspace={str(self.workspace)!r}" if self.bundle is None else f"bundle={str(self.bundle)!r}"
        return f"Run({self.id!r}, {where})"

    def _repr_html_(self) -> str:
        from ..reports.notebook.overview import run_html

        return run_html(self._overview)


def open_run(reference: str | Path = "latest", workspace: str | Path = WORKSPACE) -> Run:
    """A run that exists: by id, name, `latest`, or the bundle (FILE.mks) that it is in."""
    with opened_run(str(reference), workspace) as (_, found):
        return Run(found.id, workspace, bundle_file(str(reference)))
