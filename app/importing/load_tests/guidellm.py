"""Reports of guidellm (0.5 to 0.8, `benchmarks.json` or `.yaml`): one load a benchmark.

``requests`` holds them by how they ended. Moments are Unix seconds: ``targeted_start`` (planned), ``request_start``,
first and last token, ``request_end``. What was still running when the benchmark ended is ``incomplete``: neither an
answer nor a failure, so it is counted and left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import orjson

from ....harness.errors import DataError
from ....harness.exam_types import safe_name
from ....harness.records import FailureKind
from ....harness.serving.records import Phase, Served, Setting
from ...answers_file import sample_identity
from ..chat import asked
from ..failures import detail_of, failure_kind
from ..found import Found
from .found import FoundLoad, LoadChoice, Sent, Timed, answered, failed, number, whole

ORIGIN = "guidellm"
_FORMS = (1, 2)
_OPEN = ("constant", "poisson", "trace")
_MISSING = "guidellm 0.5 to 0.8 writes it; is this file of another version?"


@dataclass(frozen=True, slots=True)
class _Row:
    """One request that ended, as it is written. ``start`` is when it was sent, or else when it was taken up."""

    body: Mapping[str, Any]
    where: str
    times: Mapping[str, Any]
    start: float
    ok: bool

    def since(self, name: str) -> float | None:
        """Seconds from sending to a moment, ``None`` where it never came."""
        moment = self.times.get(name)
        return None if moment is None else number(moment, f"{self.where} {name}") - self.start

    def planned_at(self, planned: bool) -> float:
        """When it was to be sent; in a closed loop nothing is planned but as soon as possible."""
        targeted = self.times.get("targeted_start") if planned else None
        return self.start if targeted is None else min(self.start, number(targeted, self.where))


def is_guidellm(document: Any) -> bool:
    """Whether this looks like a report of guidellm."""
    return isinstance(document, Mapping) and isinstance(document.get("benchmarks"), list)


def read_guidellm(document: Mapping[str, Any], where: str, choice: LoadChoice) -> list[FoundLoad]:
    """The loads of a report. Raises DataError for what is missing."""
    form = _mapping(document.get("metadata")).get("version")
    if form not in _FORMS:
        raise DataError(f"{where} metadata.version: {form!r} is no form of report that we know (1 or 2)")
    if not document["benchmarks"]:
        raise DataError(f"{where}: holds no benchmarks")
    return [_load(_mapping(one), f"{where} benchmarks[{i}]", choice) for i, one in enumerate(document["benchmarks"])]


def _load(benchmark: Mapping[str, Any], where: str, choice: LoadChoice) -> FoundLoad:
    rows = sorted(_rows(benchmark, where), key=lambda row: row.start)
    _check_complete(benchmark, rows, where)
    setting = _setting(benchmark, rows, choice, where)
    first, last = _window(benchmark, where)
    planned = setting.shape != "closed"
    begin = min(row.planned_at(planned) for row in rows)
    prompts = {i: prompt for i, row in enumerate(rows) if (prompt := _prompt(row.body))}
    requests = []
    for i, row in enumerate(rows):
        sent = Sent(row.planned_at(planned) - begin, row.start - begin, _phase(row, (first, last)))
        requests.append(_served(i, row, sent, sample_identity(prompts[i]) if i in prompts else ""))
    cut = len(_mapping(benchmark["requests"]).get("incomplete") or ())
    return FoundLoad(
        where,
        ORIGIN,
        setting,
        rows[0].start,
        last - first,
        tuple(requests),
        prompts,
        _own(benchmark),
        _ours(rows),
        left={"requests that the end of the benchmark cut off": cut} if cut else {},
    )


def _rows(benchmark: Mapping[str, Any], where: str) -> Iterator[_Row]:
    requests = benchmark.get("requests")
    if not isinstance(requests, Mapping):
        raise DataError(f"{where}: has no requests; {_MISSING}")
    for kind in ("successful", "errored"):
        for i, body in enumerate(requests.get(kind) or ()):
            at = f"{where} requests.{kind}[{i}]"
            times = _mapping(_mapping(_mapping(body).get("info")).get("timings"))
            start = times.get("request_start") or times.get("resolve_start")
            if start is None:
                raise DataError(f"{at}: has no info.timings.request_start; {_MISSING}")
            yield _Row(body, at, times, number(start, at), kind == "successful")


def _check_complete(benchmark: Mapping[str, Any], rows: Sequence[_Row], where: str) -> None:
    """A sample of the requests has the latencies of all, and the rates of none."""
    if not rows:
        raise DataError(f"{where}: holds no request that ended")
    made = _mapping(_mapping(benchmark.get("scheduler_metrics")).get("requests_made"))
    ended = sum(int(made.get(kind) or 0) for kind in ("successful", "errored"))
    if ended > len(rows):
        raise DataError(
            f"{where}: keeps {len(rows)} of {ended} requests, so rates cannot be told; "
            "run guidellm without a sample size of its requests"
        )


def _setting(benchmark: Mapping[str, Any], rows: Sequence[_Row], choice: LoadChoice, where: str) -> Setting:
    config = _mapping(benchmark.get("config"))
    strategy = _mapping(config.get("strategy"))
    kind, candidate = str(strategy.get("type_") or ""), safe_name(choice.candidate or _model(config, rows))
    if kind in ("constant", "poisson"):
        return Setting(candidate, "poisson" if kind == "poisson" else "constant", number(strategy.get("rate"), where))
    if kind == "trace":
        span = rows[-1].start - rows[0].start
        return Setting(candidate, "trace", round((len(rows) - 1) / span, 4) if span > 0 else 0.0)
    if kind == "concurrent":
        return Setting(candidate, "closed", number(strategy.get("streams"), f"{where} config.strategy.streams", 1))
    if kind in ("synchronous", "throughput"):
        return Setting(candidate, "closed", 1.0 if kind == "synchronous" else float(choice.users or _in_flight(rows)))
    raise DataError(
        f"{where} config.strategy.type_: {kind!r} is a load that we do not know; known are synchronous, concurrent, "
        f"throughput, {', '.join(_OPEN)}"
    )


def _model(config: Mapping[str, Any], rows: Sequence[_Row]) -> str:
    """As the backend was told, else as the requests say."""
    backend = _mapping(config.get("backend"))
    named = backend.get("model") or next((model for row in rows if (model := _asked_of(row.body).get("model"))), None)
    return str(named or "model")


def _in_flight(rows: Sequence[_Row]) -> int:
    """The most requests at once: what a load without a limit of its own came to."""
    moments = [(row.start, 1) for row in rows] + [(row.start + (_e2e(row) or 0.0), -1) for row in rows]
    most = now = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return max(most, 1)


def _window(benchmark: Mapping[str, Any], where: str) -> tuple[float, float]:
    """From when to when it measured; warm-up and cool-down lie before and after."""
    metrics = _mapping(benchmark.get("scheduler_metrics"))
    names = ("measure_start_time", "measure_end_time")
    if missing := [name for name in names if metrics.get(name) is None]:
        raise DataError(f"{where}: has no scheduler_metrics.{', '.join(missing)}; {_MISSING}")
    first, last = (number(metrics[name], f"{where} scheduler_metrics.{name}") for name in names)
    return first, last


def _phase(row: _Row, window: tuple[float, float]) -> Phase:
    end = row.times.get("request_end") or row.times.get("resolve_end") or row.start
    if row.start < window[0]:
        return "warm_up"
    return "cool_down" if end > window[1] and row.times.get("request_end") else "measured"


def _e2e(row: _Row) -> float | None:
    """Until the last token; until the end of the request where it was not streamed."""
    return row.since("last_token_iteration") or row.since("request_end")


def _served(i: int, row: _Row, sent: Sent, sample_id: str) -> Served:
    if not row.ok:
        said = str(_mapping(row.body.get("info")).get("error") or "no error is noted")
        return failed(i, sent, _kind(said), detail_of(said))
    e2e = _e2e(row)
    if e2e is None:
        raise DataError(f"{row.where}: has no info.timings.request_end; {_MISSING}")
    first, usage = row.since("first_token_iteration"), _mapping(row.body.get("output_metrics"))
    counted = usage.get("total_tokens") or usage.get("text_tokens")
    timed = Timed(
        first,
        e2e,
        row.since("first_output_token_iteration") if "first_output_token_iteration" in row.times else first,
        (),
        whole(row.body.get("prompt_tokens"), row.where),
        whole(counted if counted is not None else row.body.get("output_tokens"), row.where),
        whole(row.body.get("cached_tokens"), row.where),
        counted is None,
        str(row.body.get("output") or ""),
    )
    return answered(i, sent, timed, sample_id)


def _kind(said: str) -> FailureKind:
    return "server_error" if "Server error '5" in said else failure_kind(said)


def _asked_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body that was sent, which stands in the report as JSON in a text."""
    try:
        arguments = orjson.loads(body.get("request_args") or "{}")
    except (orjson.JSONDecodeError, TypeError):
        return {}
    return _mapping(_mapping(arguments).get("body"))


