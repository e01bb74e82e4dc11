"""Runs made up for tests: tables as the store gives them, with every kind of trouble in known amounts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from markscheme.harness.store.frames import (
    ANSWER_COLUMNS,
    CALL_COLUMNS,
    GRADE_COLUMNS,
    SAMPLE_COLUMNS,
    SCORE_COLUMNS,
    RunData,
    RunInfo,
)

CREATED = 1_795_132_800.0  # 2026-11-20 00:00 UTC
HOSTILE = (
    "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>",
    "<!-- ]]> --> & \u2028 \u2029 \u202e gnp.exe {{ 7 * 7 }} ${7*7} `x` | pipe",
)
CRITERIA = (("correctness", 0.6), ("comprehensiveness", 0.2), ("readability", 0.2))
OWNER = {"timeout": "candidate", "content_filter": "candidate", "truncated": "candidate"}


@dataclass
class Candidate:
    """``quality`` is the mean level; ``failures`` and ``unscored`` are statuses of the first answers, in order."""

    name: str
    quality: float = 2.0
    latency_s: float | None = 0.5
    usd: float | None = 0.001
    model: str = "openai-compatible/m"
    failures: tuple = ()
    unscored: tuple = ()
    reused: int = 0
    stream: bool = True
    trials: int = 1
    spread: float = 0.9


@dataclass
class Judge:
    name: str = "strict"
    model: str = "openai/gpt-4o"
    criteria: tuple = CRITERIA
    scale: tuple = (0, 3)
    shots: int = 1
    repeats: int = 1
    usd: float | None = 0.0004
    renormalise: bool = False


@dataclass
class Exam:
    candidates: tuple = (Candidate("large", 2.6, 6.0, 0.0124), Candidate("small", 1.9, 0.3, 0.00054))
    judges: tuple = (Judge(),)
    measures: tuple = ()
    n: int = 40
    clusters: int | None = 20
    seed: int = 0
    config: dict = field(default_factory=dict)
    questions: tuple = ()
    hostile: bool = False
    relevant: Callable = lambda i: {}
    """From a question's number to {document: grade}."""


def build(exam=None, **changes):
    """The `RunData` of an exam; keyword arguments override the fields of `Exam`."""
    exam = exam or Exam(**changes)
    rng = np.random.default_rng(exam.seed)
    ids = [f"q-{i:04}" for i in range(exam.n)]
    cluster = {s: f"doc-{i % exam.clusters:02}" if exam.clusters else s for i, s in enumerate(ids)}
    difficulty = rng.normal(0, 0.5, exam.n)
    rows = {"samples": [], "answers": [], "grades": [], "scores": [], "calls": []}
    for i, s in enumerate(ids):
        question = exam.questions[i % len(exam.questions)] if exam.questions else f"What is question {i}?"
        passages, relevant = json.dumps([f"Passage about {i}."]), json.dumps(exam.relevant(i))
        rows["samples"].append((s, cluster[s], question, passages, f"Reference {i}.", "[]", relevant, f"{i:064x}"))
        for candidate in exam.candidates:
            for trial in range(candidate.trials):
                level = candidate.quality + difficulty[i] + rng.normal(0, candidate.spread)
                answer(rows, exam, candidate, i, s, cluster[s], trial, level, rng)
    return RunData(
        RunInfo("run-1", "exam.yaml", "nightly", "9f3c" * 16, CREATED, CREATED + 60, versions(), config(exam)),
        pd.DataFrame(rows["samples"], columns=SAMPLE_COLUMNS),
        pd.DataFrame(rows["answers"], columns=ANSWER_COLUMNS),
        pd.DataFrame(rows["grades"], columns=GRADE_COLUMNS),
        pd.DataFrame(rows["scores"], columns=SCORE_COLUMNS),
        pd.DataFrame(rows["calls"], columns=CALL_COLUMNS),
    )


def versions():
    return {"markscheme": "0.1.0", "python": "3.11.2"}


