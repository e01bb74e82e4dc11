"""What the bare loops share: one answer and one verdict a sample, no store, no report, no key, no retry policy."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

BASE_URL = os.environ.get("OPENAI_BASE_URL", "")
ANSWER = "Answer the question from the context.\n\nContext: {context}\n\nQuestion: {question}"
VERDICT = (
    "Grade the answer against the reference.\n\nQuestion: {question}\n\nContext: {context}\n\n"
    "Reference: {reference}\n\nAnswer: {answer}\n\nReply with a JSON object with the keys reasoning and score (0 or 1)."
)


def main(call: Callable[[str, str], Awaitable[str]], close: Callable[[], Awaitable[None]]) -> None:
    """``floor.py SAMPLES.jsonl CONCURRENCY``: prints the number of samples scored and their mean."""
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]

    async def one(row: dict[str, str]) -> float:
        answer = await call("cand-1", ANSWER.format(**row))
        return float(json.loads(await call("judge-1", VERDICT.format(answer=answer, **row)))["score"])

    async def run() -> list[float]:
        queue, scores = iter(rows), []

        async def worker() -> None:
            for row in queue:
                scores.append(await one(row))  # noqa: PERF401 - one after the other

        await asyncio.gather(*(worker() for _ in range(int(sys.argv[2]))))
        await close()
        return scores

    scores = asyncio.run(run())
    print(json.dumps({"scored": len(scores), "mean": sum(scores) / len(scores)}))
