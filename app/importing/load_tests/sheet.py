"""The answers of a load test as a sheet, to be graded like any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ....harness.errors import DataError, InputError
from ....harness.serving.records import Served
from .found import FoundLoad

_MEASURED = ("e2e_s", "ttft_s", "prompt_tokens", "completion_tokens")
_SUFFIXES = (".jsonl", ".ndjson")


def checked_sheet(path: Path | None) -> Path | None:
    """Raises InputError for a name that no reader would know."""
    if path is not None and path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--sheet {path}: an answer sheet is written as JSON Lines; name it FILE.jsonl")
    return path


def write_sheet(path: Path, found: Sequence[FoundLoad]) -> list[str]:
    """Write a row an answer; returns what to know about it.

    A question that was asked several times has as many trials. Raises DataError where no file has texts.
    """
    rows = list(_rows(found))
    if not any(row["answer"] for row in rows):
        raise DataError(f"--sheet {path}: none of the files has the text of an answer; guidellm and vLLM keep it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return list(_to_know(path, found, rows))


def _to_know(path: Path, found: Sequence[FoundLoad], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    lost = sum(len(load.requests) for load in found) - len(rows)
    if lost:
        yield f"{lost} failed requests are not in {path}: the tool does not say what they asked"
    without = sum(1 for row in rows if "question" not in row and "messages" not in row)
    if without:
        yield (
            f"{without} answers in {path} have no question, since the tool keeps none: their ids are the numbers of "
            "the requests from 1; name the sheet as replay/FILE in an exam over the same data in the same order"
        )


def _rows(found: Sequence[FoundLoad]) -> Iterator[dict[str, Any]]:
    """Where questions are known, a failure without one belongs to no sample."""
    trials: Counter[tuple[str, str]] = Counter()
    for load in found:
        for one in load.requests:
            prompt = load.prompts.get(one.number, {})
            if load.prompts and not prompt:
                continue
            place = load.setting.candidate, one.sample_id
            yield {"id": one.sample_id, **prompt, "candidate": place[0], "trial": trials[place], **_outcome(one)}
            trials[place] += 1


def _outcome(one: Served) -> dict[str, Any]:
    if one.status != "ok":
        return {"answer": "", "status": one.status, "detail": one.detail}
    measured = {name: getattr(one, name) for name in _MEASURED}
    # Differences of Unix times are known to no more than a microsecond.
    known = {name: round(value, 6) for name, value in measured.items() if value is not None}
    return {"answer": one.text, **known}
