"""What commands print as JSON, as objects that a notebook shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

LONG = 80
"""Letters of a value in a line of text."""


class Shown(BaseModel):
    """What a command prints as JSON, for people: tables in a notebook, one line elsewhere."""

    def _repr_html_(self) -> str:
        from ..reports.notebook.outputs import output_html

        return output_html(type(self).__name__.removesuffix("Output"), self.model_dump(mode="json"))

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        for name in type(self).model_fields:
            yield name, _short(getattr(self, name))


class _Counted:
    """Rows of a table, in a line of text."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __repr__(self) -> str:
        return f"[{self.rows} {'row' if self.rows == 1 else 'rows'}]"


def _short(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], BaseModel | dict):
        return _Counted(len(value))
    return f"{value[:LONG]}…" if isinstance(value, str) and len(value) > LONG else value
