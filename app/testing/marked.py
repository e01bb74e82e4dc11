"""The marker `exam`, read: which exam, and whether a test is run once or once a sample. Runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import pytest

from ...harness.data import load_dataset
from ...harness.errors import InputError
from ...harness.exam import Exam, load_exam
from ...harness.records import Sample
from ...harness.yaml_file import did_you_mean

FORM = '@pytest.mark.exam("exams/x.yaml", per_sample=True, pass_share=0.9)'


@dataclass(frozen=True, slots=True)
class Marked:
    """What a marker says. ``pass_share`` is the share of samples that must pass; ``strict`` asserts each one."""

    path: str
    _: KW_ONLY
    per_sample: bool = False
    strict: bool = False
    pass_share: float | None = None
    candidate: str = ""

    def __post_init__(self) -> None:
        if not self.per_sample and (self.strict or self.pass_share is not None or self.candidate):
            raise InputError(f"strict, pass_share and candidate are for per_sample=True: {FORM}")
        if self.pass_share is not None and not 0 < self.pass_share <= 1:
            raise InputError(f"pass_share={self.pass_share!r}: must be above 0 and at most 1: {FORM}")


@dataclass(frozen=True, slots=True)
class Place:
    """One answer that a test is about."""

    sample: Sample
    candidate: str
    trial: int


def marked(mark: pytest.Mark) -> Marked:
    """Raises InputError for words that the marker does not know."""
    try:
        return Marked(*mark.args, **mark.kwargs)
    except TypeError as error:
        raise InputError(f"exam marker: {error}; it is written {FORM}") from None


def exam_file(given: str, here: Sequence[Path]) -> Path:
    """The exam's file: beside the test, else under pytest's root. Raises InputError where it is in neither."""
    found = next((folder / given for folder in here if (folder / given).is_file()), None)
    if found is None:
        raise InputError(f"exam {given!r}: there is no such file in {' or '.join(str(folder) for folder in here)}")
    return found


def places(path: Path, mark: Marked) -> list[tuple[str, Place]]:
    """(id, place) of every answer, samples in the order of the data set: the same in each process."""
    exam = load_exam(path)
    names = _candidates(exam, mark.candidate)
    several = len(names) > 1
    found = []
    for sample in load_dataset(exam.dataset).samples:
        for name, trials in names.items():
            for trial in range(trials):
                parts = [sample.id, *([name] if several else []), *([f"trial{trial}"] if trials > 1 else [])]
                found.append(("-".join(parts), Place(sample, name, trial)))
    return found


def _candidates(exam: Exam, wanted: str) -> dict[str, int]:
    """Name -> trials."""
    known = {spec.name: spec.trials for spec in exam.candidates}
    if wanted and wanted not in known:
        hint = did_you_mean(wanted, known) or ";"
        raise InputError(f"candidate={wanted!r}: is not in {exam.path.name}{hint} there are {', '.join(known)}")
    return {wanted: known[wanted]} if wanted else known
