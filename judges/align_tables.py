"""A run's answers as numbered items, and the grades and labels of them as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import RunData

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PLACE = ["sample_id", "candidate", "trial"]
OFF_LEVEL = "labels between the levels or off the scale"
NO_VERDICT = "answers without a verdict of the judge"
IN_TWO_SETS = "labels that stand in two sets"
INCOMPLETE = "answers that nobody labelled on every criterion"


@dataclass(frozen=True)
class Labelled:
    """Labels of one criterion: ``humans`` (n, R) of the answers ``items`` (n,), NaN for a gap. ``twice`` counts labels
    that another set holds already."""

    criterion: str
    items: NDArray[np.intp]
    humans: Floats
    annotators: tuple[str, ...]
    twice: int

    @property
    def n(self) -> int:
        """Labelled answers."""
        return len(self.items)


@dataclass(frozen=True)
class Bench:
    """A judge's verdicts on the run's N answers; ``order`` is that of the candidates in the exam.

    ``first`` is (N,) by criterion: the verdict on the whole answer at the first repeat; ``mean`` that of its repeats
    and turns. ``applies`` is False where a criterion does not. NaN stands for no verdict.
    """

    name: str
    scale: tuple[float, float]
    weights: Mapping[str, float]
    renormalise: bool
    index: pd.MultiIndex
    clusters: NDArray[np.str_]
    candidates: NDArray[np.str_]
    order: tuple[str, ...]
    first: Mapping[str, Floats]
    mean: Mapping[str, Floats]
    applies: Mapping[str, NDArray[np.bool_]]

    @property
    def criteria(self) -> tuple[str, ...]:
        """In the order of the rubric."""
        return tuple(self.weights)

    @property
    def levels(self) -> tuple[float, ...]:
        """All of the scale."""
        low, high = self.scale
        return tuple(float(level) for level in range(int(low), int(high) + 1))

    def between_levels(self, labelled: Labelled) -> bool:
        """Whether a verdict on one of the labelled answers is no level of the scale."""
        import numpy as np

        judge = self.first[labelled.criterion][labelled.items]
        return bool((~np.isnan(judge) & ~np.isin(judge, self.levels)).any())

    def on_levels(self, labelled: Labelled) -> tuple[Floats, Floats, dict[str, int]]:
        """The judge's verdicts (n,) and the labels (n, R), only those that are levels, and what is lost by reason."""
        import numpy as np

        judge, humans = self.first[labelled.criterion][labelled.items], labelled.humans.copy()
        off = ~np.isnan(humans) & ~np.isin(humans, self.levels)
        humans[off] = np.nan
        judge = np.where(np.isin(judge, self.levels), judge, np.nan)
        silent = np.isnan(judge) & ~np.isnan(humans).all(axis=1)
        lost = {OFF_LEVEL: int(off.sum()), NO_VERDICT: int(silent.sum()), IN_TWO_SETS: labelled.twice}
        return judge, humans, {reason: count for reason, count in lost.items() if count}

    def composite(self, labelled: Mapping[str, Labelled]) -> tuple[Floats, Floats, tuple[str, ...], dict[str, int]]:
        """The judge's composite (N,), the people's (N, R) with the annotators' names, and what is lost by reason.

        Where the rubric drops a criterion that does not apply, the people's composite goes without it, too.
        """
        import numpy as np

        names = tuple(sorted({who for one in labelled.values() for who in one.annotators}))
        size = len(self.index)
        total, judge, humans = np.zeros(size), np.zeros(size), np.zeros((size, len(names)))
        touched = np.zeros(size, dtype=bool)
        for criterion, weight in self.weights.items():
            counts = weight * (self.applies[criterion] if self.renormalise else np.ones(size))
            one = labelled[criterion]
            said = np.full((size, len(names)), np.nan)
            columns = np.array([names.index(who) for who in one.annotators], dtype=np.intp)
            said[np.ix_(one.items, columns)] = one.humans
            touched |= ~np.isnan(said).all(axis=1)
            total += counts
            judge += np.where(counts > 0, counts * self.mean[criterion], 0.0)
            humans += np.where(counts[:, None] > 0, counts[:, None] * said, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            judge, humans = judge / total, humans / total[:, None]
        incomplete = touched & np.isnan(humans).all(axis=1)
        silent = ~np.isnan(humans).all(axis=1) & np.isnan(judge)
        lost = {INCOMPLETE: int(incomplete.sum()), NO_VERDICT: int(silent.sum())}
        return judge, humans, names, {reason: count for reason, count in lost.items() if count}


def bench_of(data: RunData, entry: Mapping[str, Any]) -> Bench:
    """The verdicts of the judge that ``entry`` of the run's configuration describes."""
    import pandas as pd

    answers = data.answers[data.answers["status"] == "ok"]
    index = pd.MultiIndex.from_frame(answers[PLACE])
    rubric = entry.get("rubric") or {}
    weights = {c["name"]: float(c.get("weight", 1.0)) for c in rubric.get("criteria") or ()}
    scale = rubric.get("scale") or (0, 1)
    grades = data.grades[data.grades["judge"] == entry["name"]]
    own = grades[["criterion", "turn", "repeat", "status", "score"]].assign(item=_items(index, grades))
    own = own[own["item"] >= 0]
    parts = {name: own[own["criterion"] == name] for name in weights}
    size = len(index)
    return Bench(
        name=entry["name"],
        scale=(float(scale[0]), float(scale[-1])),
        weights=weights,
        renormalise=bool(rubric.get("renormalise")),
        index=index,
        clusters=answers["cluster"].to_numpy(),
        candidates=answers["candidate"].to_numpy(),
        order=tuple(candidate["name"] for candidate in data.info.config.get("candidates", ())),
        first={name: _first(part, size) for name, part in parts.items()},
        mean={name: _mean(part, size) for name, part in parts.items()},
        applies={name: _applies(part, size) for name, part in parts.items()},
    )


def labelled_of(labels: pd.DataFrame, bench: Bench, criterion: str) -> Labelled:
    """The labels of one criterion, a column an annotator. Of one label in two sets the first counts."""
    import numpy as np
    import pandas as pd

    rows = labels[labels["criterion"] == criterion]
    items = _items(bench.index, rows)
    codes, annotators = pd.factorize(rows["annotator"], sort=True)
    keys = pd.DataFrame({"item": items, "who": codes, "score": rows["score"].to_numpy(dtype=float)})
    keys = keys[keys["item"] >= 0]
    once = keys.drop_duplicates(["item", "who"])
    own, rank = np.unique(once["item"].to_numpy(), return_inverse=True)
    humans = np.full((len(own), len(annotators)), np.nan)
    humans[rank, once["who"].to_numpy()] = once["score"].to_numpy()
    return Labelled(criterion, own, humans, tuple(str(who) for who in annotators), len(keys) - len(once))


def _items(index: pd.MultiIndex, rows: pd.DataFrame) -> NDArray[np.intp]:
    """The number of each row's answer; -1 where there is none."""
    import pandas as pd

    return index.get_indexer(pd.MultiIndex.from_frame(rows[PLACE]))


def _first(part: pd.DataFrame, size: int) -> Floats:
    import numpy as np

    whole = part[(part["turn"] == 0) & (part["repeat"] == 0) & (part["status"] == "scored")]
    found = np.full(size, np.nan)
    found[whole["item"].to_numpy()] = whole["score"].to_numpy(dtype=float)
    return found


def _mean(part: pd.DataFrame, size: int) -> Floats:
    """Over the repeats of each turn, then over turns; none where a turn to which the criterion applies has none."""
    import numpy as np

    given = part[part["status"] != "not_applicable"]
    turns = given.groupby(["item", "turn"])["score"].mean().groupby("item")
    means = turns.mean().where(turns.count() == turns.size())
    found = np.full(size, np.nan)
    found[means.index.to_numpy(dtype=int)] = means.to_numpy(dtype=float)
    return found


def _applies(part: pd.DataFrame, size: int) -> NDArray[np.bool_]:
    """False where every verdict on an answer is that the criterion does not apply."""
    import numpy as np

    applicable = (part["status"] != "not_applicable").groupby(part["item"]).any()
    found = np.ones(size, dtype=bool)
    found[applicable.index.to_numpy(dtype=int)] = applicable.to_numpy(dtype=bool)
    return found
