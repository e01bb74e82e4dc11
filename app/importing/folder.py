"""What was found, as an exam of its own: a folder with samples, a sheet a candidate, labels, and the exam file."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from ...harness.errors import InputError
from ...harness.exam_types import safe_name
from ..answers_file import imports_folder
from .found import Found, FoundLabel

_HEAD = "# Answers made elsewhere. Judges that you add here grade them; importing again keeps what you added.\n"
_SAMPLES, _LABELS, _CARD, EXAM = "samples.jsonl", "labels.csv", "card.yaml", "exam.yaml"
_SHEET = "sheet-{}.jsonl"
_LONGEST_NAME = 40


def folder_of(workspace: str | Path, found: Found, sources: Sequence[str]) -> Path:
    """Its place: the same for the same ``sources`` (paths are seen from where the workspace stands)."""
    folder = imports_folder(workspace)
    base = folder.parent.parent
    seen = sorted(os.path.relpath(s, base) if Path(s).exists() else s for s in sources)
    where = hashlib.sha256("\0".join([found.tool, *seen]).encode()).hexdigest()[:8]
    return folder / f"{safe_name(found.name)[:_LONGEST_NAME].replace('/', '-')}-{where}"


def write_folder(folder: Path, found: Found, labels: Sequence[tuple[FoundLabel, float]], design: str = "") -> Path:
    """Write it all; returns the exam file, in which the user's own judges and sections are kept.

    ``design`` says how the labelled answers were picked; without it the exam keeps what it says of that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_rows(folder / _SAMPLES, ({"id": name, **sample} for name, sample in found.samples.items()))
    (folder / _CARD).write_text(yaml.safe_dump({"name": found.name}, allow_unicode=True), encoding="utf-8")
    sheets: dict[str, list[dict[str, Any]]] = {}
    for (sample_id, candidate, trial), answer in found.answers.items():
        sheets.setdefault(candidate, []).append({"sample_id": sample_id, "trial": trial, **answer.row()})
    candidates = []
    for number, (candidate, rows) in enumerate(sheets.items()):
        sheet = _SHEET.format(number)
        _write_rows(folder / sheet, rows)
        trials = max(row["trial"] for row in rows) + 1
        candidates.append({"name": candidate, "model": f"replay/{sheet}", "trials": trials})
    if labels:
        _write_labels(folder / _LABELS, labels)
    own = {"path": _LABELS, **({"design": design} if design else {})}
    return _write_exam(folder / EXAM, candidates, [own] if labels else [])


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    option = orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    with path.open("wb") as file:
        file.writelines(orjson.dumps(row, default=str, option=option) for row in rows)


def _write_labels(path: Path, labels: Sequence[tuple[FoundLabel, float]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample_id", "candidate", "trial", "criterion", "score", "annotator"])
        for label, score in labels:
            writer.writerow([*label.place, label.criterion, f"{score:g}", label.annotator])


def _write_exam(path: Path, candidates: list[dict[str, Any]], labels: Sequence[dict[str, Any]]) -> Path:
    before = _before(path)
    files = [entry for entry in before.get("labels") or () if _path(entry) != _LABELS]
    said: Any = next((entry for entry in before.get("labels") or () if _path(entry) == _LABELS), None)
    own = [{**(said if isinstance(said, Mapping) else {}), **entry} for entry in labels]
    exam = {**before, "dataset": {"path": "./"}, "candidates": candidates, "labels": [*own, *files]}
    if not exam["labels"]:
        del exam["labels"]
    if exam != before:  # else its comments stay, too
        path.write_text(_HEAD + yaml.safe_dump(exam, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _before(path: Path) -> dict[str, Any]:
    """The exam file of an earlier import, as the user may have changed it."""
    if not path.is_file():
        return {}
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is not YAML any more ({error}); correct it, or remove it") from None
    return written if isinstance(written, dict) else {}


def _path(entry: Any) -> str:
    return str(entry.get("path") if isinstance(entry, Mapping) else entry)
