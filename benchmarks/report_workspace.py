"""A workspace with a finished, graded run of long answers, made up: what `report_bench.py` measures on."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from markscheme.harness.store import runs
from markscheme.harness.store.runs import Run
from markscheme.harness.store.store import Store

CRITERIA = ("correctness", "comprehensiveness", "readability")
SCALE = (0, 3)
_CHUNK = 1_000


@dataclass(frozen=True)
class Shape:
    """``questions`` × ``candidates`` answers of ``words`` words, each graded on three criteria with a reasoning of
    ``reasoning`` words; every question has a passage of 120 words, and four of them share it."""

    questions: int
    candidates: int
    words: int = 150
    reasoning: int = 30

    @property
    def names(self) -> list[str]:
        """Of the candidates."""
        return [f"model-{k}" for k in range(self.candidates)]


class Prose:
    """Text of words as frequent as in the passages of docs_qa, in no order: deflate packs it worse than prose."""

    def __init__(self, seed: int) -> None:
        corpus = files("markscheme") / "datasets" / "docs_qa" / "samples.jsonl"
        rows = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
        self.words = [word for row in rows for word in re.findall(r"\S+", f"{row['question']} {row['context']}")]
        self.random = random.Random(seed)

    def text(self, words: int) -> str:
        """As many words as that."""
        return " ".join(self.random.choices(self.words, k=words))


def make(folder: Path, shape: Shape, seed: int = 1) -> Path:
    """Write ``folder``/workspace; returns its path."""
    store = Store(folder / "workspace")
    try:
        run = runs.begin(store, "exam.yaml", {})
        runs.describe_run(store, run, "made-up", _config(shape), {})
        prose = Prose(seed)
        for start in range(0, shape.questions, _CHUNK):
            store.put(_rows(run, shape, range(start, min(start + _CHUNK, shape.questions)), prose))
        runs.finish(store, run)
    finally:
        store.close()
    return folder / "workspace"


def _config(shape: Shape) -> dict[str, Any]:
    criteria = [{"name": name, "weight": weight} for name, weight in zip(CRITERIA, (0.6, 0.2, 0.2), strict=True)]
    rubric = {"name": "made-up", "criteria": criteria, "scale": list(SCALE)}
    return {
        "name": "made-up",
        "candidates": [{"name": name, "model": f"openai/{name}", "trials": 1} for name in shape.names],
        "judges": [{"name": "strict", "model": "openai/judge", "shots": 1, "rubric": rubric}],
    }


def _rows(run: Run, shape: Shape, numbers: range, prose: Prose) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("samples", "run_samples", "answers", "grades")}
    passage = ""
    for number in numbers:
        passage = passage if number % 4 else prose.text(120)
        sample = f"question-{number:06d}"
        body = {"question": f"{prose.text(12)}?", "reference": prose.text(40), "context": [passage]}
        found["samples"].append({"sha256": sample, "body": json.dumps(body)})
        place = {"run": run.id, "sample_id": sample, "position": number, "sha256": sample}
        found["run_samples"].append({**place, "cluster": "", "tags": json.dumps([f"part-{number % 5}"])})
        hardness = prose.random.gauss(0, 0.7)
        for k, name in enumerate(shape.names):
            found["answers"].append(_answer(run.id, sample, name, prose.text(shape.words)))
            found["grades"] += _grades(run.id, sample, name, 1.3 + k / 4 + hardness, shape, prose)
    return found


def _answer(run: str, sample: str, candidate: str, text: str) -> dict[str, Any]:
    said = {"status": "ok", "owner": "", "detail": "", "text": text, "tool_calls": None, "retrieved": None}
    made = {"turns": None, "calls": "[]", "origin": "live", "attempt": 0, "fingerprint": "made-up"}
    return {"run": run, "sample_id": sample, "candidate": candidate, "trial": 0, **said, **made}


def _grades(
    run: str, sample: str, candidate: str, level: float, shape: Shape, prose: Prose
) -> Iterator[dict[str, Any]]:
    for criterion in CRITERIA:
        score = min(max(round(level + prose.random.gauss(0, 0.6)), SCALE[0]), SCALE[1])
        place = {"run": run, "sample_id": sample, "candidate": candidate, "trial": 0, "judge": "strict"}
        about = {"criterion": criterion, "turn": 0, "repeat": 0, "attempt": 0, "fingerprint": "made-up", "why": ""}
        said = {"status": "scored", "score": float(score), "reasoning": prose.text(shape.reasoning)}
        yield {**place, **about, **said, "labels": None, "calls": "[]"}
