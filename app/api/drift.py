"""Production traces over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..session import WORKSPACE

if TYPE_CHECKING:
    from ...reports.over_time.records import OverTime


def over_time(
    run: str | Path = "latest",
    *,
    window: str = "week",
    reference: str = "first",
    by: str = "",
    candidate: str = "",
    workspace: str | Path = WORKSPACE,
) -> OverTime:
    """What drifted between the windows of a run of traces: scores, answers, questions, retrieval, and which slices.

    ``window`` is hour, day, week, month, or a number of windows; ``reference`` first, N-windows, or the label of one;
    ``by`` tag, tag:PREFIX, cluster, candidate, or a field of the samples' metadata. Raises InputError where no sample
    says when it was asked, there are no answers, or no two windows; DataError for a time that is none.
    """
    from ...reports.over_time.drift import Options
    from ..comparing.over_time import followed_over_time

    return followed_over_time(str(run), Options(window, reference, by, candidate), workspace)
