"""Everything in a run that may be rated: answers one by one, or two candidates' answers to one question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..labels import example_key
from ..store.codec import answer_sha256
from .records import Mode

if TYPE_CHECKING:
    import numpy as np

    from ..store.frames import RunData


@dataclass(frozen=True, slots=True)
class Given:
    """An answer: its text, and the hash by which labels know it."""

    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Unit:
    """What can become an item. ``right`` is '' where answers are graded one by one."""

    sample_id: str
    left: str
    right: str
    trial: int

    @property
    def sides(self) -> tuple[str, ...]:
        """The candidates, one or two."""
        return (self.left, self.right) if self.right else (self.left,)

    @property
    def group(self) -> str:
        """Whom it is about: what is said of it is averaged with others of this group."""
        return " | ".join(self.sides)


Answers = dict[tuple[str, str, int], Given]
"""Sample, candidate, trial -> the answer."""


def answers_of(data: RunData) -> Answers:
    """The answers that somebody may rate: given ones, but for worked examples of a judge, which are never labels.

    Raises InputError where there are none, or their words were purged.
    """
    examples = {key for judge in data.info.config.get("judges", ()) for key in judge.get("worked_examples", ())}
    asked = {row.sample_id: row.question for row in data.samples.itertuples()}
    known = {sample for sample, question in asked.items() if examples and example_key(str(question)) in examples}
    found: Answers = {}
    ok = data.answers[data.answers["status"] == "ok"]
    columns = (ok[name].tolist() for name in ("sample_id", "candidate", "trial", "text", "turns"))
    for sample, candidate, trial, text, turns in zip(*columns, strict=True):
        if sample not in known and not (examples and example_key(text) in examples):
            found[sample, candidate, trial] = Given(text, answer_sha256(text, turns))
    if not any(given.text for given in found.values()):
        raise InputError(f"run {data.info.id}: there is no answer to rate (none was given, or its words were purged)")
    return found


def units_of(data: RunData, answers: Answers, mode: Mode, chance: np.random.Generator) -> dict[str, list[Unit]]:
    """Sample -> what can be asked about it, in exam order; of several trials of an answer, one that is drawn.

    Raises InputError for pairs where no two candidates answered the same question.
    """
    trials: dict[tuple[str, str], list[int]] = {}
    for sample, candidate, trial in answers:
        trials.setdefault((sample, candidate), []).append(trial)
    names = [str(c["name"]) for c in data.info.config.get("candidates", ())]
    names += sorted({candidate for _, candidate, _ in answers} - set(names))
    found = {}
    for sample in map(str, data.samples["sample_id"]):
        if units := list(_units(sample, names, trials, mode, chance)):
            found[sample] = units
    if not found:
        raise InputError(
            f"--mode pairs: run {data.info.id} has no question that two candidates answered; grade instead"
        )
    return found


def _units(sample: str, names: list[str], trials: Any, mode: Mode, chance: np.random.Generator) -> Iterator[Unit]:
    sides = [(name, "") for name in names] if mode == "grade" else combinations(names, 2)
    for left, right in sides:
        common = [t for t in trials.get((sample, left), ()) if not right or t in trials.get((sample, right), ())]
        if common:
            yield Unit(sample, left, right, common[int(chance.integers(len(common)))])
