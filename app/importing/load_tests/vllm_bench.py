"""Results of `vllm bench serve --save-result --save-detailed`: one load a file, or one a line with `--append-result`.

Its lists go by the number of the request: ``input_lens``, ``output_lens``, ``ttfts``, ``itls`` (gaps from the first
chunk on), ``generated_texts`` and ``errors``; later versions add ``start_times``, ``latencies`` and ``queue_times``
(what a request waited for a place under `--max-concurrency`). All in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from ....harness.errors import DataError
from ....harness.exam_types import safe_name
from ....harness.serving.records import Served, Setting, Shape
from ..failures import detail_of, failure_kind
from .found import LATE_S, FoundLoad, LoadChoice, Sent, Timed, answered, failed, lacking, number, whole
from .summaries import summary

ORIGIN = "vllm"
_LISTS = ("input_lens", "output_lens", "ttfts", "itls", "generated_texts", "errors")
_TIMES = ("ttft", "tpot", "itl", "e2el")
_PERCENTS = (25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class _Lists:
    """The columns of a file; ``starts`` is None where it does not say when requests were sent."""

    errors: list[str]
    ttfts: list[float]
    gaps: list[tuple[float, ...]]
    latencies: list[float]
    inputs: list[int | None]
    outputs: list[int | None]
    texts: list[str]
    starts: list[float] | None
    queued: list[float]

    def lost(self, i: int) -> bool:
        """Whether request ``i`` failed: it has an error, or no first chunk came."""
        return bool(self.errors[i]) or self.ttfts[i] <= 0


def is_vllm(document: Any) -> bool:
    """Whether this looks like a result of `vllm bench serve`."""
    return isinstance(document, Mapping) and "model_id" in document and "request_rate" in document


def read_vllm(document: Mapping[str, Any], where: str, choice: LoadChoice) -> FoundLoad:
    """The one load of a result. Raises DataError for what is missing, or no load that we know."""
    lists = _lists(document, where)
    setting = _setting(document, where, choice, len(lists.errors))
    requests = tuple(_requests(lists, setting, document.get("max_concurrency") is not None))
    duration = number(document.get("duration"), f"{where} duration")
    notes = []
    if lists.starts is None and setting.shape != "closed":
        notes.append(
            "a file of this version of vLLM does not say when requests were sent, so nor whether the server kept up"
        )
    return FoundLoad(
        where,
        ORIGIN,
        setting,
        _started(document.get("date")),
        duration if lists.starts is None else _window(requests, duration),
        requests,
        own=_own(document),
        ours=_ours(lists),
        notes=tuple(notes),
    )


def _lists(document: Mapping[str, Any], where: str) -> _Lists:
    if missing := lacking(document, _LISTS):
        remedy = "write it with --save-result --save-detailed"
        if "ttfts" in missing and "input_sequence_throughput" in document:
            remedy = "it is a benchmark of embeddings, which have no tokens to time"
        raise DataError(f"{where}: this result of vllm bench serve has no {', '.join(missing)}; {remedy}")
    n = len(document["ttfts"])
    for name in (*_LISTS, "latencies", "start_times", "queue_times"):
        if isinstance(document.get(name), list) and len(document[name]) != n:
            raise DataError(f"{where} {name}: holds {len(document[name])} requests, and ttfts {n}; the file is damaged")
    if n == 0:
        raise DataError(f"{where}: holds no requests")
    ttfts = [number(v, f"{where} ttfts[{i}]") for i, v in enumerate(document["ttfts"])]
    gaps = [tuple(number(v, f"{where} itls[{i}]") for v in one) for i, one in enumerate(document["itls"])]
    return _Lists(
        [str(error or "") for error in document["errors"]],
        ttfts,
        gaps,
        _column(document, "latencies", where) or [t + sum(g) for t, g in zip(ttfts, gaps, strict=True)],
        [whole(v, f"{where} input_lens[{i}]") for i, v in enumerate(document["input_lens"])],
        [whole(v, f"{where} output_lens[{i}]") for i, v in enumerate(document["output_lens"])],
        [str(text or "") for text in document["generated_texts"]],
        _column(document, "start_times", where),
        _column(document, "queue_times", where) or [0.0] * n,
    )


def _column(document: Mapping[str, Any], name: str, where: str) -> list[float] | None:
    """A list of later versions."""
    listed = document.get(name)
    if not isinstance(listed, list):
        return None
    return [max(0.0, number(v, f"{where} {name}[{i}]", -math.inf)) for i, v in enumerate(listed)]


def _setting(document: Mapping[str, Any], where: str, choice: LoadChoice, requests: int) -> Setting:
    """Without a rate all requests are there at once, and `--max-concurrency` of them in flight: a closed loop."""
    if document.get("ramp_up_strategy"):
        raise DataError(f"{where}: its rate was ramped up, so no one load was measured; import runs of constant rates")
    candidate = safe_name(choice.candidate or str(document["model_id"]))
    rate, users = document["request_rate"], choice.users or whole(document.get("max_concurrency"), where)
    if rate in ("inf", None) or math.isinf(float(rate)):
        return Setting(candidate, "closed", float(min(users or requests, requests)))
    return Setting(candidate, _shape(document.get("burstiness", 1.0)), number(rate, f"{where} request_rate"))


def _shape(burstiness: Any) -> Shape:
    """Gamma gaps: 1 is a Poisson process, infinity a constant rate; any other one is as it was recorded."""
    if burstiness is None or float(burstiness) == 1.0:
        return "poisson"
    return "constant" if math.isinf(float(burstiness)) else "trace"


def _requests(lists: _Lists, setting: Setting, capped: bool) -> Iterator[Served]:
    begin = 0.0
    if lists.starts is not None:
        begin = min(s - q for s, q in zip(lists.starts, lists.queued, strict=True))
    for i, error in enumerate(lists.errors):
        sent = _sent(lists, i, begin, setting.shape == "closed", capped)
        if lists.lost(i):
            last = (error.strip().splitlines() or ["no chunk came, and no error is noted"])[-1]
            yield failed(i, sent, failure_kind(last), detail_of(last))
        else:
            yield answered(i, sent, _timed(lists, i))


def _sent(lists: _Lists, i: int, begin: float, closed: bool, capped: bool) -> Sent:
    """In an open loop what it waited for a place counts as waiting, in a closed one it was not asked before."""
    if lists.starts is None:
        return Sent()
    at = lists.starts[i] - begin
    queued = 0.0 if closed else lists.queued[i]
    return Sent(max(0.0, at - queued), at, capped=capped and queued > LATE_S)


def _timed(lists: _Lists, i: int) -> Timed:
    return Timed(
        lists.ttfts[i],
        max(lists.latencies[i], lists.ttfts[i]),
        lists.ttfts[i],
        lists.gaps[i],
        lists.inputs[i],
        lists.outputs[i],
        text=lists.texts[i],
    )


def _window(requests: Sequence[Served], duration: float) -> float:
    """From the first sending to the last chunk; that of the file where nothing came."""
    ends = [one.sent_s + one.e2e_s for one in requests if one.e2e_s is not None]
    return max(ends) - min(one.sent_s for one in requests) if ends else duration


def _started(date: Any) -> float:
    """Unix time of ``20261121-181552``; the file does not say where, so it is taken for UTC. 0 where there is none."""
    try:
        return datetime.strptime(str(date), "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _own(document: Mapping[str, Any]) -> dict[str, float]:
    """Its summary: counts, and numbers in milliseconds like ``p99_ttft_ms``."""
    counts = ("completed", "total_input_tokens", "total_output_tokens")
    times = [f"{kind}_{name}_ms" for name in _TIMES for kind in ("mean", "median", "std", *_percents())]
    return {name: float(document[name]) for name in (*counts, *times) if isinstance(document.get(name), int | float)}


def _percents() -> list[str]:
    return [f"p{percent:g}" for percent in _PERCENTS]


def _ours(lists: _Lists) -> dict[str, float]:
    """The same from the requests: failures left out, TPOT of one token too."""
    kept = [i for i in range(len(lists.errors)) if not lists.lost(i)]
    outputs = [lists.outputs[i] or 0 for i in kept]
    tpots = [(lists.latencies[i] - lists.ttfts[i]) / (n - 1) for i, n in zip(kept, outputs, strict=True) if n > 1]
    columns = {
        "ttft": [lists.ttfts[i] for i in kept],
        "tpot": tpots,
        "itl": list(chain.from_iterable(lists.gaps[i] for i in kept)),
        "e2el": [lists.latencies[i] for i in kept],
    }
    found = {
        "completed": float(len(kept)),
        "total_input_tokens": float(sum(lists.inputs[i] or 0 for i in kept)),
        "total_output_tokens": float(sum(outputs)),
    }
    for name, values in columns.items():
        made = summary(values, _PERCENTS, ddof=0)
        found |= {f"{kind}_{name}_ms": 1000 * value for kind, value in made.items()}
    return found
