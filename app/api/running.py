"""Exams: a first one, what one costs, and running one, as functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...harness.dispatch.tally import Tally
from ...harness.exam import Exam, exam_from_dict, load_exam
from .. import workflow
from ..loops import run_anywhere
from ..progress import showing
from ..run import Run
from ..session import WORKSPACE, Options, open_session

if TYPE_CHECKING:
    import pandas as pd

    from ..doctor import DoctorOutput
    from ..output import PlanOutput

AnExam = str | Path | Mapping[str, Any] | Exam
"""A path, its content as a mapping, or a loaded one."""


def run(
    exam: AnExam,
    *,
    workspace: str | Path = WORKSPACE,
    fresh: bool = False,
    retry: Sequence[str] = (),
    reuse_answers: bool = False,
    limit: int | None = None,
    seed: int | None = None,
    offline: bool = False,
    name: str = "",
    progress: bool = False,
) -> Run:
    """Generate and grade an exam (a path, or its content as a mapping); continues the exam's latest run.

    Works where an event loop already runs (notebooks). Raises `InputError` for mistakes, `Unfinished` where the
    run stopped before its end (budget, endpoint gone); what was paid for is kept and the same call continues. What
    the command line would note (a level without an example, say) is a warning.
    """
    options = Options(workspace, fresh, frozenset(retry), reuse_answers, limit, seed, name, offline)
    return _performed(loaded(exam), options, ("generate", "grade"), progress)


def generate(
    exam: AnExam,
    *,
    workspace: str | Path = WORKSPACE,
    fresh: bool = False,
    retry: Sequence[str] = (),
    limit: int | None = None,
    seed: int | None = None,
    name: str = "",
    progress: bool = False,
) -> Run:
    """Only the answers of an exam; `grade` or `run` continues. Raises as `run` does."""
    options = Options(workspace, fresh, frozenset(retry), limit=limit, seed=seed, name=name)
    return _performed(loaded(exam), options, ("generate",), progress)


def grade(
    answers: pd.DataFrame | str | Path,
    *,
    rubric: str = "docs_qa",
    judge: str = "embedded",
    base_url: str | None = None,
    shots: int = 1,
    workspace: str | Path = WORKSPACE,
    name: str = "answers",
    retry: Sequence[str] = (),
    limit: int | None = None,
    seed: int | None = None,
    progress: bool = False,
) -> Run:
    """Grade answers that exist already: a DataFrame or a file with ``question`` and ``answer`` columns, or those that
    an exam (YAML) has generated, by its own judges.

    Optional columns: ``id``, ``candidate``, ``trial``, ``reference``, ``context``, ``cluster``, ``tags``. Raises as
    `run` does.
    """
    from ..answers_file import JudgeChoice, exam_of_file, exam_of_rows

    choice = JudgeChoice(rubric, judge, base_url, shots)
    options = Options(workspace, retry=frozenset(retry), limit=limit, seed=seed)
    if isinstance(answers, str | Path):
        path = Path(answers)
        if path.suffix.lower() in (".yaml", ".yml"):
            return _performed(load_exam(path), options, ("grade",), progress)
        return _performed(exam_of_file(path, choice, workspace), options, ("generate", "grade"), progress)
    records = answers.astype(object).where(answers.notna(), None).to_dict("records")
    rows = [{str(k): v for k, v in record.items()} for record in records]
    return _performed(exam_of_rows(rows, name, choice, workspace), options, ("generate", "grade"), progress)


def plan(
    exam: AnExam,
    *,
    workspace: str | Path = WORKSPACE,
    fresh: bool = False,
    retry: Sequence[str] = (),
    limit: int | None = None,
    seed: int | None = None,
) -> PlanOutput:
    """What an exam is going to cost: calls, tokens, USD and minutes. Calls nothing, writes nothing."""
    from ..plan import make_plan

    return make_plan(loaded(exam), Options(workspace, fresh, frozenset(retry), limit=limit, seed=seed)).output


def demo(*, workspace: str | Path = WORKSPACE, progress: bool = False) -> Run:
    """Run the packaged exam: real questions, the embedded candidates and judge, no key and no network."""
    from ..starter import demo_exam

    return run(demo_exam(), workspace=workspace, progress=progress)


def init(folder: str | Path = ".") -> list[Path]:
    """Write a first exam of one's own (exam.yaml, rubric.yaml, samples.jsonl) and return the paths.

    Raises InputError where one of them exists.
    """
    from ..starter import write_starter

    return write_starter(Path(folder))


def doctor(exam: str | Path | None = None, *, workspace: str | Path = WORKSPACE) -> DoctorOutput:
    """What is installed, reachable and priced, and what ``exam`` needs. Pays for nothing."""
    from ..doctor import examine

    return examine(None if exam is None else Path(exam), str(workspace))


def loaded(exam: AnExam) -> Exam:
    """The exam, checked. Raises ExamError with file, line, value and remedy."""
    if isinstance(exam, str | Path):
        return load_exam(Path(exam))
    if isinstance(exam, Mapping):
        return exam_from_dict(dict(exam), base=Path.cwd(), name="exam")
    return exam


@contextmanager
def noted() -> Iterator[Callable[[str], None]]:
    """Takes what a command would note; each is a warning, when all is done, at the line that called the function."""
    notes: list[str] = []
    yield notes.append
    for note in notes:
        warnings.warn(note, stacklevel=4)  # this, the end of the block, the public function, its caller


def _performed(exam: Exam, options: Options, phases: Sequence[workflow.Phase], progress: bool) -> Run:
    tally = Tally()
    workflow.rehearse(exam, require_key=not options.offline)
    with open_session(exam, options) as session:

        async def main() -> None:
            async with showing(tally, quiet=not progress):
                await workflow.perform(session, phases, tally, session.notes.append)

        run_anywhere(main)
        if "grade" in phases:
            workflow.mark_finished(session)
        for note in session.notes:
            warnings.warn(note, stacklevel=3)
        return Run(session.run.id, options.workspace)
