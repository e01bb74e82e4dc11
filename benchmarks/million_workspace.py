"""A workspace with finished, graded runs of one exam, made up: what `million_bench.py` measures on."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markscheme.harness.store import runs
from markscheme.harness.store.codec import pack_floats
from markscheme.harness.store.runs import Run
from markscheme.harness.store.store import Store

JUDGE, CRITERION, SCALE = "strict", "correctness", (0, 3)
_WORDS = "anchor basket candle desert engine feather glacier hammer island jacket kettle lantern marble".split()
_VERDICT = '{"correctness": {"reasoning": "It names the stone and leaves out where it was found.", "score": %d}}'
_CHUNK = 2_000
"""Samples whose rows are held at a time."""
_ANSWER = "run sample_id candidate trial attempt fingerprint status owner detail text calls origin".split()
_GRADE = (
    "run sample_id candidate trial judge criterion turn repeat attempt fingerprint status score reasoning why calls"
).split()
_CALL = (
    "key run role who model request status detail text finish_reason served_model dropped prompt_tokens "
    "completion_tokens cached_tokens cache_write_tokens reasoning_tokens usage_estimated cost_usd sent_at e2e_s ttft_s "
    "gaps_s attempts created_at"
).split()


@dataclass(frozen=True)
class Shape:
    """``samples`` × ``candidates`` answers, each with its call, one grade on one criterion and that grade's call.

    ``clusters`` of samples, 0 for none; one answer in 500 failed, one verdict in 1,000 is unreadable.
    """

    samples: int
    candidates: int
    clusters: int = 0

    @property
    def names(self) -> list[str]:
        """Of the candidates."""
        return [f"model-{k}" for k in range(self.candidates)]


def make(folder: Path, shape: Shape, names: Iterable[str], seed: int = 1) -> Path:
    """Write ``folder``/workspace with a run of each of the ``names``, the latest last; returns its path."""
    store = Store(folder / "workspace")
    try:
        for number, name in enumerate(names):
            run = runs.begin(store, "exam.yaml", {"markscheme": "0"}, name=name, fresh=True)
            runs.describe_run(store, run, "made-up", config(shape), {"markscheme": "0"})
            connection = sqlite3.connect(folder / "workspace" / "markscheme.db", isolation_level=None)
            try:
                _fill(connection, run, shape, random.Random(seed + number))
            finally:
                connection.close()
            runs.finish(store, run)
    finally:
        store.close()
    return folder / "workspace"


def config(shape: Shape) -> dict[str, Any]:
    """The exam as its runs keep it; the first candidate is the baseline."""
    rubric = {
        "name": "stones", "version": "1", "sha256": "b71e" * 16, "scale": list(SCALE),
        "criteria": [{"name": CRITERION, "weight": 1.0, "description": "Is it right?"}],
    }  # fmt: skip
    judge = {"name": JUDGE, "model": "openai/judge", "shots": 1, "calls": "one", "rubric": rubric}
    return {
        "name": "stones",
        "dataset": {"name": "stones", "n": shape.samples},
        "candidates": [{"name": name, "model": f"openai/{name}", "trials": 1, "stream": True} for name in shape.names],
        "judges": [judge],
        "baseline": shape.names[0],
    }


def _fill(connection: sqlite3.Connection, run: Run, shape: Shape, draw: random.Random) -> None:
    for pragma in ("cache_size=-800000", "synchronous=OFF", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    put = _inserter(connection)
    put("samples", ["sha256", "body"], _samples(shape))
    put("run_samples", "run sample_id position sha256 cluster tags".split(), _places(run, shape))
    numbers = range(shape.samples)
    for start in numbers[::_CHUNK]:
        answered = list(_answered(run, shape, numbers[start : start + _CHUNK], draw))
        put("answers", _ANSWER, (answer for answer, *_ in answered))
        put("grades", _GRADE, (grade for _, grade, _ in answered if grade is not None))
        put("calls", _CALL, (call for *_, calls in answered for call in calls))
    connection.execute("COMMIT")


def _inserter(connection: sqlite3.Connection) -> Callable[[str, list[str], Iterable[tuple[Any, ...]]], None]:
    def put(table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        names = ", ".join(f'"{name}"' for name in columns)
        connection.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", rows)

    return put


def _samples(shape: Shape) -> Iterator[tuple[str, str]]:
    draw = random.Random(0)
    for number in range(shape.samples):
        yield _hash(f"sample {number}"), f'{{"question": "{_text(draw)}?", "reference": "{_text(draw)}"}}'


def _places(run: Run, shape: Shape) -> Iterator[tuple[Any, ...]]:
    for number in range(shape.samples):
        cluster = f"document-{number % shape.clusters:05d}" if shape.clusters else ""
        yield run.id, _sample(number), number, _hash(f"sample {number}"), cluster, "[]"


def _answered(
    run: Run, shape: Shape, numbers: Iterable[int], draw: random.Random
) -> Iterator[tuple[Any, Any, list[tuple[Any, ...]]]]:
    """Of every answer to samples with these ``numbers`` its row, that of its grade and those of their calls."""
    for number in numbers:
        hardness = draw.gauss(0, 0.7)
        for k, name in enumerate(shape.names):
            place = (run.id, _sample(number), name, 0)
            asked, judged = (_hash(f"{run.id} {role} {number} {k}") for role in ("candidate", "judge"))
            if draw.random() < 0.002:
                answer = (*place, 0, "f", "timeout", "candidate", "60 s", None, f'["{asked}"]', "live")
                yield answer, None, [_failed(run, asked, name)]
                continue
            text = _text(draw)
            level = min(max(round(1.5 + k / 20 + hardness + draw.gauss(0, 0.7)), SCALE[0]), SCALE[1])
            answer = (*place, 0, "f", "ok", "", "", text, f'["{asked}"]', "live")
            asking = _call(run, asked, "candidate", name, text, draw)
            judging = _call(run, judged, "judge", JUDGE, _VERDICT % level, draw)
            yield answer, _grade(place, level, judged, draw.random() < 0.001), [asking, judging]


def _grade(place: tuple[Any, ...], level: int, key: str, unreadable: bool) -> tuple[Any, ...]:
    head = (*place, JUDGE, CRITERION, 0, 0, 0, "f")
    if unreadable:
        return (*head, "unparsable", None, None, "no verdict in the reply", f'["{key}"]')
    return (*head, "scored", float(level), "It names the stone and leaves out where it was found.", "", f'["{key}"]')


def _call(run: Run, key: str, role: str, who: str, text: str, draw: random.Random) -> tuple[Any, ...]:
    seconds = draw.lognormvariate(-0.5, 0.5)
    gaps = pack_floats([seconds / 20] * 12) if role == "candidate" else None
    model = f"openai/{who}" if role == "candidate" else "openai/judge"
    request = f'{{"messages":["{key}"],"params":{{"max_tokens":256,"temperature":0.1}}}}'
    usage = (180, 30, 0, 0, 0, 0, 0.0001 + seconds / 10_000)
    when = run.created_at + draw.random() * 100
    return (
        key, run.id, role, who, model, request, "ok", "", text, "stop", model, "", *usage, when, seconds,
        seconds / 5 if gaps else None, gaps, 1, when,
    )  # fmt: skip


def _failed(run: Run, key: str, who: str) -> tuple[Any, ...]:
    when = run.created_at + 1.0
    usage = (None,) * 7
    return (
        key, run.id, "candidate", who, f"openai/{who}", None, "timeout", "60 s", None, None, None, None, *usage, when,
        None, None, None, 3, when,
    )  # fmt: skip


def _sample(number: int) -> str:
    return f"question-{number:06d}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(draw: random.Random) -> str:
    return " ".join(draw.choices(_WORDS, k=20))
