"""The exam: what is asked of whom, graded by whom. Read from YAML, every mistake named with its line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from .errors import ExamError, InputError, Problem
from .exam_checks import (
    entries,
    lone_pairs,
    providers,
    shared_names,
    unknown_baseline,
    unknown_measures,
    unknown_providers,
)
from .exam_describe import describe
from .exam_juries import seated, unseatable
from .exam_labels import LabelSpec
from .exam_matrix import MatrixSpec
from .exam_specs import (
    CandidateSpec,
    DatasetSpec,
    EndpointSpec,
    JudgeSpec,
    PriceSpec,
)
from .exam_types import Count, OrNothing, Section, Usd, absolute
from .retrieval.sweep_spec import SweepSpec
from .serving.checks import unservable
from .serving.phases import Spec, unshareable
from .serving.spec import ServingSpec
from .yaml_file import KeyPath, YamlFile, load_yaml, validate

__all__ = [
    "CandidateSpec",
    "DatasetSpec",
    "EndpointSpec",
    "Exam",
    "JudgeSpec",
    "LabelSpec",
    "MatrixSpec",
    "PriceSpec",
    "describe",
    "exam_from_dict",
    "exam_json_schema",
    "load_exam",
]

ENDPOINTS_FILE = "MARKSCHEME_ENDPOINTS"
"""Environment variable: the user's own file of endpoints, merged into every exam (the exam's own win)."""
_DEFAULT_ENDPOINTS = "~/.config/markscheme/endpoints.yaml"


def _list(value: Any) -> Any:
    """A key with nothing behind it is an empty list."""
    return [] if value is None else value


class Exam(Section):
    """A whole exam file. `load_exam` also expands the matrix and adds the user's endpoints."""

    dataset: DatasetSpec = Field(description="dataset: and a packaged name (docs_qa) or a path")
    candidates: Annotated[tuple[CandidateSpec, ...], BeforeValidator(_list)] = ()
    judges: Annotated[tuple[JudgeSpec, ...], BeforeValidator(_list)] = ()
    baseline: str | None = None
    measures: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    endpoints: Annotated[tuple[EndpointSpec, ...], BeforeValidator(_list)] = ()
    labels: Annotated[tuple[LabelSpec, ...], BeforeValidator(_list)] = ()
    matrix: MatrixSpec | None = None
    retrieval: SweepSpec | None = None
    serving: ServingSpec | None = None
    prices: Annotated[dict[str, PriceSpec], OrNothing] = Field(default_factory=dict)
    concurrency: Count = 16
    budget_usd: Usd | None = None

    _path: Path = PrivateAttr(default_factory=lambda: Path.cwd() / "exam.yaml")

    @property
    def path(self) -> Path:
        """The file it was read from; for one made in Python, where that file would lie."""
        return self._path

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self._path.stem


class _EndpointsFile(Section):
    """The user's own file: ``endpoints:`` as in an exam."""

    endpoints: tuple[EndpointSpec, ...] = ()


def load_exam(path: str | Path) -> Exam:
    """Read and check an exam file. Raises `ExamError` with all of its mistakes at once."""
    return _checked(load_yaml(path))


def exam_from_dict(data: Mapping[str, Any], base: Path, name: str) -> Exam:
    """An exam from Python. Relative paths are relative to ``base``. Raises `ExamError` like `load_exam`."""
    return _checked(YamlFile(Path(base) / f"{name}.yaml", dict(data), shown=f"exam {name}"))


def exam_json_schema() -> dict[str, Any]:
    """JSON schema of an exam file, for editors that complete and check YAML."""
    schema = Exam.model_json_schema()
    kinds = schema["$defs"]
    for kind in ("DatasetSpec", "LabelSpec", "ParserSpec"):
        full = kinds[kind]
        kinds[kind] = {"anyOf": [{"type": "string"}, full], "description": full.pop("description", "")}
    for kind in ("CandidateSpec", "JudgeSpec"):
        kinds[kind]["required"].remove("name")
    judge = kinds["JudgeSpec"]
    judge["anyOf"] = [{"required": ["pinned"]}, {"required": ["members"]}, {"required": judge.pop("required")}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Markscheme exam"}


def _checked(file: YamlFile) -> Exam:
    """Every section by its model, then what no section can see; all problems are reported together."""
    problems: list[Problem] = []
    exam: Exam | None = None
    expanded: tuple[CandidateSpec, ...] = ()
    try:
        exam = validate(file, Exam)
        expanded = _expanded(file, exam.matrix)
    except ExamError as error:
        problems += error.problems
    found = entries(file.data, expanded, file.path.parent)
    shared = users_endpoints(providers(found) - {entry.name for entry in found if entry.section == "endpoints"})
    declared = {entry.name for entry in found if entry.section == "endpoints"} | {spec.name for spec in shared}
    problems += [*shared_names(file, found), *unknown_providers(file, found, declared), *unknown_measures(file)]
    problems += [*lone_pairs(file, found), *unknown_baseline(file, found)]
    if exam is not None and not exam.candidates and exam.matrix is None and exam.retrieval is None:
        problems.append(file.problem(("candidates",), "there is no candidate; write at least one, or a matrix"))
    if exam is not None:
        problems += unseatable(file, exam.judges)
        listed = [*_placed("candidates", exam.candidates), *_placed("judges", exam.judges)]
        problems += unshareable(file, [*listed, *((("matrix",), spec) for spec in expanded)])
    candidates = tuple(one for spec in (*(exam.candidates if exam else ()), *expanded) for one in spec.by_contexts())
    if exam is not None:
        problems += unservable(file, exam.serving, candidates)
    if exam is None or problems:
        raise ExamError(sorted(problems, key=_line))
    update = {"candidates": candidates, "judges": seated(exam.judges), "endpoints": exam.endpoints + shared}
    complete = exam.model_copy(update=update)
    complete._path = absolute(file.path)
    return complete


def _placed(section: str, specs: Sequence[Spec]) -> list[tuple[KeyPath, Spec]]:
    return [((section, position), spec) for position, spec in enumerate(specs)]


def _line(problem: Problem) -> int:
    line = problem.where.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


def _expanded(file: YamlFile, matrix: MatrixSpec | None) -> tuple[CandidateSpec, ...]:
    try:
        return matrix.expand() if matrix is not None else ()
    except ValidationError as error:
        texts = dict.fromkeys(e["msg"] for e in error.errors(include_url=False))
        raise ExamError([file.problem(("matrix",), text) for text in texts]) from None


def users_endpoints(wanted: set[str]) -> tuple[EndpointSpec, ...]:
    """Endpoints of the user's own file, of the ``wanted`` names only."""
    given = os.environ.get(ENDPOINTS_FILE)
    path = Path(given or _DEFAULT_ENDPOINTS).expanduser()
    if not wanted or not (given or path.is_file()):
        return ()
    if not path.is_file():
        raise InputError(f"{ENDPOINTS_FILE}={given!r}: there is no such file; correct it, or unset it")
    endpoints = validate(load_yaml(path), _EndpointsFile).endpoints
    return tuple(endpoint for endpoint in endpoints if endpoint.name in wanted)
