"""Data sets of function calls in others' forms: rows of xLAM, files of the Berkeley function-calling leaderboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Literal

from .data_rows import Row, iter_rows, json_rows, short
from .data_samples import Wrong
from .errors import DataError
from .tool_calls import json_of

Form = Literal["bfcl", "xlam"]
Columns = Callable[[Mapping[str, Any]], dict[str, Any]]
"""A row of theirs to one under our names. Raises `Wrong`."""
_TYPES = {
    "dict": "object",
    "float": "number",
    "double": "number",
    "int": "integer",
    "str": "string",
    "bool": "boolean",
    "list": "array",
    "tuple": "array",
    "set": "array",
    "long": "integer",
}
_ANY = frozenset({"any", "none", ""})
_NAMED_IN_WORDS = re.compile(r"(\w+)\s*(?:\[(.*)\])?")
_OPTIONAL = re.compile(r"\s*,\s*(?:optional|default).*$", re.IGNORECASE)
_UNUSABLE = re.compile(r"[^a-zA-Z0-9_-]")
_CATEGORY = re.compile(r"^(.+?)_\d")
_NOTHING_TO_CALL = "irrelevance"
_ANY_CALL = "relevance"
_MOST_WAYS = 1000


def tool_rows(form: Form, path: Path) -> Iterator[Row]:
    """The rows of a file in this form; files of the leaderboard are JSON Lines whatever they are called."""
    return json_rows(path) if form == "bfcl" else iter_rows(path)


def tool_columns(form: Form, answers: Path | None) -> Columns:
    """What makes our columns of a row. Raises DataError for a file of answers that cannot be read."""
    if form == "xlam":
        return xlam_columns
    right = _right_calls(answers) if answers else {}

    def columns(row: Mapping[str, Any]) -> dict[str, Any]:
        return bfcl_columns(row, right, answers)

    return columns


def xlam_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of xlam-function-calling-60k: ``query``, and JSON texts ``tools`` and ``answers``.

    Its parameters are a mapping of names with types in Python's words (``List[int], optional``); they become a JSON
    schema. Further columns stay.
    """
    rest = {name: value for name, value in row.items() if name not in ("query", "tools", "answers")}
    tools = _parsed("tools", row.get("tools"))
    offered = [_xlam_tool(f"tools[{position}]", tool) for position, tool in enumerate(tools)]
    calls = _parsed("answers", row.get("answers"))
    right = [_named(f"answers[{position}]", call) for position, call in enumerate(calls)]
    return {**rest, "question": row.get("query"), "tools": offered, "tool_calls": right}


def bfcl_columns(
    row: Mapping[str, Any], right: Mapping[str, tuple[int, list[Any]]], answers: Path | None
) -> dict[str, Any]:
    """A row of the leaderboard: ``question`` (one turn of messages) and ``function``; right calls by id in ``right``.

    In the category `irrelevance` no call is right; in `relevance` nobody says which. The category becomes a tag.
    """
    name = str(row.get("id") or "")
    found = _CATEGORY.match(name)
    category = found[1] if found else ""
    functions = row.get("function") or []
    functions = functions if isinstance(functions, list) else [functions]
    schemas = {f.get("name"): f.get("parameters") or {} for f in functions if isinstance(f, Mapping)}
    data = {key: value for key, value in row.items() if key not in ("id", "question", "function")}
    data |= {"id": name, "tags": [category] if category else [], **_asked(row.get("question"))}
    data["tools"] = [_bfcl_tool(f"function[{position}]", function) for position, function in enumerate(functions)]
    if name in right:
        line, calls = right[name]
        try:
            data["tool_calls"] = [_bfcl_call(call, schemas) for call in calls]
        except Wrong as error:
            raise Wrong("ground_truth", f"{error} ({answers}:{line})") from None
    elif category.endswith(_NOTHING_TO_CALL):
        data["tool_calls"] = []
    elif not category.endswith(_ANY_CALL):
        where = f"{answers} has none" if answers else "name the file with answers: possible_answer/FILE"
        raise Wrong("id", f"{name!r} has no right calls: {where}")
    return data


def _right_calls(path: Path) -> dict[str, tuple[int, list[Any]]]:
    """Id -> line and ``ground_truth`` of a file of possible answers."""
    right: dict[str, tuple[int, list[Any]]] = {}
    for row in json_rows(path):
        name, calls = row.data.get("id"), row.data.get("ground_truth")
        if not isinstance(name, str) or not isinstance(calls, list):
            raise DataError(f'{path}:{row.line}: wanted an id and a list ground_truth, like {{"id": "simple_0", …}}')
        if name in right:
            raise DataError(f"{path}:{row.line} id: {name!r} stands in line {right[name][0]} already")
        right[name] = (row.line, calls)
    return right


def _asked(question: Any) -> dict[str, Any]:
    """One turn: a question, or messages where more than the user speaks."""
    turns = question if isinstance(question, list) else [question]
    if len(turns) == 1 and isinstance(turns[0], list):
        turns = turns[0]
    elif any(isinstance(turn, list) for turn in turns):
        raise Wrong("question", f"has {len(turns)} turns; of the leaderboard's files, those with one turn can be read")
    if len(turns) == 1 and isinstance(turns[0], str):
        return {"question": turns[0]}
    if len(turns) == 1 and isinstance(turns[0], Mapping) and turns[0].get("role") == "user":
        return {"question": turns[0].get("content")}
    return {"messages": turns}


def _bfcl_tool(where: str, function: Any) -> dict[str, Any]:
    inner = _inner(where, function)
    return {**inner, "name": usable_name(inner["name"]), "parameters": _schema(inner.get("parameters") or {})}


