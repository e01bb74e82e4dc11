"""Samples of lm-evaluation-harness (`lm_eval --log_samples`): `samples_TASK_DATE.jsonl`, a row for each document and
filter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...harness.errors import DataError
from .chat import text_of
from .found import Found, FoundAnswer, FoundScore, Place
from .json_files import read_json, read_json_lines

_FILE = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d:.-]+)$")
_KNOWN = frozenset(
    "doc_id doc target arguments resps filtered_resps filter metrics doc_hash prompt_hash target_hash".split()
)
_NONE = "none"
"""The name of the filter where a task has none."""


def read_lm_eval(paths: Sequence[Path], candidate: str = "") -> Found:
    """Everything of some files of samples. ``candidate`` names the model; else the results beside them do.

    Raises DataError for a file that holds no such samples.
    """
    tasks = list(dict.fromkeys(_task(path) for path in paths))
    found = Found("lm-eval", " + ".join(tasks), unit_scores=True)
    for path in paths:
        model = found.candidate(candidate or _model(path))
        prefix = f"{_task(path)}/" if len(tasks) > 1 else ""
        rows = list(read_json_lines(path, "sample of lm-eval"))
        if not rows:
            raise DataError(f"{path}: holds no samples")
        filters = {str(row.get("filter") or _NONE) for _, row in rows}
        for where, row in rows:
            _take(row, where, (prefix, model), len(filters) > 1, found)
    return found


def _task(path: Path) -> str:
    match = _FILE.match(path.stem)
    return match["task"] if match else path.stem


def _model(path: Path) -> str:
    """By the results of the same evaluation; without them the folder has the model's name."""
    match = _FILE.match(path.stem)
    if match is None:
        return path.stem
    results = path.with_name(f"results_{match['date']}.json")
    if results.is_file():
        named = read_json(results, "results file of lm-eval")
        if isinstance(named, dict) and (name := named.get("model_name") or named.get("model_source")):
            return str(name)
    return path.absolute().parent.name or path.stem


def _take(row: Mapping[str, Any], where: str, names: tuple[str, str], several: bool, found: Found) -> None:
    if "doc_id" not in row or "resps" not in row:
        raise DataError(f"{where}: this is no sample of lm-eval: it has no doc_id and resps (lm_eval --log_samples)")
    prefix, candidate = names
    arguments = _arguments(row.get("arguments"))
    choices = _choices(row, arguments)
    sample = {"question": str(arguments[0][0]) if arguments else "", "reference": _reference(row, choices)}
    sample_id = f"{prefix}{row['doc_id']}"
    doc = row.get("doc")
    found.add_sample(sample_id, sample, doc if isinstance(doc, dict) else {}, where)
    place = (sample_id, candidate, 0)
    text = _answer(row, choices, found)
    if text is None:
        found.leave("rows without an answer in words (log-likelihoods of a text)")
        return
    found.add_answer(place, FoundAnswer(where, text))
    _take_scores(place, row, text, several, found)


def _arguments(value: Any) -> list[list[Any]]:
    """[prompt, continuation or settings] of each request; a mapping since version 0.4.3."""
    if isinstance(value, Mapping):
        value = [list(one.values()) if isinstance(one, Mapping) else one for one in value.values()]
    return [one for one in value or () if isinstance(one, list) and one]


def _choices(row: Mapping[str, Any], arguments: list[list[Any]]) -> list[str]:
    """The continuations of a multiple-choice question, else none."""
    compared = [len(one) > 1 and isinstance(one[1], str) for one in arguments]
    responses = row["resps"]
    if len(arguments) < 2 or not all(compared) or not isinstance(responses, list):
        return []
    return [str(one[1]).strip() for one in arguments]


def _reference(row: Mapping[str, Any], choices: list[str]) -> str:
    target = row.get("target")
    if choices and str(target).isdigit() and int(str(target)) < len(choices):
        return choices[int(str(target))]
    if isinstance(target, list):
        return " or ".join(map(str, target))
    return "" if target is None else str(target)


def _answer(row: Mapping[str, Any], choices: list[str], found: Found) -> str | None:
    if choices:
        found.note("answers to multiple-choice questions are the choice of the highest log-likelihood, as acc has it")
        values = [_likelihood(response) for response in row["resps"]]
        return choices[values.index(max(values))] if len(values) == len(choices) else None
    first = row["resps"][0] if isinstance(row["resps"], list) and row["resps"] else None
    if isinstance(first, list):
        for _ in first[1:]:
            found.leave("further responses to one request (repeats)")
        first = first[0] if first else None
    return first if isinstance(first, str) else None


def _likelihood(response: Any) -> float:
    while isinstance(response, list) and response:
        response = response[0]
    try:
        return float(response)
    except (TypeError, ValueError):
        return float("-inf")


def _take_scores(place: Place, row: Mapping[str, Any], text: str, several: bool, found: Found) -> None:
    """A metric is a judge; with several filters ``metric,filter``, as lm-eval prints it."""
    listed = row.get("metrics")
    metrics = listed if isinstance(listed, list) else [name for name in row if name not in _KNOWN]
    name_of_filter = str(row.get("filter") or _NONE)
    read = row.get("filtered_resps")
    first = read[0] if isinstance(read, list) and read else read
    shown = text_of(first, found)
    why = f"filter {name_of_filter}: {shown}" if name_of_filter != _NONE and shown != text else ""
    for metric in map(str, metrics):
        judge = f"{metric},{name_of_filter}" if several else metric
        found.add_score(FoundScore(place, judge, metric, row.get(metric), why))
