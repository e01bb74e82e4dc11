"""A `Lab` as one HTML file, by the rules of the run's report: no network, names only as text."""

from __future__ import annotations

from ...harness.labwork import Lab
from ..figures.trial import Entry, trial
from ..html import static_page
from . import lab as said


def render_lab(lab: Lab) -> str:
    """The page; the same lab gives the same bytes."""
    return static_page(
        "lab",
        lab=lab,
        verdict=said.verdict(lab),
        facts=said.facts(lab),
        sections=said.sections(lab),
        figure=trial(_entries(lab), lab.threshold, said.measure(lab)),
    )


def _entries(lab: Lab) -> list[Entry]:
    """Tested configurations on the held-out half, the others where they stood on the half that selects."""
    found = []
    for tried in lab.tried:
        shown = tried.held_out or tried.selection
        if shown.value is not None:
            at = (tried.configuration.name, tried.usd_per_1000, shown.value)
            found.append(Entry(*at, tried.bound, tried.held_out is not None, tried.clears))
    return found
