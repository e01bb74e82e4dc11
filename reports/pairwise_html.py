"""The pairwise sections, as HTML: the win matrix, and the tables under it."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment
from markupsafe import Markup

from . import pairwise_words
from .figures.win_matrix import win_matrix
from .pairwise import Pairwise


def pairwise_sections(found: Sequence[Pairwise], templates: Environment, source: str) -> Markup:
    """A section for each pairwise judge, by the template ``source``."""
    template, several = templates.from_string(source), len(found) > 1
    pages = (template.render(found=one, several=several, said=pairwise_words, matrix=matrix_of(one)) for one in found)
    return Markup("").join(Markup(page) for page in pages)  # noqa: S704 - rendered with autoescape


def matrix_of(found: Pairwise) -> Markup:
    """The win matrix of a judge."""
    names = found.candidates
    duels = [duel for a in names for b in names if a != b and (duel := found.duel(a, b)) is not None]
    fields = {
        (duel.left, duel.right): (duel.rate.estimate, pairwise_words.limits(duel.rate.estimate), duel.side)
        for duel in duels
    }
    return win_matrix(names, fields)
