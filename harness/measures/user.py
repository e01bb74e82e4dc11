"""`python:my.module:name`: a measure of the user's own, ``f(sample, answer) -> float | None | (value, why)``."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import Said, Sample
from ..user_code import load

PREFIX = "python:"
_LONGEST_WHY = 200


@dataclass(frozen=True, slots=True)
class UserMeasure:
    """Calls ``function`` with the `Sample` and what was `Said` (``answer.text``, ``.tool_calls``, ``.retrieved``).

    It returns a finite number, ``None``, or a pair of either and the reason. What it raises, or returns beside that,
    is no value with that reason: never a zero.
    """

    reference: str
    version: str = field(compare=False)
    function: Callable[[Sample, Said], Any] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{PREFIX}{self.reference}"

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class."""
        try:
            returned = self.function(sample, answer)
        except Exception as error:
            return None, f"{type(error).__name__}: {error}"[:_LONGEST_WHY]
        value, why = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, "")
        if value is None:
            return None, str(why) or "the measure gave no value"
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or isinstance(value, str):
            return None, f"returned {value!r}; wanted a finite number, None, or (value, why)"[:_LONGEST_WHY]
        return number, str(why)


def user_measure(name: str, base: Path | None) -> UserMeasure:
    """The measure that ``name`` names, versioned by the hash of its file. Raises InputError."""
    reference = name.removeprefix(PREFIX).strip()
    code = load(reference, base)
    if not callable(code.target) or inspect.iscoroutinefunction(code.target):
        raise InputError(f"measure {name!r}: wanted a plain function f(sample, answer) -> float | None | (value, why)")
    return UserMeasure(reference, code.sha256, code.target)
