"""The first lines of a report: what it found, in one sentence that claims no more than the numbers carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..harness.records import Estimate
from ..harness.store.frames import RunData
from ..harness.store.wordless import MARK
from . import words
from .boards import Board, Row, correction_words, pair_words
from .cells import UNREADABLE, Cell, Scores
from .exam import JudgeView, leading_judge
from .operations import CandidateCost, paid
from .words import UNCORRECTED

FEW_MS = 0.001
WORTH_SAYING = 1.2


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; ``strong`` is a name or a number to stand out."""

    text: str
    strong: bool = False


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A short statement about the run; ``warn`` wants attention."""

    line: Line
    warn: bool = False


def line(text: str) -> Line:
    """Cut ``text`` where `strong` marked it."""
    return tuple(Span(part, i % 2 == 1) for i, part in enumerate(text.split("\0")) if part)


def strong(text: str) -> str:
    """Mark ``text`` for `line`."""
    return f"\0{text.replace(chr(0), '')}\0"


def verdict(scores: Scores, boards: Sequence[Board]) -> Line:
    """The first line. No verdict without an LLM judge, and none where the best cannot be told apart."""
    judge = leading_judge(scores.judges)
    if judge is None:
        return line("No LLM judged these answers: measures without a judge only.")
    board = next((board for board in boards if board.judge == judge), None)
    if judge.embedded and (board is None or not board.corrected):
        return line(
            "No LLM judged these answers: the embedded judge compared their words with the reference and the context."
        )
    if board is None or board.comparison is None:
        return line(_nothing(board))
    whose = "" if board.corrected or not board.touched else "By the judge's own scores: "
    if board.comparison.unshared:
        return line(whose + _unshared(board))
    if board.baseline:
        return line(whose + _against(board))
    leaders = board.comparison.leaders()
    best = next(row for row in board.rows if row.candidate == leaders[0])
    if len(board.comparison.ranked) == 1:
        return line(f"{strong(best.candidate)} scores {_score(best.ranked, board)}.")
    if overtaking := next((name for name in leaders if board.comparison.better(name, best.candidate)), ""):
        return line(_overtaken(board, overtaking))
    said = _ahead(board) if len(leaders) == 1 else _tied(board, leaders)
    rival = board.comparison.ranked[1] if len(leaders) == 1 else _cheapest(board, leaders[1:])
    return line(whose + said + _trade(board, best.cost, rival))


def _unshared(board: Board) -> str:
    means = [
        f"{strong(row.candidate)} {_score(row.ranked, board)}" for row in board.rows if row.ranked.mean is not None
    ]
    told = f": {'; '.join(means)}" if len(means) <= 4 else ""
    return f"{len(means)} candidates answered different questions, so they are not compared{told}."


def _nothing(board: Board | None) -> str:
    """Why nobody has a score of the leading judge."""
    if board is not None and any("judge: unparsable" in row.headline.missing for row in board.rows):
        return f"No verdict of {strong(board.judge.name)} on a whole answer could be read: nobody has a score of it."
    return "No answer has been graded yet."


def caveats(scores: Scores, boards: Sequence[Board], data: RunData) -> tuple[Line, ...]:
    """What has to be said right under the verdict."""
    found: list[str] = []
    judge = leading_judge(scores.judges)
    if judge is not None:
        found += _whose_scores(judge, next((board for board in boards if board.judge == judge), None))
    subset = (data.info.config.get("dataset") or {}).get("subset")
    if subset:
        size = f"{subset.get('n')} of {subset.get('of')} questions"
        found.append(f"{strong('Subset')}: a random {size} (seed {subset.get('seed')}), not the whole exam.")
    if data.info.config.get(MARK):
        words = "questions, contexts, references, answers, reasoning and prompts were left out"
        found.append(f"{strong('Without texts')}: {words}; every number is that of the whole run.")
    found += [text for board in boards if (text := _reranked(board))]
    return tuple(line(text) for text in found)


def _whose_scores(judge: JudgeView, board: Board | None) -> Iterator[str]:
    """Whether the scores are people's or the judge's own, unless human labels stand behind every one of them."""
    rows = [] if board is None else [row for row in board.rows if row.headline.mean is not None]
    if board is not None and board.touched:
        if not board.corrected:
            yield board.basis
        reasons = [(row.candidate, row.headline.correction) for row in rows if not row.headline.corrected]
        for name, found in reasons:
            if found is not None:
                yield f"{strong(name)}: {found.reason.removeprefix(f'{UNCORRECTED}: ')}."
        return
    if judge.embedded:
        yield "These scores show that the chain works and give a floor; they do not say which candidate to use."
        return
    unused = dict.fromkeys(row.headline.correction.reason for row in rows if row.headline.correction is not None)
    why = "; ".join(reason.removeprefix(f"{UNCORRECTED}: ") for reason in unused)
    stand = why or "no human labels stand behind them"
    yield f"Scores are uncorrected: they are the judge's own, and {stand}."


def facts(data: RunData, scores: Scores, boards: Sequence[Board]) -> tuple[Fact, ...]:
    """Size, judges, money, and everything that is missing."""
    return (
        Fact(line(_size(data))),
        Fact(line(f"{strong(str(len(scores.candidates)))} candidate{'' if len(scores.candidates) == 1 else 's'}")),
        *(Fact(line(_judge_words(board))) for board in boards),
        *(Fact(line(text), warn=True) for text in _troubles(data, scores, boards)),
        Fact(line(_money(data))),
    )


def _score(cell: Cell, board: Board) -> str:
    scale = board.scale
    of = "" if scale is None else f" of {scale[1]:g}" if scale[0] == 0 else f" on {words.scale_words(scale)}"
    beside = f" (the judge alone {words.number(cell.judge_only.value)})" if cell.corrected else ""
    return f"{words.number(cell.mean)}{of} {_limits(cell.estimate)}".rstrip() + beside


def _ahead(board: Board) -> str:
    assert board.comparison is not None
    first, second = board.comparison.ranked[:2]
    estimate = board.comparison.pairs[first, second].estimate
    gap = f"{words.number(estimate.value)} {_limits(estimate)}".rstrip()
    whose = pair_words(board, first, second)
    return f"{strong(first)} answers best: {_score(_cell(board, first), board)}, {gap} above {strong(second)}{whose}."


def _against(board: Board) -> str:
    """Who is better and who worse than the declared baseline, with the largest difference of each."""
    baseline = next(row for row in board.rows if row.candidate == board.baseline)
    found = {how: [row for row in board.rows if row.against == how] for how in ("better", "worse", "not told apart")}
    said = [
        f"{_many(rows)} {'is' if len(rows) == 1 else 'are'} {how}{_largest(rows)}"
        for how, rows in found.items()
        if rows
    ]
    trade = _trade(board, found["better"][0].cost, board.baseline) if found["better"] else ""
    return f"Against the baseline {strong(board.baseline)}, {_score(baseline.ranked, board)}: {'; '.join(said)}.{trade}"


def _many(rows: Sequence[Row]) -> str:
    return words.listed(strong(row.candidate) for row in rows) if len(rows) <= 4 else f"{len(rows)} candidates"


def _largest(rows: Sequence[Row]) -> str:
    """The largest difference from the baseline; nothing for several that cannot be told apart from it."""
    if len(rows) > 1 and rows[0].against == "not told apart":
        return ""
    row = rows[0] if rows[0].against == "better" else rows[-1]
    assert row.versus_baseline is not None
    gap = words.estimate(row.versus_baseline.estimate, sign=True).replace(" ", "\u00a0")
    return f" ({strong(row.candidate) + ' ' if len(rows) > 1 else ''}{gap})"


def _overtaken(board: Board, name: str) -> str:
    """The highest mean, and who is better all the same: answers are missing, and not of the same questions."""
    assert board.comparison is not None
    first = board.comparison.ranked[0]
    estimate = board.comparison.pairs[first, name].estimate
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None
    turned = replace(estimate, value=-estimate.value, low=-estimate.high, high=-estimate.low)
    gap = f"{words.number(turned.value)} {_limits(turned)}"
    whose = pair_words(board, first, name)
    return (
        f"No verdict: {strong(first)} has the highest mean, {_score(_cell(board, first), board)}, "
        f"yet {strong(name)} is {gap} above it{whose}."
    )


def _cell(board: Board, name: str) -> Cell:
    return next(row.ranked for row in board.rows if row.candidate == name)


def _tied(board: Board, leaders: Sequence[str]) -> str:
    assert board.comparison is not None
    if len(leaders) > 4:
        return f"The best {len(leaders)} of {len(board.comparison.ranked)} candidates cannot be told apart."
    names = words.listed(strong(name) for name in leaders)
    if len(leaders) > 2:
        return f"{names} cannot be told apart."
    estimate = board.comparison.pairs[leaders[0], leaders[1]].estimate
    gap = f"{words.signed(estimate.value)} {_limits(estimate, sign=True)}".rstrip()
    return f"{names} cannot be told apart ({gap}{pair_words(board, *leaders)})."


def _limits(estimate: Estimate, sign: bool = False) -> str:
    """An interval that no line break cuts."""
    return words.interval(estimate, sign).replace(" ", "\u00a0")


def _cheapest(board: Board, names: Sequence[str]) -> str:
    rows = {row.candidate: row.cost.usd_per_1000.value for row in board.rows}
    return min(names, key=lambda name: (rows[name] is None, rows[name] or 0.0))


def _trade(board: Board, best: CandidateCost, rival: str) -> str:
    """How much faster and cheaper the rival of the best is, where it is by more than chance."""
    other = next(row.cost for row in board.rows if row.candidate == rival)
    said = []
    faster = _ratio(best.p50, other.p50, FEW_MS)
    cheaper = _ratio(_certain(best.usd_per_1000), _certain(other.usd_per_1000), 0.0)
    if faster >= WORTH_SAYING:
        said.append(f"{words.times(faster)} faster")
    if cheaper >= WORTH_SAYING:
        said.append(f"{words.times(cheaper)} cheaper")
    return f" {strong(rival)} is {words.listed(said)}." if said else ""


def _ratio(a: Estimate, b: Estimate, least: float) -> float:
    """``a`` over ``b`` where the interval of ``a`` lies above that of ``b``, else 0."""
    if a.value is None or a.low is None or b.value is None or b.high is None or a.low <= b.high:
        return 0.0
    return a.value / b.value if a.value > least and b.value > least else 0.0


def _certain(estimate: Estimate) -> Estimate:
    """A price that is the same for every answer has no interval and needs none."""
    return estimate if estimate.low is not None else replace(estimate, low=estimate.value, high=estimate.value)


def _reranked(board: Board) -> str:
    """Says so where counting candidates' own failures as the lowest level changes the order."""
    rows = [row for row in board.rows if row.ranked.mean is not None]
    counted = {row.candidate: _worst(row.ranked) for row in rows}
    order = sorted(rows, key=lambda row: -round(counted[row.candidate], 9))
    if [row.candidate for row in order] == [row.candidate for row in rows] or board.scale is None:
        return ""
    now = [f"{strong(row.candidate)} {words.number(counted[row.candidate])}" for row in order]
    return (
        f"The ranking changes when a candidate's own failures count as {board.scale[0]:g} instead of being left out: "
        f"{', '.join(now)}."
    )


