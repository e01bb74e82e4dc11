"""The section on content safety, as HTML."""

from __future__ import annotations

from jinja2 import Environment
from markupsafe import Markup

from . import safety_said
from .safety import Safety


def safety_section(found: Safety | None, templates: Environment, source: str) -> Markup:
    """By the template ``source``; nothing for a run without any."""
    if found is None:
        return Markup("")
    return Markup(templates.from_string(source).render(found=found, said=safety_said))  # noqa: S704 - autoescaped
