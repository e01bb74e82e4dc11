"""A run and what users said of its answers -> a `FeedbackReport`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...harness.errors import InputError
from ...harness.feedback import Feedback
from ...harness.statistics.intervals import mean_interval
from ...harness.statistics.rates import rate_interval
from ...harness.store.frames import RunData
from ...harness.yaml_file import did_you_mean
from ..exam import UNIT_SCALE, JudgeView, candidates_of, judges_of, leading_judge
from ..expected import Expected, candidate_columns, expected_of
from .over_time import Timed, over_time
from .predicting import predicted
from .records import Acceptance, FeedbackReport
from .spoken import Spoken, spoken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def feedback_report(
    data: RunData, words: Sequence[Feedback], asked_at: Mapping[str, float], width: str = "week", judge: str = ""
) -> FeedbackReport:
    """What ``words`` say, which hold for answers of the run. ``asked_at`` are the samples' times in Unix seconds, in
    windows of this ``width``; ``judge`` is the only one that is asked about.

    Raises InputError for an unknown judge or width, and where there is no vote.
    """
    if not words:
        raise InputError(
            f"run {data.info.id}: no feedback holds for its answers; take some in: markscheme import feedback FILE "
            f"--run {data.info.id}"
        )
    judges = _chosen(judges_of(data), judge, data.info.id)
    expected = expected_of(data)
    said = spoken(words, expected)
    names = _by_candidate(data, expected)
    times = [asked_at.get(sample) for sample in data.samples["sample_id"].astype(object)]
    timed = Timed.of(times, said.at, len(expected.asked))
    windows, rows = over_time(said, expected, names, timed, width)
    found = predicted(data, expected, said, names, judges)
    return FeedbackReport(
        run=data.info,
        acceptance=tuple(_acceptance(name, members, said, expected) for name, members in names.items()),
        clock=timed.clock,
        windows=windows,
        by_window=rows,
        untimed=timed.untimed(said, expected),
        judges={view.name: view.headline for view in judges},
        predictions=found.predictions,
        calibrations=found.calibrations,
        selections=found.selections,
        loudest=_loudest(said.users),
        crossed=said.crossed,
    )


def _chosen(judges: Sequence[JudgeView], judge: str, run: str) -> list[JudgeView]:
    """The leading one first."""
    if judge:
        names = [view.name for view in judges]
        if judge not in names:
            hint = did_you_mean(judge, names) or ";"
            there = f"there are {', '.join(names)}" if names else "it has none of single answers"
            raise InputError(f"--judge {judge!r} is no judge of run {run}{hint} {there}")
        return [view for view in judges if view.name == judge]
    leading = leading_judge(judges)
    return sorted(judges, key=lambda view: view is not leading)


def _by_candidate(data: RunData, expected: Expected) -> dict[str, NDArray[np.bool_]]:
    """Candidate -> which places (places,) are its own and hold an answer."""
    import numpy as np

    number = np.arange(expected.n) % max(1, len(expected.asked))
    found = {}
    for name, own in candidate_columns(candidates_of(data)).items():
        found[name] = (number >= own.start) & (number < own.stop) & expected.there
    return found


def _acceptance(name: str, members: NDArray[np.bool_], said: Spoken, expected: Expected) -> Acceptance:
    import numpy as np

    own = said.of(members)
    edits = own & ~np.isnan(said.edited)
    return Acceptance(
        name,
        int(members.sum()),
        len(np.unique(said.place[own])),
        int(own.sum()),
        len({said.users[i] for i in np.flatnonzero(own)} - {""}),
        rate_interval(said.accepted[own], said.clusters[own]),
        mean_interval(said.edited[edits], said.clusters[edits], scale=UNIT_SCALE),
    )


def _loudest(users: Sequence[str]) -> float:
    """The largest share of all votes that one named user gave."""
    counts = Counter(users)
    counts.pop("", None)
    return max(counts.values(), default=0) / len(users)
