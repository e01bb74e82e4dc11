"""The functions that a sample offers and the calls that are right: read, checked, and brought into one form each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import orjson

from .data_rows import short

_CALL_KEYS = frozenset({"name", "arguments", "accepted", "optional", "id", "type", "function"})
_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_SMALLEST, _BEYOND = -(2**63), 2**64
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_LONG_INTEGER = re.compile(r"(?<![\d.eE+-])-?\d{19,}(?![\d.eE])")


def read_tool(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A function in OpenAI's form, ``{"type": "function", "function": {name, description, parameters}}``, from that or
    from its inner part alone. A tool of another type stays as it is. Raises ValueError."""
    kind = value.get("type", "function")
    if kind != "function":
        return value
    inner = value.get("function") if "function" in value else {k: v for k, v in value.items() if k != "type"}
    if not isinstance(inner, Mapping):
        raise ValueError(f"function: {short(inner)} is not an object with a name and parameters")
    name = inner.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"the function's name is {short(name)}; write {{name: …, parameters: {{…}}}}")
    _check_parameters(name, inner.get("parameters"))
    return value if "function" in value else {"type": "function", "function": inner}


def read_call(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A right call as ``{"name", "arguments"}``, with ``accepted`` (argument -> further right values) and ``optional``
    (arguments that may be left out) where they are given.

    Arguments may be an object or, as OpenAI writes them, JSON text. Raises ValueError.
    """
    unknown = sorted(set(value) - _CALL_KEYS)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no part of a call; there are name, arguments, accepted and optional")
    function = value.get("function")
    inner = {**value, **function} if isinstance(function, Mapping) else value
    name = inner.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"the call's name is {short(name)}; write {{name: …, arguments: {{…}}}}")
    arguments = _arguments(name, inner.get("arguments"))
    call: dict[str, Any] = {"name": name, "arguments": arguments}
    if accepted := inner.get("accepted"):
        call["accepted"] = _accepted(name, accepted)
    if optional := inner.get("optional"):
        call["optional"] = _optional(name, optional)
    _check_values(call)
    return call


def check_together(tools: Sequence[Mapping[str, Any]], calls: Iterable[Mapping[str, Any]] = ()) -> None:
    """Raises ValueError where two functions have one name, or a right call names none of those offered."""
    names: dict[str, int] = {}
    for position, tool in enumerate(tools):
        name = str((tool.get("function") or {}).get("name", ""))
        if name and names.setdefault(name, position) != position:
            raise ValueError(f"the name {name!r} is that of two functions ({names[name]} and {position}); rename one")
    for call in calls:
        if names and call["name"] not in names:
            raise ValueError(f"{call['name']!r} is none of the functions that the sample offers: {', '.join(names)}")


def functions_of(tools: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Name -> JSON schema of the arguments of each function offered."""
    inner = (tool.get("function") for tool in tools)
    return {f["name"]: f.get("parameters") or {} for f in inner if isinstance(f, Mapping) and "name" in f}


def calls_in_words(calls: Iterable[Mapping[str, Any]]) -> str:
    """Right calls for a reader, one a line: ``weather({"city": "Oslo"})``, and what else is right after it."""
    lines = []
    for call in calls:
        more = [f"{key} {_written(call[key])}" for key in ("accepted", "optional") if call.get(key)]
        words = f"{call.get('name')}({_written(call.get('arguments') or {})})"
        lines.append("; ".join((words, *more)))
    return "\n".join(lines) or "(no call is right)"


def json_of(text: str) -> Any:
    """What ``text`` is as JSON, whole numbers with all their digits. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg}, character {error.pos + 1}): {short(text)}") from None
    except (ValueError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)[:60]
        raise ValueError(f"not JSON ({reason}): {short(text)}") from None


def arguments_object(text: str) -> dict[str, Any]:
    """The object that ``text`` is as JSON; without any text, an empty one. Raises ValueError saying what it is."""
    if not text.strip():
        return {}
    found = json_of(text)
    if isinstance(found, str):
        raise ValueError(f"not an object but text inside JSON (encoded twice?): {short(text)}")
    if not isinstance(found, dict):
        raise ValueError(f"not an object: {short(text)}")
    return found


def long_integer(line: str) -> str:
    """The first whole number beyond 64 bits in a line of JSON, '' where there is none."""
    found = (match[0] for match in _LONG_INTEGER.finditer(_STRING.sub('""', line)))
    return next((digits for digits in found if not _SMALLEST <= int(digits[:30]) < _BEYOND), "")


def has_vast(value: Any) -> bool:
    """Whether a double is in there that may have been a whole number beyond 64 bits before it was read."""
    if isinstance(value, float):
        return abs(value) >= -_SMALLEST
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(map(has_vast, inner))


def too_large(number: str) -> str:
    """What to say of a whole number beyond 64 bits."""
    return f"the whole number {short(number)} is beyond 64 bits; write it as text in quotes, here and in the schema"


def _written(value: Any) -> str:
    return orjson.dumps(value).decode()


def _arguments(name: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, str):
        try:
            return arguments_object(value)
        except ValueError as error:
            raise ValueError(f"the arguments of {name!r} are {error}; write the object itself") from None
    if not isinstance(value, Mapping):
        raise ValueError(f"the arguments of {name!r} are {short(value)}; write an object of names and values")
    return value


def _accepted(name: str, value: Any) -> Mapping[str, list[Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(values, list | tuple) for values in value.values()):
        raise ValueError(f"accepted of {name!r} is {short(value)}; write {{argument: [further right values]}}")
    return {argument: list(values) for argument, values in value.items()}


def _optional(name: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(argument, str) for argument in value):
        raise ValueError(f"optional of {name!r} is {short(value)}; write a list of the names of arguments")
    return list(value)


def _check_parameters(name: str, parameters: Any) -> None:
    if parameters is None:
        return
    if not isinstance(parameters, Mapping):
        raise ValueError(f"parameters of {name!r} are {short(parameters)}; write a JSON schema (an object, not text)")
    _check_values(parameters)
    if _is_plain(parameters):
        return
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        validator_for(parameters, default=Draft202012Validator).check_schema(dict(parameters))
    except SchemaError as error:
        raise ValueError(
            f"parameters of {name!r} are no JSON schema: {error.json_path}: {error.message[:160]}"
        ) from None


def _is_plain(schema: Any) -> bool:
    """Whether a schema is right at a glance: checking it against the whole standard takes milliseconds."""
    if not isinstance(schema, Mapping):
        return False
    inner: list[Any] = []
    for key, value in schema.items():
        if key == "type":
            fine = isinstance(value, str) and value in _TYPES
        elif key == "properties":
            fine = isinstance(value, Mapping)
            inner += value.values() if fine else ()
        elif key == "required":
            fine = isinstance(value, list) and all(isinstance(name, str) for name in value)
        elif key == "items":
            fine = True
            inner.append(value)
        elif key == "enum":
            fine = isinstance(value, list)
        else:
            fine = key == "default" or (key in ("description", "title", "format") and isinstance(value, str))
        if not fine:
            return False
    return all(map(_is_plain, inner))


def _check_values(value: Any) -> None:
    """Raises ValueError for what cannot be kept: a whole number beyond 64 bits, half of a surrogate pair."""
    try:
        orjson.dumps(value)
    except TypeError as error:
        if (number := _beyond(value)) is not None:
            raise ValueError(too_large(str(number))) from None
        raise ValueError(f"{short(value)} cannot be kept as JSON: {error}") from None


def _beyond(value: Any) -> int | None:
    if isinstance(value, int):
        return None if _SMALLEST <= value < _BEYOND else value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return next((found for one in inner if (found := _beyond(one)) is not None), None)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
