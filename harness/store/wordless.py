"""What is words in every table, and how a row looks without them: numbers, hashes, names and tags stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from ..measures.tools_faults import kinds_of
from .codec import PURGED, Row, answer_sha256_of_row, dumps
from .frames import Place, RunData

if TYPE_CHECKING:
    import pandas as pd

LEFT_OUT = "left out"
"""Stands where an answer was, or the reason for a missing value, which may quote one."""
MARK = "without_texts"
"""In the configuration of a run whose texts were left out."""
_BLANK: Mapping[str, Row] = {
    "calls": {**dict.fromkeys(("request", "text", "reasoning", "refusal", "tool_calls", "payload")), "detail": ""},
    "grades": {"reasoning": None, "why": ""},
    "preferences": {"reasoning": None, "why": ""},
    "samples": {"body": None},
    "texts": {"body": None},
    "ratings": {"note": ""},
    "feedback": {"edit": None},
    "bench_requests": {"text": None, "detail": ""},
}
_NO_ANSWER: Row = {"text": None, "tool_calls": None, "retrieved": None, "turns": None}
_SHOWN: Mapping[str, Row] = {
    "samples": {"context": "[]", "reference": None, "relevant": "{}"},
    "answers": {"reasoning": "", "detail": "", "tool_calls": "[]", "retrieved": "[]", "turns": "[]"},
    "grades": {"reasoning": "", "why": ""},
    "preferences": {"reasoning": "", "why": ""},
}
"""The same in the tables that reports read."""


def wordless(table: str, row: Row) -> Row:
    """The row without its words. An answer keeps its hash, to which labels are bound."""
    if table == "answers":
        said = f"{PURGED}{answer_sha256_of_row(row)}" if row["status"] == "ok" else ""
        return {**row, **_NO_ANSWER, "detail": said}
    if table == "scores":
        return {**row, "why": _why(row["why"], row["value"] is None)}
    if table == "runs":
        return {**row, "config": dumps(wordless_config(orjson.loads(row["config"])))}
    return {**row, **_BLANK.get(table, {})}


def _why(why: str, missing: bool) -> str:
    """Of a value that is ``missing`` it stays said that there was a reason; of calls, the kinds of their faults."""
    if missing:
        return LEFT_OUT if why else ""
    return kinds_of(why)


def wordless_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's configuration without prompts and the words of rubrics; their hashes, names and weights stay."""
    found = {**config, MARK: True}
    if "candidates" in config:
        found["candidates"] = [_candidate(one) for one in config["candidates"]]
    if "judges" in config:
        found["judges"] = [_judge(one) for one in config["judges"]]
    return found


def _candidate(described: Mapping[str, Any]) -> dict[str, Any]:
    found = {**described, **{name: None for name in ("prompt", "system") if name in described}}
    if isinstance(described.get("request"), Mapping):
        found["request"] = {**described["request"], "body": None}
    return found


def _judge(described: Mapping[str, Any]) -> dict[str, Any]:
    found = {**described, **({"prompt": ""} if "prompt" in described else {})}
    if isinstance(described.get("rubric"), Mapping):
        found["rubric"] = _undescribed(described["rubric"])
    return found


def _undescribed(value: Any) -> Any:
    """Without descriptions, however deep."""
    if isinstance(value, Mapping):
        return {key: "" if key == "description" else _undescribed(inner) for key, inner in value.items()}
    return [_undescribed(one) for one in value] if isinstance(value, list) else value


def without_texts(data: RunData) -> RunData:
    """The run for readers who may not see its words: questions, contexts, references, answers, reasoning, what was
    retrieved, prompts. Numbers, names, tags and clusters stay; `MARK` in ``info.config`` says what was done. A sample's
    id stands for its question, and no answer is taken for an empty one."""
    samples, answers, scores = _blanked("samples", data.samples), _blanked("answers", data.answers), data.scores
    if "question" in samples:
        samples = samples.assign(question=samples["sample_id"].astype(object))
    if "text" in answers:
        answers = answers.assign(text=[f"({LEFT_OUT})" if status == "ok" else "" for status in answers["status"]])
    if "why" in scores:
        whys = [_why(why, none) for why, none in zip(scores["why"], scores["value"].isna(), strict=True)]
        scores = scores.assign(why=whys)
    return replace(
        data,
        info=replace(data.info, config=wordless_config(data.info.config)),
        samples=samples,
        answers=answers,
        grades=_blanked("grades", data.grades),
        preferences=_blanked("preferences", data.preferences),
        scores=scores,
        words=None if data.words is None else _silent(data.words),
    )


def _blanked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{column: value for column, value in _SHOWN[name].items() if column in table})


def _silent(words: Callable[[frozenset[Place]], RunData]) -> Callable[[frozenset[Place]], RunData]:
    return lambda places: without_texts(words(places))
