"""Exams in a pytest suite: fixtures, assertions in the words of measurement, recorded replies. Loaded on first use."""
