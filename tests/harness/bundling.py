"""Runs made up for the tests of bundles: a store with every kind of row, each text of it beginning with `SAID`."""

from __future__ import annotations

from typing import Any

from markscheme.harness.records import (
    Answer,
    Call,
    Failed,
    Failure,
    Grade,
    Label,
    LabelSet,
    Preference,
    Reply,
    Retrieved,
    Said,
    Sample,
    Scored,
    Timing,
    ToolCall,
    Unscored,
    Usage,
)
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.harness.store import codec, runs
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store

SAID = "It was said that"
RUN = "20261120-000000-aaaa"
CANDIDATES = ("mini", "maxi")
WORDS = f"{SAID} the prompt"
CONFIG: dict[str, Any] = {
    "candidates": [{"name": name, "model": "openai/x", "trials": 1, "prompt": WORDS} for name in CANDIDATES],
    "judges": [
        {
            "name": "strict",
            "prompt": WORDS,
            "rubric": {
                "name": "r",
                "description": WORDS,
                "scale": [0, 3],
                "criteria": [{"name": "correctness", "weight": 1.0, "description": WORDS}],
            },
        },
        {"name": "pairs", "mode": "pairwise", "against": None, "rubric": {"considerations": [{"description": WORDS}]}},
    ],
    "measures": ["exact_match"],
}


def call(key: str, run: str = RUN, *, text: str = "reply", e2e_s: float = 1.5, role: str = "candidate") -> Call:
    reply = Reply(
        text=f"{SAID} {text}",
        usage=Usage(10, 5, reasoning_tokens=2),
        timing=Timing(sent_at=100.0, e2e_s=e2e_s, ttft_s=0.5, ttfo_s=0.75, gaps_s=(0.25, 0.5)),
        reasoning=f"{SAID} hm",
        served_model="m-2026",
        payload={"more": SAID},
    )
    return Call(key, run, role, "mini", "openai/x", reply, 1, 0.01, 101.0)  # type: ignore[arg-type]


def plant(
    store: Store,
    run: str = RUN,
    *,
    n: int = 4,
    calls_of: str = "",
    fingerprint: str = "f",
    at: float = 1.0,
    **said: Any,
) -> runs.Run:
    """A finished run of ``n`` samples, two candidates, two judges; its answers point at calls that ``calls_of`` paid.

    ``said``: text and seconds of its calls.
    """
    payer = calls_of or run
    row = {
        "id": run,
        "exam": "exam.yaml",
        "name": "nightly",
        "fingerprint": fingerprint,
        "salt": "",
        "judge_salt": "",
        "created_at": at,
        "finished_at": at + 1,
        "versions": codec.dumps({"markscheme": "0.1.0"}),
        "config": codec.dumps(CONFIG),
    }
    store.put({"runs": [row]})
    samples = [
        Sample(
            f"s{i}",
            question=f"{SAID} question {i}",
            context=(f"{SAID} context",),
            reference=f"{SAID} reference",
            relevant={"d": 1},
            cluster=f"c{i // 2}",
            tags=("hard",),
            sha256=f"{i:064x}",
        )
        for i in range(n)
    ]
    store.put_samples(run, samples)
    for number in range(n):
        _plant_sample(store, run, payer, number, said)
    return runs.find(store, run)


def _plant_sample(store: Store, run: str, payer: str, number: int, said: dict[str, Any]) -> None:
    sample = f"s{number}"
    asked = codec.dumps({"messages": [{"shared": "ab" * 32}, {"content": SAID}]})
    store.put({"texts": [{"sha256": "ab" * 32, "body": f'["{SAID} shared"]'}]})
    for name in CANDIDATES:
        key = f"call-{name}-{number}"
        own = call(key, payer, **said)
        store.put({"calls": [codec.call_to_row(own, asked)]})
        text = f"{own.outcome.text} by {name} to {number}"  # type: ignore[union-attr]
        outcome: Said | Failed = Said(
            text, (ToolCall("f", f'{{"a":"{SAID}"}}'),), (Retrieved(f"{SAID} passage", "d", 0.5),)
        )
        if number == 1 and name == "maxi":
            outcome = Failed("truncated", "candidate", f"{SAID} too much", text)
        store.put({"answers": [codec.answer_to_row(Answer(run, sample, name, 0, outcome, (key,), "live", "f"), 0)]})
        graded: Scored | Unscored = Scored(float(number % 4), f"{SAID} good")
        if number == 2 and name == "mini":
            graded = Unscored("unparsable", f"{SAID} nonsense")
        grade = Grade(run, sample, name, 0, "strict", "correctness", graded, calls=(f"judge-{key}",), fingerprint="f")
        judged = call(f"judge-{key}", payer, role="judge", **said)
        store.put({"grades": [codec.grade_to_row(grade, 0)], "calls": [codec.call_to_row(judged, asked)]})
        score = {"run": run, "sample_id": sample, "candidate": name, "trial": 0, "measure": "exact_match"}
        value, why = (None, f"{SAID} no number") if number == 3 else (1.0, f"{SAID} so")
        store.put({"scores": [{**score, "fingerprint": "f", "value": value, "why": why}]})
    preference = Preference(
        run, sample, *CANDIDATES, 0, "pairs", "left_first", "left", f"{SAID} better", fingerprint="f"
    )
    store.put({"preferences": [codec.preference_to_row(preference, 0)]})


def label(store: Store, run: str = RUN, *, name: str = "people", design: str = "random", score: float = 2.0) -> None:
    """A person's label of the first answer."""
    text = f"{SAID} reply by mini to 0"
    one = Label("s0", "mini", 0, "correctness", score, "ann", codec.answer_sha256(text), name)
    store.put({"label_sets": [codec.label_set_to_row(LabelSet(name, design))]})  # type: ignore[arg-type]
    store.put({"labels": [codec.label_to_row(one, run)]})


def review(store: Store, run: str = RUN) -> None:
    """A review of one answer, rated with a note."""
    begun = Review("look", run, "grade", "r", {"correctness": (0, 1, 2, 3)}, ("ann",), "random", 0)
    item = Item("i", 0, "s0", "mini", "", 0, codec.answer_sha256(f"{SAID} reply by mini to 0"))
    Reviews(store).begin(begun, [item])
    Reviews(store).rate(begun, item, Rating("i", "ann", {"correctness": 2}, note=f"{SAID} fine", rated_at=5.0))


def failed_call(key: str, run: str) -> codec.Row:
    """A call without a reply, as a row."""
    failure = Failure("network", f"{SAID} reset", None, sent_at=99.0)
    return codec.call_to_row(Call(key, run, "candidate", "mini", "openai/x", failure), None)
