"""What a candidate retrieved for its answers: how much, how sure, and which documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ...harness.store.frames import RunData
from ..exam import UNIT_SCALE
from .bags import bags_of
from .columns import by_sample, column_of
from .records import Subject
from .tracks import Column, Mixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NOTHING, NUMBER, TOP = "nothing retrieved", "passages", "highest score of a passage"
DOCUMENTS, NEW = "documents", "documents not seen before"
_SHOWN = 48
"""Characters of a passage without an id that name it."""


def retrieval_columns(data: RunData, candidate: str) -> Iterator[Column | Mixed]:
    """Nothing of a candidate that never retrieved anything."""
    import numpy as np

    own = data.answers[(data.answers["candidate"] == candidate) & (data.answers["status"] == "ok")]
    passages = [orjson.loads(text or "[]") for text in own["retrieved"]]
    if not any(passages):
        return
    counts = np.array([len(found) for found in passages], dtype=float)
    nothing = Subject("retrieval", candidate, "", NOTHING, "mean", better="lower")
    yield column_of(nothing, by_sample(data, own, (counts == 0).astype(float)), UNIT_SCALE)
    yield Column(Subject("retrieval", candidate, "", NUMBER, "amount"), by_sample(data, own, counts))
    top = np.array([_top(found) for found in passages], dtype=float)
    yield Column(Subject("retrieval", candidate, "", TOP, "amount", better="higher"), by_sample(data, own, top))
    bags = bags_of(_documents(data, own["sample_id"], passages))
    asked = np.isin(np.asarray(data.samples["sample_id"], dtype=object), np.asarray(own["sample_id"], dtype=object))
    yield Mixed(Subject("retrieval", candidate, "", DOCUMENTS, "mix"), bags, asked, NEW)


def _top(passages: Sequence[Mapping[str, Any]]) -> float:
    return max((float(one["score"]) for one in passages if one.get("score") is not None), default=float("nan"))


def _documents(data: RunData, samples: Any, passages: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """The documents of each sample over its trials, by id, else by how the text begins."""
    found: dict[str, list[str]] = {str(name): [] for name in data.samples["sample_id"]}
    for sample, own in zip(samples, passages, strict=True):
        found[str(sample)] += [str(one.get("id") or str(one.get("text", ""))[:_SHOWN]) for one in own]
    return list(found.values())
