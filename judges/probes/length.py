"""P5's other half: does the judge give the long ones of the candidates' own answers more than people do?

The regression (judge − people) ~ b z(log tokens) with a fixed effect for each question, on the run's labelled answers.
Padding shows what empty words buy; this shows what length goes with in real answers, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import TYPE_CHECKING

from ...harness.probing import Finding, Limit, Probe
from ...harness.records import Estimate
from ...harness.statistics.clusters import clusters_of
from ...harness.statistics.intervals import constant_bounds, t_quantile
from ...harness.text import estimated_tokens
from ..rubric import Rubric
from .base import SAME, drawn_note, primary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...harness.store.frames import RunData

    Floats = NDArray[np.float64]

LIMIT = Limit(-0.1, 0.1)
METRIC = "slope per sd of log length, judge − people"
PLACE = ["sample_id", "candidate", "trial"]


@dataclass(frozen=True, slots=True)
class Gap:
    """What a judge gave one answer beyond the people's mean, in steps, and the answer's length in tokens."""

    sample_id: str
    cluster: str
    tokens: int
    value: float


def with_slope(probe: Probe, data: RunData, rubric: Rubric) -> Probe:
    """P5 with the slope among its findings, or a note that says why there is none. Nobody is asked."""
    if probe.why:
        return probe
    found, why = slope(gaps(probe.judge, data, primary(rubric).name))
    if found is None:
        return replace(probe, notes=(*probe.notes, f"slope on length not computed: {why}"))
    notes = (*probe.notes, *drawn_note(data.labels["design"]))
    return replace(probe, findings=(*probe.findings, Finding(METRIC, found, LIMIT, "answers")), notes=notes)


def gaps(judge: str, data: RunData, criterion: str) -> list[Gap]:
    """The run's answers with words that ``judge`` scored by ``criterion`` and somebody labelled; means of several."""
    if data.labels.empty or data.grades.empty:
        return []
    grades = data.grades[(data.grades["judge"] == judge) & (data.grades["status"] == "scored")]
    given, said = (table[table["criterion"] == criterion] for table in (grades, data.labels))
    both = given.groupby(PLACE)["score"].mean().to_frame("judge")
    both = both.join(said.groupby(PLACE)["score"].mean().rename("people"), how="inner").reset_index()
    rows = both.merge(data.answers[[*PLACE, "cluster", "text"]], on=PLACE)
    columns = (rows[name] for name in ("sample_id", "cluster", "text", "judge", "people"))
    return [
        Gap(str(sample), str(cluster), estimated_tokens(text), float(judged) - float(people))
        for sample, cluster, text, judged, people in zip(*columns, strict=True)
        if text.strip()
    ]


def slope(found: Sequence[Gap]) -> tuple[Estimate | None, str]:
    """b and its interval, in steps per standard deviation of log tokens; or ``None``, and why.

    Differences from the question's means carry the fixed effects (within estimator). The interval leaves out one
    cluster of questions at a time (the jackknife CV3, robust within clusters; MacKinnon, Nielsen, Webb 2023), t.
    """
    import numpy as np

    if not found:
        return None, "the run has no labelled answer with a grade of this judge"
    logs = np.array([log(gap.tokens) for gap in found])
    questions = clusters_of([gap.sample_id for gap in found], len(found)).codes
    counts = np.bincount(questions)
    x, y = (v - (np.bincount(questions, weights=v) / counts)[questions] for v in (logs, _values(found)))
    if float((x * x).sum()) < SAME:
        return None, "no question has two labelled answers of different length"
    x = x / float(logs.std(ddof=1))
    clusters = clusters_of([gap.cluster for gap in found], len(found))
    xy, xx = (np.bincount(clusters.codes, weights=v).astype(float) for v in (x * y, x * x))
    telling = xx > SAME
    return _estimate(xy[telling], xx[telling], int((counts[questions] > 1).sum())), ""


def _values(found: Sequence[Gap]) -> Floats:
    import numpy as np

    return np.array([gap.value for gap in found])


def _estimate(xy: Floats, xx: Floats, n: int) -> Estimate:
    """From the sums of x y and of x² by cluster (G,), each with some spread of x; ``n`` answers."""
    count = len(xx)
    value = float(xy.sum() / xx.sum())
    if count < 2:
        return Estimate(value, None, None, n, "a single question: no interval")
    without = (xy.sum() - xy) / (xx.sum() - xx)
    se = sqrt((count - 1) / count * float(((without - value) ** 2).sum()))
    reach, method = t_quantile(0.95, count - 1) * se, f"t, jackknife over {count} questions"
    if se < SAME:  # all alike: what chance may have hidden is taken to be a step
        reach, method = constant_bounds(0.0, count, (-1.0, 1.0))[1], f"all alike: bound over {count} questions"
    return Estimate(value, value - reach, value + reach, n, method)
