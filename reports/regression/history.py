"""The runs of an exam -> what a reader should know of them over time: every series, its steps, and what was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...harness.records import Estimate
from ...harness.statistics.intervals import mean_interval, t_p_value
from ...harness.statistics.paired import holm
from ...harness.statistics.quantiles import quantile_interval
from ...harness.statistics.rates import rate_interval
from ...harness.store.frames import RunData, RunInfo, empty_frame
from ...harness.store.history import Sitting, Took
from ...harness.watching import Watched
from ..exam import NEITHER_BETTER, RATES, UNIT_SCALE, JudgeView, Scale, judges_of, measure_family, measure_scale
from .changed import changed, graded_alike
from .history_records import History, Night, Series, Step
from .records import Better, Subject
from .sides import FAILURES, SECONDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

QUANTILES = {"median": 0.5, "p95": 0.95}
COST = "cost_usd"


def history(exam: str, sittings: Sequence[Sitting], watched: Sequence[Watched] = (), earlier: int = 0) -> History:
    """What there is to say of the runs, the oldest first. Scores are the judges' own, uncorrected by human labels."""
    nights = tuple(_night(now, sittings[i - 1] if i else None) for i, now in enumerate(sittings))
    judges, measures = _judges(sittings), _measures(sittings)
    headlines = tuple(_headlines(_candidates(sittings), judges, measures))
    return History(
        exam,
        nights,
        tuple(_series(sittings, judges, measures)),
        headlines,
        _steps(sittings, headlines, judges),
        tuple(watched),
        earlier=earlier,
    )


def _candidates(sittings: Sequence[Sitting]) -> list[str]:
    """Those of the last night first."""
    return list(dict.fromkeys(c["name"] for one in reversed(sittings) for c in one.run.config.get("candidates") or ()))


def _judges(sittings: Sequence[Sitting]) -> list[JudgeView]:
    """Of single answers, as they were last; those of the last night first."""
    found: dict[str, JudgeView] = {}
    for judge in (judge for one in reversed(sittings) for judge in _views(one.run)):
        found.setdefault(judge.name, judge)
    return list(found.values())


def _views(info: RunInfo) -> tuple[JudgeView, ...]:
    nobody = empty_frame(("judge", "criterion"))
    return judges_of(RunData(info, nobody, nobody, nobody, nobody, nobody))


def _measures(sittings: Sequence[Sitting]) -> list[str]:
    return list(dict.fromkeys(str(m) for one in reversed(sittings) for m in one.run.config.get("measures") or ()))


def _headlines(candidates: Sequence[str], judges: Sequence[JudgeView], measures: Sequence[str]) -> Iterator[Subject]:
    """The headline of each judge; without one, the measures."""
    for candidate in candidates:
        yield from (Subject(candidate, judge.name, judge.headline) for judge in judges)
        yield from (_measure(candidate, measure) for measure in measures if not judges)


def _measure(candidate: str, measure: str) -> Subject:
    better: Better = "lower" if measure_family(measure) in NEITHER_BETTER else "higher"
    return Subject(candidate, "", measure, better)


def _night(now: Sitting, then: Sitting | None) -> Night:
    asked = {c["name"]: len(now.samples) * int(c.get("trials") or 1) for c in now.run.config.get("candidates") or ()}
    there = Counter(a.candidate for a in now.answers if a.owner != "ours")
    return Night(
        now.run,
        changed(then, now) if then is not None else (),
        asked,
        Counter(a.candidate for a in now.answers if a.reused),
        Counter(a.candidate for a in now.answers if a.owner == "candidate"),
        {name: n - there[name] for name, n in asked.items()},
    )


def _series(sittings: Sequence[Sitting], judges: Sequence[JudgeView], measures: Sequence[str]) -> Iterator[Series]:
    """Scores, measures, failures, seconds and cost by candidate; none of what no night has a value for."""
    for candidate in _candidates(sittings):
        for judge in judges:
            for name in dict.fromkeys((judge.headline, *judge.criteria)):
                yield from _scores(sittings, Subject(candidate, judge.name, name), judge.scale)
        for name in measures:
            yield from _scores(sittings, _measure(candidate, name), measure_scale(name))
        by_night = [[a for a in one.answers if a.candidate == candidate] for one in sittings]
        yield from _operations(sittings, candidate, by_night)


def _scores(sittings: Sequence[Sitting], subject: Subject, scale: Scale | None) -> Iterator[Series]:
    arrays = [per_sample(one, subject) for one in sittings]
    rate = _is_rate(subject, scale, arrays)
    found = [_estimate(array, one, scale, rate) for array, one in zip(arrays, sittings, strict=True)]
    yield from _shown(subject, found, scale)


def per_sample(one: Sitting, subject: Subject) -> Floats:
    """Mean over trials of each sample of the run (n,), NaN where there is none."""
    import numpy as np

    known = one.values.get((subject.candidate, subject.source, subject.measure), {})
    means = ((sum(v) / len(v) if (v := known.get(asked.sample_id)) else np.nan) for asked in one.samples)
    return np.fromiter(means, dtype=float, count=len(one.samples))


