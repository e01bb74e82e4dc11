"""What `markscheme retrieve` prints: one JSON object, or a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from pydantic import BaseModel, ConfigDict

from .terminal import console, grid

if TYPE_CHECKING:
    from ..harness.retrieval.sweep_choice import Choice
    from ..reports.retrieval import Cell, RetrievalReport, Row


class RetrieveConfiguration(BaseModel):
    """One retriever over one chunking. Seconds and bytes are of the index as it was made; null where there is none,
    or, for queries, where every embedding was a recorded one."""

    name: str
    retriever: str
    chunker: str
    size: int
    overlap: int
    chunks: int
    index_s: float | None
    index_bytes: int | None
    query_p50_s: float | None
    query_p95_s: float | None
    embedding_tokens: int
    cost_usd: float | None
    missing: int
    reused: bool


class RetrieveCell(BaseModel):
    """A configuration's mean of a measure over the first ``k`` chunks, or over what fits in ``tokens``.

    ``context_tokens`` is the mean length of what was shown. The difference is from the baseline on the same questions,
    for the leading measure only; ``p_holm`` is corrected over all of them.
    """

    configuration: str
    measure: str
    k: int | None
    tokens: int | None
    n: int
    mean: float | None
    low: float | None
    high: float | None
    context_tokens: float
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p: float | None = None
    p_holm: float | None = None


class RetrieveChoice(BaseModel):
    """What is recommended: chosen among ``tried`` configurations by half of the questions, measured on the others."""

    configuration: str
    k: int
    tried: int
    compared_at: str
    chosen_on: int
    reported_on: int
    mean: float | None
    low: float | None
    high: float | None
    context_tokens: float
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    p: float | None


class RetrieveOutput(BaseModel):
    """`markscheme retrieve`. ``counts`` says what recall and nDCG count; ``no_answer`` questions are in no mean."""

    model_config = ConfigDict(extra="forbid")

    exam: str
    questions: int
    no_answer: int
    measure: str
    counts: str
    baseline: str
    configurations: list[RetrieveConfiguration]
    results: list[RetrieveCell]
    recommendation: RetrieveChoice | None
    notes: list[str]
    report: str


def to_output(report: RetrievalReport, exam: str, page: str) -> RetrieveOutput:
    """The report's numbers as plain JSON."""
    return RetrieveOutput(
        exam=exam,
        questions=report.questions,
        no_answer=report.no_answer,
        measure=report.measure,
        counts=report.counts,
        baseline=report.baseline,
        configurations=[_configuration(row) for row in report.rows],
        results=[cell for row in report.rows for cell in _cells(row, report.measure)],
        recommendation=None if report.choice is None else _choice(report.choice),
        notes=list(report.notes),
        report=page,
    )


def print_table(report: RetrievalReport, page: str, out: TextIO) -> None:
    """One line a configuration, then what is recommended."""
    titles = [f"{report.measure} at", *(str(cell.cut) for cell in report.rows[0].cells)]
    screen = console(out)
    screen.print(grid(titles, ([row.name, *map(_shown, row.cells)] for row in report.rows)))
    if report.comparisons:
        screen.print(
            f"+ − surely better or worse than {report.baseline} (Holm over {report.comparisons})", markup=False
        )
    screen.print(f"{report.verdict}\nreport: {page}", markup=False, soft_wrap=True)


def _shown(cell: Cell) -> str:
    sign = cell.difference.sign if cell.difference else 0
    value = "–" if cell.estimate.value is None else f"{cell.estimate.value:.2f}"
    return value + ("+" if sign > 0 else "−" if sign < 0 else " ")


def _configuration(row: Row) -> RetrieveConfiguration:
    ranking, configuration = row.ranking, row.ranking.configuration
    return RetrieveConfiguration(
        name=configuration.name,
        retriever=configuration.retriever,
        chunker=configuration.chunker,
        size=configuration.size,
        overlap=configuration.overlap,
        chunks=ranking.chunks,
        index_s=ranking.index_s,
        index_bytes=ranking.index_bytes,
        query_p50_s=row.p50_s.value,
        query_p95_s=row.p95_s.value,
        embedding_tokens=ranking.embedding_tokens,
        cost_usd=ranking.cost_usd,
        missing=len(ranking.missing),
        reused=ranking.reused,
    )


def _cells(row: Row, leading: str) -> list[RetrieveCell]:
    found = []
    for cell in row.cells:
        for measure, estimate in row.measures(cell.cut).items():
            made = RetrieveCell(
                configuration=row.name,
                measure=measure,
                k=cell.cut.most if cell.cut.kind == "k" else None,
                tokens=cell.cut.most if cell.cut.kind == "tokens" else None,
                n=estimate.n,
                mean=estimate.value,
                low=estimate.low,
                high=estimate.high,
                context_tokens=cell.tokens,
            )
            if measure == leading and cell.difference is not None:
                apart = cell.difference.estimate
                made.difference, made.difference_low, made.difference_high = apart.value, apart.low, apart.high
                made.p, made.p_holm = cell.difference.p, cell.difference.adjusted
            found.append(made)
    return found


def _choice(choice: Choice) -> RetrieveChoice:
    versus = choice.versus_baseline
    return RetrieveChoice(
        configuration=choice.configuration,
        k=choice.k,
        tried=choice.tried,
        compared_at=str(choice.cut),
        chosen_on=choice.chosen_on,
        reported_on=choice.reported_on,
        mean=choice.value.value,
        low=choice.value.low,
        high=choice.value.high,
        context_tokens=choice.tokens,
        difference=versus.estimate.value if versus else None,
        difference_low=versus.estimate.low if versus else None,
        difference_high=versus.estimate.high if versus else None,
        p=versus.p if versus else None,
    )
