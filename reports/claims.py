"""What somebody asserts of a run ("correctness is at least 2.2"), held against the interval of its cell."""

from __future__ import annotations

from dataclasses import dataclass

from ..harness.records import Estimate
from ..harness.statistics.thresholds import Direction, State, held
from . import words
from .cells import Cell, Scores
from .exam import Scale, measure_scale
from .grid import Key

NOT_APPLICABLE = "judge: not_applicable"


@dataclass(frozen=True, slots=True)
class Claim:
    """A cell against a threshold. ``why`` says what decided; ``notes`` what to know about the number."""

    key: Key
    direction: Direction
    threshold: float
    estimate: Estimate
    state: State
    why: str
    notes: tuple[str, ...] = ()

    @property
    def wanted(self) -> str:
        """``at least 2.2``."""
        return f"{self.direction} {self.threshold:g}"


def claim(scores: Scores, key: Key, direction: Direction, threshold: float) -> Claim:
    """By the interval: see `thresholds.held`. Answers without a value never help to pass."""
    cell, scale = scores.cells[key], scale_of(scores, key)
    lost, worst = _lost(cell), _worst(scale, direction)
    share = 0.0 if worst is None else lost / max(1, cell.n_expected)
    state = held(cell.estimate, direction, threshold, share, worst or 0.0)
    why = _why(cell, direction, threshold, state, share)
    return Claim(key, direction, threshold, cell.estimate, state, why, notes(cell))


def point_claim(scores: Scores, key: Key, direction: Direction, threshold: float) -> Claim:
    """By the estimate alone, whatever its interval says."""
    cell = scores.cells[key]
    if cell.mean is None:
        return Claim(key, direction, threshold, cell.estimate, "inconclusive", "no answer has a value", notes(cell))
    there = cell.mean >= threshold if direction == "at least" else cell.mean <= threshold
    why = "by the estimate alone, as asked for; its interval is not looked at"
    return Claim(key, direction, threshold, cell.estimate, "pass" if there else "fail", why, notes(cell))


def scale_of(scores: Scores, key: Key) -> Scale | None:
    """Both ends of what the cell's values can be."""
    _, source, measure = key
    return next((j.scale for j in scores.judges if j.name == source), None) if source else measure_scale(measure)


def subject(key: Key) -> str:
    """``correctness of mini by strict``."""
    candidate, source, measure = key
    return f"{measure} of {candidate}" + (f" by {source}" if source else "")


def notes(cell: Cell) -> tuple[str, ...]:
    """Whose number it is, what is missing, and what makes its interval doubtful."""
    found = list(cell.notes)
    if missing := _missing(cell):
        found.append(f"{words.plural(cell.n_missing, 'answer')} of {cell.n_expected:,} without a value: {missing}")
    if cell.source and not cell.corrected:
        reason = "" if cell.correction is None else f" ({cell.correction.reason})"
        found.append(f"the judge's own scores, uncorrected by human labels{reason}")
    elif cell.correction is not None and cell.backing is not None:
        method, own = words.correction(cell.correction.method), words.estimate(cell.judge_only)
        found.append(f"corrected by {words.plural(cell.backing.n, 'label')} ({method}); the judge's own mean is {own}")
    return tuple(found)


def _why(cell: Cell, direction: Direction, threshold: float, state: State, share: float) -> str:
    near, far = ("lower", "upper") if direction == "at least" else ("upper", "lower")
    if state == "pass":
        return f"the {near} limit of the interval reaches it"
    if state == "fail":
        return f"the {far} limit of the interval does not reach it"
    if cell.mean is None:
        return "no answer has a value"
    if cell.estimate.low is None or cell.estimate.high is None:
        return f"there is no interval: {cell.estimate.method.partition(':')[0]}"
    if share and held(cell.estimate, direction, threshold) == "pass":
        end = "lowest" if direction == "at least" else "highest"
        return f"{words.percent(share)} of the answers have no value; with these at the {end} level it is not reached"
    return f"the interval holds values on both sides of {threshold:g}; more samples make it narrower"


def _lost(cell: Cell) -> int:
    return cell.n_missing - cell.missing.get(NOT_APPLICABLE, 0)


def _missing(cell: Cell) -> str:
    return ", ".join(f"{count} {words.reason(why)}" for why, count in cell.missing.items())


def _worst(scale: Scale | None, direction: Direction) -> float | None:
    return None if scale is None else scale[0] if direction == "at least" else scale[1]
