"""Labels -> people's scores beside the judge's: one value a sample, and which labels may speak about which judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..harness.records import Design
from ..harness.store.frames import RunData
from .exam import JudgeView
from .grid import Grid, Key, mean_over_trials
from .measurements import composite

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAME_LABEL = ["label_set", "sample_id", "candidate", "criterion", "annotator"]
DRAWN = frozenset({"random", "stratified"})
"""Designs by which the labelled answers stand for the others."""
Draw = tuple[Design, tuple[str, ...]]
"""Label sets whose answers count as drawn together, and how."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a user vouches for. ``reuse_labels``: labels that chose the judge may correct it, too. ``stable_judge``: it
    errs equally often on the labelled answers and on all others, so that Rogan-Gladen holds."""

    reuse_labels: bool = False
    stable_judge: bool = False


@dataclass(frozen=True, slots=True)
class Backing:
    """The labels behind one number: their sets, who gave them and when (ISO dates), how the answers were drawn, and on
    how many samples; ``earlier`` of these are of a run before this one that is the same but for the time."""

    sets: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    design: Design = "unknown"
    n: int = 0
    earlier: int = 0


@dataclass(frozen=True)
class Labelled:
    """A candidate's scores by a judge and by people, aligned (rows,): the run's samples, then labelled ones of earlier
    runs. NaN where there is none; a stratum that nobody knows is ''. ``refused`` says why labels on this candidate
    were not used."""

    ids: NDArray[Any]
    clusters: NDArray[Any]
    judge: Floats
    human: Floats
    strata: NDArray[Any]
    shares: Mapping[str, float]
    backing: Backing
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A run's labels with its grid; ``samples`` are in the grid's order."""

    samples: tuple[str, ...]
    labels: pd.DataFrame
    grid: Grid
    _humans: dict[tuple[Key, tuple[str, ...]], Floats] = field(default_factory=dict)

    def human(self, candidate: str, judge: JudgeView, measure: str, sets: tuple[str, ...]) -> Floats:
        """People's scores per sample (n,): annotators are averaged, then trials; NaN where nobody scored it.

        The composite is one number an answer, by the judge's weights, where all criteria that apply are labelled.
        """
        key = ((candidate, judge.name, measure), sets)
        if key not in self._humans:
            rows = self.labels[(self.labels["candidate"] == candidate) & self.labels["label_set"].isin(sets)]
            self._humans[key] = mean_over_trials(self._answers(rows, candidate, judge, measure))
        return self._humans[key]

    def _answers(self, rows: pd.DataFrame, candidate: str, judge: JudgeView, measure: str) -> Floats:
        """Per answer (samples, trials)."""
        if measure != "composite":
            return self._criterion(rows, candidate, judge, measure)
        import numpy as np

        found = np.array([self._criterion(rows, candidate, judge, criterion) for criterion in judge.criteria])
        whys = np.array([self.grid.whys[candidate, judge.name, criterion].texts() for criterion in judge.criteria])
        value, _ = composite(found.reshape(len(found), -1), whys.reshape(len(found), -1), judge)
        return np.asarray(value.reshape(found.shape[1:]), dtype=float)

    def _criterion(self, rows: pd.DataFrame, candidate: str, judge: JudgeView, criterion: str) -> Floats:
        import numpy as np

        out = np.full(self.grid.values[candidate, judge.name, criterion].shape, np.nan)
        means = rows[rows["criterion"] == criterion].groupby(["sample_id", "trial"])["score"].mean()
        if len(means):
            places = {sample: i for i, sample in enumerate(self.samples)}
            at = [places[sample] for sample in means.index.get_level_values(0)]
            out[at, means.index.get_level_values(1).to_numpy(dtype=int)] = means.to_numpy(dtype=float)
        return out


def sheet_of(data: RunData, grid: Grid, beside: Sheet | None = None) -> Sheet:
    """The labels of ``data``, without those that ``beside`` has already."""
    labels = data.labels
    if beside is not None:
        labels = labels[~labels.set_index(SAME_LABEL).index.isin(beside.labels.set_index(SAME_LABEL).index)]
    return Sheet(tuple(data.samples["sample_id"]), labels, grid)


