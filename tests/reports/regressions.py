"""Pairs of runs made up for tests: samples by content, graded directly, so that every difference is known."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
from markscheme.harness.store.frames import (
    ANSWER_COLUMNS,
    CALL_COLUMNS,
    GRADE_COLUMNS,
    LABEL_COLUMNS,
    SAMPLE_COLUMNS,
    SCORE_COLUMNS,
    RunData,
    RunInfo,
)

RUBRIC = {"name": "docs_qa", "sha256": "b71e" * 16, "scale": [0, 3], "criteria": [{"name": "correctness", "weight": 1}]}


def run(name, scores, *, scale=(0, 3), contents=None, clusters=None, tags=None, failed=(), judge=None, **changes):
    """A run of candidates' ``scores``: {candidate: (n,) or (n, trials)}, NaN for what could not be read.

    ``contents`` are the samples' contents, ``failed`` pairs (candidate, row) of answers that timed out; ``changes``
    are of every answer: reply_run, n_calls, e2e_s, cost_usd, text.
    """
    arrays = {who: np.atleast_2d(np.asarray(v, dtype=float).T).T for who, v in scores.items()}
    n = len(next(iter(arrays.values())))
    contents = [f"c{i}" for i in range(n)] if contents is None else contents
    clusters = [f"q{i}" for i in range(n)] if clusters is None else clusters
    ids = changes.pop("ids", [f"q{i}" for i in range(n)])
    samples = [
        (ids[i], clusters[i], f"Question {c}?", "[]", f"Reference {c}.", json.dumps((tags or [[]] * n)[i]), "{}", c)
        for i, c in enumerate(contents)
    ]
    answers, grades = [], []
    for who, values in arrays.items():
        for i, row in enumerate(values):
            for trial, value in enumerate(row):
                place = {"sample_id": ids[i], "cluster": clusters[i], "candidate": who, "trial": trial}
                bad = (who, i) in failed
                answers.append(_answer(place, bad, name, changes))
                if not bad:
                    grades.append(_grade(place, value))
    rubric = {**RUBRIC, "scale": list(scale)}
    config = {
        "candidates": [{"name": who, "model": "m", "trials": values.shape[1]} for who, values in arrays.items()],
        "judges": [{"name": "strict", "model": "openai/gpt-4o", "rubric": rubric, "shots": 1, **(judge or {})}],
    }
    return RunData(
        RunInfo(name, "exam.yaml", "", "f", 1_795_132_800.0, None, {}, config),
        pd.DataFrame(samples, columns=list(SAMPLE_COLUMNS)),
        pd.DataFrame(answers, columns=list(ANSWER_COLUMNS)),
        pd.DataFrame(grades, columns=list(GRADE_COLUMNS)),
        pd.DataFrame(columns=list(SCORE_COLUMNS)),
        pd.DataFrame(columns=list(CALL_COLUMNS)),
    )


def _answer(place, bad, name, changes):
    told = {"status": "timeout", "owner": "candidate"} if bad else {"status": "ok", "owner": ""}
    words = {"text": f"{name} answers {place['sample_id']}, trial {place['trial']}", "reply_run": name, "n_calls": 1}
    lists = dict.fromkeys(("tool_calls", "retrieved", "turns"), "[]")
    numbers = {"e2e_s": 1.0, "ttft_s": 0.2, "prompt_tokens": 100.0, "completion_tokens": 50.0, "cost_usd": 0.001}
    if bad:
        numbers, words["text"] = {}, ""
    return {"origin": "live", "detail": "", "reasoning": "", **place, **told, **words, **lists, **numbers, **changes}


def _grade(place, value):
    read = {"status": "scored", "why": ""} if value == value else {"status": "unparsable", "why": "no verdict"}
    told = {"judge": "strict", "criterion": "correctness", "turn": 0, "repeat": 0, "calls": "[]"}
    return {**place, **told, **read, "score": value, "reasoning": f"It deserves {value:g}."}


def with_labels(data, candidate, scores, sets="random set", design="random"):
    """The run with a person's score of each answer of ``candidate``, NaN for none."""
    rows = [
        (s, s, candidate, 0, "correctness", "ann", score, sets, design, "", np.nan, "2026-11-01", data.info.id)
        for s, score in zip(data.samples["sample_id"], scores, strict=True)
        if score == score
    ]
    return replace(data, labels=pd.DataFrame(rows, columns=list(LABEL_COLUMNS)))


def the(found, measure="correctness", candidate="mini"):
    """The one difference of this measure."""
    chosen = [d for d in found.differences if (d.subject.measure, d.subject.candidate) == (measure, candidate)]
    assert len(chosen) == 1
    return chosen[0]
