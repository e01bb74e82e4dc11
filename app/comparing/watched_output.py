"""What commands print of a judge on its anchors with `--json`."""

from __future__ import annotations

from pydantic import BaseModel

from ...harness.watching import State, Watched
from ..output import EstimateOutput


class WatchedOutput(BaseModel):
    """A judge on its anchors: the mean change since the reference, and the change that a night would find with 80 %."""

    judge: str
    state: State
    anchors: int
    reference: str
    change: EstimateOutput | None
    detectable: float | None
    said: list[str]
    why: str


def watched_output(one: Watched) -> WatchedOutput:
    """The numbers as plain JSON."""
    return WatchedOutput(
        judge=one.judge,
        state=one.state,
        anchors=one.anchors,
        reference=one.reference,
        change=None if one.change is None else EstimateOutput.of(one.change),
        detectable=one.detects,
        said=list(one.said),
        why=one.why,
    )
