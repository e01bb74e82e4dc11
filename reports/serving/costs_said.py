"""Costs of serving in words and tables, the same for HTML and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf

from ...harness.records import Estimate
from ...harness.serving.gpu_hours import Bill, BreakEven
from .. import words
from ..headline import strong
from . import said
from .costs import Costs, Stated, at_use
from .report import ServingReport
from .tables import Row

COST_TITLES = "Load|TTFT mean s|The rest s|In flight|USD per 1,000|By requests/s|At the stated use"
BILL_TITLES = "Who|Servers|Answers USD|Fixed USD|A month USD"
FORMULA = (
    "USD per GPU hour × GPUs / 3600 × (TTFT + the rest of the reply) / requests in flight, all measured at that load. "
    "Beside it the same hour over the answers that really came in it, and at the stated use: an idle GPU is paid for."
)


def named(one: Costs) -> str:
    """``own, 3 contexts``."""
    return ", ".join(part for part in (one.candidate, said.variant(one.cells[0].apart)) if part)


def hire(one: Costs) -> str:
    """``2 GPUs at $1.99 an hour each``."""
    if one.hire.gpus == 1:
        return f"1 GPU at {words.usd(one.hire.usd_per_gpu_hour)} an hour"
    return f"{one.hire.gpus} GPUs at {words.usd(one.hire.usd_per_gpu_hour)} an hour each"


def dollars(estimate: Estimate) -> str:
    """``$0.215 [$0.213, $0.217]``: three digits, since intervals of prices are narrow; ``unknown`` without a price."""
    ends = [v for v in (estimate.low, estimate.high) if v is not None]
    if estimate.value is None:
        return words.usd(None)
    shown = [
        f"${v:,.0f}" if v >= 1000 else f"${v:#.3g}" if v >= 1e-4 else words.usd(v) for v in (estimate.value, *ends)
    ]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(ends) == 2 else shown[0]


def cost_rows(one: Costs, stated: Stated) -> Iterator[Row]:
    """Each load: what the formula is of, and what comes of it."""
    for cell in one.cells:
        ttft, e2e = (cell.times[name].mean.value if name in cell.times else None for name in ("ttft_s", "e2e_s"))
        per_s = cell.requests_per_s
        full = cell.setting.shape == "closed" and not cell.failures
        in_flight = cell.setting.level if full else _times(per_s.value, e2e)
        yield Row(
            (
                said.load(cell.setting) + (" (over capacity)" if cell.over_capacity else ""),
                said.seconds(ttft),
                said.seconds(None if ttft is None or e2e is None else e2e - ttft),
                words.NONE if in_flight is None else f"{in_flight:.3g}",
                dollars(cell.price.usd_per_1000),
                dollars(at_use(one.hire, 1.0, per_s)),
                dollars(at_use(one.hire, stated.utilisation, per_s)),
            ),
            "best" if cell is one.best else "over" if cell.over_capacity else "",
        )


def _times(per_s: float | None, seconds: float | None) -> float | None:
    return None if per_s is None or seconds is None else per_s * seconds


def sentences(one: Costs, stated: Stated) -> Iterator[str]:
    """What a server takes and costs, and the break-even."""
    if one.best is None:
        yield f"No setting of {strong(named(one))} keeps the limits, so there is no capacity to count with."
        return
    use, usd = words.percent(stated.utilisation), strong(dollars(one.saturated))
    yield (
        f"One server of {strong(named(one))} ({hire(one)}) takes {said.amount(one.best.requests_per_s)} requests/s, "
        f"with {said.load(one.best.setting)}. Used to {use} of that, 1,000 answers cost {usd}."
    )
    if one.rival is not None:
        yield from _against(one, stated)


def _against(one: Costs, stated: Stated) -> Iterator[str]:
    assert one.rival is not None
    if one.even is None:
        why = f": {one.rival.why}" if one.rival.why else ""
        yield f"The break-even with {strong(one.rival.name)} is unknown{why}."
        return
    yield f"{strong(one.rival.name)} costs {dollars(one.rival.usd_per_1000)} per 1,000, by {one.rival.source}."
    yield break_even_words(one.even, one, words.percent(stated.utilisation))


def break_even_words(even: BreakEven, one: Costs, use: str) -> str:
    """From which load on a server is cheaper, or that it never is."""
    assert one.rival is not None
    rival, most = strong(one.rival.name), f"{rate(even.most_per_s)} queries/s that one server takes at {use}"
    if isinf(even.queries_per_s.value or 0.0):
        return f"{rival} is free, so a server is never cheaper."
    at = f"{rate(even.queries_per_s)} queries/s{_tokens(even, one)}"
    if even.reached == "no":
        return (
            f"A server is {strong('never cheaper')}: the break-even would be {at}, beyond the {most}. A second server "
            "would double the price with the load."
        )
    if even.reached == "yes":
        return f"From {strong(at)} on a server is cheaper; below, {rival} is. It lies below the {most}."
    above = (even.queries_per_s.value or 0.0) > (even.most_per_s.value or 0.0)
    return (
        f"Whether a server is ever cheaper {strong('cannot be told')}: the break-even is {at}, "
        f"{'above' if above else 'below'} the {most}, but {_doubt(even)}."
    )


def _doubt(even: BreakEven) -> str:
    if None in (even.queries_per_s.low, even.most_per_s.low):
        return "one of the two has no interval, or both"
    return "not by more than their intervals"


def _tokens(even: BreakEven, one: Costs) -> str:
    """The same as a rate of tokens, by what answers had on average."""
    tokens, at = None if one.best is None else one.best.completion_tokens, even.queries_per_s.value
    if tokens is None or at is None:
        return ""
    return f" ({at * tokens:,.0f} output tokens/s at {tokens:,.0f} an answer)"


def rate(estimate: Estimate) -> str:
    """Queries a second to three digits with their interval: loads of users are often far below one."""
    ends = [v for v in (estimate.low, estimate.high) if v is not None]
    shown = [
        said.ENDLESS if isinf(v) else f"{v:#.3g}" if v < 100 else f"{v:,.0f}" for v in (estimate.value or 0.0, *ends)
    ]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(ends) == 2 else shown[0]


def bill_words(stated: Stated) -> str:
    """Whose month it is."""
    assert stated.users is not None and stated.queries_per_user_day is not None
    return (
        f"{words.plural(stated.users, 'user')} × {stated.queries_per_user_day:g} questions a day are "
        f"{stated.queries_month or 0:,.0f} a month, {stated.queries_per_s or 0:.3g} a second on average. Whole "
        f"servers, held day and night, each used to {words.percent(stated.utilisation)} at most."
    )


def bill_rows(found: Sequence[Costs]) -> Iterator[Row]:
    """A month of each, and of the API beside it."""
    for one in found:
        if one.bill is not None:
            yield _bill_row(named(one), one.bill, f"{one.bill.servers} × {hire(one)}")
    for rival in dict.fromkeys(
        (one.rival.name, one.cells[0].apart.contexts, one.rival.bill) for one in found if one.rival
    ):
        name, contexts, bill = rival
        if bill is not None:
            many = contexts is not None
            yield _bill_row(f"{name}, {words.plural(contexts or 0, 'context')}" if many else name, bill, words.NONE)


def _bill_row(name: str, bill: Bill, servers: str) -> Row:
    return Row((name, servers, *(_whole(usd) for usd in (bill.answers_usd, bill.fixed_usd, bill.total_usd))))


def _whole(usd: float) -> str:
    return f"${usd:,.0f}" if usd >= 100 else words.usd(usd)


def notes(report: ServingReport) -> Iterator[str]:
    """What is unknown or assumed, and what starting servers cost, a line of its own."""
    unpriced, started = report.unpriced, report.started
    if unpriced:
        yield (
            f"What {words.listed(strong(name) for name in unpriced)} costs is unknown: declare usd_per_gpu_hour, or a "
            "price of its tokens under prices."
        )
    if report.costs and report.stated.utilisation == 1:
        yield (
            "No utilisation is declared, so servers are counted as always busy: this is the least that answers can "
            "cost. Real users leave GPUs idle."
        )
    if started is not None:
        yield (
            f"Starting {words.plural(started.servers, 'server')} cost {words.usd(started.usd)}: "
            f"{words.usd(started.usd_per_1000)} per 1,000 of the {started.requests:,} requests measured, which is in "
            "no price below."
        )
