"""An exam that was sat, as a test sees it, and its run against a baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...harness.errors import InputError
from ...harness.gate import gate_from_dict
from ...harness.statistics.thresholds import State
from ...harness.store.frames import RunData
from ...reports.exam import leading_judge
from ...reports.regression.compare import Options, compared
from ...reports.regression.gate import gated
from ...reports.regression.gate_records import GateResult
from ...reports.regression.records import Compared
from ..comparing.comparing import candidate_pairs
from ..references import bundle_file, load_run
from ..run import Run
from ..session import WORKSPACE
from ..terminal import printable
from .grades import Grades
from .marked import Place
from .plainly import plainly
from .single import Answered, Graded, answered_at, graded_at
from .sitting import Sat
from .told import gate_details, gate_headline, gate_row
from .verdict import Court, Verdict

SAME = "every answer is one that the baseline had already: nothing has changed since"


class ExaminedRun(Run):
    """A `Run` that can be held against another. ``here`` is where relative paths of bundles begin."""

    def __init__(self, sat: Sat, workspace: str | Path, here: tuple[Path, ...], court: Court) -> None:
        super().__init__(sat.data.info.id, workspace)
        self._sat, self._here, self._court = sat, here, court

    @cached_property
    def data(self) -> RunData:
        """See `Run.data`."""
        return self._sat.data

    @plainly
    def not_worse_than(
        self,
        baseline: str | Path | Run | Examined,
        margin: float,
        *,
        measure: str = "",
        judge: str = "",
        candidate: str = "",
    ) -> Verdict:
        """The gate of `markscheme compare` on one measure, paired by sample: passes if the loss is proven to be below
        ``margin``, fails if a loss is proven and that is not, else inconclusive.

        ``baseline`` is a run's id or name, a bundle file, or a run. ``measure`` is by default what the leading judge
        ranks by. ``candidate`` is one of several, or NEW=OLD. Raises InputError for runs that cannot be compared.
        """
        old = self._baseline(baseline)
        itself = old.info.id == self.id and isinstance(baseline, str | Path)
        if itself:  # a bundle of it, which needs another name to stand beside it
            old = replace(old, info=replace(old.info, id=f"{self.id} ({baseline})"))
        found = compared(self.data, [old], Options(candidate_pairs([candidate] if candidate else [])))
        result = gated(found, gate_from_dict({"measures": [self._line(measure, judge, margin)], "confirm": False}))
        return self._verdict(found, result, itself)

    def _verdict(self, found: Compared, result: GateResult, itself: bool) -> Verdict:
        state: State = {"pass": "pass", "inconclusive": "inconclusive"}.get(result.verdict, "fail")  # type: ignore[assignment]
        rows = tuple(gate_row(line) for line in result.lines)
        headline = gate_headline(result, state)
        if state == "inconclusive" and (itself or _unchanged(found)):
            state, headline = "pass", f"PASS: {SAME}"
            rows = tuple(replace(row, verdict=state) for row in rows)
        return Verdict(state, headline, rows, lambda: gate_details(result, found), self._court)

    def _baseline(self, baseline: str | Path | Run | Examined) -> RunData:
        """Its tables. Raises InputError for a reference that leads back to this very run: it would always pass."""
        if isinstance(baseline, Examined):
            baseline = baseline.run
        if isinstance(baseline, Run):
            return baseline.data
        reference = self._found(str(baseline))
        data = load_run(reference, self.workspace)
        if data.info.id == self.id and bundle_file(reference) is None:
            raise InputError(
                f"the baseline {reference!r} is the run {self.id} itself: name another, or a bundle of one from before"
            )
        return data

    def _found(self, reference: str) -> str:
        """A bundle beside the test, else what was written."""
        return next((str(folder / reference) for folder in self._here if (folder / reference).is_file()), reference)

    def _line(self, measure: str, judge: str, margin: float) -> dict[str, Any]:
        leading = leading_judge(self._sat.scores.judges)
        if not measure and leading is None:
            raise InputError(f"not_worse_than: the exam has no judge; say measure=, one of {self._sat.scores.measures}")
        if not measure and leading is not None:
            chosen = next((one for one in self._sat.scores.judges if one.name == judge), leading)
            return {"judge": chosen.name, "measure": chosen.headline, "margin": float(margin)}
        return {"judge": judge, "measure": measure, "margin": float(margin)}


def _unchanged(found: Compared) -> bool:
    shared, answers = found.pairing.shared_replies, found.pairing.answers
    return answers > 0 and shared == answers and not any(one.wins or one.losses for one in found.differences)


@dataclass(frozen=True)
class Examined:
    """An exam that was sat. ``here`` are the folders where a test's relative paths begin."""

    sat: Sat
    court: Court
    workspace: str | Path = WORKSPACE
    here: tuple[Path, ...] = ()

    @property
    def run(self) -> ExaminedRun:
        """The run, with its tables and `not_worse_than`."""
        return ExaminedRun(self.sat, self.workspace, self.here, self.court)

    @property
    def grades(self) -> Grades:
        """Means to assert."""
        return Grades(self.sat, self.court)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Their names, in exam order."""
        return tuple(view.name for view in self.sat.scores.candidates)

    def answer(self, place: Place) -> Answered:
        """One answer."""
        return answered_at(self.sat, place)

    def graded(self, place: Place) -> Graded:
        """The scores of one answer."""
        return graded_at(self.sat, place)

    def __repr__(self) -> str:
        return printable(f"<exam {self.sat.exam.name}, run {self.sat.data.info.id}>")