def _prompt(body: Mapping[str, Any]) -> dict[str, Any]:
    sent = _asked_of(body)
    asking = sent.get("messages") or sent.get("prompt") or sent.get("input")
    return asked(asking, Found(ORIGIN, "")) if asking else {}


def _own(benchmark: Mapping[str, Any]) -> dict[str, float]:
    """Means over all answered requests, where no warm-up or cool-down was left out of them."""
    if benchmark.get("warmup_duration") or benchmark.get("cooldown_duration"):
        return {}
    metrics = _mapping(benchmark.get("metrics"))
    found = {}
    for name in ("time_to_first_token_ms", "request_latency", "prompt_token_count", "output_token_count"):
        mean = _mapping(_mapping(metrics.get(name)).get("successful")).get("mean")
        if isinstance(mean, int | float):
            found[f"mean {name}"] = float(mean)
    return found


def _ours(rows: Sequence[_Row]) -> dict[str, float]:
    """The same from the requests; its latency lasts until the request's end, ours until the last token."""
    kept = [row for row in rows if row.ok]
    columns = {
        "time_to_first_token_ms": [1000 * (row.since("first_token_iteration") or 0.0) for row in kept],
        "request_latency": [row.since("request_end") or 0.0 for row in kept],
        "prompt_token_count": [float(row.body.get("prompt_tokens") or 0) for row in kept],
        "output_token_count": [float(row.body.get("output_tokens") or 0) for row in kept],
    }
    return {f"mean {name}": fmean(values) for name, values in columns.items() if values}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
