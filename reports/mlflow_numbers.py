"""What of a run goes to MLflow: parameters, metrics under names that it accepts, tags with hashes, tables.

A metric is named like those of `mlflow.genai.evaluate`: ``strict/correctness/mean``, with ``/low`` and ``/high`` of its
95 % interval and ``/n``. It has the same name for every candidate, so that MLflow lays them side by side.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ..harness.keys import digest
from ..harness.records import Estimate
from ..harness.store.frames import RunData
from .cells import Cell, Scores
from .operations import CandidateCost

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_ANSWERS = 5_000
"""Of each candidate in its table."""
_NO_PARAM = frozenset({"name", "prompt", "system", "rubric", "params", "worked_examples"})
_UNACCEPTED = re.compile(r"[^\w.\- :/]+")
_LONGEST_VALUE = 500
"""Characters of a parameter that every version of MLflow keeps."""


def accepted(name: str) -> str:
    """``name`` as MLflow takes it: ``nDCG@10`` is ``nDCG_at_10``, and a path without empty parts."""
    spelt = _UNACCEPTED.sub("_", name.replace("@", "_at_"))
    return "/".join(part for part in spelt.split("/") if part.strip(". ")) or "_"


def metrics(scores: Scores, cost: CandidateCost, counts: Mapping[str, int]) -> dict[str, float]:
    """All numbers of one candidate; what is undefined is left out, never 0. ``counts`` are of answers."""
    found: dict[str, float] = {}
    for cell in scores.cells.values():
        if cell.candidate == cost.candidate:
            found |= dict(_estimate(_name(cell), "mean", cell.estimate))
            found[f"{_name(cell)}/missing"] = float(cell.n_missing)
    for name, measure, estimate in (
        ("e2e_s", "p50", cost.p50),
        ("e2e_s", "p95", cost.p95),
        ("ttft_s", "p50", cost.ttft_p50),
        ("ttft_s", "p95", cost.ttft_p95),
        ("usd_per_1000_answers", "mean", cost.usd_per_1000),
    ):
        found |= dict(_estimate(f"{name}/{measure}" if measure != "mean" else name, measure, estimate))
    single = {
        "prompt_tokens/mean": cost.prompt_tokens,
        "completion_tokens/mean": cost.completion_tokens,
        "paid_usd": cost.paid_usd,
        **{f"answers/{name}": float(count) for name, count in counts.items()},
    }
    return found | {name: value for name, value in single.items() if value is not None and math.isfinite(value)}


def _name(cell: Cell) -> str:
    return accepted("/".join(part for part in (cell.source, cell.measure) if part))


def _estimate(name: str, middle: str, estimate: Estimate) -> Iterator[tuple[str, float]]:
    """The value under ``name/middle``, or under a ``name`` that ends so, and the ends of its interval."""
    first = name if name.endswith(f"/{middle}") else f"{name}/{middle}"
    if estimate.value is None or not math.isfinite(estimate.value):
        return
    yield first, float(estimate.value)
    for end, value in (("low", estimate.low), ("high", estimate.high)):
        if value is not None and math.isfinite(value):
            yield f"{name}/{end}", float(value)
    if middle == "mean":
        yield f"{name}/n", float(estimate.n)


def params_of_run(config: Mapping[str, Any]) -> dict[str, str]:
    """The exam, its data set, and every judge with its rubric and parameters."""
    data = config.get("dataset") or {}
    found: dict[str, Any] = {"exam": config.get("name"), "dataset": data.get("name"), "samples": data.get("n")}
    found["candidates"] = ", ".join(str(one["name"]) for one in config.get("candidates") or ())
    for judge in config.get("judges") or ():
        found |= {f"judge.{judge['name']}.{name}": value for name, value in _settings(judge)}
    return _texts(found)


def params_of_candidate(config: Mapping[str, Any], name: str) -> dict[str, str]:
    """How the candidate was asked: its model, parameters, and the hash of its prompt; and `params_of_run`."""
    own: Mapping[str, Any] = next((one for one in config.get("candidates") or () if one["name"] == name), {})
    return _texts({"candidate": name, **dict(_settings(own))}) | params_of_run(config)


def _settings(described: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Plain settings of a candidate or judge; longer ones stand in the exam that is logged beside."""
    for name, value in described.items():
        if name not in _NO_PARAM and isinstance(value, str | int | float | bool):
            yield name, value
    rubric = described.get("rubric")
    if isinstance(rubric, Mapping):
        yield "rubric", rubric.get("name")
    yield from ((f"params.{name}", value) for name, value in (described.get("params") or {}).items())


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    plain = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in found.items()}
    return {accepted(name)[:250]: value[:_LONGEST_VALUE] for name, value in plain.items() if value not in ("", "null")}


