"""What the probes found, as one HTML file: no network, no script, and what a model wrote is only text."""

from __future__ import annotations

from markupsafe import Markup

from ...harness.probing import Probing
from ..figures.limits import limits
from ..html import asset, environment, policy
from .probes import ABOUT, meaning, shown_estimate, shown_limit

LONGEST = 1_500
"""Characters of a text that the page shows."""


def render_probing(made: Probing) -> str:
    """The page; the same findings give the same bytes."""
    style = asset("report.css") + asset("probes.css")
    page = environment()
    page.globals.update(meaning=meaning, about=ABOUT, figure=limits, longest=LONGEST)
    page.filters.update(estimate=shown_estimate, limit=shown_limit)
    return page.from_string(asset("probes.html.j2")).render(
        made=made,
        style=Markup(style),  # noqa: S704 - our own file
        policy=policy(style, ""),
    )
