"""Turns answers into grades."""