def _worst(cell: Cell) -> float:
    value = cell.worst if cell.worst is not None else cell.mean
    assert value is not None
    return value


def _size(data: RunData) -> str:
    questions, clusters = len(data.samples), int(data.samples["cluster"].nunique())
    text = f"{strong(f'{questions:,}')} question{'' if questions == 1 else 's'}"
    return text if clusters == questions else f"{text} in {strong(f'{clusters:,}')} clusters"


def _judge_words(board: Board) -> str:
    judge = board.judge
    if judge.embedded:
        corrected = f", {correction_words(board)}" if board.touched else ""
        return f"judge {strong(judge.name)}: embedded, no model{corrected}"
    shots = "" if judge.shots is None else ", zero-shot" if not judge.shots else f", {judge.shots}-shot"
    scale = f", {words.scale_words(judge.scale)}" if judge.scale else ""
    return (
        f"judge {strong(judge.name)}{': ' if judge.model else ''}{judge.model}{shots}{scale}, {correction_words(board)}"
    )


def _troubles(data: RunData, scores: Scores, boards: Sequence[Board]) -> Iterator[str]:
    yield from _unreadable(data, boards)
    yield from _unreached(data, boards)
    first = boards[0] if boards else None
    for candidate in scores.candidates:
        cell = next((row.headline for row in first.rows if row.candidate == candidate.name), None) if first else None
        yield from _own_failures(data, candidate.name, cell)
    missing = Counter[str]()
    key = next(iter(scores.cells), None)
    if key is not None:
        for candidate in scores.candidates:
            missing.update(
                {w: n for w, n in scores.cells[candidate.name, *key[1:]].missing.items() if w.startswith("ours:")}
            )
    if unrecorded := sum(missing.pop(why, 0) for why in list(missing) if why.endswith("not_recorded")):
        yield f"{words.plural(unrecorded, 'answer')} not recorded, and left out"
    if missing:
        total = words.plural(sum(missing.values()), "answer")
        yield f"{total} left out through no fault of a candidate ({words.listed(map(words.reason, missing))})"
    notes = [note for board in boards for row in board.rows for note in row.headline.notes]
    yield from (f"intervals are rough: {note}" for note in dict.fromkeys(notes))


