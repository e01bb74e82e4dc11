"""What judges say of the answers of a run, as far as a draw needs it: a score an answer, and how far they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from ..store.frames import RunData

Place = tuple[str, str, int]
"""Sample, candidate, trial."""
_PLACE = ["sample_id", "candidate", "trial"]


def judge_scores(data: RunData, judge: str) -> dict[Place, float]:
    """The weighted mean of a judge's criteria, repeats averaged, for every answer that has all of them.

    Raises InputError where the run has no grades of this judge.
    """
    rubric = _rubric(data, judge)
    scored = _scored(data)
    own = scored[scored["judge"] == judge]
    if own.empty:
        known = ", ".join(dict.fromkeys(scored["judge"])) or "none"
        raise InputError(f"--judge {judge!r}: run {data.info.id} has no scores of it; judges with scores are {known}")
    table = own.pivot_table(index=_PLACE, columns="criterion", values="score", aggfunc="mean").dropna()
    weights = {c["name"]: float(c.get("weight", 1.0)) for c in rubric.get("criteria", ())}
    of = [weights.get(str(name), 0.0 if weights else 1.0) for name in table.columns]
    return _by_place((table * of).sum(axis=1) / sum(of))


def spreads(data: RunData) -> dict[Place, float]:
    """How far the grades of an answer lie apart, over judges, members of juries and repeats: 0 to 1 of the scale, on
    the criterion with the widest gap. Answers that were graded once are left out.

    Raises InputError where all were.
    """
    scored = _scored(data)
    spans = {judge: span_of(data, judge) for judge in dict.fromkeys(scored["judge"])}
    scored = scored.assign(share=scored["score"] / scored["judge"].map(spans).astype(float))
    found = scored.groupby([*_PLACE, "criterion", "turn"])["share"].agg(["min", "max", "size"])
    gaps = (found["max"] - found["min"])[found["size"] > 1]
    if gaps.empty:
        raise InputError(
            f"--design disagreement: every answer of run {data.info.id} was graded once; it takes two judges, a jury "
            "or repeats to disagree (or draw by score, or at random)"
        )
    return _by_place(gaps.groupby(level=_PLACE).max())


def span_of(data: RunData, judge: str) -> float:
    """The length of the scale of a judge."""
    scale = _rubric(data, judge).get("scale") or (0, 1)
    return float(scale[-1] - scale[0]) or 1.0


def _rubric(data: RunData, judge: str) -> Mapping[str, Any]:
    judges = {entry["name"]: entry for entry in data.info.config.get("judges", ())}
    rubric: Mapping[str, Any] = judges.get(judge, {}).get("rubric", {})
    return rubric


def _scored(data: RunData) -> Any:
    return data.grades[data.grades["status"] == "scored"]


def _by_place(series: Any) -> dict[Place, float]:
    return {(str(s), str(c), int(t)): float(value) for (s, c, t), value in series.items()}
