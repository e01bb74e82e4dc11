"""The anchors of the drift watch and their nights, as one JSON file a judge and rubric in the workspace."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from ...harness.errors import DataError
from ...harness.keys import digest
from ...judges.probes.drift import Anchor, Night, Watch
from ...judges.rubric import Rubric


def watch_file(folder: Path, judge: str, rubric: Rubric, shots: int) -> Path:
    """Where the nights of ``judge`` are kept. Another rubric, or other worked examples, is another watch."""
    name = re.sub(r"[^\w.-]", "_", judge)
    return folder / "anchors" / f"{name}-{digest([judge, rubric.sha256, shots])[:8]}.json"


def read_watch(path: Path) -> Watch | None:
    """What the file holds; ``None`` where there is none. Raises DataError for one that cannot be read."""
    if not path.exists():
        return None
    try:
        return _watch(orjson.loads(path.read_bytes()))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: is no file of anchors ({type(error).__name__}: {error}); move it away to begin a new reference"
        ) from None


def write_watch(path: Path, watch: Watch) -> None:
    """Replace the file in one step: a crash leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_bytes(orjson.dumps(asdict(watch), option=orjson.OPT_INDENT_2) + b"\n")
    fresh.replace(path)


def with_night(watch: Watch, night: Night) -> Watch:
    """The watch with ``night``, in the place of one of the same date."""
    others = [known for known in watch.nights if known.date != night.date]
    return replace(watch, nights=tuple(sorted((*others, night), key=lambda known: known.date)))


def _watch(data: dict[str, Any]) -> Watch:
    anchors = tuple(Anchor(**entry) for entry in data["anchors"])
    nights = tuple(
        Night(entry["date"], tuple(entry["scores"]), dict(entry.get("served", {}))) for entry in data["nights"]
    )
    if any(len(night.scores) != len(anchors) for night in nights):
        raise ValueError("a night with more or fewer scores than anchors")
    return Watch(data["judge"], data["model"], anchors, nights)
