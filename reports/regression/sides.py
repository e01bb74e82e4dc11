"""Both sides' numbers on the samples that they share, as arrays in one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...harness.store.frames import RunData
from ...harness.store.wordless import MARK
from ..exam import NEITHER_BETTER, RATES, UNIT_SCALE, JudgeView, Scale, measure_family, measure_scale
from ..grid import Grid, Key, grid_of, mean_over_trials
from .pairing import Matched
from .records import Better, Subject

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FAILURES = "failures"
"""Share of a sample's answers in which the candidate itself failed."""
SECONDS = ("e2e_s", "ttft_s")
OF_A_REPLY = {"cost_usd": "USD", "completion_tokens": "tokens"}
"""Measures and units of what is the same for a reply whoever uses it: said of a shared reply they compare nothing."""

MOST_READ = 10_000
"""Answers without a call whose texts are compared. (A call's reply is known by who paid for it.)"""
_UNKNOWN: Mapping[str, Any] = {"reply_run": "", "text": "", "prompt_tokens": -1.0, "completion_tokens": -1.0}


@dataclass(frozen=True)
class Sides:
    """A subject's values by sample, (n,) each: the mean over trials, of the pool also over its runs; NaN for none."""

    subject: Subject
    new: Floats
    old: Floats
    scale: Scale | None = None
    rate: bool = False
    """Whether single values are 0 or 1."""


@dataclass(frozen=True)
class Shared:
    """Answers of the new run that are replies of a baseline run: their number, of how many, and by candidate the
    samples (n,) with one."""

    replies: int
    answers: int
    samples: Mapping[str, Flags]


def align(new: RunData, old: Sequence[RunData], matched: Matched) -> tuple[Aligned, tuple[Aligned, ...]]:
    """Both sides with their numbers on the matched samples."""
    return _aligned(new, matched.new), tuple(_aligned(*one) for one in zip(old, matched.old, strict=True))


def sides_of(
    new: Aligned,
    old: Sequence[Aligned],
    pairs: Sequence[tuple[str, str]],
    judges: Sequence[JudgeView],
    measures: Sequence[str],
) -> tuple[tuple[Sides, ...], Shared]:
    """Every subject there is, by candidate: judges, measures, failures, latency, cost and length."""
    shared = shared_replies(new, old, pairs)
    found: list[Sides] = []
    for left, right in pairs:
        for subject, scale, rate in _subjects(left, judges, measures):
            one, other = new.values(subject, left), pooled([run.values(subject, right) for run in old])
            if subject.measure in OF_A_REPLY:
                one, other = _without(one, shared.samples[left]), _without(other, shared.samples[left])
            found.append(Sides(subject, one, other, scale, rate))
    return tuple(found), shared


def pooled(values: Sequence[Floats]) -> Floats:
    """Mean over runs (n,) of those that have a value."""
    import numpy as np

    return mean_over_trials(np.stack(values, axis=1))


def shared_replies(new: Aligned, old: Sequence[Aligned], pairs: Sequence[tuple[str, str]]) -> Shared:
    """Answers that are the same reply in both: paid once, or said again word for word by what makes no call."""
    import numpy as np

    n = len(new.matched)
    samples, replies, answers = {}, 0, 0
    for left, right in pairs:
        ours = new.answers[new.answers["candidate"] == left]
        known: Flags = np.zeros(len(ours), dtype=bool)
        for run in old:
            if run.data.info.id != new.data.info.id:
                known |= _same(ours, run.answers[run.answers["candidate"] == right])
        flags: Flags = np.zeros(n, dtype=bool)
        flags[ours["place"].to_numpy(dtype=np.intp)[known]] = True
        samples[left] = flags
        replies, answers = replies + int(known.sum()), answers + int((ours["status"] == "ok").sum())
    return Shared(replies, answers, samples)


