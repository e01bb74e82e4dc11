"""What judges and measures gave the answers of a run, and what the answers took: a column each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...harness.store.frames import RunData
from ...harness.text import is_refusal, words
from ..exam import (
    NEITHER_BETTER,
    UNIT_SCALE,
    Scale,
    is_retrievers,
    judges_of,
    measure_family,
    measure_scale,
    measures_of,
)
from ..grid import Grid
from .records import Kind, Subject
from .tracks import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNGRADED = "answers without a score"
WORDS, REFUSALS, FAILURES = "words of an answer", "refusals", "failed answers"
TOOK = {
    "e2e_s": ("seconds to the end", "s"),
    "ttft_s": ("seconds to the first token", "s"),
    "completion_tokens": ("completion tokens", "tokens"),
    "cost_usd": ("USD an answer", "USD"),
}


def score_columns(data: RunData, grid: Grid, candidate: str) -> Iterator[Column]:
    """By judge the headline, its criteria and how many answers it gave no score; then the measures of answers."""
    import numpy as np

    for judge in judges_of(data):
        for name in dict.fromkeys((judge.headline, *judge.criteria)):
            values = grid.per_sample((candidate, judge.name, name))
            yield column_of(
                Subject("scores", candidate, judge.name, name, "mean", better="higher"), values, judge.scale
            )
        key = (candidate, judge.name, judge.headline)
        lost, there = grid.whys[key].beginning("judge:"), ~np.isnan(grid.values[key])
        share = np.where(lost | there, lost, np.nan).astype(float)
        if lost.any():
            subject = Subject("scores", candidate, judge.name, UNGRADED, "mean", better="lower")
            yield column_of(subject, _mean(share), UNIT_SCALE)
    yield from _measures(data, grid, candidate, "scores")


def retrieval_measures(data: RunData, grid: Grid, candidate: str) -> Iterator[Column]:
    """Measures of what was retrieved, where relevant documents are known."""
    yield from _measures(data, grid, candidate, "retrieval")


def _measures(data: RunData, grid: Grid, candidate: str, kind: Kind) -> Iterator[Column]:
    for name in measures_of(data):
        if is_retrievers(name) == (kind == "retrieval"):
            better = "" if measure_family(name) in NEITHER_BETTER else "higher"
            subject = Subject(kind, candidate, "", name, "mean", better=better)  # type: ignore[arg-type]
            yield column_of(subject, grid.per_sample((candidate, "", name)), measure_scale(name))


def answer_columns(data: RunData, grid: Grid, candidate: str) -> Iterator[Column]:
    """Length, refusals, failures, seconds, tokens and dollars."""
    own = data.answers[data.answers["candidate"] == candidate]
    counted = own[own["owner"] != "ours"]
    failed = Subject("answers", candidate, "", FAILURES, "mean", better="lower")
    yield column_of(failed, by_sample(data, counted, _each(status != "ok" for status in counted["status"])), UNIT_SCALE)
    good = own[own["status"] == "ok"]
    texts = [str(text) for text in good["text"]]
    if any(texts):
        said = by_sample(data, good, _each(len(words(text)) for text in texts))
        yield Column(Subject("answers", candidate, "", WORDS, "amount", "words"), said)
        if "refusal" not in measures_of(data):
            refused = by_sample(data, good, _each(is_refusal(text) for text in texts))
            yield column_of(Subject("answers", candidate, "", REFUSALS, "mean"), refused, UNIT_SCALE)
    for name, (title, unit) in TOOK.items():
        values = grid.per_sample((candidate, "", name))
        yield Column(Subject("answers", candidate, "", title, "amount", unit, "lower"), values)


def column_of(subject: Subject, values: Floats, scale: Scale | None) -> Column:
    """A share where the values are yes and no, else a mean."""
    from dataclasses import replace

    import numpy as np

    distinct = set(np.unique(values[~np.isnan(values)])[:3].tolist())
    yes_or_no = distinct <= {0.0, 1.0} and (scale == UNIT_SCALE or (scale is None and len(distinct) == 2))
    return Column(replace(subject, how="share") if yes_or_no else subject, values, scale)


def by_sample(data: RunData, answers: pd.DataFrame, values: Floats) -> Floats:
    """Values of answers (m,) as means by sample of the run (n,), NaN where there is none."""
    import numpy as np
    import pandas as pd

    places = pd.Index(np.asarray(data.samples["sample_id"], dtype=object)).get_indexer(
        pd.Index(np.asarray(answers["sample_id"], dtype=object))
    )
    known = (places >= 0) & ~np.isnan(values)
    sums = np.bincount(places[known], weights=values[known], minlength=len(data.samples))
    counts = np.bincount(places[known], minlength=len(data.samples))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _each(values: Iterator[Any]) -> Floats:
    import numpy as np

    return np.fromiter(values, dtype=float)


def _mean(values: Floats) -> Floats:
    from ..grid import mean_over_trials

    return mean_over_trials(values)
