"""Replies as the pydantic models that ragas asks for: the schema to send, the careful reading, and the words kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..harness.records import Reply
from ..harness.structured import Unreadable, cut_short

Model = TypeVar("Model", bound=BaseModel)
_MOST_OPENINGS = 200
"""Opening braces tried in one reply; bounds the time that a hostile one takes."""


@cache
def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Its JSON schema in the subset that every structured-output API takes: no references, nothing optional.

    All whole numbers in the metrics used here are flags, whatever their type says: 0 and 1 are on offer.
    """
    whole = model.model_json_schema()
    strict: dict[str, Any] = _strict(whole, whole.get("$defs", {}))
    return strict


def _strict(part: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return _strict(named[part["$ref"].rpartition("/")[2]], named)
    kept = {name: part[name] for name in ("type", "description") if name in part}
    if part.get("type") == "object":
        members = {name: _strict(member, named) for name, member in part.get("properties", {}).items()}
        return {**kept, "properties": members, "required": list(members), "additionalProperties": False}
    if part.get("type") == "array":
        return {**kept, "items": _strict(part["items"], named)}
    return {**kept, "enum": [0, 1]} if part.get("type") == "integer" else kept


def read_as(model: type[Model], reply: Reply, asked: int | None) -> Model | Unreadable:
    """What ``reply`` says as ``model``, or why nothing. ``asked`` is how many statements it was to decide on.

    Stricter than ragas: a flag is 0 or 1, every statement has a verdict and no other has one, no question is empty.
    """
    if (cut := cut_short(reply)) is not None:
        return cut
    given = _object_in(reply.text)
    if given is None:
        return Unreadable("unparsable", "the reply neither is a JSON object nor ends with one")
    try:
        found = model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        return Unreadable("unparsable", f"the reply does not fit its schema: {at}: {first['msg']}")
    wrong = _wrong(found, asked)
    return Unreadable("unparsable", wrong) if wrong else found


def listed(replies: Sequence[BaseModel]) -> int | None:
    """How many statements the last reply lists for the next one to decide on; ``None`` where it lists none."""
    for value in vars(replies[-1]).values() if replies else ():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return len(value)
    return None


def reasoning(replies: Iterable[BaseModel]) -> str:
    """The flags of all replies with their texts, one a line."""
    lines = []
    for item in (item for reply in replies for item in _decided(reply)):
        texts = " — ".join(value for value in vars(item).values() if isinstance(value, str) and value)
        flags = ", ".join(f"{name} {value}" for name, value in vars(item).items() if isinstance(value, int))
        lines.append(f"{flags}: {texts}")
    return "\n".join(lines)


def _wrong(found: BaseModel, asked: int | None) -> str:
    items = list(_decided(found))
    for item in items:
        for name, value in vars(item).items():
            if isinstance(value, int) and value not in (0, 1):
                return f"{name} is {value}, and 0 and 1 are on offer"
    if asked is not None and len(items) != asked:
        return f"{len(items)} verdicts on {asked} statements"
    if isinstance(question := getattr(found, "question", None), str) and not question.strip():
        return "the question is empty"
    return ""


def _decided(reply: BaseModel) -> Iterator[BaseModel]:
    """The parts of a reply that hold flags."""
    values = list(vars(reply).values())
    if any(isinstance(value, int) for value in values):
        yield reply
    for value in values:
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, BaseModel))


def _object_in(text: str) -> Any:
    """The JSON object that ``text`` is, or that it ends with: one inside a sentence may be quoted from an answer."""
    text = text.strip().removesuffix("```").rstrip()
    at = text.find("{")
    for _ in range(_MOST_OPENINGS):
        if at < 0:
            return None
        try:
            value, end = _JSON.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if not text[end:].strip():
                return value
        at = text.find("{", end)
    return None


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


_JSON = json.JSONDecoder(object_pairs_hook=_no_name_twice)
