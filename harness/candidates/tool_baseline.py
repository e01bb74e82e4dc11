"""`baseline/tools`: calls the function whose words the question shares most, with arguments found in the question.

No model: a floor for exams on function calls, which knows names, descriptions and types, and understands nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..records import ToolCall
from ..text import words
from ..tool_calls import functions_of

_LEAST = 0.15
"""Share of a function's words that a question must hold to call it."""
_QUOTED = re.compile(r"[\"“‘«]([^\"”’»]{1,200})[\"”’»]|(?<!\w)'([^']{1,200})'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:,\d{3}){0,3}(?:\.\d{1,12})?(?!\w)")
_NAMES = re.compile(r"(?<!^)(?<![.!?] )\b[^\W\d_a-z][\w’'-]*(?: (?:de |of |la )?[^\W\d_a-z][\w’'-]*)*")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def called(question: str, tools: Sequence[Mapping[str, Any]]) -> tuple[ToolCall, ...]:
    """One call, or none where no function shares a word in seven with the question.

    The weight of a function is the share of its words (of its name, description and arguments) that the question
    holds; words that all functions have count for nothing. An argument is filled by its type: an enumerated value that
    the question names, the next number, a quoted text or a name. What is required and not found is left out.
    """
    schemas = functions_of(tools)
    if not schemas:
        return ()
    asked = set(_stems(question))
    weights = {name: _weight(asked, bag) for name, bag in _bags(tools).items()}
    best = max(weights, key=lambda name: weights[name])
    if weights[best] < _LEAST:
        return ()
    return (ToolCall(best, json.dumps(_arguments(question, schemas[best]), ensure_ascii=False)),)


def _bags(tools: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    bags: dict[str, set[str]] = {}
    for tool in tools:
        function = tool.get("function") or {}
        if "name" in function:
            arguments = (function.get("parameters") or {}).get("properties") or {}
            text = " ".join((str(function["name"]), str(function.get("description") or ""), *map(str, arguments)))
            bags[function["name"]] = set(_stems(" ".join(_PARTS.findall(text))))
    shared = Counter(word for bag in bags.values() for word in bag)
    common = {word for word, count in shared.items() if count == len(bags) > 1}
    return {name: bag - common for name, bag in bags.items()}


def _stems(text: str) -> list[str]:
    return [word[:5] for word in words(text) if len(word) > 2]


def _weight(asked: set[str], bag: set[str]) -> float:
    return len(asked & bag) / len(bag) if bag else 0.0


def _arguments(question: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    numbers = [match[0] for match in _NUMBER.finditer(question)]
    texts = [a or b for a, b in _QUOTED.findall(question)]
    texts += [match[0] for match in _NAMES.finditer(_QUOTED.sub(" ", question))]
    found = {}
    for name, inner in (schema.get("properties") or {}).items():
        value = _value(inner if isinstance(inner, Mapping) else {}, question, numbers, texts)
        if value is not None:
            found[name] = value
    return found


def _value(schema: Mapping[str, Any], question: str, numbers: list[str], texts: list[str]) -> Any:
    """The next value of this type; what is taken is gone. ``None`` where there is none."""
    if choices := schema.get("enum"):
        return next((choice for choice in choices if str(choice).lower() in question.lower()), None)
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number(numbers.pop(0), kind == "integer") if numbers else None
    if kind == "array":
        items = schema.get("items")
        inner = items if isinstance(items, Mapping) else {}
        taken = iter(lambda: None if inner.get("enum") else _value(inner, question, numbers, texts), None)
        return list(taken) or None
    return texts.pop(0) if kind == "string" and texts else None


def _number(text: str, whole: bool) -> float | int:
    value = float(text.replace(",", ""))
    return int(value) if whole or value.is_integer() else value
