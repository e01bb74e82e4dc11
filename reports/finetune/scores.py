"""What judges, measures and people said of each answer of a run, and whose score counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError
from ...harness.safety import UNSAFE
from ...harness.store.frames import Place, RunData
from ..exam import JudgeView, judges_of, leading_judge, measure_scale, measures_of
from ..grid import Grid, grid_of
from ..measurements import composite
from ..safety_verdicts import HALF, answer_verdicts, scored_by, taxonomies_of
from .records import Graded, Options, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def source_of(data: RunData, options: Options) -> Source | None:
    """Whose score counts in this run: as named, else the leading judge's, else the first measure's; ``None`` where
    nobody graded. Raises InputError for a name that the run does not have."""
    judges = {judge.name: judge for judge in judges_of(data)}
    measures = measures_of(data)
    if options.judge:
        return _judged(_known("--judge", options.judge, judges, data))
    if options.measure:
        return _measured(_known("--measure", options.measure, {name: name for name in measures}, data))
    guards = taxonomies_of(data)
    judge = leading_judge(one for one in judges.values() if one.name not in guards)
    if judge is not None:
        return _judged(judge)
    return _measured(measures[0]) if measures else None


def _known(option: str, name: str, names: Mapping[str, Any], data: RunData) -> Any:
    if name not in names:
        there = ", ".join(names) or "none"
        raise InputError(f"{option} {name!r}: run {data.info.id} has no such {option.strip('-')}; there is {there}")
    return names[name]


def _judged(judge: JudgeView) -> Source:
    return Source(judge.name, judge, "", judge.scale)


def _measured(measure: str) -> Source:
    return Source(measure, None, measure, measure_scale(measure))


def graded(data: RunData, source: Source | None) -> dict[Place, Graded]:
    """Place -> what is known of the answer there."""
    grid, labels = grid_of(data), _labels(data)
    judges, measures = judges_of(data), measures_of(data)
    unsafe = _unsafe(data)
    alike = [one for one in judges if source and source.judge and _alike(one, source.judge)]
    rows = {sample: row for row, sample in enumerate(data.samples["sample_id"])}
    scores = {name: _Scores(grid, name, source, labels, rows) for name in data.answers["candidate"].unique()}
    found = {}
    for sample, candidate, trial in _places(data):
        place, at = (sample, candidate, trial), (rows[sample], trial)
        own, score, labelled = scores[candidate].at(at)
        found[place] = Graded(
            score,
            own,
            labelled,
            _spread(grid, candidate, alike, at),
            unsafe.get(place, False),
            {judge.name: held for judge in judges if (held := _grades(grid, candidate, judge, at))},
            {m: value for m in measures if (value := _value(grid.values[candidate, "", m], at)) is not None},
            labels.get(place, {}),
        )
    return found


def _places(data: RunData) -> Any:
    columns = (data.answers[name].tolist() for name in ("sample_id", "candidate", "trial"))
    return zip(*columns, strict=True)


class _Scores:
    """A candidate's scores by the source, (samples, trials): its own, and with people's in the place of the judge's."""

    def __init__(
        self,
        grid: Grid,
        candidate: str,
        source: Source | None,
        labels: Mapping[Place, Mapping[str, float]],
        rows: Mapping[str, int],
    ) -> None:
        self.own: Floats | None = None
        self.counted: Floats | None = None
        self.labelled: set[tuple[int, int]] = set()
        if source is None:
            return
        if source.judge is None:
            self.own = self.counted = grid.values[candidate, "", source.measure]
            return
        judge = source.judge
        if not judge.criteria:  # it graded nothing yet
            return
        mine = {(rows[s], t): held for (s, c, t), held in labels.items() if c == candidate}
        self.own = _composite(grid, candidate, judge, {})
        self.counted = _composite(grid, candidate, judge, mine)
        self.labelled = {at for at, held in mine.items() if any(name in held for name in judge.criteria)}

    def at(self, at: tuple[int, int]) -> tuple[float | None, float | None, bool]:
        """The source's own score, the score that counts, and whether people had a say in it."""
        if self.own is None or self.counted is None:
            return None, None, False
        return _value(self.own, at), _value(self.counted, at), at in self.labelled


