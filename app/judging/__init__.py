"""Judges on trial: what the `judge` commands do once their words are parsed."""
