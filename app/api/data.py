"""Data sets made from documents, and retrievers tried on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...harness.dispatch.tally import Tally
from ..session import WORKSPACE, Options
from .running import AnExam, loaded, noted

if TYPE_CHECKING:
    from ...reports.retrieval import RetrievalReport
    from ..output import SynthesisOutput


def retrieve(
    exam: AnExam,
    *,
    workspace: str | Path = WORKSPACE,
    limit: int | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    mlflow: str = "",
    progress: bool = False,
) -> RetrievalReport:
    """Sweep retrievers as the exam's `retrieval:` says: embedders × chunkers × sizes × overlaps × k; continues.

    Writes retrieval.html into ``output``, else among the reports of the workspace. Raises InputError for an exam
    without that section.
    """
    from ..retrieving import swept

    def say(text: str) -> None:
        if progress:
            print(text)  # noqa: T201 - what was asked for

    folder = None if output is None else Path(output)
    with noted() as note:
        report, _ = swept(loaded(exam), Options(workspace, limit=limit, seed=seed), folder, mlflow, note, say)
    return report


def synthesize(
    corpus: str | Path,
    output: str | Path = "review.jsonl",
    *,
    model: str = "",
    base_url: str | None = None,
    api_key_env: str | None = None,
    count: int = 50,
    seed: int = 0,
    check: bool = True,
    budget_usd: float | None = None,
    concurrency: int = 8,
    workspace: str | Path = WORKSPACE,
) -> SynthesisOutput:
    """Write questions, references and sources from documents into a file for review. It is no data set yet.

    ``corpus`` is a folder, a JSONL file or a packaged data set; without a ``model`` questions are made from headings.
    Raises InputError where ``output`` exists.
    """
    from ..synthesizing import Order, write_review

    order = Order(
        str(corpus), Path(output), model, base_url, api_key_env, count, seed, check, budget_usd, concurrency,
        str(workspace),
    )  # fmt: skip
    with noted() as note:
        return write_review(order, Tally(), note)


def accept(review: str | Path, output: str | Path = "samples.jsonl", *, undecided: str = "") -> int:
    """Make samples of the rows that a review kept; returns how many.

    ``undecided`` is `keep` or `drop` for rows without a decision; by default they are an error. Raises InputError
    where ``output`` exists.
    """
    from ..synthesizing import accepted

    return accepted(Path(review), Path(output), undecided).kept