def _composite(
    grid: Grid, candidate: str, judge: JudgeView, labels: Mapping[tuple[int, int], Mapping[str, float]]
) -> Floats:
    """Per answer (samples, trials), with ``labels`` in the place of the judge's own scores."""
    import numpy as np

    values = np.array([grid.values[candidate, judge.name, name] for name in judge.criteria])
    whys = np.array([grid.whys[candidate, judge.name, name].texts() for name in judge.criteria])
    for (row, trial), held in labels.items():
        for number, name in enumerate(judge.criteria):
            if name in held and _within(held[name], judge):
                values[number, row, trial] = held[name]
    value, _ = composite(values.reshape(len(values), -1), whys.reshape(len(values), -1), judge)
    return np.asarray(value.reshape(values.shape[1:]), dtype=float)


def _within(score: float, judge: JudgeView) -> bool:
    """Whether a label is on the judge's scale; another scale's says nothing here."""
    return judge.scale is None or judge.scale[0] <= score <= judge.scale[1]


def _labels(data: RunData) -> dict[Place, dict[str, float]]:
    """Place -> criterion -> the mean over people."""
    means: Any = data.labels.groupby(["sample_id", "candidate", "trial", "criterion"], observed=True)["score"].mean()
    found: dict[Place, dict[str, float]] = {}
    for (sample, candidate, trial, criterion), score in means.items():
        found.setdefault((str(sample), str(candidate), int(trial)), {})[str(criterion)] = float(score)
    return found


def _alike(one: JudgeView, other: JudgeView) -> bool:
    """Whether two judges grade by the same criteria on the same scale, so that they can disagree."""
    return one.scale is not None and (one.scale, one.criteria) == (other.scale, other.criteria)


def _spread(grid: Grid, candidate: str, judges: list[JudgeView], at: tuple[int, int]) -> float | None:
    """The range of the judges' scores as a share of their scale; ``None`` for fewer than two of them."""
    values = [_value(grid.values[candidate, judge.name, judge.headline], at) for judge in judges]
    there = [value for value in values if value is not None]
    if len(there) < 2 or judges[0].scale is None:
        return None
    low, high = judges[0].scale
    return (max(there) - min(there)) / (high - low)


def _grades(grid: Grid, candidate: str, judge: JudgeView, at: tuple[int, int]) -> dict[str, float]:
    names = [name for name in (*judge.criteria, "composite") if (candidate, judge.name, name) in grid.values]
    values = {name: _value(grid.values[candidate, judge.name, name], at) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _value(values: Floats, at: tuple[int, int]) -> float | None:
    value = float(values[at]) if at[1] < values.shape[1] else float("nan")
    return None if value != value else value


def _unsafe(data: RunData) -> dict[Place, bool]:
    """Place -> whether people call the answer unsafe or, where they say nothing, any judge of content safety does."""
    found: dict[Place, bool] = {}
    criteria: set[str] = set()
    for judge in judges_of(data):
        if judge.name in taxonomies_of(data):
            criteria.update(judge.criteria)
            for place, flags in answer_verdicts(scored_by(data, judge.name)).items():
                found[place] = found.get(place, False) or flags.unsafe
    for place, held in _labels(data).items():
        said = [score for name, score in held.items() if name in criteria]
        if said:
            found[place] = min(said) <= HALF
    return found


def unsafe_by_note(data: RunData, sample: str, sha256: str) -> bool | None:
    """What the data set says of the answer with this hash; ``None`` where nothing."""
    note = data.safety.get(sample)
    if note is None or note.label.response is None or note.response_sha256 != sha256:
        return None
    return note.label.response == UNSAFE
