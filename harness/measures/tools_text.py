"""Function calls that a model wrote into its text instead of making them."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

from ..records import ToolCall

_LONGEST = 50_000
_MOST_STARTS = 50
"""Braces at which JSON is tried: text of nothing but braces must not take minutes."""
_NAMED = re.compile(r"<function=([^<>\s]{1,200})>\s*(\{.*?\})\s*</function>", re.DOTALL)
_CALL_LIST = re.compile(r"\[\s*[\w.]+\(.*\)\s*\]|[\w.]+\(.*\)", re.DOTALL)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)


def calls_in_text(text: str, offered: Collection[str]) -> tuple[ToolCall, ...]:
    """Calls in the forms that models are trained to write them in, oldest first.

    Read are JSON objects with a name and ``arguments`` or ``parameters`` (alone, in lists, in ``<tool_call>`` tags, in
    code fences), ``<function=name>{…}</function>``, and where the text is nothing else, Python's ``[name(key=value)]``
    of functions that are ``offered``.
    """
    text = text[:_LONGEST]
    if "{" not in text and "(" not in text:
        return ()
    named = tuple(ToolCall(match[1], match[2]) for match in _NAMED.finditer(text))
    return named or tuple(_objects(text)) or tuple(_python(text, offered))


def _objects(text: str) -> Iterator[ToolCall]:
    decoder, position = json.JSONDecoder(), 0
    for _ in range(_MOST_STARTS):
        position = text.find("{", position)
        if position < 0:
            return
        try:
            found, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        call = _call(found)
        position = end if call else position + 1
        if call:
            yield call


def _call(found: Any) -> ToolCall | None:
    """``{"name": …, "arguments": …}``, also inside ``function``."""
    inner = found.get("function") if isinstance(found.get("function"), dict) else found
    name = inner.get("name")
    key = next((key for key in ("arguments", "parameters") if key in inner), None)
    if not isinstance(name, str) or not name or key is None:
        return None
    arguments = inner[key]
    if isinstance(arguments, dict):
        if key == "parameters" and "properties" in arguments:
            return None  # a function described, not called
        return ToolCall(name, json.dumps(arguments))
    return ToolCall(name, arguments) if isinstance(arguments, str) else None


def _python(text: str, offered: Collection[str]) -> Iterator[ToolCall]:
    fenced = _FENCE.match(text.strip())
    code = (fenced[1] if fenced else text).strip()
    if not _CALL_LIST.fullmatch(code):
        return
    with suppress(SyntaxError, TypeError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python about strange escapes in the model's words
        tree = ast.parse(code, mode="eval").body
        nodes = tree.elts if isinstance(tree, ast.List) else [tree]
        for node in nodes:
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in offered and not node.args:
                arguments = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
                yield ToolCall(name, json.dumps(arguments))
