"""What feedback says, in words: the first lines, what to beware of, and the rows of every table."""

from __future__ import annotations

from collections.abc import Iterator

from ...harness.records import Estimate
from .. import words
from ..headline import strong
from .records import Acceptance, Calibration, FeedbackReport, Level, Prediction, Selection

CHANCE = 0.5
LOUD = 0.2
ALPHA = 0.05
ACCEPTED = ("candidate", "answers", "with feedback", "votes", "users", "accepted", "changed by edits")
IN_WINDOW = ("window", "candidate", "answers", "with feedback", "accepted")
PREDICTED = ("judge", "measure", "candidate", "n", "AUC")
BY_SCORE = ("judge", "measure", "score", "n", "accepted")
SELECTED = ("judge", "candidate", "with feedback", "without", "difference", "p")


def title(found: FeedbackReport) -> str:
    """``Feedback on run 20261121-…``."""
    return f"Feedback on run {found.run.name or found.run.id}"


def verdict(found: FeedbackReport) -> str:
    """How many votes accept, by candidate."""
    told = (
        f"{strong(one.candidate)} {strong(words.percent(one.rate.value))} of {words.plural(one.votes, 'vote')}"
        f"{_limits(one.rate)}"
        for one in found.acceptance
        if one.votes
    )
    return f"Users accept: {'; '.join(told)}."


def second(found: FeedbackReport) -> str:
    """Whether the leading judge's headline predicts it; '' where there is no judge."""
    if not found.judges:
        return "No judge of single answers graded the run, so nothing is said of how well one predicts feedback."
    judge, measure = next(iter(found.judges.items()))
    one = next(p for p in found.predictions if (p.judge, p.measure, p.candidate) == (judge, measure, ""))
    name = f"{strong(judge)}'s {measure}"
    if one.auc.value is None:
        return f"How well {name} predicts it cannot be said: {one.auc.method}."
    return f"{_predicts(name, one.auc)}: AUC {strong(words.number(one.auc.value))}{_brackets(one.auc)}."


def _predicts(name: str, auc: Estimate) -> str:
    if auc.low is not None and auc.low > CHANCE:
        return f"{name} predicts it better than chance"
    if auc.high is not None and auc.high < CHANCE:
        return f"What {name} scores higher users accept less often"
    return f"Nothing shows that {name} predicts it better than chance, 0.50"


def caveats(found: FeedbackReport) -> Iterator[str]:
    """What to beware of. Who gives feedback is no random draw, so that comes first, and always."""
    answers, heard = sum(one.answers for one in found.acceptance), sum(one.heard for one in found.acceptance)
    yield (
        f"{heard:,} of {answers:,} answers have feedback, {words.percent(heard / answers if answers else None)}. Who "
        f"gives feedback is no random draw: these rates are of the votes that came, not of all answers."
    )
    yield from (_unlike(one) for one in found.selections if one.p is not None and one.p < ALPHA)
    if found.loudest > LOUD:
        yield f"One user said {words.percent(found.loudest)} of all votes."
    if found.crossed:
        yield (
            "Users vote in several clusters of samples and clusters hold several users: intervals know the clusters "
            "alone, and may be too narrow."
        )
    for one in found.acceptance:
        yield from (f"{one.candidate}: {note}." for note in one.rate.notes)
    if found.clock == "said":
        yield "No sample says when it was asked (asked_at): windows are of when feedback was given."
    if found.untimed:
        what = "answer" if found.clock == "asked" else "vote"
        verb = "is" if found.untimed == 1 else "are"
        yield f"{words.plural(found.untimed, what)} of unknown time {verb} in no window."
    if found.judges:
        yield "Scores are the judges' own, uncorrected by human labels."


def _unlike(one: Selection) -> str:
    way = "higher" if (one.difference.value or 0) > 0 else "lower"
    return (
        f"{one.candidate}: answers with feedback score {way} than those without by {one.judge}'s {one.measure}, "
        f"{words.estimate(one.difference, sign=True)}, so they are not like the others."
    )


def rate(one: Estimate) -> str:
    """``71 % [65, 77]``."""
    return f"{words.percent(one.value)}{_limits(one)}"


def _limits(one: Estimate) -> str:
    if one.low is None or one.high is None:
        return ""
    return f" [{100 * one.low:.0f}, {100 * one.high:.0f}]"


def _brackets(one: Estimate) -> str:
    limits = words.interval(one)
    return f" {limits}" if limits else f" ({one.method})"


def accepted_rows(found: FeedbackReport) -> Iterator[tuple[str, ...]]:
    """As titled in `ACCEPTED`."""
    for one in found.acceptance:
        users = words.count(one.users) if one.users else words.NONE
        yield (
            one.candidate,
            words.count(one.answers),
            _heard(one.heard, one.answers),
            words.count(one.votes),
            users,
            rate(one.rate),
            _edited(one),
        )


def _heard(heard: int, answers: int | None) -> str:
    return f"{heard:,} ({words.percent(heard / answers)})" if answers else f"{heard:,}"


def _edited(one: Acceptance) -> str:
    if not one.edited.n:
        return words.NONE
    return f"{rate(one.edited)} of {words.plural(one.edited.n, 'text')}"


def window_rows(found: FeedbackReport) -> Iterator[tuple[str, ...]]:
    """As titled in `IN_WINDOW`."""
    for one in found.by_window:
        answers = words.NONE if one.answers is None else words.count(one.answers)
        label = found.windows[one.window].label
        yield label, one.candidate, answers, _heard(one.heard, one.answers), rate(one.rate)


def predicted_rows(found: FeedbackReport) -> Iterator[tuple[str, ...]]:
    """As titled in `PREDICTED`."""
    for one in found.predictions:
        yield one.judge, one.measure, one.candidate or "all", words.count(one.auc.n), predicted_text(one)


def predicted_text(one: Prediction) -> str:
    """The AUC with its interval, or why there is none."""
    return f"n/a: {one.auc.method}" if one.auc.value is None else f"{words.number(one.auc.value)}{_brackets(one.auc)}"


def level_rows(found: FeedbackReport) -> Iterator[tuple[str, ...]]:
    """As titled in `BY_SCORE`."""
    for one in found.calibrations:
        for level in one.levels:
            yield one.judge, one.measure, span(level), words.count(level.rate.n), rate(level.rate)


def span(level: Level) -> str:
    """``2``, or ``1.4 to 1.8``."""
    low, high = (f"{value:.4g}".replace("-", "−") for value in (level.low, level.high))
    return low if low == high else f"{low} to {high}"


def selected_rows(found: FeedbackReport) -> Iterator[tuple[str, ...]]:
    """As titled in `SELECTED`."""
    for one in found.selections:
        known = one.difference.value is not None
        yield (
            f"{one.judge}, {one.measure}",
            one.candidate,
            words.estimate(one.heard),
            words.estimate(one.silent),
            words.estimate(one.difference, sign=True) if known else one.difference.method,
            words.NONE if one.p is None else words.p_value(one.p),
        )


def figure_title(one: Calibration) -> str:
    """``strict, composite``."""
    return f"{one.judge}, {one.measure}"
