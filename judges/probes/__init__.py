"""Probes: what a judge does when nothing, or only the wrong thing, changes."""
