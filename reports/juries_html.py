"""The sections on juries and on repeats, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment
from markupsafe import Markup

from . import pairwise_words, repeats
from .figures.noise import noise
from .juries import Bench, differences
from .repeats import Repeated


def jury_sections(found: Sequence[Bench], templates: Environment, source: str) -> Markup:
    """A section for each jury, by the template ``source``."""
    template, several = templates.from_string(source), len(found) > 1
    pages = (
        template.render(found=one, several=several, pairs=differences(one), share=pairwise_words.share) for one in found
    )
    return Markup("").join(Markup(page) for page in pages)  # noqa: S704 - rendered with autoescape


def repeats_section(found: Sequence[Repeated], templates: Environment, source: str) -> Markup:
    """One section, by the template ``source``; nothing where no answer was graded twice."""
    if not found:
        return Markup("")
    several = len({row.judge for row in found}) > 1
    leads = [row for i, row in enumerate(found) if not i or (row.candidate, row.judge) != _who(found[i - 1])]
    bars = [(f"{row.candidate}, {row.judge}" if several else row.candidate, row.noise) for row in leads]
    page = templates.from_string(source).render(
        found=found, several=several, words=repeats.WORDS, figure=noise(bars), share=pairwise_words.share
    )
    return Markup(page)  # noqa: S704 - rendered with autoescape


def _who(row: Repeated) -> tuple[str, str]:
    return row.candidate, row.judge
