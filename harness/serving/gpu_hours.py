"""What a rented GPU hour costs per query, per month, and from which load on it is cheaper than an API.

A server here is everything that answers together: ``gpus`` GPUs at ``usd_per_gpu_hour`` each. Its capacity is the
queries a second that it was measured to answer; ``utilisation`` is the share of its capacity that is used on average,
since users do not come evenly and an idle GPU is paid for, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from ..records import Estimate

HOUR_S = 3600
DAY_S = 86_400
DAYS_A_MONTH = 365.25 / 12


def cost_per_query(usd_per_gpu_hour: float, gpus: int, boot_s: float, generation_s: float, parallel: float) -> float:
    """USD of one query: (USD per GPU hour × ``gpus`` / 3600) × (``boot_s`` + ``generation_s``) / ``parallel``.

    ``boot_s`` is the prefill of one request (TTFT), ``generation_s`` the rest of it, both in seconds and measured with
    ``parallel`` requests in flight, since both grow with it.
    """
    return usd_per_gpu_hour * gpus / HOUR_S * (boot_s + generation_s) / parallel


def saturated_cost_per_query(
    usd_per_gpu_hour: float, gpus: int, queries_per_s: float, utilisation: float = 1.0
) -> float:
    """USD of one query of a server that answers ``queries_per_s`` at most, and ``utilisation`` of that on average."""
    return usd_per_gpu_hour * gpus / HOUR_S / (queries_per_s * utilisation)


def startup_cost(usd_per_gpu_hour: float, gpus: int, startup_s: float, queries: int) -> float:
    """USD that the start of a server adds to each of the ``queries`` that it was started for."""
    return usd_per_gpu_hour * gpus / HOUR_S * startup_s / queries


def servers_for(queries_per_s: float, capacity_per_s: float, utilisation: float = 1.0) -> int:
    """Whole servers for a mean load of ``queries_per_s``, each used to ``utilisation`` of its capacity at most."""
    return max(1, ceil(queries_per_s / (capacity_per_s * utilisation) - 1e-9))


@dataclass(frozen=True, slots=True)
class Bill:
    """A month in USD. ``fixed_usd`` is paid however many queries there are, such as for a vector database.

    ``servers`` is 0 where queries are paid one by one.
    """

    queries: float
    servers: int
    answers_usd: float
    fixed_usd: float

    @property
    def total_usd(self) -> float:
        """Everything."""
        return self.answers_usd + self.fixed_usd


def queries_a_month(users: float, queries_per_user_day: float) -> float:
    """Of a month of 365.25 / 12 days."""
    return users * queries_per_user_day * DAYS_A_MONTH


def monthly_bill(queries: float, usd_per_server_hour: float, servers: int, fixed_usd: float = 0.0) -> Bill:
    """``servers`` held day and night, whether they are asked or not."""
    return Bill(queries, servers, servers * usd_per_server_hour * 24 * DAYS_A_MONTH, fixed_usd)


def monthly_api_bill(queries: float, usd_per_query: float, fixed_usd: float = 0.0) -> Bill:
    """The same ``queries`` paid one by one."""
    return Bill(queries, 0, queries * usd_per_query, fixed_usd)


def break_even(usd_per_server_hour: float, api_usd_per_query: float) -> float:
    """Queries a second from which on a server is cheaper than the API: USD an hour / (3600 × USD a query).

    Times the mean number of output tokens of a query it is a rate of tokens. For the hour of a server that stands
    idle at times: the day's bill over the hours in which it is used.
    """
    return usd_per_server_hour / (HOUR_S * api_usd_per_query)


Reached = Literal["yes", "no", "unsure"]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """``queries_per_s`` from which on a server is cheaper, beside the ``most_per_s`` that one can take.

    ``reached`` says whether the first lies below the second: ``no`` means never, since two servers at twice the load
    cost each query what one does. It is ``unsure`` where the intervals overlap, or where one of them is missing.
    """

    queries_per_s: Estimate
    most_per_s: Estimate
    reached: Reached


def break_even_of(
    usd_per_server_hour: float, api_usd_per_query: Estimate, capacity_per_s: Estimate, utilisation: float = 1.0
) -> BreakEven | None:
    """With the interval that those of the API's cost and of the capacity leave; ``None`` where either is unknown.

    An API that is free is cheaper at any load: then the load is infinite, and never reached.
    """
    usd, most = api_usd_per_query, scaled(capacity_per_s, utilisation)
    if usd.value is None or most.value is None:
        return None
    low, high = (None, None) if usd.low is None or usd.high is None else (usd.low, usd.high)
    at = Estimate(
        _load(usd_per_server_hour, usd.value),
        None if high is None else _load(usd_per_server_hour, high),
        None if low is None else _load(usd_per_server_hour, low),
        usd.n,
        usd.method,
    )
    return BreakEven(at, most, _reached(at, most))


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """``factor`` × ``estimate``, its interval too."""
    value, low, high = (None if v is None else factor * v for v in (estimate.value, estimate.low, estimate.high))
    return Estimate(value, low, high, estimate.n, estimate.method, estimate.notes)


def inverted(estimate: Estimate, factor: float) -> Estimate:
    """``factor`` / ``estimate`` for an amount above zero; ends of the interval change places."""
    if not estimate.value:
        return Estimate(None, None, None, estimate.n, estimate.method, estimate.notes)
    known = estimate.low and estimate.high
    low, high = (factor / (estimate.high or 1), factor / (estimate.low or 1)) if known else (None, None)
    return Estimate(factor / estimate.value, low, high, estimate.n, estimate.method, estimate.notes)


def _load(usd_per_server_hour: float, api_usd_per_query: float) -> float:
    return break_even(usd_per_server_hour, api_usd_per_query) if api_usd_per_query > 0 else float("inf")


def _reached(at: Estimate, most: Estimate) -> Reached:
    assert at.value is not None and most.value is not None
    if at.value == float("inf"):
        return "no"
    if at.high is not None and most.low is not None and at.high <= most.low:
        return "yes"
    if at.low is not None and most.high is not None and at.low > most.high:
        return "no"
    return "unsure"
