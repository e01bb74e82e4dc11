"""Measures without a judge, each a value that prints and parses its own name."""

from __future__ import annotations

from .base import Measure
from .names import parse

__all__ = ["Measure", "parse"]
