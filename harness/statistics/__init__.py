"""Intervals and tests: pure functions on arrays; scipy is imported inside."""
