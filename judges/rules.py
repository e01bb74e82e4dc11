"""What every judge does alike: what can be decided without asking anybody, and grades out of outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..harness.errors import BugError
from ..harness.records import Answer, Failed, Grade, Said, Scored, Unscored
from .prompt import Material
from .rubric import Rubric

Outcome = Scored | Unscored


def said_of(answer: Answer) -> Said:
    """What the candidate said. Raises BugError for a failed answer, which nobody may grade."""
    if isinstance(answer.outcome, Failed):
        raise BugError(f"a failed answer is not graded: {answer.candidate!r} on sample {answer.sample_id!r}")
    return answer.outcome


def without_call(rubric: Rubric, material: Material) -> Outcome | None:
    """The outcome on every criterion where no judge is needed, else ``None``.

    Not applicable where the rubric must show what is not there (faithfulness of an answer that came without passages);
    the rubric's ``on_empty`` where nothing was answered.
    """
    shown = {
        "context": material.sample.context,
        "reference": material.sample.reference,
        "candidate_context": material.candidate_context,
    }
    for name in rubric.sees:
        if name in shown and name not in rubric.optional and not shown[name]:
            if name == "candidate_context":
                return Unscored("not_applicable", "the candidate came with no passages that it was given")
            return Unscored("not_applicable", f"the sample has no {name}")
    if rubric.on_empty == "judge" or not material.empty:
        return None
    score = rubric.scale[rubric.on_empty == "highest"]
    return Scored(score, f"The answer is empty; by the rubric (on_empty: {rubric.on_empty}) that is a {score}.")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose answer is graded by whom: what all grades of one grading share."""

    answer: Answer
    judge: str
    repeat: int
    fingerprint: str

    def grades(self, outcomes: Mapping[str, Outcome], turn: int, calls: tuple[str, ...] = ()) -> list[Grade]:
        """One grade per criterion."""
        answer = self.answer
        where = (answer.run, answer.sample_id, answer.candidate, answer.trial, self.judge)
        return [
            Grade(*where, criterion, outcome, self.repeat, turn, calls, self.fingerprint)
            for criterion, outcome in outcomes.items()
        ]
