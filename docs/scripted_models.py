"""Models that the pages of this folder are tried on: an OpenAI-compatible server that answers by the book.

A model whose name holds `guard` moderates; one whose name holds `judge` or ends in `4o` or `nano` grades; every other
one answers. To a question of docs_qa an answer is one of the planted ones or the reference, to any other question
sentences of its context. How often a model is right depends on its name alone. All of it is scripted: the scores mean
nothing, and are the same each time.
"""

from __future__ import annotations

import asyncio
import csv
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "servers"))

import mock_openai
import mock_replies
import scripted_guards
import scripted_ragas
from markscheme.harness.candidates.baselines import extractive, lead
from markscheme.harness.text import words
from mock_verdicts import wanted_schema

ROOT = Path(__file__).resolve().parents[1]
JUDGES = "judge|4o$|nano$"
GUESSES: Mapping[str, tuple[float, float]] = {"nano": (0.4, 0.08)}
"""Chance that a judge guesses, without and with worked examples, by a word of its name."""
SKILL: Mapping[str, tuple[float, float, float]] = {
    "large": (0.82, 0.06, 0.10),
    "small": (0.38, 0.34, 0.22),
    "8b": (0.22, 0.36, 0.28),
}
"""Chance of a full, thin and flawed answer by a word of the model's name; the rest is wrong."""
OTHERS = (0.60, 0.22, 0.14)
PARTS = ("full", "thin", "flawed", "wrong")
REMARKS: Mapping[int, str] = {
    0: "Nothing in the answer meets this criterion: it gives none of what the reference says.",
    1: "A part of it is right, but the point that the question is about is wrong or missing.",
    2: "The main point is there; one detail is missing or not borne out by the context.",
    3: "All that is said agrees with the reference and the context, and no needed point is missing.",
}


@cache
def planted() -> dict[str, dict[str, str]]:
    """Question -> kind of answer -> text; `full` is the reference where nothing was planted."""
    folder = ROOT / "datasets" / "docs_qa"
    samples = {row["id"]: row for row in _rows(folder / "samples.jsonl")}
    answers = {row["question"]: {"full": row["reference"]} for row in samples.values()}
    for part in PARTS:
        for row in _rows(folder / "planted" / f"{part}.jsonl"):
            answers[samples[row["sample_id"]]["question"]][part] = row["answer"]
    return answers


@cache
def intended() -> dict[tuple[str, str], int]:
    """(planted answer, criterion) -> the score that its author intended."""
    folder = ROOT / "datasets" / "docs_qa" / "planted"
    texts = {(part, row["sample_id"]): row["answer"] for part in PARTS for row in _rows(folder / f"{part}.jsonl")}
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(texts[row["candidate"], row["sample_id"]], row["criterion"]): int(row["score"]) for row in rows}


def _rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(row) for row in path.read_bytes().splitlines()]


def answer(model: str, prompt: str) -> str:
    """What ``model`` says to ``prompt``."""
    context, _, question = prompt.rpartition("\n\nQuestion: ")
    context = context.partition("Context:\n")[2]
    kinds = planted().get(question, {})
    chance = next((chance for name, chance in SKILL.items() if name in model), OTHERS)
    draw, kind = mock_replies.uniform(f"{model}|{question}".encode()), "wrong"
    for part, share in zip(PARTS, chance, strict=False):
        if draw < share:
            kind = part
            break
        draw -= share
    if kind in kinds:
        return kinds[kind]
    passages = [passage for passage in context.split("\n\n") if passage]
    if not passages:
        return "I do not know."
    return {"full": extractive, "flawed": extractive, "thin": lead, "wrong": lead}[kind](question, passages)


