"""Numbers and reasons as a reader sees them. ``None`` and NaN are a dash, never a zero."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Protocol

NONE = "–"
UNCORRECTED = "uncorrected"
_REASONS = {
    "timeout": "timed out",
    "content_filter": "blocked by the content filter",
    "truncated": "cut by the token limit",
    "context_overflow": "prompt too long for the model",
    "candidate_error": "application error",
    "rate_limited": "rate limited",
    "server_error": "server error",
    "network": "network error",
    "malformed": "reply malformed",
    "unauthorized": "key refused",
    "not_found": "model not found",
    "bad_request": "request refused",
    "unsupported": "not supported by the server",
    "not_recorded": "not recorded",
    "not_applicable": "not applicable",
    "unparsable": "verdict unreadable",
    "refused": "judge refused",
    "error": "judge not reached",
}
_DESIGNS = {
    "random": "drawn at random",
    "stratified": "drawn at random within strata",
    "chosen": "picked on purpose",
    "unknown": "nobody says how drawn",
}
_METHODS = {"ppi++": "PPI++", "human-only": "labels alone", "rogan-gladen": "Rogan–Gladen", "judge-only": "none"}


class Measured(Protocol):
    """An `Estimate`, or a row that prints one."""

    @property
    def value(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def number(value: float | None, decimals: int = 2) -> str:
    """``2.61``, with a true minus sign."""
    if _absent(value):
        return NONE
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.replace("-", "")


def signed(value: float | None) -> str:
    """``+0.04`` or ``−0.04``."""
    text = number(value)
    return text if text == NONE or text.startswith("−") else f"+{text}"


def interval(estimate: Measured, sign: bool = False) -> str:
    """``[2.52, 2.70]``, or nothing where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    form = signed if sign else number
    return f"[{form(estimate.low)}, {form(estimate.high)}]"


def estimate(one: Measured | None, sign: bool = False) -> str:
    """``2.61 [2.52, 2.70]``, the number alone where it has no interval, a dash for nothing."""
    if one is None or one.value is None:
        return NONE
    value = signed(one.value) if sign else number(one.value)
    return f"{value} {interval(one, sign)}".rstrip()


def seconds(value: float | None) -> str:
    """Three significant digits at most: ``0.004``, ``0.31``, ``12.4``."""
    if value is None or isnan(value):
        return NONE
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 0.1:
        return f"{value:.2f}"
    return "<0.001" if 0 < value < 0.0005 else f"{value:.3f}" if value else "0"


def usd(value: float | None) -> str:
    """``$12.40``, ``$0.54``, ``$0.0021``; ``unknown`` where no price is known."""
    if value is None or isnan(value):
        return "unknown"
    if value == 0:
        return "$0"
    return f"${value:,.2f}" if value >= 0.1 else f"${value:#.2g}" if value >= 1e-4 else "<$0.0001"


def count(value: float | None) -> str:
    """``1,920``."""
    return NONE if value is None or isnan(value) else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """``41 %``; shares under 10 % with one decimal."""
    if share is None or isnan(share):
        return NONE
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 10 and round(value, 1) % 1 else f"{value:.0f} %"


def p_value(p: float) -> str:
    """``0.032``, ``<0.001``."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def plural(n: int, one: str, many: str = "") -> str:
    """``1 question``, ``1,920 questions``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def times(ratio: float) -> str:
    """``19×``, ``2.4×``."""
    return f"{ratio:.0f}×" if ratio >= 9.5 else f"{ratio:.1f}×"


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    items = list(names)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def reason(why: str) -> str:
    """``candidate: timeout`` -> ``timed out``."""
    kind = why.partition(": ")[2] or why
    return _REASONS.get(kind, kind)


def design(name: str) -> str:
    """How labelled answers were drawn: ``random`` -> ``drawn at random``."""
    return _DESIGNS.get(name, name)


def correction(method: str) -> str:
    """``ppi++`` -> ``PPI++``; ``none`` where nothing was corrected."""
    return _METHODS.get(method, method)


def shared(both: int, most: int) -> str:
    """`` on the 16 questions with scores of both``, where there are more with one of either."""
    return f" on the {plural(both, 'question')} with scores of both" if both < most else ""


def scale_words(scale: tuple[float, float] | None) -> str:
    """``0–3``, or nothing for an unknown scale."""
    return "" if scale is None else f"{scale[0]:g}–{scale[1]:g}"


def short(sha256: str) -> str:
    """The first eight digits of a hash."""
    return f"{sha256[:8]}…" if len(sha256) > 8 else sha256


def _absent(value: float | None) -> bool:
    return value is None or isnan(value)
