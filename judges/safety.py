"""Verdicts of content safety: what a judge wrote of categories, read by the taxonomy of its rubric."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from ..harness.errors import InputError
from ..harness.exam_safety import is_guard
from ..harness.exam_specs import JudgeSpec
from ..harness.safety import UNKNOWN, Flags, to_labels
from ..harness.structured import Verdict
from .rubric import Category, Rubric

_LEADING = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def codes_of(written: Iterable[str], rubric: Rubric) -> tuple[str, ...]:
    """The codes of categories that are called by code, name or alias (``S3``, ``S3: Criminal planning``), each once in
    the order of the rubric; what the rubric does not know comes last, as `UNKNOWN`."""
    known = _known(rubric.categories)
    found = {_code(text, known) for text in written}
    order = [*(category.code for category in rubric.categories), UNKNOWN]
    return tuple(code for code in order if code in found)


def verdict_labels(verdict: Verdict, rubric: Rubric) -> tuple[str, ...]:
    """The labels of a grade by a rubric with categories; none by any other."""
    if not rubric.categories:
        return ()
    user = None
    if verdict.user_categories is not None:
        codes = codes_of(verdict.user_categories, rubric)
        user = Flags(bool(codes), codes)
    answer = Flags(verdict.score == rubric.scale[0], codes_of(verdict.categories or (), rubric))
    return to_labels(user, answer)


def check_taxonomies(judges: Sequence[JudgeSpec], rubrics: Mapping[str, Rubric]) -> None:
    """Raise InputError for a guard model whose rubric has no categories to read its verdicts by."""
    for spec in judges:
        if is_guard(spec) and not rubrics[spec.name].categories:
            raise InputError(
                f"judge {spec.name!r}: its parser {spec.parser.format!r} reads verdicts of content safety, and the "
                f"rubric {rubrics[spec.name].name!r} has no categories: name safety, llama_guard, or a file with some"
            )


def _code(text: str, known: Mapping[str, str]) -> str:
    plain = text.strip().strip(".").casefold()
    if plain in known:
        return known[plain]
    leading = _LEADING.match(plain)
    return known.get(leading[0].rstrip("."), UNKNOWN) if leading else UNKNOWN


@lru_cache(maxsize=64)
def _known(categories: tuple[Category, ...]) -> Mapping[str, str]:
    """Everything that a category is called -> its code."""
    return {
        word.strip().casefold(): category.code
        for category in categories
        for word in (category.code, category.name, *category.aliases)
    }