def labelled(key: Key, judge: JudgeView, sheets: Sequence[Sheet], rules: Rules) -> Labelled:
    """Put a candidate's scores in the run (the first of ``sheets``) beside those of people.

    All sets drawn at random count as one draw, each stratified set as one of its own, and so do all others together.
    The draw with most labels is used; one that was not drawn by chance only where no other is. Sets that chose the
    judge, and sets with scores off its scale, are refused.
    """
    candidate, _, measure = key
    criteria = judge.criteria if measure == "composite" else (measure,)
    known = [sheet for sheet in sheets if key in sheet.grid.values]
    rows = [_about(sheet.labels, candidate, criteria) for sheet in known]
    refused = dict(_refusals(rows, judge, rules))
    draws = _draws(rows, refused)
    found = [_beside(key, judge, known, rows, draw) for draw in draws or [("unknown", ())]]
    best = max(found, key=lambda f: (f.backing.n > 0 and f.backing.design in DRAWN, f.backing.n))
    others = [name for _, sets in draws for name in sets if name not in best.backing.sets]
    unused = [f"the labels {name} are not used beside those of {', '.join(best.backing.sets)}" for name in others]
    return replace(best, refused=(*refused.values(), *unused))


def _about(labels: pd.DataFrame, candidate: str, criteria: Sequence[str]) -> pd.DataFrame:
    return labels[(labels["candidate"] == candidate) & labels["criterion"].isin(criteria)]


def _refusals(rows: Sequence[pd.DataFrame], judge: JudgeView, rules: Rules) -> Iterator[tuple[str, str]]:
    """Sets that may not be used for this judge, and why."""
    for found in rows:
        for group, own in found.groupby("label_set"):
            name = str(group)
            if name in judge.selected_on and not rules.reuse_labels:
                yield name, f"the labels {name} chose this judge, so they do not also correct it"
            elif judge.scale is not None and not own["score"].between(*judge.scale).all():
                low, high = judge.scale
                yield name, f"the labels {name} have scores outside the judge's scale {low:g}–{high:g}"


def _draws(rows: Sequence[pd.DataFrame], refused: Mapping[str, str]) -> list[Draw]:
    designs: dict[str, Design] = {}
    for found in rows:
        designs |= {str(k): v for k, v in zip(found["label_set"], found["design"], strict=True) if k not in refused}
    together: dict[tuple[str, str], list[str]] = {}
    for name, design in sorted(designs.items()):
        kind = (design, name) if design == "stratified" else ("random", "") if design == "random" else ("", "")
        together.setdefault(kind, []).append(name)
    return [(designs[names[0]], tuple(names)) for names in together.values()]


def _beside(key: Key, judge: JudgeView, sheets: Sequence[Sheet], rows: Sequence[pd.DataFrame], draw: Draw) -> Labelled:
    """Both scores, by the labels of one draw."""
    import numpy as np
    import pandas as pd

    design, sets = draw
    own = [found[found["label_set"].isin(sets)] for found in rows]
    used = pd.concat(own)
    shares = dict(zip(used["stratum"], used["share"].astype(float), strict=True)) if design == "stratified" else {}
    parts = [_part(key, judge, sheet, own[i], sets, i) for i, sheet in enumerate(sheets)]
    ids, clusters, scored, human, strata = (np.concatenate([part[i] for part in parts]) for i in range(5))
    counts = [int((~np.isnan(part[2] + part[3])).sum()) for part in parts]
    whose, when = _named(used["annotator"]), _named(used["labelled_at"])
    backing = Backing(sets, whose, when, design, sum(counts), sum(counts[1:]))
    return Labelled(ids, clusters, scored, human, strata, shares, backing)


def _part(
    key: Key,
    judge: JudgeView,
    sheet: Sheet,
    own: pd.DataFrame,
    sets: tuple[str, ...],
    index: int,
) -> tuple[NDArray[Any], ...]:
    """Ids, clusters, the judge's scores, people's and strata: of all samples of the run, of labelled earlier ones."""
    import numpy as np

    scored = sheet.grid.per_sample(key)
    human = sheet.human(key[0], judge, key[2], sets)
    ids = np.array([f"{index}:{sample}" for sample in sheet.samples], dtype=object)
    kept = ~np.isnan(human + scored) if index else np.full(len(scored), True)
    known = dict(zip(own["sample_id"], own["stratum"], strict=True))
    strata = np.array([known.get(sample, "") for sample in sheet.samples], dtype=str)
    return tuple(array[kept] for array in (ids, sheet.grid.clusters, scored, human, strata))


def _named(column: pd.Series[Any]) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in column if value}))
