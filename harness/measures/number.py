"""Whether the last number of an answer is the reference's."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..records import Said, Sample

DEFAULT_TOL = 1e-6
_NUMBER = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)"
    r"(?P<sign>[-+−–]\s?)?[$€£¥]?\s?(?P<digits>(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?:(?P<e>[eE][-+−]?\d+)|\s?[×x·*]\s?10(?:\^|\*\*)\{?(?P<power>[-+−]?\d+)\}?)?"
    r"\s?(?P<percent>%|\bper ?cent\b)?"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written; ``percent`` where a percent sign followed (``value`` is then that of the digits)."""

    value: float
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Numeric:
    """1 where the answer's last number x and the reference's r satisfy |x − r| ≤ max(tol · |r|, abs), else 0.

    ``tol`` is relative (default 1e-6), ``abs`` absolute (default 0). See `last_number` for what is a number. Where one
    of the two is a percentage and the other is not, 12 % equals 12 and 0.12. Raises ValueError for a bad tolerance.
    """

    tol: float = DEFAULT_TOL
    abs: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("tol", self.tol), ("abs", self.abs)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}={value!r} is not a finite number of 0 or more")

    def __str__(self) -> str:
        given = [f"tol={self.tol!r}"] if self.tol != DEFAULT_TOL else []
        given += [f"abs={self.abs!r}"] if self.abs else []
        return f"numeric({', '.join(given)})" if given else "numeric"

    @property
    def version(self) -> str:
        """'': the tolerances are in the name."""
        return ""

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """No value where the reference is missing or holds no number."""
        if sample.reference is None:
            return None, "the sample has no reference"
        wanted = last_number(sample.reference)
        if wanted is None:
            return None, f"the reference {sample.reference[:60]!r} holds no number"
        said = last_number(answer.text)
        if said is None:
            return 0.0, "the answer holds no number"
        return float(self._equal(said, wanted)), f"{said.value:g}{'%' if said.percent else ''}"

    def _equal(self, said: Number, wanted: Number) -> bool:
        pairs = [(said.value, wanted.value)]
        if said.percent and not wanted.percent:
            pairs.append((said.value / 100, wanted.value))
        elif wanted.percent and not said.percent:
            pairs.append((said.value, wanted.value / 100))
        return any(abs(x - r) <= max(self.tol * abs(r), self.abs) for x, r in pairs)


def last_number(text: str) -> Number | None:
    """The last number of ``text`` in English notation, or ``None``.

    Read are thousands separators (1,234.5), signs, currency, percent, and powers of ten (1.2e-3, 1.2 × 10^5). A number
    that is part of a name (GPT-4, Q3) or of a range's hyphen (3-5 is 3 and 5) has no sign; fractions are not reduced.

    >>> last_number("So 1,200 + 34 = **$1,234.00**.")
    Number(value=1234.0, percent=False)
    """
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    last = found[-1]
    exponent = (last["e"] or "e" + last["power"] if last["e"] or last["power"] else "").replace("−", "-")
    value = float(re.sub("[,\u00a0\u202f]", "", last["digits"]) + exponent)
    negative = last["sign"] is not None and last["sign"][0] in "-−"
    return Number(-value if negative else value, last["percent"] is not None)
