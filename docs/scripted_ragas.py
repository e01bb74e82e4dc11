"""What the scripted judge replies to the prompts of ragas: statements are sentences, and words in common decide."""

from __future__ import annotations

import json
from typing import Any

from markscheme.harness.text import sentences, words

BORNE_OUT = 0.75
"""Share of a statement's words that the passages must hold."""


def reply(prompt: str, schema: dict[str, Any]) -> str | None:
    """The JSON that ragas asks for in ``prompt``; ``None`` where the schema is none of faithfulness or recall."""
    wanted = tuple(schema["properties"])
    if wanted not in {("statements",), ("classifications",)}:
        return None
    shown = json.loads(prompt.rpartition("\ninput: ")[2].removesuffix("\nOutput: "))
    if wanted == ("classifications",):
        found = [_decided(one, shown["context"], "attributed") for one in sentences(shown["answer"])]
        return json.dumps({"classifications": found})
    if "answer" in shown:
        return json.dumps({"statements": sentences(shown["answer"])})
    return json.dumps({"statements": [_decided(one, shown["context"], "verdict") for one in shown["statements"]]})


def _decided(statement: str, context: str, flag: str) -> dict[str, Any]:
    there, needed = set(words(context)), words(statement)
    borne_out = sum(word in there for word in needed) >= BORNE_OUT * len(needed)
    reason = "The passages say so." if borne_out else "The passages do not say so."
    return {"statement": statement, "reason": reason, flag: int(borne_out)}
