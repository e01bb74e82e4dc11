"""A workspace with a finished, graded run and a file of people's labels, made up: what `align_bench.py` measures on."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markscheme.harness.store import runs
from markscheme.harness.store.runs import Run
from markscheme.harness.store.store import Store

JUDGE = "judge"
SCALE = (0, 3)
_HEAD = ("sample_id", "candidate", "trial", "criterion", "score", "annotator")
_WORDS = "anchor basket candle desert engine feather glacier hammer island jacket kettle lantern marble".split()
_CHUNK = 10_000


@dataclass(frozen=True)
class Shape:
    """``questions`` × ``candidates`` answers, each graded on ``criteria``, each grade labelled by ``annotators``."""

    questions: int
    candidates: int
    criteria: int
    annotators: int

    @property
    def answers(self) -> int:
        """How many there are."""
        return self.questions * self.candidates

    def places(self) -> Iterator[tuple[str, str, list[str]]]:
        """Sample, candidate and the criteria of every answer."""
        criteria = [f"criterion-{k}" for k in range(self.criteria)]
        for number in range(self.questions):
            for k in range(self.candidates):
                yield f"question-{number:06d}", f"model-{k}", criteria


def make(folder: Path, shape: Shape, seed: int = 1) -> tuple[Path, Path]:
    """Write ``folder``/workspace and ``folder``/labels.csv; returns both paths.

    The judge and the annotators see the same truth, each with noise; a tenth of the labels is a gap.
    """
    store = Store(folder / "workspace")
    try:
        run = runs.begin(store, "exam.yaml", {})
        runs.describe_run(store, run, "made-up", _config(shape), {})
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            _fill(store, run, shape, csv.writer(file), random.Random(seed))
        runs.finish(store, run)
    finally:
        store.close()
    return folder / "workspace", folder / "labels.csv"


def _config(shape: Shape) -> dict[str, Any]:
    criteria = [{"name": f"criterion-{k}", "weight": 1 / shape.criteria} for k in range(shape.criteria)]
    return {
        "candidates": [{"name": f"model-{k}", "trials": 1} for k in range(shape.candidates)],
        "judges": [{"name": JUDGE, "rubric": {"criteria": criteria, "scale": list(SCALE)}}],
    }


def _fill(store: Store, run: Run, shape: Shape, labels: Any, draw: random.Random) -> None:
    labels.writerow(_HEAD)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("samples", "run_samples", "answers", "grades")}
    last = ""
    for number, (sample, candidate, criteria) in enumerate(shape.places()):
        if sample != last:
            last = sample
            body = f'{{"question": "{" ".join(draw.choices(_WORDS, k=20))}?"}}'
            rows["samples"].append({"sha256": sample, "body": body})
            place = {"run": run.id, "sample_id": sample, "position": number, "sha256": sample}
            rows["run_samples"].append({**place, "cluster": "", "tags": "[]"})
        rows["answers"].append(_answer(run.id, sample, candidate, " ".join(draw.choices(_WORDS, k=60))))
        for criterion in criteria:
            truth = draw.randint(*SCALE)
            rows["grades"].append(_grade(run.id, sample, candidate, criterion, _seen(truth, draw)))
            labels.writerows(
                (sample, candidate, 0, criterion, "" if draw.random() < 0.1 else _seen(truth, draw), f"person-{k}")
                for k in range(shape.annotators)
            )
        if number % _CHUNK == _CHUNK - 1:
            _flush(store, rows)
    _flush(store, rows)


def _seen(truth: int, draw: random.Random) -> int:
    return min(max(truth + draw.randint(-1, 1), SCALE[0]), SCALE[1])


def _answer(run: str, sample: str, candidate: str, text: str) -> dict[str, Any]:
    said = {"status": "ok", "owner": "", "detail": "", "text": text, "tool_calls": None, "retrieved": None}
    made = {"turns": None, "calls": "[]", "origin": "live", "attempt": 0, "fingerprint": "made-up"}
    return {"run": run, "sample_id": sample, "candidate": candidate, "trial": 0, **said, **made}


def _grade(run: str, sample: str, candidate: str, criterion: str, score: int) -> dict[str, Any]:
    place = {"run": run, "sample_id": sample, "candidate": candidate, "trial": 0}
    about = {"judge": JUDGE, "criterion": criterion, "turn": 0, "repeat": 0, "attempt": 0, "fingerprint": "made-up"}
    reasoning = "The answer names the right stone and leaves out where it was found, which the reference says."
    return {**place, **about, "status": "scored", "score": float(score), "reasoning": reasoning, "why": "",
            "labels": None, "calls": "[]"}  # fmt: skip


def _flush(store: Store, rows: dict[str, list[dict[str, Any]]]) -> None:
    store.put({name: some for name, some in rows.items() if some})
    for some in rows.values():
        some.clear()
