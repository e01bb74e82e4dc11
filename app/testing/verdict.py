"""What an assertion gets: a verdict with a truth value, or a word for having none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ...harness.statistics.thresholds import State
from .settings import Inconclusive


class MarkschemeInconclusive(UserWarning):
    """The interval of an assertion holds values that pass and values that fail."""


class NoVerdict(Exception):
    """There is no score, or no answer: nothing that could be asserted. ``owner`` says whose fault that is."""

    def __init__(self, message: str, owner: str = "ours") -> None:
        super().__init__(message)
        self.owner = owner


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the summary: a candidate by a measure, held against what was ``wanted``."""

    candidate: str
    judge: str
    measure: str
    wanted: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    verdict: str
    """A `State`; '' where nothing was wanted."""


@dataclass(frozen=True, slots=True)
class Court:
    """What becomes of verdicts: the policy for those that are none, and who hears all of them."""

    inconclusive: Inconclusive
    hear: Callable[[Verdict], None]


class Verdict:
    """True for a pass, False for a fail; an inconclusive one warns, skips or fails, as the suite wants it.

    ``rows`` are its lines of the summary. ``details`` are for people: the interval, and the worst answers.
    """

    def __init__(
        self, state: State, headline: str, rows: tuple[Row, ...], details: Callable[[], str], court: Court
    ) -> None:
        self.state = state
        self.rows = rows
        self._headline = headline
        self._details = details
        self._court = court
        self._heard = False

    @property
    def details(self) -> str:
        """Several lines."""
        return self._details()

    def __bool__(self) -> bool:
        __tracebackhide__ = True
        if not self._heard:
            self._heard = True
            self._court.hear(self)
        if self.state != "inconclusive":
            return self.state == "pass"
        if self._court.inconclusive == "skip":
            pytest.skip(self._headline)
        if self._court.inconclusive == "warn":
            warnings.warn(MarkschemeInconclusive(self._headline), stacklevel=2)
            return True
        return False

    def __repr__(self) -> str:
        return f"<{self._headline}>"