def _unreadable(data: RunData, boards: Sequence[Board]) -> Iterator[str]:
    for board in boards:
        status = data.grades.loc[data.grades["judge"] == board.judge.name, "status"]
        bad = int(status.isin(UNREADABLE).sum())
        if bad:
            bounded = any(cell.bounds for row in board.rows for cell in (row.headline, *row.criteria))
            yield f"{bad:,} of {len(status):,} verdicts of {board.judge.name} unreadable" + (
                ": bounds below" if bounded else ""
            )


def _unreached(data: RunData, boards: Sequence[Board]) -> Iterator[str]:
    for board in boards:
        status = data.grades.loc[data.grades["judge"] == board.judge.name, "status"]
        if n := int((status == "error").sum()):
            yield f"{n:,} of {len(status):,} verdicts of {board.judge.name} left out: the judge was not reached"


def _own_failures(data: RunData, name: str, cell: Cell | None) -> Iterator[str]:
    answers = data.answers[(data.answers["candidate"] == name) & (data.answers["owner"] == "candidate")]
    if len(answers):
        kinds = words.listed(words.reason(kind) for kind in sorted(answers["status"].unique()))
        with_them = f"; with them {words.number(cell.worst)}" if cell is not None and cell.worst is not None else ""
        yield f"{words.plural(len(answers), 'answer')} of {strong(name)} left out of its mean ({kinds}{with_them})"


def _money(data: RunData) -> str:
    total = paid(data.calls)
    if total is not None:
        return f"paid {strong(words.usd(total))}"
    own = data.calls[~data.calls["reused"].astype(bool)]
    unknown = own.loc[own["cost_usd"].isna() & (own["status"] == "ok"), "who"].unique()
    known = strong(words.usd(float(own["cost_usd"].sum())))
    return f"paid {known} plus calls of {words.listed(map(str, unknown))} whose price is unknown"
