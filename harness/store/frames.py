"""A run as tables: what reports, notebooks and exports read. Columns are fixed here; pandas is imported on use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..safety import SafetyNote

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..serving.records import ServerUse

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
    "labels",  # a JSON list, see `safety.to_labels`
)  # fmt: skip

SCORE_COLUMNS = ("sample_id", "cluster", "candidate", "trial", "measure", "value", "why")

CALL_COLUMNS = (
    "key", "run", "role", "who", "model", "status", "served_model", "finish_reason", "attempts", "reused",
    "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
    "cost_usd", "e2e_s", "created_at", "dropped",
    "superseded",  # paid by this run, and no answer or grade points at it any more
)  # fmt: skip
"""One row per distinct call that an answer or grade of the run points at, ``role`` is candidate or judge, ``who``
the one that pointed at it in this run; and one per further call that the run paid. In the order of answers, grades and
preferences, then by time."""

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

Place = tuple[str, str, int]
"""Sample, candidate, trial."""

MEASUREMENT_COLUMNS = (
    "run", "sample_id", "cluster", "candidate", "trial", "source", "measure", "setting", "value", "why",
)  # fmt: skip
"""Every number there is, one row each; a missing value is NaN with its reason in ``why``."""


WORDS = {
    "samples": ("question", "context", "reference"),
    "answers": ("detail", "text", "reasoning", "tool_calls", "turns", "gap_p50_s"),
    "grades": ("reasoning", "why", "calls"),
    "scores": (),
    "calls": ("key",),
}
"""Columns that a run which was loaded without words lacks: those that only a single answer needs."""


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
    """A run's tables, columns as listed above, sorted by sample (exam order), candidate, trial.

    In a run that was loaded without words names are categoricals and the columns of `WORDS` are not there; then
    ``words`` reads them for some of the answers.
    """

    info: RunInfo
    samples: pd.DataFrame
    answers: pd.DataFrame
    grades: pd.DataFrame
    scores: pd.DataFrame
    calls: pd.DataFrame
    preferences: pd.DataFrame = field(default_factory=lambda: empty_frame(PREFERENCE_COLUMNS))
    labels: pd.DataFrame = field(default_factory=lambda: empty_frame(LABEL_COLUMNS))
    words: Callable[[frozenset[Place]], RunData] | None = None
    servers: tuple[ServerUse, ...] = ()
    """Those that were started for it."""
    safety: Mapping[str, SafetyNote] = field(default_factory=dict)
    """Sample -> what people said of its safety, where they did."""

    def excerpt(self, rows: Sequence[int] | NDArray[np.intp]) -> RunData:
        """These rows of ``answers`` alone, by number and in the order of the run, with all words: their samples,
        grades and scores. Calls, preferences and labels stay those of the run."""
        import numpy as np

        answers = self.answers.iloc[np.unique(np.asarray(rows, dtype=np.intp))].reset_index(drop=True)
        if self.words is not None:
            places = zip(answers["sample_id"], answers["candidate"], answers["trial"].tolist(), strict=True)
            return replace(
                self.words(frozenset(places)), calls=self.calls, preferences=self.preferences, labels=self.labels
            )
        samples = self.samples[self.samples["sample_id"].isin(answers["sample_id"])].reset_index(drop=True)
        grades, scores = (_at(answers, table) for table in (self.grades, self.scores))
        return replace(self, samples=samples, answers=answers, grades=grades, scores=scores)


def _at(answers: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``table`` that belong to ``answers``."""
    import pandas as pd

    place = ["sample_id", "candidate", "trial"]
    if table.empty:
        return table
    there = pd.MultiIndex.from_frame(table[place]).isin(pd.MultiIndex.from_frame(answers[place]))
    return table[there].reset_index(drop=True)


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