def _bfcl_call(call: Any, schemas: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    """``{name: {argument: [right values]}}``; an empty text among several values says that it may be left out."""
    if not isinstance(call, Mapping) or len(call) != 1:
        raise Wrong("ground_truth", f"{short(call)} is not {{name: {{argument: [right values]}}}}")
    ((name, given),) = call.items()
    properties = (schemas.get(name) or {}).get("properties") or {}
    made: dict[str, Any] = {"name": usable_name(str(name)), "arguments": {}, "accepted": {}, "optional": []}
    for argument, values in given.items():
        if not isinstance(values, list) or not values:
            raise Wrong("ground_truth", f"{argument!r}: {short(values)} is not a list of right values")
        ways = [way for value in values if value != "" for way in _ways(value, properties.get(argument) or {})]
        if "" in values:
            made["optional"].append(argument)
        if argument not in made["optional"]:
            made["arguments"][argument], *ways = ways
        if ways or argument in made["optional"]:
            made["accepted"][argument] = ways or [""]
    return {key: value for key, value in made.items() if value or key == "arguments"}


def _ways(value: Any, schema: Mapping[str, Any]) -> list[Any]:
    """The right values that one entry stands for: inside objects, every member is a list of right values again."""
    kind = schema.get("type")
    if kind in ("dict", "object") and isinstance(value, Mapping):
        inner = schema.get("properties") or {}
        members = {
            name: [way for one in values for way in ([one] if one == "" else _ways(one, inner.get(name) or {}))]
            if isinstance(values, list)
            else [values]
            for name, values in value.items()
        }
        _check_count(members.values())
        picked = [dict(zip(members, chosen, strict=True)) for chosen in product(*members.values())]
        return [{name: one for name, one in way.items() if one != ""} for way in picked]
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping) and items.get("type") in ("dict", "object"):
        each = [_ways(one, items) for one in value]
        _check_count(each)
        return [list(chosen) for chosen in product(*each)]
    return [value]


def _check_count(choices: Any) -> None:
    if (ways := prod(len(values) for values in choices)) > _MOST_WAYS:
        raise Wrong("ground_truth", f"stands for {ways} right values, more than {_MOST_WAYS}")


def _xlam_tool(where: str, tool: Any) -> dict[str, Any]:
    inner = _inner(where, tool)
    given = inner.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise Wrong(where, f"parameters: {short(given)} is not an object of names and their types")
    if given.get("type") == "object" and isinstance(given.get("properties"), Mapping):
        parameters = _schema(given)
    else:
        properties = {name: _argument(f"{where}.{name}", one) for name, one in given.items()}
        required = [name for name, one in given.items() if _is_required(one)]
        parameters = {"type": "object", "properties": properties, "required": required}
    return {**inner, "name": usable_name(inner["name"]), "parameters": parameters}


def _argument(where: str, described: Any) -> dict[str, Any]:
    """``{"type": "List[int], optional", "description": …}`` -> JSON schema."""
    if not isinstance(described, Mapping):
        raise Wrong(where, f"{short(described)} is not an object with a type")
    written = _OPTIONAL.sub("", str(described.get("type") or ""))
    rest = {key: value for key, value in described.items() if key in ("description", "default", "enum")}
    return {**_type(written), **rest}


def _is_required(described: Any) -> bool:
    return (
        isinstance(described, Mapping)
        and "optional" not in str(described.get("type")).lower()
        and ("default" not in described)
    )


def _type(written: str) -> dict[str, Any]:
    """A type in Python's words as JSON schema; one that JSON has not is any."""
    match = _NAMED_IN_WORDS.match(written.strip())
    if match is None:
        return {}
    name = match[1].lower()
    if name == "optional" and match[2]:
        return _type(match[2])
    kind = _TYPES.get(name, name)
    if kind == "array":
        return {"type": "array", "items": _type(match[2])} if match[2] and "," not in match[2] else {"type": "array"}
    return {"type": kind} if kind in ("object", "number", "integer", "string", "boolean") else {}


def _schema(schema: Any) -> Any:
    """A schema of the leaderboard in JSON's words: ``dict``, ``float``, ``tuple`` and ``any`` are none of them."""
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return [_schema(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: value for key, value in schema.items() if key != "optional"}
    if isinstance(kind := found.get("type"), str):
        found["type"] = _TYPES.get(kind.lower(), kind.lower())
        if found["type"] in _ANY:
            del found["type"]
    if isinstance(inner := found.get("properties"), Mapping):
        found["properties"] = {name: _schema(one) for name, one in inner.items()}
    if isinstance(items := found.get("items"), Mapping):
        found["items"] = _schema(items)
    return found


def _named(where: str, call: Any) -> dict[str, Any]:
    inner = _inner(where, call)
    return {**inner, "name": usable_name(inner["name"])}


def _inner(where: str, function: Any) -> dict[str, Any]:
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise Wrong(where, f"{short(function)} is not an object with a name")
    return dict(function)


def _parsed(column: str, value: Any) -> list[Any]:
    """A list, or JSON text that holds one."""
    try:
        found = json_of(value) if isinstance(value, str) else value
    except ValueError as error:
        raise Wrong(column, str(error)) from None
    if not isinstance(found, list):
        raise Wrong(column, f"{short(found)} is not a list")
    return found


def usable_name(name: str) -> str:
    """A function's name as APIs take it: at most 64 letters, digits, ``_`` and ``-``; anything else becomes ``_``."""
    return _UNUSABLE.sub("_", name)[:64]
