"""What the probes found, as one HTML file: no network, no script, and what a model wrote is only text."""

from __future__ import annotations

from ...harness.probing import Probing
from ..figures.limits import limits
from ..html import environment, static_page
from .probes import ABOUT, meaning, shown_estimate, shown_limit

LONGEST = 1_500
"""Characters of a text that the page shows."""


def render_probing(made: Probing) -> str:
    """The page; the same findings give the same bytes."""
    templates = environment()
    templates.globals.update(meaning=meaning, about=ABOUT, figure=limits, longest=LONGEST)
    templates.filters.update(estimate=shown_estimate, limit=shown_limit)
    return static_page("probes", templates, made=made)
