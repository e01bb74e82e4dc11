"""What one repeat of a cell came to: requests and tokens a second, goodput, and whether the client kept up.

The load is the same throughout the measured window, but some requests were under way when it opened and others when it
closed. Each counts by the part of its output that came inside, so that many users and few requests are not taken for a
slow server; with measured requests alone it is the usual sum of output tokens over (last t_n - first t_send).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..timing import OK, column, e2e, measured, tpot, ttft
from .records import Loaded, Served

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LATE = 0.05
"""A client whose loop wakes later than this share of the time between two tokens puts its own delay into them."""
MANY = 2.0
"""From so many times on a lag is told as a multiple, below as a percentage."""
BUSY = 0.9
"""Share of one core from which a client of one process may be what is slow."""


def inside(loaded: Loaded) -> Floats:
    """The part of each reply (n,), in any phase, that came within the measured window; 0 for a failure."""
    import numpy as np

    opened = min((one.sent_s for one in measured(loaded)), default=0.0)
    return np.array([_part(one, opened, opened + loaded.window_s) for one in loaded.requests], dtype=float)


def _part(one: Served, opened: float, closed: float) -> float:
    """Output comes evenly from the first chunk to the last; what was not streamed came all at once."""
    if one.status != OK or one.e2e_s is None:
        return 0.0
    if one.phase == "measured":
        return 1.0
    end = one.sent_s + one.e2e_s
    first = end if one.ttft_s is None else one.sent_s + one.ttft_s
    if end <= first:
        return float(opened <= end <= closed)
    return max(0.0, min(closed, end) - max(opened, first)) / (end - first)


def requests_per_s(loaded: Loaded) -> float | None:
    """Answered requests a second of the measured window; ``None`` without one."""
    return float(inside(loaded).sum()) / loaded.window_s if loaded.window_s > 0 and measured(loaded) else None


def output_tokens_per_s(loaded: Loaded) -> float | None:
    """Output tokens a second, of all users together; ``None`` where an answer's tokens are unknown."""
    import numpy as np

    counts = [one.completion_tokens if one.status == OK else 0 for one in loaded.requests]
    if loaded.window_s <= 0 or not measured(loaded) or any(count is None for count in counts):
        return None
    return float(inside(loaded) @ np.array(counts, dtype=float)) / loaded.window_s


def good(requests: Sequence[Served], slo: Mapping[str, float]) -> NDArray[np.bool_]:
    """Which requests kept every limit of ``slo`` (``ttft_s``, ``gap_s``: their mean gap, ``e2e_s``); no failure did.

    Where the client sent late the user waited, so TTFT and E2E count from the planned moment. What is not known (TTFT
    of a reply that was not streamed, gaps that a tool does not record) is not kept.
    """
    import numpy as np

    late = np.array([max(0.0, one.sent_s - one.scheduled_s) for one in requests])
    kept = np.array([one.status == OK for one in requests], dtype=bool)
    for name, found in (("ttft_s", column(requests, ttft) + late), ("e2e_s", column(requests, e2e) + late)):
        if name in slo:
            kept &= found <= slo[name]
    if "gap_s" in slo:
        kept &= column(requests, _mean_gap) <= slo["gap_s"]
    return kept


def _mean_gap(one: Served) -> float | None:
    """0 for a reply that came in one piece; ``None`` where pieces came and nobody noted when."""
    if one.gaps_s:
        return sum(one.gaps_s) / len(one.gaps_s)
    whole = one.ttft_s is not None and one.e2e_s is not None and one.e2e_s <= one.ttft_s
    return 0.0 if whole else None


def lag_p99(loaded: Loaded) -> float | None:
    """99th percentile of how late the client's own loop woke, in seconds; ``None`` where nobody looked."""
    import numpy as np

    return float(np.quantile(loaded.lag_s, 0.99, method="nearest")) if loaded.lag_s else None


def cpu_share(loaded: Loaded) -> float | None:
    """Client CPU seconds per second from the first sending to the last reply, 1 being one core."""
    ends = [one.sent_s + (one.e2e_s or 0.0) for one in loaded.requests]
    length = max(ends) - min(one.sent_s for one in loaded.requests) if ends else 0.0
    return loaded.client_cpu_s / length if length > 0 and loaded.client_cpu_s > 0 else None


def bottleneck(loaded: Loaded) -> str:
    """Why the client itself may be what is slow, else ''."""
    import numpy as np

    lag, cpu = lag_p99(loaded), cpu_share(loaded)
    times = column(measured(loaded), tpot)
    known = times[np.isfinite(times)]
    between = float(np.median(known)) if len(known) else None
    if lag is not None and between and lag > LATE * between:  # tokens that all come at once have no time between them
        part = lag / between
        many = f"{part:.0%} of" if part < MANY else f"{part:.0f} times"
        return f"its loop woke {1000 * lag:.1f} ms late (p99), {many} the median TPOT"
    return f"it used {cpu:.0%} of a core" if cpu is not None and cpu >= BUSY else ""
