"""What `markscheme import load --json` prints."""

from __future__ import annotations

from pydantic import BaseModel

from ...serving.output import ServingCellRow


class LoadImportOutput(BaseModel):
    """`markscheme import load`: the load test that the files became. ``checked`` counts the numbers of the tools' own
    summaries that were made again from their requests, ``off`` names those that came out otherwise. ``sheet`` is null
    where none was asked for."""

    bench: str
    tools: list[str]
    requests: int
    cells: list[ServingCellRow]
    checked: int
    off: list[str]
    left: dict[str, int]
    notes: list[str]
    sheet: str | None
    report: str
