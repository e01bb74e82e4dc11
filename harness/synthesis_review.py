"""The file between drafts and a data set: a person reads it, writes ``keep``, and only what is kept becomes samples."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .data_rows import iter_rows
from .errors import DataError, InputError
from .synthesis_sources import Draft

OURS = ("keep", "problems", "made_by", "quote")
"""Columns of the review that no sample has."""
_TAG = "synthetic"


@dataclass(frozen=True, slots=True)
class Review:
    """What came of a review: samples written, rows turned down, rows that nobody decided on."""

    kept: int
    dropped: int
    undecided: int


def review_rows(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """A row a draft: a sample's columns, and ``keep`` null, or false with the ``problems`` that were found."""
    numbers: Counter[str] = Counter()
    rows = []
    for draft in drafts:
        source = draft.source
        numbers[source.document] += 1
        rows.append(
            {
                "keep": False if draft.problems else None,
                "problems": list(draft.problems),
                "id": f"{source.document}-{numbers[source.document]:02}",
                "question": draft.question,
                "reference": draft.reference,
                "quote": draft.quote,
                "context": [source.text],
                "relevant": {source.document: 1},
                "passages": [{"document": source.document, "start": source.start, "end": source.end}],
                "cluster": source.document,
                "tags": [_TAG],
                "made_by": draft.made_by,
            }
        )
    return rows


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """JSON Lines, whole or not at all. Raises InputError where there is a file already: it may hold a review."""
    if path.exists():
        raise InputError(f"{path}: is there already and may hold a review; name another file, or move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    os.replace(partial, path)  # noqa: PTH105 - atomic on every platform


def accept(review: Path, output: Path, undecided: bool | None = None) -> Review:
    """Write the kept rows of ``review`` as samples to ``output``; questions and references as the reviewer left them.

    Rows with ``keep: null`` are kept or dropped as ``undecided`` says; by default they are an error that counts them.
    Raises DataError naming the lines that cannot be used, and InputError where ``output`` exists.
    """
    kept: list[dict[str, Any]] = []
    dropped = open_rows = 0
    problems: list[str] = []
    seen: dict[str, int] = {}
    for row in iter_rows(review):
        data = dict(row.data)
        keep = data.get("keep")
        if keep is not None and not isinstance(keep, bool):
            problems.append(f"{review}:{row.line} keep: {keep!r} is not true, false or null")
        open_rows += keep is None
        keep = undecided if keep is None else keep
        if not keep:
            dropped += keep is False
            continue
        problems += _mistakes(data, f"{review}:{row.line}", seen, row.line)
        kept.append({name: value for name, value in data.items() if name not in OURS})
    if open_rows and undecided is None:
        problems.append(
            f"{review}: {open_rows} rows are undecided (keep: null): write true or false, or say --undecided keep|drop"
        )
    if not problems and not kept:
        problems.append(f"{review}: no row is kept; write keep: true on those that may be used")
    if problems:
        raise DataError("\n".join(problems[:20]))
    write_rows(kept, output)
    return Review(len(kept), dropped, open_rows)


def _mistakes(data: Mapping[str, Any], where: str, seen: dict[str, int], line: int) -> list[str]:
    found = [
        f"{where} {name}: is empty or missing, and the row is kept"
        for name in ("id", "question", "reference")
        if not isinstance(data.get(name), str) or not data[name].strip()
    ]
    if isinstance(identifier := data.get("id"), str) and (first := seen.setdefault(identifier, line)) != line:
        found.append(f"{where} id: {identifier!r} stands in line {first} already")
    return found
