"""The juries of an exam, which ask nobody: they take the grades of their members together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...harness.exam import Exam
from ...harness.records import Grade
from ...harness.store import queries
from ...harness.store.writer import Writer
from ...judges.jury import Jury, deliberate
from ..session import Session


async def deliberate_on(session: Session, writer: Writer, trials: Mapping[str, int]) -> None:
    """Let the juries say what their members' grades come to."""
    juries = _juries(session.exam)
    if not juries:
        return
    criteria = {name: {c.name for c in rubric.criteria} for name, rubric in session.rubrics.items()}

    def grades_of(members: Sequence[str], sample_ids: Sequence[str]) -> list[Grade]:
        found = queries.read_grades_of(session.store, session.run.id, members, sample_ids)
        return [g for g in found if g.trial < trials.get(g.candidate, 0) and g.criterion in criteria[g.judge]]

    standings = queries.grade_standings(session.store, session.run.id)
    samples = [sample.id for sample in session.dataset.samples]
    await deliberate(juries, samples, grades_of, standings, writer)


def _juries(exam: Exam) -> list[Jury]:
    """The judges that take the verdicts of others together."""
    return [
        Jury(spec.name, spec.members, spec.aggregate, spec.repeats, spec.repeat_share)
        for spec in exam.judges
        if spec.members
    ]