def _is_rate(subject: Subject, scale: Scale | None, arrays: Sequence[Floats]) -> bool:
    """As in a report: a scale of 0 and 1, a measure that says yes or no, or values that are both and nothing else."""
    import numpy as np

    values = np.unique(np.concatenate(arrays)) if arrays else np.array([])
    distinct = set(values[~np.isnan(values)].tolist())
    if subject.source:
        return scale == UNIT_SCALE and distinct <= {0.0, 1.0}
    return distinct <= {0.0, 1.0} and (measure_family(subject.measure) in RATES or len(distinct) == 2)


def _estimate(values: Floats, one: Sitting, scale: Scale | None, rate: bool = False) -> Estimate:
    import numpy as np

    there = ~np.isnan(values)
    clusters = np.array([asked.cluster for asked in one.samples])[there]
    if rate:
        return rate_interval(values[there], clusters)
    return mean_interval(values[there], clusters, scale=scale)


def _operations(sittings: Sequence[Sitting], candidate: str, by_night: Sequence[Sequence[Took]]) -> Iterator[Series]:
    pairs = list(zip(sittings, by_night, strict=True))
    failed = Subject(candidate, "", FAILURES, "lower")
    yield from _shown(failed, [_failures(one, own) for one, own in pairs], UNIT_SCALE)
    for name in SECONDS:
        for title, q in QUANTILES.items():
            subject = Subject(candidate, "", name, "lower", "s")
            yield from _shown(subject, [_seconds(one, own, name, q) for one, own in pairs], quantile=title)
    yield from _shown(Subject(candidate, "", COST, "lower", "USD"), [_cost(one, own) for one, own in pairs])


def _shown(
    subject: Subject, nights: Sequence[Estimate | None], scale: Scale | None = None, quantile: str = ""
) -> Iterator[Series]:
    known = tuple(one if one is not None and one.value is not None else None for one in nights)
    if any(known):
        yield Series(subject, known, scale, quantile)


def _failures(one: Sitting, own: Sequence[Took]) -> Estimate:
    """Share of answers in which the candidate failed; those that we lost are left out."""
    import numpy as np

    found: dict[str, list[float]] = {}
    for answer in own:
        if answer.owner != "ours":
            found.setdefault(answer.sample_id, []).append(float(answer.status != "ok"))
    values = np.array([np.mean(found[a.sample_id]) if a.sample_id in found else np.nan for a in one.samples])
    there = values[~np.isnan(values)]
    return _estimate(values, one, UNIT_SCALE, rate=bool(np.isin(there, (0.0, 1.0)).all()))


def _seconds(one: Sitting, own: Sequence[Took], name: str, q: float) -> Estimate | None:
    clusters = {asked.sample_id: asked.cluster for asked in one.samples}
    timed = [(getattr(a, name), clusters[a.sample_id]) for a in own if a.status == "ok"]
    known = [(value, cluster) for value, cluster in timed if value is not None]
    return quantile_interval([v for v, _ in known], q, clusters=[c for _, c in known]) if known else None


def _cost(one: Sitting, own: Sequence[Took]) -> Estimate | None:
    """USD an answer; unknown as soon as one has no price."""
    import numpy as np

    good = [a for a in own if a.status == "ok"]
    found: dict[str, list[float]] = {}
    for answer in good:
        if answer.cost_usd is None:
            return None
        found.setdefault(answer.sample_id, []).append(answer.cost_usd)
    values = np.array([np.mean(found[a.sample_id]) if a.sample_id in found else np.nan for a in one.samples])
    if not np.nansum(values):
        return Estimate(0.0, None, None, len(found), "free") if found else None
    return _estimate(values, one, None)


def _steps(sittings: Sequence[Sitting], headlines: Sequence[Subject], judges: Sequence[JudgeView]) -> tuple[Step, ...]:
    scales = {judge.name: judge.scale for judge in judges}
    found = [step for subject in headlines for step in _steps_of(sittings, subject, scales.get(subject.source))]
    adjusted = holm([step.p for step in found])
    return tuple(replace(step, adjusted=p) for step, p in zip(found, adjusted, strict=True))


def _steps_of(sittings: Sequence[Sitting], subject: Subject, scale: Scale | None) -> Iterator[Step]:
    """None from an unfinished night or to one, none between nights that a judge graded in another way, and none to a
    night whose answers are mostly replies that were there before."""
    since: int | None = None
    for night, now in enumerate(sittings):
        if now.run.finished_at is None or subject.candidate not in {a.candidate for a in now.answers}:
            continue
        own = [a for a in now.answers if a.candidate == subject.candidate]
        if since is not None and 2 * sum(a.reused for a in own) <= len(own):
            then = sittings[since]
            if not subject.source or graded_alike(then, now, subject.source):
                yield from _step(subject, (since, then), (night, now), scale)
        since = night


def _step(subject: Subject, then: tuple[int, Sitting], now: tuple[int, Sitting], scale: Scale | None) -> Iterator[Step]:
    import numpy as np

    old = dict(zip((a.sha256 for a in then[1].samples), per_sample(then[1], subject), strict=True))
    new = per_sample(now[1], subject)
    differences = new - np.array([old.get(asked.sha256, np.nan) for asked in now[1].samples])
    there = ~np.isnan(differences)
    clusters = np.array([asked.cluster for asked in now[1].samples])[there]
    if there.sum() < 2:
        return
    span = None if scale is None else (scale[0] - scale[1], scale[1] - scale[0])
    estimate = mean_interval(differences[there], clusters, scale=span)
    p = t_p_value(differences[there], clusters)
    yield Step(subject, now[0], then[0], estimate, p, p)
