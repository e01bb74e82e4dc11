"""A file of answers that exist already, as an exam: its rows become samples and replayed candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..harness.data import read_rows
from ..harness.errors import DataError
from ..harness.exam import Exam, exam_from_dict

_ANSWER_COLUMNS = ("answer", "response", "output")
Samples = dict[str, dict[str, Any]]
"""Sample id -> the columns of the sample."""
Sheets = dict[str, list[dict[str, Any]]]
"""Candidate -> rows with sample_id, answer, trial."""
_BESIDE = ("e2e_s", "ttft_s", "prompt_tokens", "completion_tokens", "cost_usd", "status", "detail", "retrieved")
"""What a sheet may say of an answer beside its text."""
_OWN = frozenset({"candidate", "trial", *_ANSWER_COLUMNS, *_BESIDE})


@dataclass(frozen=True, slots=True)
class JudgeChoice:
    """Who grades answers that exist already, and by what."""

    rubric: str = "docs_qa"
    model: str = "embedded"
    base_url: str | None = None
    shots: int = 1


def exam_of_file(source: Path, judge: JudgeChoice, workspace: str | Path) -> Exam:
    """An exam over a CSV, JSONL or Parquet file with ``question`` and ``answer`` (or ``response``, ``output``) columns.

    Optional columns: ``id``, ``candidate`` (one sheet each; default: the file's name), ``trial``, ``reference``,
    ``context``, ``cluster``, ``tags``; of the answer ``e2e_s``, ``ttft_s``, ``prompt_tokens``, ``completion_tokens``,
    ``cost_usd``, ``status``, ``detail`` and ``retrieved`` as in an answer sheet; and any other, kept as metadata.
    """
    samples, sheets = _sorted_out(((f"{source}:{row.line}", row.data) for row in read_rows(source)), source.stem)
    return _exam(samples, sheets, Path.cwd() / source, workspace, judge)


def exam_of_rows(rows: Iterable[Mapping[str, Any]], name: str, judge: JudgeChoice, workspace: str | Path) -> Exam:
    """Like `exam_of_file` for rows in memory. Other rows are another exam, so that each keeps a run of its own."""
    samples, sheets = _sorted_out(((f"row {position}", row) for position, row in enumerate(rows)), name)
    content = hashlib.sha256(_lines([*samples.values(), *sheets.items()])).hexdigest()
    return _exam(samples, sheets, Path.cwd() / f"{name}-{content[:12]}", workspace, judge)


def _sorted_out(rows: Iterable[tuple[str, Mapping[str, Any]]], name: str) -> tuple[Samples, Sheets]:
    """(where, row) pairs as samples by id, and each candidate's rows of a sheet (``name`` where none is named)."""
    samples: Samples = {}
    sheets: Sheets = {}
    seen: dict[tuple[str, str, int], str] = {}
    for position, (where, row) in enumerate(rows):
        answer = _answer(where, row)
        sample = {k: v for k, v in row.items() if k not in _OWN and v not in (None, "")}
        sample_id = str(sample.setdefault("id", _identity(sample, position)))
        sample["id"] = sample_id
        known = samples.setdefault(sample_id, sample)
        if known != sample:
            raise DataError(f"{where} id: {sample_id!r} stands for another question, reference or context before")
        candidate, trial = str(row.get("candidate") or name), _trial(where, row)
        before = seen.setdefault((candidate, sample_id, trial), where)
        if before != where:
            raise DataError(
                f"{where}: the answer of {candidate!r} to this question, trial {trial}, stands in {before} already; "
                "give each draw a trial of its own, or remove one"
            )
        beside = {name: row[name] for name in _BESIDE if row.get(name) not in (None, "")}
        sheets.setdefault(candidate, []).append({"sample_id": sample_id, "answer": answer, "trial": trial, **beside})
    if not samples:
        raise DataError(f"{name}: holds no rows to grade")
    return samples, sheets


def _trial(where: str, row: Mapping[str, Any]) -> int:
    value = row.get("trial")
    if value in (None, ""):
        return 0
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if number < 0 or not number.is_integer():
        raise DataError(f"{where} trial: {value!r} is not a whole number of 0 or more")
    return int(number)


def _answer(where: str, row: Mapping[str, Any]) -> str:
    for column in _ANSWER_COLUMNS:
        if column in row:
            return "" if row[column] is None else str(row[column])
    raise DataError(
        f"{where}: no column {_ANSWER_COLUMNS[0]!r} (or {', '.join(_ANSWER_COLUMNS[1:])}); found {list(row)}"
    )


def _identity(sample: Mapping[str, Any], position: int) -> str:
    return sample_identity(sample) if sample.get("question") else str(position + 1)


def sample_identity(sample: Mapping[str, Any]) -> str:
    """An id for a row without one: candidates that answered one question share a sample."""
    text = orjson.dumps(sample, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(text).hexdigest()[:12]


def imports_folder(workspace: str | Path) -> Path:
    """Where exams are kept that are made of files: in the workspace, under the current folder for a server."""
    return (Path(".markscheme") if "://" in str(workspace) else Path(workspace)) / "imports"


def _exam(samples: Samples, sheets: Sheets, source: Path, workspace: str | Path, judge: JudgeChoice) -> Exam:
    """The exam at ``source``: its path tells it from others, so files of one name in two folders are two exams."""
    where = hashlib.sha256(str(source).encode()).hexdigest()[:8]
    folder = imports_folder(workspace) / f"{source.name}-{where}"
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "samples.jsonl", samples.values())
    trials = max(row["trial"] for sheet in sheets.values() for row in sheet) + 1
    candidates = []
    for position, (candidate, sheet) in enumerate(sheets.items()):
        path = folder / f"sheet-{position}.jsonl"
        _write(path, sheet)
        candidates.append({"name": candidate, "model": f"replay/{path.resolve()}", "trials": trials})
    is_path = "/" in judge.rubric or Path(judge.rubric).suffix
    rubric = str(Path.cwd() / Path(judge.rubric).expanduser()) if is_path else judge.rubric
    grader: dict[str, Any] = {"name": "judge", "model": judge.model, "rubric": rubric, "shots": judge.shots}
    if judge.base_url:
        grader["base_url"] = judge.base_url
    exam = {
        "dataset": {"path": str((folder / "samples.jsonl").resolve())},
        "candidates": candidates,
        "judges": [grader],
    }
    return exam_from_dict(exam, base=source.parent, name=source.name)


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_bytes(_lines(rows))


def _lines(rows: Iterable[Any]) -> bytes:
    return b"".join(orjson.dumps(row, default=str) + b"\n" for row in rows)
