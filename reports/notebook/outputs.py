"""What a command prints as JSON, as tables: numbers with their intervals, lists of rows, files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from . import fragment as html

_ESTIMATE = {"value", "low", "high", "n", "method"}
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_LONGEST = 20_000
"""Letters of a prompt."""


def output_html(name: str, values: Mapping[str, Any]) -> str:
    """``values`` is plain JSON: single values in one table, and a table for each list of rows."""
    rows = {key: value for key, value in values.items() if _is_table(value)}
    single = [[key, _text(value)] for key, value in values.items() if key not in rows and value not in _NOTHING]
    parts = [html.title(name), html.table(["", ""], single, left=2)]
    for key, value in rows.items():
        parts += [html.title(key), _table(value)]
    return html.fragment(*parts)


def prompt_html(name: str, messages: Iterable[tuple[str, str]]) -> str:
    """The messages of a prompt as they are sent: who says what."""
    return html.fragment(html.title(name), html.texts((role, html.cut(text, _LONGEST)) for role, text in messages))


def _is_table(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and bool(value) and isinstance(value[0], Mapping)


def _table(rows: Sequence[Mapping[str, Any]]) -> Markup:
    titles = [key for key in rows[0] if any(row[key] not in _NOTHING for row in rows)]
    wordy = [key for key in titles if any(isinstance(row[key], str | list) for row in rows)]
    return html.table(titles, ([_text(row[key]) for key in titles] for row in rows), wordy=wordy)


def _text(value: Any) -> str:
    """``2.61 [2.52, 2.70]``, ``3 ok, 1 failed``, or the value itself; a dash for nothing."""
    if value is None:
        return words.NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    if isinstance(value, Mapping):
        if value.keys() == _ESTIMATE:
            return words.estimate(Estimate(value["value"], value["low"], value["high"], value["n"], value["method"]))
        return ", ".join(f"{_text(one)} {key}" for key, one in value.items()) or words.NONE
    return _listed(value) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)


def _listed(values: Iterable[Any]) -> str:
    found = list(values)
    if any(isinstance(one, Mapping) for one in found):
        return words.plural(len(found), "row")
    return ", ".join(map(_text, found)) or words.NONE
