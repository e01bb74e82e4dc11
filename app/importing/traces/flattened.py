"""Lists that stand in attributes piece by piece: `llm.input_messages.0.message.content`, `gen_ai.prompt.0.role`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 12


def list_under(attributes: Mapping[str, Any], prefix: str) -> list[Any]:
    """The list that the names after ``prefix`` spell, in the order of their numbers; empty where there are none."""
    root: dict[str, Any] = {}
    start = f"{prefix}."
    for name, value in attributes.items():
        if name.startswith(start):
            _put(root, name[len(start) :].split(".", _DEEPEST), value)
    made = _listed(root)
    return made if isinstance(made, list) else []


def _put(root: dict[str, Any], path: list[str], value: Any) -> None:
    *before, last = path
    for step in before:
        inner = root.get(step)
        if not isinstance(inner, dict):
            inner = root[step] = {}
        root = inner
    root[last] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=lambda name: (len(name), name))]
    return inner
