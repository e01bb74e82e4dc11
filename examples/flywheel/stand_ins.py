"""Stand-ins for three models, for the rehearsal: their skill, delay and tokens are planted and measure no model.

They know the right calls of the packaged `tool_calls`, and get as many of them wrong as `PLANTED` says.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

PLANTED = {
    "base": {"names": 0.40, "arguments": 0.25, "seconds": 0.01},
    "tuned": {"names": 0.95, "arguments": 0.80, "seconds": 0.01},
    "large": {"names": 0.97, "arguments": 0.84, "seconds": 0.08},
}
"""Shares of questions with the right functions, and with the right arguments too where they have any; seconds."""
TOKENS = {"prompt_tokens": 180, "completion_tokens": 30}


async def base(sample: Any) -> dict[str, Any]:
    return await _answer("base", sample)


async def tuned(sample: Any) -> dict[str, Any]:
    return await _answer("tuned", sample)


async def large(sample: Any) -> dict[str, Any]:
    return await _answer("large", sample)


async def _answer(name: str, sample: Any) -> dict[str, Any]:
    planted, luck = PLANTED[name], _luck(name, sample.question)
    await asyncio.sleep(planted["seconds"])
    calls = right_calls()[sample.question]
    if luck >= planted["names"]:
        calls = [] if calls else [{"name": _name(sample.tools[0]), "arguments": {}}]
    elif luck >= planted["arguments"]:
        calls = [{**call, "arguments": {}} for call in calls]
    return {"text": "" if calls else "None of these functions helps.", "tool_calls": calls, "usage": TOKENS}


def _luck(name: str, question: str) -> float:
    """The same every time: from 0 to 1, as drawn by a hash."""
    return int.from_bytes(hashlib.sha256(f"{name}: {question}".encode()).digest()[:4], "big") / 2**32


def _name(tool: dict[str, Any]) -> str:
    return str(tool.get("function", tool)["name"])


@cache
def right_calls() -> dict[str, list[dict[str, Any]]]:
    """Of each question of the packaged set."""
    lines = (files("markscheme") / "datasets" / "tool_calls" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    keys = ("name", "arguments")
    return {row["question"]: [{key: call[key] for key in keys} for call in row["tool_calls"]] for row in rows}
