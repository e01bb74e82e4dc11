"""A measure is a small value that prints and parses its own name and scores one stored answer without a judge."""

from __future__ import annotations

from typing import Protocol

from ..records import Said, Sample


class Measure(Protocol):
    """``str(measure)`` is its name as the exam writes it; ``parse(str(measure)) == measure``."""

    @property
    def version(self) -> str:
        """Hash of the code that computes it, where that is the user's own; else ''."""

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """The value, or ``None`` with the reason why there is none."""
