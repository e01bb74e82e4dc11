"""Which rows of a run its latest configuration still names. An exam may change between two continuations of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..repeating import repeats_of
from .runs import Run

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Wanted:
    """Candidates with their number of trials, judges with their criteria and repeats, measures, juries.

    ``against`` holds the pairwise judges, which have no criteria: the candidate that is in all of their pairs, or ''.
    """

    trials: Mapping[str, int]
    criteria: Mapping[str, tuple[str, ...]]
    repeats: Mapping[str, int]
    measures: tuple[str, ...]
    against: Mapping[str, str]
    repeat_shares: Mapping[str, float]
    juries: frozenset[str]

    @classmethod
    def of(cls, run: Run) -> Wanted:
        """What the run's configuration names, in exam order."""
        judges = run.config.get("judges", ())
        return cls(
            {c["name"]: c.get("trials", 1) for c in run.config.get("candidates", ())},
            {
                j["name"]: tuple(c["name"] for c in j.get("rubric", {}).get("criteria", ()))
                for j in judges
                if j.get("mode") != "pairwise"
            },
            {j["name"]: j.get("repeats", 1) for j in judges},
            tuple(run.config.get("measures", ())),
            {j["name"]: j.get("against") or "" for j in judges if j.get("mode") == "pairwise"},
            {j["name"]: j["repeat_share"] for j in judges if "repeat_share" in j},
            frozenset(j["name"] for j in judges if j.get("members")),
        )

    def answer(self, row: Row) -> bool:
        """Whether a row with ``candidate`` and ``trial`` is wanted."""
        return bool(row["trial"] < self.trials.get(row["candidate"], 0))

    def grade(self, row: Row) -> bool:
        """Whether a row of grades is wanted; a judge without a described rubric keeps all its criteria."""
        judge = row["judge"]
        criteria = self.criteria.get(judge)
        if criteria is None or not self.answer(row) or row["repeat"] >= self._repeats(judge, row["sample_id"]):
            return False
        return not criteria or row["criterion"] in criteria

    def _repeats(self, judge: str, sample_id: str) -> int:
        return repeats_of(sample_id, self.repeats[judge], self.repeat_shares.get(judge, 1.0))

    def preference(self, row: Row) -> bool:
        """Whether a row of preferences is wanted: its judge, and its pair in the order of the exam, with this trial."""
        against, sides = self.against.get(row["rater"]), (row["left"], row["right"])
        if against is None or row["repeat"] >= self.repeats[row["rater"]] or (against and against not in sides):
            return False
        names = [name for name in self.trials if name in sides]
        return names == list(sides) and all(row["trial"] < self.trials[name] for name in names)

    def score(self, row: Row) -> bool:
        """Whether a row of a measure is wanted."""
        return self.answer(row) and row["measure"] in self.measures
