"""Logs of Inspect (`.eval`, or the older `.json`): samples, answers by epoch, and the scores of its scorers.

The format is that of `EvalLog` in inspect_ai (https://inspect.aisi.org.uk/eval-logs.html).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...harness.errors import DataError
from .chat import answered, asked, text_of
from .failures import detail_of, failure_kind
from .found import Found, FoundAnswer, FoundScore, Place
from .json_files import Archive, read_json

_HEADERS = ("header.json", "_journal/start.json")
"""The second is all that a log has whose run was cut short."""
_ATTACHED = "attachment://"


def read_inspect(paths: Sequence[Path]) -> Found:
    """Everything of some logs. Raises DataError for a file that is no log of Inspect."""
    logs = [(path, *_log(path)) for path in paths]
    tasks = list(dict.fromkeys(str(header["eval"].get("task") or "task") for _, header, _ in logs))
    found = Found("inspect", " + ".join(tasks))
    for path, header, samples in logs:
        task = str(header["eval"].get("task") or "task")
        if header.get("status") not in (None, "success"):
            found.note(f"{path}: the log's status is {header['status']!r}; what it holds is taken in")
        count = 0
        for where, sample in samples:
            _take(sample, where, header, f"{task}/" if len(tasks) > 1 else "", found)
            count += 1
        if not count:
            raise DataError(f"{path}: holds no samples; log them (log_samples), since nothing else can be taken in")
    return found


def _log(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    """The header, and (where, sample)."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if zipfile.is_zipfile(path):
        with Archive(path) as archive:
            name = next((name for name in _HEADERS if name in archive.names), None)
            return _header(path, archive.json(name) if name else None), _members(path)
    if path.suffix.lower() == ".eval":
        raise DataError(f"{path}: this is no Inspect log: a .eval file is a zip archive")
    log = read_json(path, "Inspect log")
    samples = log.get("samples") if isinstance(log, dict) else None
    where = ((f"{path} samples[{n}]", sample) for n, sample in enumerate(samples or ()))
    return _header(path, log), where


def _header(path: Path, header: Any) -> dict[str, Any]:
    if not isinstance(header, dict) or not isinstance(header.get("eval"), dict):
        raise DataError(f"{path}: this is no Inspect log: it has no eval section")
    return header


def _members(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with Archive(path) as archive:
        for name in archive.names:
            if name.startswith("samples/") and name.endswith(".json"):
                yield f"{path}!{name}", archive.json(name)


def _take(sample: Any, where: str, header: Mapping[str, Any], prefix: str, found: Found) -> None:
    if not isinstance(sample, dict) or "id" not in sample:
        raise DataError(f"{where}: is no sample of Inspect: it has no id")
    sample = _resolved(sample, sample.get("attachments") or {})
    sample_id = f"{prefix}{sample['id']}"
    target = sample.get("target")
    targets = [str(t) for t in target] if isinstance(target, list) else [str(target or "")]
    if len(targets) > 1:
        found.note("questions with several targets have them as one reference, joined by “or”")
    fields = {**_asked(sample, found), "reference": " or ".join(filter(None, targets))}
    found.add_sample(sample_id, fields, _mapping(sample.get("metadata")), where)
    model = str(header["eval"].get("model") or "model")
    place = (sample_id, found.candidate(model), max(int(sample.get("epoch") or 1) - 1, 0))
    found.add_answer(place, _answer(sample, where, model, found))
    for scorer, score in _scores(sample).items():
        _take_score(place, scorer, score, found)


def _asked(sample: Mapping[str, Any], found: Found) -> dict[str, Any]:
    """The question; the choices of a multiple-choice one belong to it."""
    question = asked(sample.get("input"), found)
    choices = sample.get("choices")
    if isinstance(choices, list) and choices and "question" in question:
        lettered = "\n".join(f"{chr(65 + n)}) {text_of(choice, found)}" for n, choice in enumerate(choices))
        question["question"] = f"{question['question']}\n\n{lettered}"
    return question


def _answer(sample: Mapping[str, Any], where: str, model: str, found: Found) -> FoundAnswer:
    output = _mapping(sample.get("output"))
    text = answered({"choices": output["choices"]}, found) if output.get("choices") else ""
    error = _mapping(sample.get("error")).get("message") or output.get("error")
    stop = str(_mapping((output.get("choices") or [{}])[0]).get("stop_reason") or "")
    if error:
        return FoundAnswer(where, text, failure_kind(str(error)), detail_of(error))
    if stop == "content_filter":
        return FoundAnswer(where, text, "content_filter", "the provider's content filter held the answer back")
    if not output.get("choices"):
        return FoundAnswer(where, "", "candidate_error", "Inspect logged no output")
    if stop in ("max_tokens", "model_length"):
        found.leave("marks of answers that were cut by a limit, kept as answers since Inspect scored them")
    return FoundAnswer(where, text, measured=_measured(sample, output, model))


def _measured(sample: Mapping[str, Any], output: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Seconds and tokens: of the one call, or of all calls of a sample that took several (working time)."""
    messages = sample.get("messages") or ()
    several = sum(_mapping(message).get("role") == "assistant" for message in messages) > 1
    usage = _mapping(_mapping(sample.get("model_usage")).get(model) if several else output.get("usage"))
    seconds = sample.get("working_time") if several else output.get("time")
    measured = {"e2e_s": seconds, "served_model": output.get("model")}
    if isinstance(usage.get("output_tokens"), int) and isinstance(usage.get("total_tokens"), int):
        # Inspect's input_tokens leave out what came from a cache; ours hold it.
        measured["prompt_tokens"] = usage["total_tokens"] - usage["output_tokens"]
        measured["completion_tokens"] = usage["output_tokens"]
    return {name: value for name, value in measured.items() if value is not None}


def _scores(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    if sample.get("score") and not sample.get("scores"):  # logs of early versions had one scorer
        return {"score": sample["score"]}
    return _mapping(sample.get("scores"))


def _take_score(place: Place, scorer: str, score: Any, found: Found) -> None:
    """A scorer is a judge. One that gives several values is several, since these need have no scale in common."""
    score = _mapping(score)
    value, why = score.get("value"), str(score.get("explanation") or "")
    values = {f"{scorer}/{key}": one for key, one in value.items()} if isinstance(value, dict) else {scorer: value}
    for name, one in values.items():
        if isinstance(one, float) and one != one:
            found.leave("scores that Inspect left open (NaN)")
            continue
        found.add_score(FoundScore(place, name, name.removeprefix(f"{scorer}/"), one, why))


def _resolved(value: Any, attachments: Mapping[str, Any]) -> Any:
    """A sample with its attachments in place; they are texts by their hash, and no paths."""
    if not attachments:
        return value
    wanted = {name: value[name] for name in ("input", "output", "target", "scores", "metadata") if name in value}
    return {**value, **{name: _attached(part, attachments) for name, part in wanted.items()}}


def _attached(value: Any, attachments: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith(_ATTACHED):
        return attachments.get(value.removeprefix(_ATTACHED), value)
    if isinstance(value, list):
        return [_attached(one, attachments) for one in value]
    if isinstance(value, dict):
        return {name: _attached(one, attachments) for name, one in value.items()}
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
