"""The watch on a judge: its anchors graded again in the night of a run, and what that says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError
from ...harness.exam import Exam
from ...harness.probing import Probe
from ...harness.store.anchors import put_regrade, regrades_of
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.watching import AnchorNight, AnchorSet, Regrade, State, Watched
from ...judges.probes import drift
from ...judges.probes.base import Graded, scores
from ...reports.regression.changed import judge_changed
from ..loops import run_anywhere
from ..progress import showing
from .anchoring import judge_entry, rubric_of, served_by, watched_config
from .workshop import Task, Workshop, workshop

_NEW = "make new ones of a run as it is now, markscheme judge anchors RUN -o FILE"
_AGAIN = "markscheme compare --gate FILE --watch does"


def watched(store: Store, run: Run, anchors: AnchorSet) -> Watched:
    """What the nights of the set say of its judge, up to that of ``run``."""
    entry = judge_entry(run, anchors.judge)
    if changed := judge_changed(anchors.config, watched_config(entry)):
        return _unknown(anchors, f"its anchors are of another judge ({changed}): {_NEW}")
    nights = [night for night in regrades_of(store, anchors) if night.created_at <= run.created_at]
    if not any(night.run == run.id for night in nights):
        why = f"its anchors were not graded again in the night of run {run.id}: {_AGAIN}"
        return replace(_unknown(anchors, why), missing=True)
    return _assessed(anchors, nights, entry)


def _unknown(anchors: AnchorSet, why: str) -> Watched:
    return Watched(anchors.judge, "unknown", len(anchors.samples), anchors.date, why=why)


def _assessed(anchors: AnchorSet, nights: Sequence[Regrade], entry: Mapping[str, Any]) -> Watched:
    rubric, watch = rubric_of(entry), _watch(anchors, nights)
    changes, where = drift.changes_of(watch, rubric)
    if len(changes) < 2:
        return _unknown(anchors, "fewer than two of its anchors have a score on this night and on that of reference")
    found = drift.assess(anchors.judge, watch, rubric, len(anchors.samples))
    over = drift.over_nights(watch, rubric)
    then = (
        AnchorNight(night.run, change, "drifted" if alarm else "steady")
        for night, (change, alarm) in zip(nights, over, strict=True)
    )
    state: State = "drifted" if found.verdict == "fail" else "steady"
    detects = drift.detectable(changes, where, len(rubric.criteria))
    return Watched(
        anchors.judge,
        state,
        len(anchors.samples),
        anchors.date,
        over[-1][0],
        detects,
        tuple(_said(found, detects, len(changes), len(rubric.criteria))),
        nights=tuple(then),
    )


def _said(found: Probe, detects: float | None, n: int, criteria: int) -> list[str]:
    """The probe's notes but for the dates, and what a night can show at all."""
    notes = [note for note in found.notes if not note.startswith("reference:")]
    known = drift.assumed_detectable(n, criteria) if detects is None else detects
    assumed = f", if single changes have an sd of {drift.SEEN_SD:g}" if detects is None else ""
    return [*notes, f"a night of {n} anchors finds a change of {known:.2f} with 80 %{assumed}"]


def _watch(anchors: AnchorSet, nights: Sequence[Regrade]) -> drift.Watch:
    frozen = tuple(drift.Anchor(sample, sha256, "") for sample, sha256 in anchors.samples)
    first = drift.Night(anchors.date, anchors.scores, anchors.served)
    later = (drift.Night(_day(night), night.scores, night.served) for night in nights)
    return drift.Watch(anchors.judge, str(anchors.config.get("model")), frozen, (first, *later))


def _day(night: Regrade) -> str:
    return datetime.fromtimestamp(night.created_at, UTC).date().isoformat()


def watched_before(store: Store, runs: Sequence[Run], anchors: AnchorSet) -> Watched | None:
    """The same up to the latest of ``runs`` in whose night the set was graded, for a view over nights."""
    known = {night.run for night in regrades_of(store, anchors)}
    last = next((run for run in reversed(runs) if run.id in known), None)
    if last is None:
        return None
    try:
        return watched(store, last, anchors)
    except InputError as error:  # the judge is gone from the exam
        return _unknown(anchors, str(error))


def regrade(
    exam: Exam, run: Run, pinned: tuple[AnchorSet, tuple[str, ...]], workspace: str | Path, progress: bool = False
) -> None:
    """Have the judge grade its anchors anew in the night of ``run``, and keep what it gave them; done twice it costs
    nothing more. Paid under the exam's budget, beside the run. Raises Unfinished where it is interrupted."""
    run_anywhere(lambda: _regraded(exam, run, pinned, workspace, progress))


async def _regraded(
    exam: Exam, run: Run, pinned: tuple[AnchorSet, tuple[str, ...]], workspace: str | Path, progress: bool
) -> None:
    anchors, _ = pinned
    tally = Tally()
    async with workshop(exam, workspace, "anchors", tally, lambda _: None, reference=run.id) as shop:
        tasks, places = _tasks(shop, exam, run, pinned)
        async with showing(tally, quiet=not progress):
            graded = await shop.grade(tasks)
        found = _by_criterion(graded, places)
        served = served_by(shop.store, run.id, [graded.get(place, ()) if place else () for place in places])
        put_regrade(shop.store, anchors, run.id, found, served)


def _tasks(
    shop: Workshop, exam: Exam, run: Run, pinned: tuple[AnchorSet, tuple[str, ...]]
) -> tuple[list[Task], list[object]]:
    """What is to be graded, and its key by anchor; ``None`` for one whose sample has changed since."""
    anchors, texts = pinned
    spec = next((spec for spec in exam.judges if spec.name == anchors.judge), None)
    if spec is None:
        raise InputError(f"{exam.path}: has no judge {anchors.judge!r}, whose anchors are to be graded")
    frozen = tuple(
        drift.Anchor(sample, sha256, text) for (sample, sha256), text in zip(anchors.samples, texts, strict=True)
    )
    items = drift.design(drift.Watch(spec.name, spec.model, frozen), shop.dataset.samples, run.id)
    judge = shop.judge(spec, salt=f"drift-{run.id}")
    if judge.rubric.sha256 != anchors.config["rubric"]["sha256"] or spec.model != anchors.config["model"]:
        raise InputError(f"{exam.path}: judge {spec.name!r} is not the one that graded the anchors any more: {_NEW}")
    keys = {item.key[1]: item.key for item in items}
    tasks = [Task(item.key, judge, item.sample, item.answer) for item in items]
    return tasks, [keys.get(str(number)) for number in range(len(frozen))]


def _by_criterion(graded: Graded, places: Sequence[object]) -> list[dict[str, float | None]]:
    """Criterion -> score of each anchor, ``None`` where a verdict was no score; empty for one that was not graded."""
    found: list[dict[str, float | None]] = []
    for place in places:
        own = graded.get(place, ()) if place is not None else ()
        known = scores(own)
        found.append({grade.criterion: known.get(grade.criterion) for grade in own})
    return found
