"""What is wrong with the calls of an answer: each fault with its kind, as the report counts them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..data_rows import short
from ..records import ToolCall
from ..tool_calls import arguments_object
from .tools_match import Matching, Right, assigned, is_number
from .tools_schema import schema_errors

KINDS = (
    "call in text",  # a call written as words; made only where the measure is told to read them
    "not JSON",  # the arguments are no JSON object: broken, encoded twice, a list
    "hallucinated function",  # a call of what nobody offered
    "wrong function",  # one that was offered, in the place of a right one
    "missing call",
    "extra call",
    "hallucinated argument",  # one that the function does not have
    "missing argument",
    "extra argument",  # one that the function has and a right call leaves out
    "wrong type",
    "wrong value",
    "schema invalid",  # the arguments break the function's schema, besides what is said above
)
"""Kinds of faults, the weightiest first."""
_MOST_CALLS = 100
_LONGEST_WHY = 300
_COUNTED = re.compile(r"(.+?)(?: ×(\d+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``detail`` says where, with values as Python prints them."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A call as the model made it; ``arguments`` are ``None`` where they are no JSON object, and ``error`` says why."""

    name: str
    arguments: Mapping[str, Any] | None
    error: str = ""


def made(call: ToolCall) -> Made:
    """The call with its arguments read."""
    try:
        return Made(call.name, arguments_object(call.arguments))
    except ValueError as error:
        return Made(call.name, None, str(error))


def faults(
    calls: Sequence[Made], rights: Sequence[Right], offered: Mapping[str, Mapping[str, Any]], how: Matching
) -> list[Fault]:
    """Everything that is wrong with ``calls``; none where each right call was made once, in any order, and no other.

    Calls are paired with right ones so that most are right, then by name, the fewest faults first, then as they come.
    ``offered`` maps functions to their schemas; where it is empty, nobody knows what is hallucinated.
    """
    looked_at = calls[:_MOST_CALLS]
    open_calls, open_rights = _unpaired(looked_at, rights, how)
    found: list[Fault] = []
    for right in list(open_rights):
        same = [call for call in open_calls if call.name == right.name]
        if same:
            scored = [(list(_argument_faults(call, right, offered, how)), call) for call in same]
            wrong, call = min(scored, key=lambda pair: len(pair[0]))
            found += [*wrong, *_schema_faults(call, offered)]
            open_calls.remove(call)
            open_rights.remove(right)
    found += _function_faults([*open_calls, *calls[_MOST_CALLS:]], open_rights, offered)
    return found


def said_of(found: Sequence[Fault]) -> str:
    """Faults in a line that `kinds_in` reads back: ``missing argument ×2: weather.city``; '' for none."""
    if not found:
        return ""
    counts = Counter(fault.kind for fault in found)
    kinds = [kind for kind in KINDS if counts[kind]]
    head = ", ".join(kind if counts[kind] == 1 else f"{kind} ×{counts[kind]}" for kind in kinds)
    detail = next(fault.detail for fault in found if fault.kind == kinds[0])
    whole = f"{head}: {detail}".encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be kept
    return whole[:_LONGEST_WHY]


def kinds_in(why: str) -> dict[str, int]:
    """How many faults of each kind `said_of` told of; empty for any other text."""
    counts: dict[str, int] = {}
    for part in why.partition(":")[0].split(", "):
        match = _COUNTED.fullmatch(part)
        if match is None or match[1] not in KINDS:
            return {}
        counts[match[1]] = int(match[2] or 1)
    return counts


def kinds_of(why: str) -> str:
    """The head of what `said_of` told, which quotes nothing; '' for any other text."""
    return why.partition(":")[0] if kinds_in(why) else ""


def _unpaired(calls: Sequence[Made], rights: Sequence[Right], how: Matching) -> tuple[list[Made], list[Right]]:
    """What is left of calls and right calls once as many as can be are paired without a fault."""
    fits = [[i for i, call in enumerate(calls) if _is_right(call, right, how)] for right in rights]
    pairs = assigned(fits)
    paired = set(pairs.values())
    left = [call for i, call in enumerate(calls) if i not in paired]
    return left, [right for i, right in enumerate(rights) if i not in pairs]


def _is_right(call: Made, right: Right, how: Matching) -> bool:
    return call.name == right.name and call.arguments is not None and right.takes(call.arguments, how)


def _argument_faults(
    call: Made, right: Right, offered: Mapping[str, Mapping[str, Any]], how: Matching
) -> Iterator[Fault]:
    if call.arguments is None:
        yield Fault("not JSON", f"the arguments of {short(call.name)} are {call.error}")
        return
    for name, values in right.values.items():
        if name in how.ignored:
            continue
        where = f"{short(call.name)}, {short(name)}"
        if name not in call.arguments:
            if name not in right.optional:
                yield Fault("missing argument", where)
        elif not right.accepts(name, said := call.arguments[name], how):
            kind = "wrong value" if _type(said) in map(_type, values) else "wrong type"
            yield Fault(kind, f"{where} is {short(said)}, right is {' or '.join(map(short, values[:3]))}")
    known = offered.get(call.name)
    for name in call.arguments:
        if name not in right.values and name not in how.ignored:
            yield Fault(
                "extra argument" if known is None or _has(known, name) else "hallucinated argument",
                f"{short(call.name)}, {short(name)}",
            )


def _schema_faults(call: Made, offered: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    schema = offered.get(call.name)
    if schema and call.arguments is not None:
        with suppress(ValueError):
            yield from (
                Fault("schema invalid", f"{short(call.name)} {why}")
                for why in islice(schema_errors(call.arguments, schema), 1)
            )


def _function_faults(
    calls: Sequence[Made], rights: Sequence[Right], offered: Mapping[str, Mapping[str, Any]]
) -> Iterator[Fault]:
    """Calls and right calls of different names: one in the place of the other, then what is too many or too few."""
    for position, call in enumerate(calls):
        unknown = bool(offered) and call.name not in offered
        if position < len(rights):
            kind = "hallucinated function" if unknown else "wrong function"
            yield Fault(kind, f"{short(call.name)} instead of {short(rights[position].name)}")
        else:
            yield Fault("hallucinated function" if unknown else "extra call", short(call.name))
    for right in rights[len(calls) :]:
        yield Fault("missing call", short(right.name))


def _has(schema: Mapping[str, Any], name: str) -> bool:
    """Whether a function has this argument, or may take any."""
    properties = schema.get("properties")
    return not isinstance(properties, Mapping) or name in properties or bool(schema.get("additionalProperties"))


def _type(value: Any) -> str:
    return "number" if is_number(value) else type(value).__name__
