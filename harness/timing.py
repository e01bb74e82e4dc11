"""What is timed about a streamed reply, each thing defined once, and what other tools call it.

Columns take the requests of a load test and give one value a request (n,), in seconds: NaN where it is not defined or
not known, +inf where the request failed, so that a failure is slower than any answer in a percentile. Moments of one
request: t_sched (planned), t_send (before it is written), t_1 and t_n (first and last chunk with content, reasoning or
a tool call), n_out (completion tokens as the server counts them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .serving.records import Loaded, Served

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OK = "ok"
Of = Callable[[Served], float | None]


def measured(loaded: Loaded) -> tuple[Served, ...]:
    """The requests of the measured window: warm-up and cool-down left out, failures kept."""
    return tuple(one for one in loaded.requests if one.phase == "measured")


def dispatch_delay(one: Served) -> float | None:
    """t_send - t_sched: how late the client was, or how long a cap on an open loop held the request back."""
    return one.sent_s - one.scheduled_s


def ttft(one: Served) -> float | None:
    """Time to first token, t_1 - t_send: reasoning counts, an empty first chunk does not."""
    return one.ttft_s


def ttft_sched(one: Served) -> float | None:
    """t_1 - t_sched: what the user waits for the first token who came when planned."""
    return None if one.ttft_s is None else one.ttft_s + one.sent_s - one.scheduled_s


def ttfo(one: Served) -> float | None:
    """Time to first output token: as TTFT, but reasoning does not count."""
    return one.ttfo_s


def e2e(one: Served) -> float | None:
    """t_n - t_send: until the last chunk with content, not until the stream is closed."""
    return one.e2e_s


def e2e_sched(one: Served) -> float | None:
    """t_n - t_sched: the whole reply as the user sees it who came when planned."""
    return None if one.e2e_s is None else one.e2e_s + one.sent_s - one.scheduled_s


def tpot(one: Served) -> float | None:
    """Time per output token after the first, (t_n - t_1) / (n_out - 1); undefined for fewer than two tokens."""
    tokens = one.completion_tokens
    if one.e2e_s is None or one.ttft_s is None or tokens is None or tokens <= 1:
        return None
    return (one.e2e_s - one.ttft_s) / (tokens - 1)


def ntpot(one: Served) -> float | None:
    """Normalised time per output token, (t_n - t_send) / n_out: includes the wait for the first."""
    return None if one.e2e_s is None or not one.completion_tokens else one.e2e_s / one.completion_tokens


LATENCIES: Mapping[str, Of] = {
    "ttft_s": ttft,
    "ttft_sched_s": ttft_sched,
    "ttfo_s": ttfo,
    "e2e_s": e2e,
    "e2e_sched_s": e2e_sched,
    "tpot_s": tpot,
    "ntpot_s": ntpot,
}


def column(requests: Sequence[Served], of: Of) -> Floats:
    """One value a request: NaN where ``of`` knows none, +inf where the request failed."""
    import numpy as np

    found = [np.inf if one.status != OK else np.nan if (v := of(one)) is None else v for one in requests]
    return np.array(found, dtype=float)


def delays(requests: Sequence[Served]) -> Floats:
    """Dispatch delays, of failures too: each of them was sent."""
    import numpy as np

    return np.array([dispatch_delay(one) for one in requests], dtype=float)


def user_rate(requests: Sequence[Served]) -> Floats:
    """Output tokens a second as one user reads them, 1/TPOT; 0 where the request failed."""
    import numpy as np

    found = column(requests, tpot)
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.where(found == 0, np.nan, found))


def chunk_gaps(requests: Sequence[Served]) -> tuple[Floats, NDArray[np.intp]]:
    """Gaps between consecutive chunks of answered requests, pooled (m,), and the number of the request of each."""
    import numpy as np

    answered = [(i, one.gaps_s) for i, one in enumerate(requests) if one.status == OK]
    sizes = [len(gaps) for _, gaps in answered]
    gaps = np.fromiter((gap for _, found in answered for gap in found), dtype=float, count=sum(sizes))
    return gaps, np.repeat(np.array([i for i, _ in answered], dtype=np.intp), sizes)


@dataclass(frozen=True, slots=True)
class Alias:
    """Our name, what it is, and what `vllm bench serve`, guidellm (0.8) and AIPerf (0.13) call the same; '' nothing."""

    name: str
    key: str
    """Of the column or number here; '' where there is none."""
    meaning: str
    vllm: str
    guidellm: str
    aiperf: str


ALIASES: tuple[Alias, ...] = (
    Alias(
        "TTFT",
        "ttft_s",
        "from sending to the first chunk with content, reasoning or a tool call",
        "TTFT, but up to the first chunk at all, be it empty",
        "TTFT",
        "TTFT",
    ),
    Alias("TTFO", "ttfo_s", "from sending to the first content that is no reasoning", "", "", "TTFO"),
    Alias(
        "TPOT",
        "tpot_s",
        "(last chunk − first chunk) / (output tokens − 1), one value a request",
        "TPOT",
        "ITL (`inter_token_latency_ms`)",
        "ITL",
    ),
    Alias("Gap", "gap_s", "between two consecutive chunks, pooled over requests", "ITL", "", "ICL"),
    Alias(
        "NTPOT",
        "ntpot_s",
        "E2E / output tokens, the first one included",
        "",
        "TPOT (`time_per_output_token_ms`)",
        "1 / `e2e_output_token_throughput`",
    ),
    Alias(
        "E2E",
        "e2e_s",
        "from sending to the last chunk with content",
        "E2EL",
        "request latency, up to its own end of the request",
        "request latency",
    ),
    Alias(
        "Scheduled TTFT, E2E",
        "e2e_sched_s",
        "the same from the moment the request was planned for",
        "",
        "`request_scheduled_latency`",
        "",
    ),
    Alias(
        "Dispatch delay",
        "dispatch_delay_s",
        "from the planned moment to sending",
        "`client_queue_time`",
        "`request_dispatch_delay`",
        "`replay_sched_lag`",
    ),
    Alias(
        "Output tokens/s",
        "output_tokens_per_s",
        "output tokens in the measured window over its length",
        "output throughput, over the whole run with its ramp-down",
        "output tokens per second, windowed",
        "output token throughput, over the whole run",
    ),
    Alias(
        "Tokens/s per user",
        "user_tokens_per_s",
        "1 / TPOT",
        "",
        "",
        "output token throughput per user",
    ),
    Alias(
        "Goodput",
        "goodput",
        "share of attempted requests, failures included, within every stated limit; and those a second",
        "requests/s; a reply of one token counts as TPOT 0",
        "the same names, but its `tpot` limit is held against its ITL",
        "requests/s, and the share of attempted",
    ),
)
"""Read in the source of vLLM's benchmark, guidellm 0.8.1 and AIPerf 0.13.0."""

FOREIGN: Mapping[str, str] = {
    "vllm": "TTFT ends at the first chunk at all, be it empty, and TTFO is taken to be the same; ramp-up and ramp-down "
    "are in the numbers",
    "guidellm": "it keeps no gaps between chunks; what the end cut off is left out",
    "llmperf": "E2E lasts until the stream is closed; tokens, and so TPOT, are counted by its own tokenizer; it keeps "
    "neither gaps between chunks nor when requests were sent",
}
"""What numbers mean otherwise, or do not say, that were read from a file of `Loaded.origin`."""
