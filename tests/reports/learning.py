"""Answers to learn from, made up for tests."""

from markscheme.harness.records import Answer, Failed, Said, Sample, ToolCall
from markscheme.harness.store.asked import Asked
from markscheme.harness.store.codec import answer_sha256
from markscheme.reports.finetune.choice import Part
from markscheme.reports.finetune.prompts import prompt_of
from markscheme.reports.finetune.records import Example, Graded, Source
from synthetic import build

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SOURCE = Source("strict", None, "quality", (0.0, 3.0))


def sample(name="q1", question="What is a rubric?", **parts):
    return Sample(name, question, sha256=parts.pop("sha256", f"hash of {name}"), **parts)


def example(of=None, text="A list of criteria.", candidate="large", trial=0, **parts):
    """An answer; ``parts``: `score` and all else of `Graded`, `calls`, `turns`, `messages` (as sent), `failed`."""
    of = of or sample()
    calls = tuple(ToolCall(*call) for call in parts.pop("calls", ()))
    failed, turns = parts.pop("failed", ""), tuple(parts.pop("turns", ()))
    outcome = Failed(failed, "candidate", "") if failed else Said(text, calls, turns=turns)
    answer = Answer("run-1", of.id, candidate, trial, outcome, calls=("k1",))
    messages, params = parts.pop("messages", ()), parts.pop("params", {})
    asked = Asked(of, answer, answer_sha256(text), bool(messages), tuple(messages), of.tools, params)
    group = parts.pop("group", "") or of.cluster or of.id
    score = parts.pop("score", 3.0)
    graded = Graded(score, parts.pop("own", score), **parts)
    return Example("run-1", asked, prompt_of(asked), graded, group)


def part(examples, samples=None, **changes):
    """A run with these answers."""
    samples = samples or list({one.asked.sample.id: one.asked.sample for one in examples}.values())
    return Part(build(n=2, **changes), SOURCE, examples, samples)
