"""Answers with their grades, as plain JSON for the page's browser. All of it is text that nobody may trust."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Any

import orjson

from ..harness.store.frames import RunData
from .answers_chosen import MOST, Chosen, chosen
from .answers_places import Places, places_of
from .cells import Scores
from .disputes import DISPUTED, apart
from .exam import leading_judge
from .passages import Passages

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LONGEST = 20_000
"""Characters of one text that the page holds."""
LARGEST = 45_000_000
"""Characters of all answers and reasonings that the page holds; fewer answers where they are longer."""


@dataclass(frozen=True)
class Answers:
    """What the page's browser is given, and in words which answers these are; '' where they are all."""

    payload: Mapping[str, Any]
    words: str


def answers_of(data: RunData, scores: Scores, most: int = MOST) -> Answers:
    """``columns`` (what can be sorted by), ``samples``, ``passages`` and ``answers``; an answer names its sample by
    position, and a sample its passages.

    ``values`` of an answer follow ``columns``; ``grades`` are ``[judge, criterion, turn, repeat, score, status,
    words]``, ``scores`` are ``[measure, value, why]``, ``labels`` ``[annotator, criterion, score]``. Of a large run
    only the rows that the page holds are ever made into these.
    """
    recorded = data.answers["status"] != "not_recorded"  # the others are nothing to look at
    data = data if recorded.all() else replace(data, answers=data.answers[recorded].reset_index(drop=True))
    places = places_of(data, scores)
    gaps = apart(data, scores, places)
    picked = chosen(places, _quality(scores, places), gaps, most)
    part = _excerpt(data, picked)
    size = _size(part)
    if size > LARGEST and len(picked.rows) > 1:
        picked = chosen(places, _quality(scores, places), gaps, max(1, int(len(picked.rows) * LARGEST / size)))
        part = _excerpt(data, picked)
    return Answers(_payload(part, scores, places, gaps), picked.words)


def _excerpt(data: RunData, picked: Chosen) -> RunData:
    whole = data.words is None and len(picked.rows) == len(data.answers)
    return data if whole else data.excerpt(picked.rows)


def _quality(scores: Scores, places: Places) -> Floats | None:
    judge = leading_judge(scores.judges)
    return None if judge is None or not judge.criteria else places.values(scores, judge.name, judge.headline)


def _size(part: RunData) -> int:
    columns = (part.answers["text"], part.answers["reasoning"], part.grades["reasoning"])
    return sum(int(column.str.len().clip(upper=LONGEST).sum()) for column in columns if len(column))


def _payload(part: RunData, scores: Scores, places: Places, gaps: Floats) -> dict[str, Any]:
    columns, passages, own = _columns(scores), Passages(), places_of(part, scores)
    numbers = places.rows(part.answers)
    values = list(zip(*(_column(places.values(scores, *column)[numbers]) for column in columns), strict=True))
    rows = zip(
        _rows(part.answers), own.sample.tolist(), values or [()] * len(numbers), gaps[numbers].tolist(), strict=True
    )
    samples = [_sample(row, passages) for row in _rows(part.samples)]
    grades, measures, labels = (_grouped(own, table) for table in (_grades(part), _measures(part), _labels(part)))
    return {
        "candidates": [c.name for c in scores.candidates],
        "columns": [{"source": s, "measure": m, "scale": _scale_of(scores, s)} for s, m in columns],
        "disputed": DISPUTED,
        "samples": samples,
        "answers": [
            _kept(
                {
                    **_answer(row, sample, passages),
                    "values": list(known),
                    "apart": _rounded(gap),
                    "grades": grades[i],
                    "scores": measures[i],
                    "labels": labels[i],
                }
            )
            for i, (row, sample, known, gap) in enumerate(rows)
            if sample >= 0
        ],
        "passages": passages.found,
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


def _column(values: Floats) -> list[float | None]:
    """Rounded so that a weighted mean of integers prints as one."""
    return [_rounded(value) for value in values.tolist()]


def _grouped(places: Places, table: tuple[pd.DataFrame, list[list[Any]]]) -> Mapping[int, list[list[Any]]]:
    """What belongs to each answer, by its number."""
    found: dict[int, list[list[Any]]] = defaultdict(list)
    for number, entry in zip(places.rows(table[0]).tolist(), table[1], strict=True):
        found[number].append(entry)
    return found


def _grades(part: RunData) -> tuple[pd.DataFrame, list[list[Any]]]:
    return part.grades, [
        [g.judge, g.criterion, int(g.turn), int(g.repeat), _rounded(g.score), g.status, _cut(g.reasoning or g.why)]
        for g in _rows(part.grades)
    ]


def _measures(part: RunData) -> tuple[pd.DataFrame, list[list[Any]]]:
    return part.scores, [[s.measure, _rounded(s.value), s.why] for s in _rows(part.scores)]


def _labels(part: RunData) -> tuple[pd.DataFrame, list[list[Any]]]:
    return part.labels, [[x.annotator, x.criterion, _rounded(x.score)] for x in _rows(part.labels)]


def _answer(row: Any, sample: int, passages: Passages) -> dict[str, Any]:
    return {
        "sample": sample,
        "candidate": row.candidate,
        "trial": int(row.trial),
        "status": row.status,
        "owner": row.owner,
        "detail": row.detail,
        "text": _cut(row.text),
        "reasoning": _cut(row.reasoning),
        "tool_calls": _loaded(row.tool_calls),
        "retrieved": passages.retrieved(_loaded(row.retrieved)),
        "turns": [_cut(turn) if isinstance(turn, str) else turn for turn in _loaded(row.turns)],
        "reused": row.reply_run if row.origin == "reused" else "",
        "date": row.reply_date,
        "model": row.served_model,
        "ttft_s": _rounded(row.ttft_s),
        "e2e_s": _rounded(row.e2e_s),
        "prompt_tokens": _rounded(row.prompt_tokens),
        "completion_tokens": _rounded(row.completion_tokens),
        "reasoning_tokens": _rounded(row.reasoning_tokens),
        "cost_usd": None if isnan(row.cost_usd) else float(row.cost_usd),
    }


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty, as most of these are for most answers; thousands of them make a page."""
    found["unscored"] = any(grade[5] not in ("scored", "not_applicable") for grade in found["grades"])
    return {k: v for k, v in found.items() if not (v is None or v is False or v == "" or v == [])}


def _sample(row: Any, passages: Passages) -> dict[str, Any]:
    return {
        "id": row.sample_id,
        "cluster": "" if row.cluster == row.sample_id else row.cluster,
        "question": _cut(row.question),
        "context": passages.numbers(_loaded(row.context)),
        "reference": _cut(row.reference) if isinstance(row.reference, str) else None,
        "tags": _loaded(row.tags),
    }


def _cut(text: str) -> str:
    """The beginning of a text that is too long for a page."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n[cut here: {len(text):,} characters in all; markscheme export answers has them]"


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples(index=False))


def _loaded(text: str) -> Any:
    return orjson.loads(text) if isinstance(text, str) and text else []


def _rounded(value: float | None) -> float | None:
    return None if value is None or isnan(value) else round(float(value), 6)
