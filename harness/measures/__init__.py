"""Measures without a judge, each a value that prints and parses its own name."""