@dataclass(frozen=True)
class Aligned:
    """A run with the rows of the matched samples; ``answers`` are those to them, each with its ``place`` in 0..n-1."""

    data: RunData
    matched: NDArray[np.intp]
    grid: Grid
    answers: pd.DataFrame

    def values(self, subject: Subject, candidate: str) -> Floats:
        """Of each matched sample the mean over trials (n,); all NaN where the run does not have the measure."""
        import numpy as np

        if subject.measure == FAILURES and not subject.source:
            return self._failures(candidate)
        key: Key = (candidate, subject.source, subject.measure)
        if key not in self.grid.values:
            return np.full(len(self.matched), np.nan)
        return self.grid.per_sample(key)[self.matched]

    def _failures(self, candidate: str) -> Floats:
        """Answers that were not asked for or that we lost say nothing about the candidate."""
        import numpy as np

        own = self.answers[(self.answers["candidate"] == candidate) & (self.answers["owner"] != "ours")]
        places = own["place"].to_numpy(dtype=np.intp)
        count = np.bincount(places, minlength=len(self.matched))
        failed = np.bincount(places, weights=own["status"] != "ok", minlength=len(self.matched))
        return np.where(count > 0, failed / np.maximum(count, 1), np.nan)


def _aligned(data: RunData, rows: NDArray[np.intp]) -> Aligned:
    ids = data.samples["sample_id"].to_numpy()[rows]
    places = {name: place for place, name in enumerate(ids)}
    columns = ["candidate", "trial", "status", "owner", "reply_run", "n_calls", "prompt_tokens", "completion_tokens"]
    place = data.answers["sample_id"].map(places)
    there = place.notna()
    answers = data.answers[columns].assign(text=_texts(data))[there].assign(place=place[there].astype(int))
    return Aligned(data, rows, grid_of(data), answers)


def _texts(data: RunData) -> Any:
    """Of each answer that no call was made for its text, '' where it is not known or there are too many to read."""
    import numpy as np

    answers = data.answers
    texts = np.full(len(answers), "", dtype=object)
    rows = np.flatnonzero((answers["n_calls"] == 0) & (answers["status"] == "ok"))
    if 0 < len(rows) <= MOST_READ and not data.info.config.get(MARK):
        texts[rows] = (answers.iloc[rows] if "text" in answers else data.excerpt(rows).answers)["text"]
    return texts


def _same(ours: pd.DataFrame, theirs: pd.DataFrame) -> Flags:
    """Which rows of ``ours`` are a reply of ``theirs``: paid by the same run and of the same size, or, where no call is
    made, the same words."""
    keys = ["place", "trial"]
    both = ours.merge(theirs, on=keys, how="left", suffixes=("", "_old"), validate="one_to_one")

    def equal(name: str) -> Any:
        one, other = (both[column].astype(object) for column in (name, f"{name}_old"))  # categories may differ
        return one.fillna(_UNKNOWN[name]) == other.fillna(_UNKNOWN[name])

    called = (both["n_calls"] > 0) & equal("reply_run") & equal("prompt_tokens") & equal("completion_tokens")
    silent = (both["n_calls"] == 0) & (both["n_calls_old"] == 0) & (both["text"] != "") & equal("text")
    found: Any = (both["status"] == "ok") & (both["status_old"] == "ok") & (called | silent)
    flags: Flags = found.to_numpy(dtype=bool)
    return flags


def _without(values: Floats, where: Flags) -> Floats:
    import numpy as np

    return np.where(where, np.nan, values)


def _subjects(
    candidate: str, judges: Sequence[JudgeView], measures: Sequence[str]
) -> Iterator[tuple[Subject, Scale | None, bool]]:
    """What there is to compare of one candidate, with its scale and whether it counts passes."""
    for judge in judges:
        names = (judge.headline, *(name for name in judge.criteria if name != judge.headline))
        for name in names:
            yield Subject(candidate, judge.name, name), judge.scale, judge.scale == UNIT_SCALE
    for name in measures:
        better: Better = "lower" if measure_family(name) in NEITHER_BETTER else "higher"
        yield Subject(candidate, "", name, better), measure_scale(name), measure_family(name) in RATES
    yield Subject(candidate, "", FAILURES, "lower"), UNIT_SCALE, True
    for name in SECONDS:
        yield Subject(candidate, "", name, "lower", "s"), None, False
    for name, unit in OF_A_REPLY.items():
        yield Subject(candidate, "", name, "lower", unit), None, False
