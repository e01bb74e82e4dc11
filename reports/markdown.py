"""A `Report` as Markdown: the tables and the words, without figures and single answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from . import words
from .boards import Board, Row
from .cells import Cell
from .contexts_markdown import contexts_blocks
from .headline import Line
from .juries_markdown import jury_blocks, repeats_blocks
from .letters import rank_words
from .markdown_tables import escape, table
from .marks import Mark, board_marks
from .operations import how_timed
from .pairwise_markdown import pairwise_blocks
from .report import Report
from .safety_said import safety_blocks
from .servers import servers_markdown
from .tools import tools_markdown
from .trust import Checked


def render_markdown(report: Report) -> str:
    """GitHub-flavoured Markdown; names and reasons are escaped, so that none of them becomes markup."""
    blocks = [
        f"# {escape(report.title)} · {report.date}",
        _line(report.verdict, "**"),
        *(f"> {_line(caveat, '**')}" for caveat in report.caveats),
        "\n".join(f"- {'⚠ ' if fact.warn else ''}{_line(fact.line, '**')}" for fact in report.facts),
        *(block for board in report.boards for block in _board(board, len(report.boards) > 1)),
        *_trust(report),
        *_backed(report),
        *pairwise_blocks(report.pairwise),
        *jury_blocks(report.juries),
        *repeats_blocks(report.repeats),
        *safety_blocks(report.safety),
        *_measures(report),
        *tools_markdown(report.tools),
        *contexts_blocks(report.contexts),
        *_operations(report),
        *servers_markdown(report.servers),
        *_missing(report),
        *_origin(report),
        *_setup(report),
        escape(report.footer),
    ]
    return "\n\n".join(blocks) + "\n"


def _line(line: Line, mark: str) -> str:
    return "".join(f"{mark}{escape(s.text)}{mark}" if s.strong else _kept(s.text) for s in line)


def _kept(text: str) -> str:
    """Escaped, with the spaces at both ends that separate it from its neighbours."""
    head, tail = " " * text.startswith(" "), " " * text.endswith(" ")
    return f"{head}{escape(text)}{tail}" if text.strip() else text


def _board(board: Board, named: bool) -> Iterator[str]:
    yield "## Leaderboard" + (f": {escape(board.judge.name)}" if named else "")
    yield escape(board.words)
    criteria = [escape(c.capitalize()) for c in board.judge.criteria] if board.shows_composite else []
    headline = "Composite" if board.shows_composite else escape(board.judge.headline.capitalize())
    first = ["Candidate", headline, f"Against {escape(board.baseline)}"]
    if not board.baseline:
        first = ["Rank", "Candidate", headline, "Letters"]
    titles = [*first, *criteria, "Missing", "p50 / p95 s", "TTFT s", "USD per 1,000"]
    marked = board_marks(board)
    rows = [_row(board, row, _mark_of(marked, i)) for i, row in enumerate(board.rows)]
    yield table(titles, rows, left=1 if board.baseline else 2)
    if len(board.rows) > 1:
        yield "Bold: the best of a column; underlined: the second best."


def _row(board: Board, row: Row, mark: Mapping[str, Mark]) -> list[str]:
    cost = row.cost
    return [
        *([] if board.baseline else [rank_words(row.rank) if row.rank else words.NONE]),
        escape(row.candidate),
        _cell(row.headline, mark["headline"]),
        _versus(board, row) if board.baseline else row.letters or words.NONE,
        *(_cell(cell, mark[cell.measure]) for cell in row.criteria),
        ", ".join(f"{n} {words.reason(why)}" for why, n in row.failed.items()) or "0",
        f"{_marked(words.seconds(cost.p50.value), mark['p50'])} / {words.seconds(cost.p95.value)}",
        _marked(words.seconds(cost.ttft_p50.value), mark["ttft"]),
        _marked(words.usd(cost.usd_per_1000.value), mark["usd"]),
    ]


def _versus(board: Board, row: Row) -> str:
    """``better (+0.45 [+0.43, +0.47])`` than the declared baseline."""
    if row.versus_baseline is None:
        return "baseline" if row.candidate == board.baseline else words.NONE
    return f"{row.against} ({words.estimate(row.versus_baseline.estimate, sign=True)})"


def _mark_of(marked: Mapping[str, Sequence[Mark]], row: int) -> dict[str, Mark]:
    return {column: found[row] for column, found in marked.items()}


def _marked(text: str, mark: Mark) -> str:
    """GitHub shows `ins` underlined and no `u`."""
    return {"best": f"**{text}**", "second": f"<ins>{text}</ins>", "": text}[mark]


def _cell(cell: Cell, mark: Mark = "") -> str:
    parts = [_marked(words.number(cell.mean), mark), words.interval(cell.estimate)]
    if cell.corrected:
        parts.append(f"(judge alone {words.number(cell.judge_only.value)})")
    elif cell.correction is not None and cell.mean is not None:
        parts.append("(uncorrected)")
    if cell.worst is not None:
        parts.append(f"(with its failures {words.number(cell.worst)})")
    if cell.bounds:
        parts.append(f"(bounds {words.number(cell.bounds[0])}–{words.number(cell.bounds[1])})")
    return " ".join(part for part in parts if part)


def _trust(report: Report) -> Iterator[str]:
    if not report.trust:
        return
    yield "## Can the judges be trusted?"
    for judge in report.trust:
        advice = f" `{judge.advice}`" if judge.advice else ""
        yield f"**{escape(judge.judge)}**: {escape(judge.words)}{advice}"
        if judge.rows:
            titles = ["Criterion", "Answers", "Exact", "By chance", "Kappa", "People's kappa", "Bias"]
            yield table(titles, (_checked(row) for row in judge.rows))


def _checked(row: Checked) -> list[str]:
    return [
        escape(row.criterion),
        words.count(row.n),
        words.percent(row.exact.value if row.exact else None),
        words.percent(row.chance),
        words.estimate(row.kappa),
        words.estimate(row.people),
        words.estimate(row.bias, sign=True),
    ]


def _backed(report: Report) -> Iterator[str]:
    if not report.backed:
        return
    yield "## What stands behind each headline"
    titles = "Candidate|Judge|Measure|Labelled|Labels|By|On|How|Method|λ|Width|Judge alone|Labels alone|Why"
    yield table(titles.split("|"), (row for cell in report.backed for row in _backing(cell)), left=3)


def _backing(cell: Cell) -> Iterator[list[str]]:
    found, backing = cell.correction, cell.backing
    if found is None or backing is None:
        return
    people = found.human_only
    yield [
        escape(cell.candidate),
        escape(cell.source),
        escape(cell.measure),
        f"{found.n_labels:,} of {found.n_judged:,}",
        *(escape(", ".join(names)) or words.NONE for names in (backing.sets, backing.annotators, backing.dates)),
        words.design(backing.design) if backing.sets else words.NONE,
        words.correction(found.method),
        words.number(found.lam),
        words.percent(found.width_ratio),
        words.estimate(found.judge_only),
        words.estimate(people),
        escape(found.reason),
    ]


def _measures(report: Report) -> Iterator[str]:
    if report.measures:
        yield "## Measures without a judge"
        titles = ["Candidate", *(escape(cell.measure) for cell in report.measures[0][1])]
        yield table(titles, ([escape(name), *map(_cell, cells)] for name, cells in report.measures))


def _operations(report: Report) -> Iterator[str]:
    yield "## Latency, tokens and cost"
    if said := " ".join(filter(None, (how_timed(report.costs), report.saved))):
        yield escape(said)
    titles = "Candidate|Live|Re-used|p50 s|p95 s|TTFT p50 s|TTFT p95 s|Prompt|Completion|Reasoning|USD per 1,000|Paid"
    yield table(
        titles.split("|"),
        (
            [
                escape(c.candidate),
                words.count(c.live),
                words.count(c.reused),
                *(words.seconds(e.value) for e in (c.p50, c.p95, c.ttft_p50, c.ttft_p95)),
                *(words.count(n) for n in (c.prompt_tokens, c.completion_tokens, c.reasoning_tokens)),
                words.usd(c.usd_per_1000.value),
                words.usd(c.paid_usd),
            ]
            for c in report.costs
        ),
    )
    if report.judge_costs:
        titles = "Judge|Calls|Re-used|Failed|Prompt tokens|From the cache|Completion tokens|USD per 1,000 answers|Paid"
        yield table(
            titles.split("|"),
            (
                [
                    escape(f"{j.judge} ({j.model})" if j.model else j.judge),
                    *(words.count(n) for n in (j.calls, j.reused, j.failed, j.prompt_tokens)),
                    f"{words.count(j.cached_tokens)} ({words.percent(j.cached_share)})",
                    words.count(j.completion_tokens),
                    words.usd(j.usd_per_1000),
                    words.usd(j.paid_usd),
                ]
                for j in report.judge_costs
            ),
        )


def _missing(report: Report) -> Iterator[str]:
    yield "## What is missing"
    if not report.losses:
        yield "Nothing: every expected answer is there, and every verdict could be read."
        return
    rows = (
        [escape(loss.candidate), escape(loss.owner), escape(loss.reason), f"{loss.n:,} of {loss.expected:,}"]
        for loss in report.losses
    )
    yield table(["Candidate", "Whose", "Why", "Count"], rows, left=3)


def _origin(report: Report) -> Iterator[str]:
    yield "## Where the replies come from"
    rows = (
        [escape(p.candidate), f"{p.n:,}", escape(p.run) if p.reused else "this run", p.date or words.NONE]
        for p in report.provenance
    )
    yield table(["Candidate", "Replies", "Run", "Date"], rows)


def _setup(report: Report) -> Iterator[str]:
    yield "## What made this report"
    for entry in report.setup:
        yield f"**{escape(entry.title)}**\n" + "\n".join(f"- {escape(k)}: {escape(v)}" for k, v in entry.items)
