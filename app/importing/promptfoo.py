"""Results of promptfoo (`promptfoo eval --output results.json`, versions 3 and later, or `.jsonl`): a test is a sample,
a provider (and prompt, where there are several) a candidate, a kind of assertion a judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ...harness.errors import DataError
from .chat import answered, asked
from .failures import detail_of, failure_kind
from .found import Found, FoundAnswer, FoundScore, Place
from .json_files import read_json, read_json_lines

WHOLE = "overall"
"""The criterion of a score that is split up no further."""


def read_promptfoo(paths: Sequence[Path]) -> Found:
    """Everything of some results. Raises DataError for a file that holds none."""
    results = [_results(path) for path in paths]
    found = Found("promptfoo", " + ".join(dict.fromkeys(name for name, _ in results)), unit_scores=True)
    rows = [row for _, listed in results for row in listed]
    several = len({_prompt(row) for _, row in rows}) > 1
    tests: dict[str, str] = {}
    trials: Counter[tuple[str, str]] = Counter()
    for where, row in rows:
        variables = _mapping(row.get("vars"))
        key = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode()
        # A repeated test has an index of its own, and the variables of the first.
        sample_id = tests.setdefault(key, str(len(tests) + 1))
        candidate = found.candidate(_provider(row) + (f": {_prompt(row)}" if several else ""))
        place = (sample_id, candidate, trials[sample_id, candidate])
        trials[sample_id, candidate] += 1
        found.add_sample(sample_id, _asked(row, variables, several, found), variables, where)
        found.add_answer(place, _answer(row, where, found))
        _take_scores(place, row, found)
    return found


def _results(path: Path) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """What was examined, and (where, row)."""
    name, rows = path.stem, []
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = list(read_json_lines(path, "result of promptfoo"))
    else:
        document = read_json(path, "results file of promptfoo")
        listed = _mapping(_mapping(document).get("results")).get("results")
        if not isinstance(listed, list):
            raise DataError(
                f"{path}: this is no results file of promptfoo: it has no results.results; "
                "write it with promptfoo eval --output FILE.json"
            )
        name = str(_mapping(document.get("config")).get("description") or name)
        rows = [(f"{path} results[{number}]", row) for number, row in enumerate(listed)]
    if not rows:
        raise DataError(f"{path}: holds no results")
    for where, row in rows:
        if not isinstance(row, dict) or "provider" not in row:
            raise DataError(f"{where}: this is no result of promptfoo: it has no provider")
    return name, rows


def _provider(row: Mapping[str, Any]) -> str:
    provider = row["provider"]
    if isinstance(provider, str):
        return provider
    return str(_mapping(provider).get("label") or _mapping(provider).get("id") or "provider")


def _prompt(row: Mapping[str, Any]) -> str:
    return str(_mapping(row.get("prompt")).get("label") or row.get("promptIdx") or "")


def _asked(row: Mapping[str, Any], variables: Mapping[str, Any], several: bool, found: Found) -> dict[str, Any]:
    """The prompt as it was sent; with several prompts the variables, which they share."""
    if several:
        return asked(dict(variables), found)
    raw = _mapping(row.get("prompt")).get("raw") or ""
    try:
        messages = orjson.loads(raw) if str(raw).lstrip().startswith("[") else raw
    except orjson.JSONDecodeError:
        messages = raw
    return asked(messages if isinstance(messages, list) else str(raw), found)


def _answer(row: Mapping[str, Any], where: str, found: Found) -> FoundAnswer:
    response = _mapping(row.get("response"))
    output = response.get("output")
    if output is None:
        error = response.get("error") or row.get("error") or "promptfoo kept no output"
        return FoundAnswer(where, "", failure_kind(str(error)), detail_of(error))
    usage, cost = _mapping(response.get("tokenUsage")), response.get("cost")
    measured: dict[str, Any] = {"prompt_tokens": usage.get("prompt"), "completion_tokens": usage.get("completion")}
    if response.get("cached"):
        found.leave("latencies of answers that promptfoo took from its cache")
        measured = {}
    elif row.get("latencyMs") is not None:
        measured |= {"e2e_s": row["latencyMs"] / 1000, "cost_usd": cost}
    return FoundAnswer(
        where, answered(output, found), measured={name: value for name, value in measured.items() if value is not None}
    )


def _take_scores(place: Place, row: Mapping[str, Any], found: Found) -> None:
    """A kind of assertion is a judge; its criterion is the metric that the assertion names, or else the kind."""
    result = _mapping(row.get("gradingResult"))
    components = result.get("componentResults")
    if not components:
        if components is None and result.get("score") is not None:
            found.add_score(FoundScore(place, "promptfoo", WHOLE, result["score"], str(result.get("reason") or "")))
        elif result:
            found.leave("scores of tests without an assertion")
        return
    seen: Counter[tuple[str, str]] = Counter()
    for component in map(_mapping, components):
        assertion = _mapping(component.get("assertion"))
        kind = str(assertion.get("type") or "promptfoo")
        criterion = str(assertion.get("metric") or kind)
        seen[kind, criterion] += 1
        nth = seen[kind, criterion]
        reason = str(component.get("reason") or "")
        failed = _mapping(component.get("metadata")).get("graderError") is True
        found.add_score(
            FoundScore(
                place,
                kind,
                criterion if nth == 1 else f"{criterion} {nth}",
                None if failed else component.get("score"),
                reason,
                detail_of(reason) if failed else "",
            )
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
