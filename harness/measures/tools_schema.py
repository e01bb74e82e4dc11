"""Whether the arguments of a call follow the JSON schema of its function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from ..data_rows import short
from .tools_match import is_number

_LONGEST = 160
_PLAIN = frozenset({str, int, bool, type(None)})
_SIMPLE = frozenset({"type", "properties", "required", "items", "enum", "description", "title", "default", "format"})


def schema_errors(arguments: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """In which ways ``arguments`` break ``schema``: where, and what was wanted.

    Raises ValueError for a schema that cannot be applied: it refers to what is not there, or to a pattern of another
    dialect.
    """
    if surely_follows(arguments, schema):
        return
    from referencing.exceptions import Unresolvable

    validator = _validator(orjson.dumps(schema))
    try:
        for error in validator.iter_errors(arguments):
            yield f"{error.json_path}: {error.message[:_LONGEST]}"
    except (Unresolvable, re.error, ArithmeticError, RecursionError) as error:
        raise ValueError(f"the schema cannot be applied: {short(str(error))}") from None


def surely_follows(value: Any, schema: Any) -> bool:
    """Whether ``value`` follows a schema of the simple keywords that most functions have; False where that is not sure.

    The whole standard takes 100 times as long.
    """
    if not isinstance(schema, Mapping) or not schema.keys() <= _SIMPLE:
        return False
    if "type" in schema and not _is_a(schema["type"], value):
        return False
    if "enum" in schema and not (type(value) in _PLAIN and any(_alike(value, choice) for choice in schema["enum"])):
        return False
    if isinstance(value, Mapping):
        inner = schema.get("properties") or {}
        complete = all(name in value for name in schema.get("required") or ())
        return complete and all(surely_follows(value[name], inner[name]) for name in inner if name in value)
    return not isinstance(value, list) or all(surely_follows(one, schema.get("items", {})) for one in value)


def _alike(value: Any, choice: Any) -> bool:
    return type(value) is type(choice) and bool(value == choice)


def _is_a(kind: Any, value: Any) -> bool:
    if kind == "number":
        return is_number(value)
    if kind == "integer":
        return is_number(value) and value == value // 1
    wanted = {"string": str, "boolean": bool, "array": list, "object": Mapping, "null": type(None)}
    return isinstance(kind, str) and kind in wanted and isinstance(value, wanted[kind])


@lru_cache(4096)
def _validator(schema: bytes) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    parsed = orjson.loads(schema)
    return validator_for(parsed, default=Draft202012Validator)(parsed, registry=Registry())
