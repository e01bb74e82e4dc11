"""What all probes share: the answers that they have graded, and the scores that come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeVar

from ...harness.records import Answer, Estimate, Grade, Retrieved, Said, Sample, Scored
from ..rubric import Criterion, Rubric, composite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

T = TypeVar("T")
CANDIDATE = "probe"
"""The name that made-up answers have."""
SAME = 1e-12
"""Differences of less are rounding."""
MOST_EXAMPLES = 5
"""Failures of one kind that a page shows."""


@dataclass(frozen=True, slots=True)
class Item:
    """One grading that a probe asks for. ``base`` is the key of the item that it is compared with.

    ``salt`` draws a reply of its own; an item with none is the run's own grading of a stored answer, and recorded.
    """

    key: tuple[str, ...]
    sample: Sample
    answer: Answer
    kind: str
    salt: str = ""
    base: tuple[str, ...] = ()
    severity: str = ""

    @property
    def text(self) -> str:
        """What the judge is shown as the answer."""
        return self.answer.outcome.text


Graded = Mapping[object, Sequence[Grade]]
"""Grades by the key of their item."""


def stored(code: str, sample: Sample, answer: Answer, salt: str = "") -> Item:
    """The grading of an answer of the run."""
    key = (code, salt, sample.id, answer.candidate, str(answer.trial))
    return Item(key, sample, answer, "stored", salt)


def made_up(code: str, sample: Sample, text: str, kind: str, *, base: tuple[str, ...] = (), severity: str = "") -> Item:
    """The grading of a text that no candidate wrote. It came, as it were, with the sample's own passages."""
    said = Said(text, retrieved=tuple(Retrieved(passage) for passage in sample.context))
    answer = Answer("", sample.id, CANDIDATE, 0, said)
    return Item((code, sample.id, kind, *base), sample, answer, kind, code, base, severity)


def scores(grades: Iterable[Grade]) -> dict[str, float]:
    """Criterion -> score, those without a score left out; of a conversation graded by turns, the mean."""
    found: dict[str, list[float]] = {}
    for grade in grades:
        if isinstance(grade.outcome, Scored):
            found.setdefault(grade.criterion, []).append(grade.outcome.score)
    return {criterion: sum(values) / len(values) for criterion, values in found.items()}


def whole(grades: Iterable[Grade], rubric: Rubric) -> float | None:
    """The composite of one answer, in steps of the scale; ``None`` where a criterion lacks."""
    return composite(scores(grades), rubric)


def primary(rubric: Rubric) -> Criterion:
    """The criterion with the largest weight, the first of equals: what a fluent or long answer must not buy."""
    return max(rubric.criteria, key=lambda criterion: criterion.weight)


def drawn(items: Sequence[T], n: int, seed: int, spread: Sequence[str]) -> list[T]:
    """``n`` of ``items`` at random, as many from each of the groups named by ``spread`` (aligned) as can be."""
    draw = Random(seed)  # noqa: S311 - a draw, not a secret
    groups: dict[str, list[T]] = {}
    for item, group in zip(items, spread, strict=True):
        groups.setdefault(group, []).append(item)
    for members in groups.values():
        draw.shuffle(members)
    order = list(groups)
    draw.shuffle(order)
    rounds = max(map(len, groups.values()), default=0)
    mixed = [groups[group][k] for k in range(rounds) for group in order if k < len(groups[group])]
    return mixed[:n]


def change_interval(changes: ArrayLike, items: Sequence[str]) -> Estimate:
    """Mean of ``changes`` (n,), in steps of the scale, by item.

    Where all changed alike, or nothing at all, what chance may have hidden is taken to be a step, either way.
    """
    import numpy as np

    from ...harness.statistics.intervals import mean_interval

    array = np.asarray(changes, dtype=float)
    alike = len(array) > 0 and float(np.ptp(array)) <= SAME
    reach = max(1.0, abs(float(array[0]))) if alike else 0.0
    return mean_interval(array, items, scale=(-reach, reach) if alike else None)


def percent(share: float) -> str:
    """``96 %``."""
    return f"{100 * share:.0f} %"


def drawn_note(designs: Iterable[str]) -> tuple[str, ...]:
    """A line where labelled answers do not stand for the others, by the ``designs`` of their sets."""
    if set(designs) <= {"random"}:
        return ()
    return ("not all labelled answers were drawn at random from all of them: this holds of answers like these",)


def unscored_note(missing: int, total: int) -> tuple[str, ...]:
    """A line for the items that have no score."""
    return (f"{missing} of {total} have no score and are left out",) if missing else ()
