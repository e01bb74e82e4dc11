"""Every answer with its grades, as plain JSON for the page's browser. All of it is text that nobody may trust."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

import orjson

from ..harness.store.frames import RunData
from .cells import Scores

if TYPE_CHECKING:
    import pandas as pd

Place = tuple[str, str, int]


def answers_payload(data: RunData, scores: Scores) -> dict[str, Any]:
    """``columns`` (what can be sorted by), ``samples`` and ``answers``; an answer names its sample by position.

    ``values`` of an answer follow ``columns``; ``grades`` are ``[judge, criterion, turn, repeat, score, status,
    words]``, ``scores`` are ``[measure, value, why]``.
    """
    columns = _columns(scores)
    position = {sample: i for i, sample in enumerate(data.samples["sample_id"])}
    values = _values(data, scores, columns)
    grades, measures = _grades(data.grades), _measures(data.scores)
    rows = []
    for row in _rows(data.answers):
        place = (row.sample_id, row.candidate, int(row.trial))
        if row.sample_id in position:
            rows.append(_answer(row, position[row.sample_id], values[place], grades[place], measures[place]))
    return {
        "candidates": [c.name for c in scores.candidates],
        "columns": [
            {"source": source, "measure": measure, "scale": _scale_of(scores, source)} for source, measure in columns
        ],
        "samples": [_sample(row) for row in _rows(data.samples)],
        "answers": rows,
    }


def _columns(scores: Scores) -> list[tuple[str, str]]:
    found = []
    for judge in scores.judges:
        if len(judge.criteria) > 1:
            found.append((judge.name, "composite"))
        found += [(judge.name, criterion) for criterion in judge.criteria]
    return found + [("", measure) for measure in scores.measures]


def _scale_of(scores: Scores, source: str) -> tuple[float, float] | None:
    return next((judge.scale for judge in scores.judges if judge.name == source), None)


def _values(data: RunData, scores: Scores, columns: Iterable[tuple[str, str]]) -> Mapping[Place, list[float | None]]:
    """Per answer the value of each column, rounded so that a weighted mean of integers prints as one."""
    found: dict[Place, list[float | None]] = defaultdict(list)
    samples = list(data.samples["sample_id"])
    for candidate in scores.candidates:
        grids = [scores.grid.values[candidate.name, source, measure] for source, measure in columns]
        for i, sample in enumerate(samples):
            for trial in range(candidate.trials):
                found[sample, candidate.name, trial] = [_rounded(grid[i, trial]) for grid in grids]
    return found


def _grades(grades: pd.DataFrame) -> Mapping[Place, list[list[Any]]]:
    found: dict[Place, list[list[Any]]] = defaultdict(list)
    for g in _rows(grades):
        entry = [g.judge, g.criterion, int(g.turn), int(g.repeat), _rounded(g.score), g.status, g.reasoning or g.why]
        found[g.sample_id, g.candidate, int(g.trial)].append(entry)
    return found


def _measures(scores: pd.DataFrame) -> Mapping[Place, list[list[Any]]]:
    found: dict[Place, list[list[Any]]] = defaultdict(list)
    for s in _rows(scores):
        found[s.sample_id, s.candidate, int(s.trial)].append([s.measure, _rounded(s.value), s.why])
    return found


def _answer(
    row: Any, sample: int, values: list[float | None], grades: list[list[Any]], measures: list[list[Any]]
) -> dict[str, Any]:
    unscored = any(status not in ("scored", "not_applicable") for *_, status, _ in grades)
    found: dict[str, Any] = {
        "sample": sample,
        "candidate": row.candidate,
        "trial": int(row.trial),
        "status": row.status,
        "owner": row.owner,
        "unscored": unscored,
        "detail": row.detail,
        "text": row.text,
        "reasoning": row.reasoning,
        "tool_calls": _loaded(row.tool_calls),
        "retrieved": _loaded(row.retrieved),
        "turns": _loaded(row.turns),
        "reused": row.reply_run if row.origin == "reused" else "",
        "date": row.reply_date,
        "model": row.served_model,
        "ttft_s": _rounded(row.ttft_s),
        "e2e_s": _rounded(row.e2e_s),
        "prompt_tokens": _rounded(row.prompt_tokens),
        "completion_tokens": _rounded(row.completion_tokens),
        "reasoning_tokens": _rounded(row.reasoning_tokens),
        "cost_usd": None if isnan(row.cost_usd) else float(row.cost_usd),
        "values": values,
        "grades": grades,
        "scores": measures,
    }
    # Most of these are empty for most answers; thousands of them make a page.
    return {k: v for k, v in found.items() if not (v is None or v is False or v == "" or v == [])}


def _sample(row: Any) -> dict[str, Any]:
    return {
        "id": row.sample_id,
        "cluster": "" if row.cluster == row.sample_id else row.cluster,
        "question": row.question,
        "context": _loaded(row.context),
        "reference": row.reference if isinstance(row.reference, str) else None,
    }


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def _loaded(text: str) -> Any:
    return orjson.loads(text) if text else []


def _rounded(value: float) -> float | None:
    return None if value is None or isnan(value) else round(float(value), 6)