def answer(rows, exam, candidate, i, s, cluster, trial, level, rng):
    number = i * candidate.trials + trial
    status = candidate.failures[number] if number < len(candidate.failures) else "ok"
    if status == "never":
        return
    ok = status == "ok"
    owner = "" if ok else OWNER.get(status, "ours")
    reused = ok and exam.n * candidate.trials - number <= candidate.reused
    live = ok and not reused and candidate.latency_s is not None
    e2e = candidate.latency_s * rng.lognormal(0, 0.4) if live else np.nan
    text = exam_text(exam, candidate, i, level)
    key = f"{candidate.name}-{s}-{trial}"
    cost = np.nan if candidate.usd is None else candidate.usd * float(rng.uniform(0.5, 1.5)) if candidate.usd else 0.0
    tokens = (180 + i, 90, 0, 0) if ok else (np.nan,) * 4
    wire = candidate.latency_s is not None and not candidate.model.startswith("baseline/")
    rows["answers"].append((
        s, cluster, candidate.name, trial, status, owner, "" if ok else f"{status}: 60 s", text if ok else "", "",
        "[]", "[]", "[]", "reused" if reused else "live", "run-0" if reused else "run-1",
        "2026-11-12" if reused else "2026-11-20", candidate.model if wire else "", "stop" if ok else "",
        e2e * 0.2 if live and candidate.stream else np.nan, e2e, 0.02 if live and candidate.stream else np.nan,
        *tokens, False, cost if ok else np.nan, 1 if wire else 0,
    ))  # fmt: skip
    if wire:
        rows["calls"].append((
            key, "run-0" if reused else "run-1", "candidate", candidate.name, candidate.model, status, candidate.model,
            "stop" if ok else "", 1, reused, *tokens[:3], 0 if ok else np.nan, tokens[3], cost if ok else np.nan,
            e2e, CREATED, "[]", False,
        ))  # fmt: skip
    if not ok:
        return
    for judge in exam.judges:
        grade(rows, exam, judge, candidate, number, s, cluster, trial, level, rng)
    for measure in exam.measures:
        value = float(rng.random() < candidate.quality / 3) if measure == "exact_match" else float(rng.random())
        rows["scores"].append((s, cluster, candidate.name, trial, measure, value, ""))


def exam_text(exam, candidate, i, level):
    if exam.hostile:
        return HOSTILE[i % len(HOSTILE)] + f" {candidate.name}"
    return f"{candidate.name} says about {i}: " + "It depends on the margins. " * (1 + int(max(0, level) * 3))


def grade(rows, exam, judge, candidate, number, s, cluster, trial, level, rng):
    low, high = judge.scale
    position = number - len(candidate.failures)
    status = candidate.unscored[position] if 0 <= position < len(candidate.unscored) else "scored"
    key = f"{judge.name}-{candidate.name}-{s}-{trial}"
    if judge.model != "embedded":
        rows["calls"].append((
            key, "run-1", "judge", judge.name, judge.model, "ok", judge.model, "stop", 1, False,
            1400, 120, 1100 if number else 0, 0, 0, np.nan if judge.usd is None else judge.usd, 0.8, CREATED, "[]",
            False,
        ))  # fmt: skip
    for criterion, _ in judge.criteria:
        for repeat in range(judge.repeats):
            raw = low + (level + rng.normal(0, 0.4)) / 3 * (high - low)
            value = float(np.clip(np.round(raw), low, high)) if status == "scored" else np.nan
            reasoning = f"It covers the {criterion} of the reference." if status == "scored" else ""
            if exam.hostile and reasoning:
                reasoning = HOSTILE[number % len(HOSTILE)]
            why = "" if status == "scored" else "no verdict in the reply"
            place = (s, cluster, candidate.name, trial, judge.name, criterion, 0, repeat)
            rows["grades"].append((*place, status, value, reasoning, why, json.dumps([key]), "[]"))


def config(exam):
    return {
        "dataset": {"name": "docs_qa", "version": "1", "sha256": "ab" * 32, "n": exam.n, "subset": None},
        "candidates": [
            {
                "name": c.name, "model": c.model, "params": {"temperature": 0.1}, "stream": c.stream,
                "trials": c.trials, "prompt": "{{ question }}", "prompt_sha256": "cd" * 32, "system": "",
            }
            for c in exam.candidates
        ],
        "judges": [
            {
                "name": j.name, "model": j.model, "shots": j.shots, "params": {"temperature": 0.1}, "calls": "one",
                "rubric": {
                    "name": "docs_qa", "version": "3", "sha256": "b71e" * 16, "scale": list(j.scale),
                    "renormalise": j.renormalise,
                    "criteria": [
                        {"name": name, "weight": weight, "description": f"Is the {name} right?"}
                        for name, weight in j.criteria
                    ],
                },
                "prompt": "You grade answers.",
            }
            for j in exam.judges
        ],
        "measures": list(exam.measures),
        "command": "markscheme run exams/docs_qa.yaml",
        **exam.config,
    }  # fmt: skip