def verdict(judge: str, prompt: str, criterion: str, levels: list[int], taught: bool) -> dict[str, Any]:
    """The intended score of a planted answer, else the share of the reference's words on the scale; now and then one
    off, or a guess."""
    pieces = {name: _piece(prompt, name) for name in ("answer", "reference", "context", "candidate_context")}
    given, wanted = pieces["answer"], pieces["reference"] or pieces["candidate_context"] or pieces["context"]
    low, high = levels[0], levels[-1]
    known = intended().get((given, criterion))
    if known is None:
        there = set(words(given))
        needed = set(words(wanted))
        share = len(there & needed) / len(needed) if needed and there else 0.0
        known = round(3 * min(1.0, share / 0.85)) if criterion != "readability" else 3
    draw = mock_replies.uniform(f"{judge}|{criterion}|{given}".encode())
    known = max(0, min(3, known + (draw > 0.94) - (draw < 0.06)))
    chance = next((chance for name, chance in GUESSES.items() if name in judge), (0.0, 0.0))[taught]
    if mock_replies.uniform(f"guess|{judge}|{taught}|{criterion}|{given}".encode()) < chance:
        known = int(4 * mock_replies.uniform(f"{taught}|{given}|{criterion}|{judge}".encode()))
    return {"reasoning": REMARKS[known], "score": round(low + known / 3 * (high - low))}


def preference(judge: str, prompt: str) -> dict[str, Any]:
    """The answer that is more correct by `verdict`; of two alike the first now and then, else neither."""
    scores = []
    for number in (1, 2):
        alone = prompt.replace(f"<answer_{number}-", "<answer-").replace(f"</answer_{number}-", "</answer-")
        scores.append(verdict(judge, alone, "correctness", [0, 1, 2, 3], True)["score"])
    if scores[0] != scores[1]:
        better, score = ("first", 1) if scores[0] > scores[1] else ("second", 2)
        return {"reasoning": f"The {better} answer agrees better with the reference.", "score": score}
    if mock_replies.uniform(f"{judge}|{_piece(prompt, 'answer_1')}".encode()) < 0.2:
        return {"reasoning": "Both agree with the reference alike; the first says it more clearly.", "score": 1}
    return {"reasoning": "Both agree with the reference alike.", "score": 0}


def _piece(prompt: str, name: str) -> str:
    start = prompt.find(f"<{name}-")
    if start < 0:
        return ""
    inside = prompt.index(">\n", start) + 2
    return prompt[inside : prompt.index(f"\n</{name}-", inside)]


class Script(mock_replies.Book):
    """The mock server's book with these answers in it. A judge called fickle draws anew each time it is asked."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._asked = Counter[str]()

    def reply(self, request: mock_replies.Incoming, bad: bool) -> mock_replies.Saying:
        said = super().reply(request, bad)
        messages = request.body.get("messages") or [{"content": ""}]
        prompt, model = str(messages[-1]["content"]), str(request.body.get("model"))
        if "guard" in model:
            said.text = scripted_guards.reply(messages)
        elif request.kind != "judge":
            said.text = answer(model, prompt)
        elif (schema := wanted_schema(request.body)) and (said_to_ragas := scripted_ragas.reply(prompt, schema)):
            said.text = said_to_ragas
        elif schema:
            forms = schema["properties"].items()
            taught = "Example of" in str(messages[0]["content"])
            if "fickle" in model:
                self._asked[prompt] += 1
                model += str(self._asked[prompt])
            verdicts = {
                n: preference(model, prompt)
                if n == "winner"
                else verdict(model, prompt, n, form["properties"]["score"]["enum"], taught)
                for n, form in forms
            }
            said.text = orjson.dumps(verdicts).decode()
        # About one token for four characters; a prompt seen before comes from the cache but for its last part.
        said.prompt_tokens = len(request.raw) // 4
        said.completion_tokens = len(said.text) // 4
        said.usage |= {"prompt_tokens": said.prompt_tokens, "completion_tokens": said.completion_tokens}
        return said


@contextmanager
def scripted_models(**config: Any) -> Iterator[str]:
    """The address of a server on 127.0.0.1, ending in ``/v1``, for the length of the block. ``config``: as for the
    mock server (latency, stream)."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    settings = {**config, "judge_models": JUDGES}
    server, port = asyncio.run_coroutine_threadsafe(mock_openai.start(settings), loop).result(10)
    state = server.state  # type: ignore[attr-defined]
    state.book = Script(state.config)

    async def stop() -> None:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
