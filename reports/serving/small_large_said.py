"""A small model against a large one in words and tables, the same for HTML, Markdown and the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ...harness.records import Estimate
from .. import words
from ..headline import strong
from ..regression.said import change
from . import said
from .costs_said import dollars
from .small_large import SmallLarge
from .small_large_amounts import Ratio
from .small_large_base_said import sentence, share
from .tables import Row

HOW = (
    "Ratio: small over large, with 95 % intervals. Seconds: geometric mean over questions of which both have a live "
    "reply; of p95, the one over the other. USD: of the means, which is what a bill is of."
)
UNDER_LOAD = "Medians and means of load tests, in intervals by the spread between repeats."


def title(found: SmallLarge) -> str:
    """``mini against gpt-4o``."""
    return f"{found.small} against {found.large}"


def measure(found: SmallLarge) -> str:
    """``composite by strict``."""
    about = found.difference.subject
    return f"{about.measure} by {about.source}" if about.source else about.measure


def verdict(found: SmallLarge) -> str:
    """As good within the margin, worse, or not shown."""
    small, large, points = strong(found.small), strong(found.large), _points(found.margin)
    head = {
        "as good": f"{small} is {strong(f'as good as {found.large} within {points}')}",
        "worse": f"{small} is {strong('worse')} than {large} by more than {points}",
        "not shown": f"That {small} is as good as {large} within {points} is {strong('not shown')}",
    }[found.verdict]
    return f"{head}: {measure(found)} {change(found.difference)}{_bound(found)}."


def _points(margin: float) -> str:
    return f"{margin:g} {'point' if margin == 1 else 'points'}"


def _bound(found: SmallLarge) -> str:
    return "" if found.gain.lower is None else f", one-sided 95 % bound {words.signed(found.gain.lower)}"


def second(found: SmallLarge) -> str:
    """What the small one takes of what the large one does; '' where nothing is known."""
    parts = []
    if found.share.value is not None:
        parts.append(f"reaches {strong(share(found.share))} of {strong(found.large)}'s score")
    known = {one.what: strong(ratio(one)) for one in found.ratios if one.ratio.value is not None}
    if seconds := known.get("E2E p50"):
        parts.append(f"takes {seconds} the time for an answer")
    if usd := known.get("1,000 answers by their tokens"):
        parts.append(f"costs {usd} as much")
    if memory := known.get("memory, as declared"):
        parts.append(f"needs {memory} the memory")
    return f"It {words.listed(parts)}." if parts else ""


def lines(found: SmallLarge) -> Iterator[str]:
    """What stands above everything else: the verdict, what the small one takes, how much of the gap it closes."""
    yield verdict(found)
    if told := second(found):
        yield told
    if found.based is not None and (told := sentence(found.based, found.small, found.large)):
        yield told


def untrained(found: SmallLarge) -> str:
    """That no sample was trained on; '' where no export was named."""
    return _sentence(found.untrained) if found.untrained else ""


def caveats(found: SmallLarge) -> Iterator[str]:
    """What has to be said right under the verdict."""
    if found.why:
        yield _sentence(found.why)
    if found.verdict == "not shown" and found.needed is not None:
        yield (
            f"Not shown is not worse. Of two equal models about {found.needed:,} samples would show it with 80 %; here "
            f"are {found.difference.estimate.n:,}."
        )
    yield from (_sentence(note) for note in (*found.notes, *(found.based.notes if found.based else ())))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def times(ratio: float) -> str:
    """``0.31×``, ``0.051×``, ``12×``."""
    return f"{_digits(ratio)}×"


def _digits(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:#.2g}"


def ratio(one: Ratio) -> str:
    """``0.31× [0.29, 0.33]``, or why there is none."""
    if one.ratio.value is None:
        return one.why or words.NONE
    ends = [_digits(v) for v in (one.ratio.low, one.ratio.high) if v is not None]
    return f"{times(one.ratio.value)} [{ends[0]}, {ends[1]}]" if len(ends) == 2 else times(one.ratio.value)


def rows(found: tuple[Ratio, ...]) -> Iterator[Row]:
    """A row an amount."""
    for one in found:
        yield Row((_named(one), amount(one.small, one.unit), amount(one.large, one.unit), ratio(one)))


def quality_row(found: SmallLarge) -> Row:
    """The score of both."""
    one = found.difference
    return Row((measure(found), words.estimate(one.new), words.estimate(one.old), share(found.share)))


def _named(one: Ratio) -> str:
    return f"{one.what}, {one.unit}" if one.unit else one.what


def amount(one: Estimate, unit: str) -> str:
    """In its unit; ``unknown`` for a price that is."""
    if unit == "USD":
        return dollars(one)
    if unit == "GB":
        return words.NONE if one.value is None else f"{one.value:g}"
    return said.time(one) if unit == "s" else said.amount(one)
