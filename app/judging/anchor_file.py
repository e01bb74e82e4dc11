"""Pinned anchors as a file to be kept beside the exam: a line on the judge, then an answer a line with its scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ...harness.errors import InputError
from ...harness.keys import digest
from ...harness.watching import AnchorSet

M = TypeVar("M", bound=BaseModel)


class _Head(BaseModel):
    """Whose anchors these are. ``config`` is what of the judge must not change, ``served`` counts replies by model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    anchors_of: str
    run: str
    date: str
    config: dict[str, Any]
    served: dict[str, int]


class _Line(BaseModel):
    """One frozen answer, and what it got on the night of reference."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sample_id: str
    sample_sha256: str
    answer: str
    scores: dict[str, float]


def write_anchors(path: Path, anchors: AnchorSet, texts: tuple[str, ...]) -> None:
    """Write the file; ``texts`` are the answers, aligned with the set."""
    head = _Head(
        anchors_of=anchors.judge,
        run=anchors.run,
        date=anchors.date,
        config=dict(anchors.config),
        served=dict(anchors.served),
    )
    lines = [head.model_dump_json()]
    for (sample, sha256), text, scores in zip(anchors.samples, texts, anchors.scores, strict=True):
        line = _Line(sample_id=sample, sample_sha256=sha256, answer=text, scores=dict(scores))
        lines.append(line.model_dump_json())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_anchors(path: Path) -> tuple[AnchorSet, tuple[str, ...]]:
    """The set and its answers. Raises InputError for what is no such file."""
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise InputError(f"{path}: cannot be read ({reason}); markscheme judge anchors RUN -o FILE makes one") from None
    if len(texts) < 3:
        raise InputError(
            f"{path}: holds fewer than two anchors; markscheme judge anchors RUN -o FILE makes such a file"
        )
    head = _parsed(path, 1, texts[0], _Head)
    lines = [_parsed(path, number, text, _Line) for number, text in enumerate(texts[1:], 2)]
    return anchor_set(
        head.anchors_of,
        head.run,
        head.date,
        head.config,
        [(line.sample_id, line.sample_sha256, line.answer, line.scores) for line in lines],
        head.served,
    )


def anchor_set(
    judge: str,
    run: str,
    date: str,
    config: dict[str, Any],
    rows: list[tuple[str, str, str, dict[str, float]]],
    served: dict[str, int],
) -> tuple[AnchorSet, tuple[str, ...]]:
    """The set of these (sample, its hash, answer, scores), named by the hash of all that is in it; and the answers."""
    identity = digest([judge, run, date, config, rows, served])
    samples = tuple((sample, sha256) for sample, sha256, _, _ in rows)
    scores = tuple(found for *_, found in rows)
    return AnchorSet(identity, judge, run, date, config, samples, scores, served), tuple(row[2] for row in rows)


def _parsed(path: Path, number: int, text: str, model: type[M]) -> M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"{path}:{number} {field}".rstrip()
        raise InputError(f"{where}: {first['msg']}; markscheme judge anchors RUN -o FILE makes such a file") from None
