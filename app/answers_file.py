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
_OWN = frozenset({"candidate", "trial", *_ANSWER_COLUMNS})


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
    ``context``, ``cluster``, ``tags``, and any other, kept as metadata.
    """
    rows = [(f"{source}:{row.line}", row.data) for row in read_rows(source)]
    return exam_of_rows(rows, source.stem, judge, workspace)


def exam_of_rows(
    rows: Iterable[tuple[str, Mapping[str, Any]]], name: str, judge: JudgeChoice, workspace: str | Path
) -> Exam:
    """Like `exam_of_file` for rows in memory: (where, row) pairs."""
    samples: dict[str, dict[str, Any]] = {}
    sheets: dict[str, list[dict[str, Any]]] = {}
    for position, (where, row) in enumerate(rows):
        answer = _answer(where, row)
        sample = {k: v for k, v in row.items() if k not in _OWN and v not in (None, "")}
        sample_id = str(sample.setdefault("id", _identity(sample, position)))
        sample["id"] = sample_id
        known = samples.setdefault(sample_id, sample)
        if known != sample:
            raise DataError(f"{where} id: {sample_id!r} stands for another question, reference or context before")
        candidate = str(row.get("candidate") or name)
        sheets.setdefault(candidate, []).append(
            {"sample_id": sample_id, "answer": answer, "trial": int(row.get("trial") or 0)}
        )
    if not samples:
        raise DataError(f"{name}: holds no rows to grade")
    return _exam(samples, sheets, name, _folder(workspace), judge)


def _answer(where: str, row: Mapping[str, Any]) -> str:
    for column in _ANSWER_COLUMNS:
        if column in row:
            return "" if row[column] is None else str(row[column])
    raise DataError(
        f"{where}: no column {_ANSWER_COLUMNS[0]!r} (or {', '.join(_ANSWER_COLUMNS[1:])}); found {list(row)}"
    )


def _identity(sample: Mapping[str, Any], position: int) -> str:
    """Rows without an id: candidates that answered one question share a sample."""
    text = orjson.dumps(sample, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(text).hexdigest()[:12] if sample.get("question") else str(position + 1)


def _folder(workspace: str | Path) -> Path:
    return Path(".markscheme") if "://" in str(workspace) else Path(workspace)


def _exam(
    samples: Mapping[str, Mapping[str, Any]],
    sheets: Mapping[str, list[dict[str, Any]]],
    name: str,
    workspace: Path,
    judge: JudgeChoice,
) -> Exam:
    folder = workspace / "imports" / name
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "samples.jsonl", samples.values())
    trials = max(row["trial"] for sheet in sheets.values() for row in sheet) + 1
    candidates = []
    for position, (candidate, sheet) in enumerate(sheets.items()):
        path = folder / f"sheet-{position}.jsonl"
        _write(path, sheet)
        candidates.append({"name": candidate, "model": f"replay/{path.resolve()}", "trials": trials})
    grader: dict[str, Any] = {"name": "judge", "model": judge.model, "rubric": judge.rubric, "shots": judge.shots}
    if judge.base_url:
        grader["base_url"] = judge.base_url
    exam = {
        "dataset": {"path": str((folder / "samples.jsonl").resolve())},
        "candidates": candidates,
        "judges": [grader],
    }
    return exam_from_dict(exam, base=Path.cwd(), name=name)


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row, default=str) + b"\n" for row in rows))
