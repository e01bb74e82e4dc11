"""Every answer that an exam asks for, numbered: what each number of a report is aligned to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import RunData
from .exam import CandidateView, candidates_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Expected:
    """Places by sample (exam order), then by candidate and trial as in ``asked``: sample × len(asked) + number.

    ``answers`` (places,) is the row in the table of answers, -1 for none; ``blocked`` says why a place has no answer
    that could be graded, '' where it has one.
    """

    samples: pd.DataFrame
    asked: tuple[tuple[str, int], ...]
    answers: Rows
    blocked: NDArray[Any]
    there: NDArray[np.bool_]
    """Where ``blocked`` is ''."""

    @property
    def n(self) -> int:
        """How many places there are."""
        return len(self.answers)

    def places(self, table: pd.DataFrame) -> Rows:
        """The place of every row of a table with ``sample_id``, ``candidate`` and ``trial``; -1 for none."""
        return _places(self.samples, self.asked, table)

    def of(self, column: Any, otherwise: Any) -> Any:
        """A column of answers by place; ``otherwise`` where there is no answer."""
        import numpy as np

        return np.append(np.asarray(column), otherwise)[self.answers]

    def why(self, value: NDArray[np.float64], reason: NDArray[Any]) -> NDArray[Any]:
        """Why ``value`` is missing at a place, '' where it is not: what blocked it, else its own ``reason``."""
        import numpy as np

        return np.where(np.isnan(value), np.where(self.there, reason, self.blocked), "")

    def table(self) -> pd.DataFrame:
        """Sample, cluster, candidate and trial of every place."""
        import numpy as np
        import pandas as pd

        names, trials = zip(*self.asked, strict=True) if self.asked else ((), ())
        places = self.samples[["sample_id", "cluster"]].take(np.repeat(np.arange(len(self.samples)), len(names)))
        return places.reset_index(drop=True).assign(
            candidate=pd.Series(names * len(self.samples), dtype="str"), trial=np.tile(trials, len(self.samples))
        )


def expected_of(data: RunData) -> Expected:
    """The places of a run."""
    import numpy as np

    asked = tuple((view.name, trial) for view in candidates_of(data) for trial in range(view.trials))
    n = len(data.samples) * len(asked)
    at = _places(data.samples, asked, data.answers)
    answers = np.full(n, -1, dtype=np.intp)
    answers[at[at >= 0]] = np.flatnonzero(at >= 0)
    failed = np.asarray(data.answers["status"] != "ok")
    blocked = np.full(n, "ours: not answered", dtype=object)
    blocked[at[(at >= 0) & ~failed]] = ""
    lost = data.answers[failed & (at >= 0)]
    owners = zip(lost["owner"], lost["status"], strict=True)
    blocked[at[failed & (at >= 0)]] = [f"{owner}: {status}" for owner, status in owners]
    return Expected(data.samples, asked, answers, blocked, blocked == "")


def _places(samples: pd.DataFrame, asked: tuple[tuple[str, int], ...], table: pd.DataFrame) -> Rows:
    import numpy as np

    first: dict[str, int] = {}
    trials: dict[str, int] = {}
    for place, (name, count) in enumerate(asked):
        first.setdefault(name, place)
        trials[name] = count + 1
    names = list(first)
    sample, candidate = positions(samples["sample_id"], table["sample_id"]), positions(names, table["candidate"])
    trial = table["trial"].to_numpy(dtype=np.intp)
    number = np.array([*first.values(), 0])[candidate] + trial
    known = (sample >= 0) & (candidate >= 0) & (trial < np.array([*trials.values(), 0])[candidate])
    return np.where(known, sample * len(asked) + number, -1)


def positions(known: Any, column: pd.Series[Any]) -> Rows:
    """The position of each value of ``column`` among the ``known`` ones, -1 for one that is not there."""
    import numpy as np
    import pandas as pd

    index = pd.Index(np.asarray(known, dtype=object))
    if isinstance(column.dtype, pd.CategoricalDtype):  # looked up by its categories, which are few
        names = index.get_indexer(pd.Index(np.asarray(column.cat.categories, dtype=object)))
        return np.asarray(np.append(names, -1)[column.cat.codes.to_numpy()], dtype=np.intp)
    return np.asarray(index.get_indexer(pd.Index(np.asarray(column, dtype=object))), dtype=np.intp)


def candidate_columns(views: tuple[CandidateView, ...]) -> Mapping[str, slice]:
    """Which numbers of ``asked`` are a candidate's."""
    found, start = {}, 0
    for view in views:
        found[view.name] = slice(start, start + view.trials)
        start += view.trials
    return found
