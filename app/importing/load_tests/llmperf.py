"""Results of llmperf: `…_individual_responses.json`, with `…_summary.json` beside it, or responses in a CSV by ``run``.

A response has ``ttft_s``, ``end_to_end_latency_s`` (until the stream is closed), tokens as the tool's own tokenizer
counts them, and ``error_code`` where it failed. Its ``request_output_throughput_token_per_s`` counts chunks in some
versions, and is not read: tokens over seconds are. When requests were sent, the file does not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....harness.data_rows import iter_rows
from ....harness.errors import DataError
from ....harness.exam_types import safe_name
from ....harness.records import FailureKind
from ....harness.serving.records import Served, Setting
from ..failures import detail_of, failure_kind
from ..json_files import read_json
from .found import FoundLoad, LoadChoice, Sent, Timed, answered, failed, lacking, number
from .summaries import summary

ORIGIN = "llmperf"
NEEDED = ("ttft_s", "end_to_end_latency_s", "number_input_tokens", "number_output_tokens")
METRICS = ("inter_token_latency_s", "ttft_s", "end_to_end_latency_s", "request_output_throughput_token_per_s")
PERCENTS = (25.0, 50.0, 75.0, 90.0, 95.0, 99.0)
_RESPONSES, _SUMMARY = "_individual_responses", "_summary"
Response = Mapping[str, Any]


def is_llmperf(document: Any) -> bool:
    """Whether this looks like a list of responses."""
    return isinstance(document, list) and all(isinstance(one, Mapping) and "error_code" in one for one in document)


def read_llmperf(responses: Sequence[Response], path: Path, choice: LoadChoice) -> FoundLoad:
    """The one load of a file of responses. Raises DataError."""
    said = _summary_beside(path)
    users = choice.users or said.get("num_concurrent_requests")
    if users is None:
        raise DataError(
            f"{path}: does not say how many requests were in flight; keep its _summary.json beside it, or give --users"
        )
    candidate = choice.candidate or str(said.get("model") or path.stem.removesuffix(_RESPONSES))
    setting = Setting(safe_name(candidate), "closed", number(users, f"{path} num_concurrent_requests", 1))
    own = {name: value for name in said if name.startswith("results_") and (value := _number(said[name])) is not None}
    return _load(responses, str(path), setting, said, own)


def read_llmperf_table(path: Path, choice: LoadChoice) -> list[FoundLoad]:
    """The loads of a CSV whose column ``run`` says which; a run is a candidate. Raises DataError."""
    if choice.users is None:
        raise DataError(f"{path}: a table does not say how many requests were in flight; give --users")
    by: dict[str, list[Response]] = {}
    for row in iter_rows(path):
        if missing := [name for name in ("error_code", *NEEDED) if name not in row.data]:
            raise DataError(f"{path}:{row.line}: no column {', '.join(missing)}; this is no table of llmperf")
        by.setdefault(str(row.data.get("run") or path.stem), []).append(_read(row.data, f"{path}:{row.line}"))
    return [
        _load(responses, f"{path} {run}", Setting(safe_name(run), "closed", float(choice.users)), {}, {})
        for run, responses in by.items()
    ]


def responses_summary(responses: Sequence[Response]) -> dict[str, float]:
    """llmperf's own summary of responses, as far as these say it: failures left out, ddof 1."""
    kept = [one for one in responses if not _code(one)]
    found = {
        "results_num_requests_started": float(len(responses)),
        "results_number_errors": float(len(responses) - len(kept)),
    }
    for name in METRICS:
        made = summary([float(one[name]) for one in kept if one.get(name) is not None], PERCENTS, ddof=1)
        names = {f"p{p:g}": f"quantiles_p{p:g}" for p in PERCENTS} | {
            "mean": "mean",
            "min": "min",
            "max": "max",
            "std": "stddev",
        }
        found |= {f"results_{name}_{theirs}": made[ours] for ours, theirs in names.items() if ours in made}
    return found


def _load(
    responses: Sequence[Response], where: str, setting: Setting, said: Mapping[str, Any], own: Mapping[str, float]
) -> FoundLoad:
    if not responses:
        raise DataError(f"{where}: holds no responses")
    requests = tuple(_served(one, i, where) for i, one in enumerate(responses))
    window = _window_s(said)
    notes = (
        () if window else ("llmperf says only in its _summary.json how long it took: without it there are no rates",)
    )
    return FoundLoad(
        where,
        ORIGIN,
        setting,
        _number(said.get("timestamp")) or 0.0,
        window,
        requests,
        own=own,
        ours=responses_summary(responses),
        notes=notes,
    )


def _served(one: Response, i: int, where: str) -> Served:
    code = _code(one)
    if code:
        said = str(one.get("error_msg") or "")
        return failed(i, Sent(), _kind(code, said), detail_of(said or f"error code {code}"))
    if missing := lacking(one, NEEDED):
        raise DataError(f"{where}[{i}]: this response has no {', '.join(missing)}; it is of no llmperf that we know")
    ttft, e2e, prompt, out = (number(one[name], f"{where}[{i}] {name}") for name in NEEDED)
    # A reply without content has a first token at 0 seconds there: it never came.
    return answered(i, Sent(), Timed(ttft or None, e2e, ttft or None, (), int(prompt), int(out)))


def _kind(code: str, said: str) -> FailureKind:
    """By the HTTP status that stands for the code, else by the words."""
    if code.startswith("5"):
        return "server_error"
    return failure_kind(f"{code} {said}")


def _code(one: Response) -> str:
    """The error code as text, '' where there is none; pandas writes 429.0."""
    code = one.get("error_code")
    return "" if code in (None, "") or code != code else str(code).removesuffix(".0")


def _window_s(said: Mapping[str, Any]) -> float:
    """How long it took, from its summary; 0 where nobody says it."""
    done, a_minute = (_number(said.get(f"results_num_completed_requests{end}")) for end in ("", "_per_min"))
    return 60 * done / a_minute if done and a_minute else 0.0


def _summary_beside(path: Path) -> Mapping[str, Any]:
    beside = path.with_name(path.stem.removesuffix(_RESPONSES) + _SUMMARY + ".json")
    if not path.stem.endswith(_RESPONSES) or not beside.is_file():
        return {}
    found = read_json(beside, "summary of llmperf")
    return found if isinstance(found, Mapping) else {}


def _read(row: Mapping[str, Any], where: str) -> Response:
    """A row of a CSV, whose cells are text."""
    found: dict[str, Any] = {"error_code": row["error_code"] or None, "error_msg": row.get("error_msg")}
    for name in dict.fromkeys((*NEEDED, *METRICS)):
        if row.get(name) not in (None, ""):
            try:
                found[name] = float(str(row[name]))
            except ValueError:
                raise DataError(f"{where} {name}: {row[name]!r} is no number") from None
    return found


def _number(value: Any) -> float | None:
    """A number, also written as text, as llmperf writes what numpy gave it."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