def tags_of_run(data: RunData) -> dict[str, str]:
    """By what a run is found again, and the hashes of its data, rubrics and judges."""
    info, config = data.info, data.info.config
    found = {"markscheme.run": info.id, "markscheme.exam": info.exam, "markscheme.fingerprint": info.fingerprint}
    found["markscheme.version"] = str(info.versions.get("markscheme", ""))
    found["dataset_sha256"] = str((config.get("dataset") or {}).get("sha256") or "")
    for judge in config.get("judges") or ():
        rubric = judge.get("rubric")
        found[f"rubric_sha256.{judge['name']}"] = str(rubric.get("sha256") or "") if isinstance(rubric, dict) else ""
        found[f"judge_sha256.{judge['name']}"] = digest(judge)
    return {accepted(name)[:250]: value for name, value in found.items() if value}


def chosen_samples(sample_ids: Sequence[str], trials: int) -> NDArray[np.intp]:
    """Numbers of the samples whose answers fit into a table, in exam order: all, or as if drawn, by hash of the id."""
    import numpy as np

    most = max(1, MOST_ANSWERS // trials)
    if len(sample_ids) <= most:
        return np.arange(len(sample_ids))
    hashes = [hashlib.sha256(str(one).encode()).digest() for one in sample_ids]
    return np.sort(np.array(sorted(range(len(hashes)), key=hashes.__getitem__)[:most], dtype=np.intp))


def answers_table(data: RunData, scores: Scores, candidate: str, samples: NDArray[np.intp]) -> pd.DataFrame:
    """One row an answer: ``inputs``, ``outputs`` and ``targets`` as in MLflow's own tables, then for every measure
    ``strict/correctness/score`` and, of a judge, ``strict/correctness/justification``."""
    import numpy as np

    number = {str(data.samples["sample_id"].iloc[at]): int(at) for at in samples}
    answers = data.answers
    mine = np.flatnonzero((answers["candidate"] == candidate) & answers["sample_id"].isin(list(number)))
    found = data.excerpt(mine)
    rows = found.answers.merge(found.samples[["sample_id", "question", "reference"]], on="sample_id", how="left")
    table = rows[["sample_id", "trial", "status"]].assign(
        inputs=rows["question"], outputs=rows["text"], targets=rows["reference"]
    )
    at = np.array([number[str(one)] for one in rows["sample_id"]], dtype=np.intp), rows["trial"].to_numpy(dtype=np.intp)
    for cell in scores.cells.values():
        if cell.candidate == candidate:
            values = scores.grid.values[candidate, cell.source, cell.measure]
            table[f"{_name(cell)}/score"] = values[at]
            if (said := _said(found, cell)) is not None:
                table[f"{_name(cell)}/justification"] = rows[["sample_id", "trial"]].apply(tuple, axis=1).map(said)
    return table.assign(e2e_s=rows["e2e_s"], cost_usd=rows["cost_usd"])


def _said(found: RunData, cell: Cell) -> dict[tuple[str, int], str] | None:
    """A judge's first reasoning on each answer, by sample and trial, or why there is no score; ``None`` where no judge
    reasoned on this measure."""
    mine = (found.grades["judge"] == cell.source) & (found.grades["criterion"] == cell.measure)
    rows = found.grades[mine & (found.grades["candidate"] == cell.candidate)]
    if rows.empty:
        return None
    said = rows["reasoning"].fillna("").astype(str).where(rows["status"] == "scored", rows["status"].astype(str))
    places = zip(rows["sample_id"].astype(str), rows["trial"].astype(int), strict=True)
    firsts: dict[tuple[str, int], str] = {}
    for place, text in zip(places, said, strict=True):
        firsts.setdefault(place, text)
    return firsts


def summary_table(scores: Scores) -> pd.DataFrame:
    """One row a candidate, judge and measure: n, mean, low, high, missing."""
    import pandas as pd

    rows = [
        (c.candidate, c.source, c.measure, e.n, e.value, e.low, e.high, c.n_missing)
        for c in scores.cells.values()
        for e in (c.estimate,)
    ]
    return pd.DataFrame.from_records(rows, columns="candidate judge measure n mean low high missing".split())
