"""A run as tables: what reports, notebooks and exports read. Columns are fixed here; pandas is imported on use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_COLUMNS = ("sample_id", "cluster", "question", "context", "reference", "tags", "relevant", "sha256")
"""``context`` and ``tags`` are JSON lists, ``question`` the text that a reader should see, ``relevant`` a JSON object
{document: grade}, ``sha256`` the hash of the content, whatever its id."""

ANSWER_COLUMNS = (
    "sample_id", "cluster", "candidate", "trial",
    "status",  # ok, or a FailureKind
    "owner",  # '' | candidate | ours
    "detail", "text", "reasoning", "tool_calls", "retrieved", "turns",  # the last three are JSON lists
    "origin",  # live | reused
    "reply_run", "reply_date",  # which run paid for the (first) reply, ISO date
    "served_model", "finish_reason",
    "ttft_s", "e2e_s", "gap_p50_s",  # NaN where reused or not measured
    "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "usage_estimated",
    "cost_usd",  # NaN where no price is known; summed over the answer's calls
    "n_calls",
)  # fmt: skip

GRADE_COLUMNS = (
    "sample_id", "cluster", "candidate", "trial", "judge", "criterion", "turn", "repeat",
    "status",  # scored, or an UnscoredStatus
    "score",  # NaN unless scored
    "reasoning", "why", "calls",
)  # fmt: skip

SCORE_COLUMNS = ("sample_id", "cluster", "candidate", "trial", "measure", "value", "why")

CALL_COLUMNS = (
    "key", "run", "role", "who", "model", "status", "served_model", "finish_reason", "attempts", "reused",
    "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
    "cost_usd", "e2e_s", "created_at", "dropped",
    "superseded",  # paid by this run, and no answer or grade points at it any more
)  # fmt: skip
"""One row per distinct call that an answer or grade of the run points at, ``role`` is candidate or judge, ``who``
the one that pointed at it in this run; and one per further call that the run paid."""

PREFERENCE_COLUMNS = (
    "sample_id", "cluster", "left", "right", "trial", "rater", "shown_order", "repeat",
    "status",  # scored, or an UnscoredStatus
    "winner",  # left | right | tie | ''
    "reasoning", "why", "calls",
)  # fmt: skip
"""``left`` and ``right`` are candidates, ``rater`` a pairwise judge."""

LABEL_COLUMNS = (
    "sample_id", "cluster", "candidate", "trial", "criterion", "annotator", "score",
    "label_set", "design", "stratum",
    "share",  # the stratum's share of all answers; NaN unless stratified
    "labelled_at",  # ISO date or ''
    "source_run",  # whose answer was labelled; its text is the same
)  # fmt: skip
"""Labels that hold for an answer of the run: same sample, same candidate, same text."""

MEASUREMENT_COLUMNS = (
    "run", "sample_id", "cluster", "candidate", "trial", "source", "measure", "setting", "value", "why",
)  # fmt: skip
"""Every number there is, one row each; a missing value is NaN with its reason in ``why``."""


@dataclass(frozen=True)
class RunInfo:
    """What made a run. ``config`` is the resolved exam (plain JSON, no keys), see `describe_exam`."""

    id: str
    exam: str
    name: str
    fingerprint: str
    created_at: float
    finished_at: float | None
    versions: Mapping[str, str]
    config: Mapping[str, Any]


@dataclass(frozen=True)
class RunData:
    """A run's tables, columns as listed above, sorted by sample (exam order), candidate, trial."""

    info: RunInfo
    samples: pd.DataFrame
    answers: pd.DataFrame
    grades: pd.DataFrame
    scores: pd.DataFrame
    calls: pd.DataFrame
    preferences: pd.DataFrame = field(default_factory=lambda: empty_frame(PREFERENCE_COLUMNS))
    labels: pd.DataFrame = field(default_factory=lambda: empty_frame(LABEL_COLUMNS))


def empty_frame(columns: Sequence[str]) -> pd.DataFrame:
    """A table without rows."""
    import pandas as pd

    return pd.DataFrame(columns=list(columns))


def frame_of(columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """A table of ``rows``."""
    import pandas as pd

    return pd.DataFrame.from_records(list(rows), columns=list(columns))


def joined(parts: Iterable[tuple[pd.DataFrame, Sequence[int]]]) -> pd.DataFrame:
    """Tables side by side: of each the rows of these numbers (n,), so that what recurs is held once until then."""
    import numpy as np
    import pandas as pd

    columns: dict[str, Any] = {}
    for frame, numbers in parts:
        taken = np.asarray(numbers, dtype=np.intp)
        columns |= {str(name): frame[name].array.take(taken) for name in frame}
    return pd.DataFrame(columns)
