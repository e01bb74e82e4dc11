"""Measures of function calls: the right functions, the right arguments, arguments that follow their schema, faults."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..data_rows import short
from ..errors import InputError
from ..records import Said, Sample
from ..tool_calls import functions_of, read_call
from .text import quoted
from .tools_faults import KINDS, Fault, Made, faults, made, said_of
from .tools_match import Matching, Right
from .tools_schema import schema_errors
from .tools_text import calls_in_text

COUNT, PARSE = "count", "parse"
"""What is done with calls in plain text: counted as such, or also taken for calls that were made."""
_NAMES = Matching()
_NOT_SAID = "the sample does not say which calls are right"
_NO_VERSION = ""


@dataclass(frozen=True, slots=True)
class FunctionNameAccuracy:
    """1 where the functions called are those of the right calls, each as often, in any order, else 0 and why.

    Where no call is right, 1 for an answer without any. With ``text='parse'``, calls that an answer without others
    writes into its text are taken for calls. No value where the sample does not say which calls are right.
    """

    text: str = COUNT

    def __post_init__(self) -> None:
        _one_of("text", self.text, (COUNT, PARSE))

    def __str__(self) -> str:
        return f"function_name_accuracy({_listed(text=(self.text, COUNT))})".removesuffix("()")

    @property
    def version(self) -> str:
        """'': the options are in the name."""
        return _NO_VERSION

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class."""
        rights = rights_of(sample)
        if rights is None:
            return None, _NOT_SAID
        calls, written = _calls(sample, answer, self.text == PARSE)
        if Counter(call.name for call in calls) == Counter(right.name for right in rights):
            return 1.0, said_of(written)
        bare = [Right(right.name, {}) for right in rights]
        nameless = [Made(call.name, {}) for call in calls]
        return 0.0, said_of([*written, *faults(nameless, bare, functions_of(sample.tools), _NAMES)])


@dataclass(frozen=True, slots=True)
class FunctionNameAndArgsAccuracy:
    """1 where the calls made are the right calls, names and arguments, in any order, else 0 and why.

    Values are equal as `Matching.same` says: numbers within ``tol`` (relative) or ``abs``, texts with ``case='ignore'``
    in any case and spacing; ``ignore='a, b'`` names arguments that are not looked at; ``text`` as for
    `FunctionNameAccuracy`. Raises ValueError for options that cannot be.
    """

    tol: float = 0.0
    abs: float = 0.0
    case: str = "exact"
    ignore: str = ""
    text: str = COUNT

    def __post_init__(self) -> None:
        for name, value in (("tol", self.tol), ("abs", self.abs)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}={value!r} is not a finite number of 0 or more")
        _one_of("case", self.case, ("exact", "ignore"))
        _one_of("text", self.text, (COUNT, PARSE))
        object.__setattr__(self, "ignore", ", ".join(self._ignored()))

    def __str__(self) -> str:
        options = _listed(
            tol=(self.tol, 0.0),
            abs=(self.abs, 0.0),
            case=(self.case, "exact"),
            ignore=(self.ignore, ""),
            text=(self.text, COUNT),
        )
        return f"function_name_and_args_accuracy({options})".removesuffix("()")

    @property
    def version(self) -> str:
        """'': the options are in the name."""
        return _NO_VERSION

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class."""
        found = self.faults(sample, answer)
        if found is None:
            return None, _NOT_SAID
        return float(all(fault.kind == KINDS[0] for fault in found)), said_of(found)

    def faults(self, sample: Sample, answer: Said) -> list[Fault] | None:
        """All that is wrong with the answer's calls, and calls in its text; ``None`` where no right calls are known."""
        rights = rights_of(sample)
        if rights is None:
            return None
        calls, written = _calls(sample, answer, self.text == PARSE)
        how = Matching(self.tol, self.abs, self.case == "ignore", frozenset(self._ignored()))
        return [*written, *faults(calls, rights, functions_of(sample.tools), how)]

    def _ignored(self) -> list[str]:
        return sorted({name.strip() for name in self.ignore.split(",") if name.strip()})


@dataclass(frozen=True, slots=True)
class ToolSchemaValidity:
    """1 where every call made is of a function that was offered, with arguments that follow its JSON schema, else 0.

    No value for an answer that calls nothing, a sample that offers nothing, or a schema that cannot be applied. No
    reference of a schema is fetched.
    """

    def __str__(self) -> str:
        return "tool_schema_validity"

    @property
    def version(self) -> str:
        """'': ours."""
        return _NO_VERSION

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class; needs no right calls."""
        offered = functions_of(sample.tools)
        if not offered:
            return None, "the sample offers no functions"
        if not answer.tool_calls:
            return None, "the answer calls nothing"
        try:
            found = [fault for call in answer.tool_calls for fault in _validity(made(call), offered)]
        except ValueError as error:
            return None, str(error)
        return float(not found), said_of(found)


@dataclass(frozen=True, slots=True)
class ToolCallErrors:
    """How many faults of this ``kind`` (one of `KINDS`) an answer has; fewer are better.

    Values are compared exactly, and calls in plain text are counted and not read.
    """

    kind: str

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)

    def __str__(self) -> str:
        return f"tool_call_errors({quoted(self.kind)})"

    @property
    def version(self) -> str:
        """'': ours."""
        return _NO_VERSION

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class; no value where the sample does not say which calls are right."""
        found = FunctionNameAndArgsAccuracy().faults(sample, answer)
        if found is None:
            return None, _NOT_SAID
        own = [fault for fault in found if fault.kind == self.kind]
        return float(len(own)), said_of(own)


def rights_of(sample: Sample) -> list[Right] | None:
    """The right calls; ``None`` where the sample does not say. Raises InputError for what is no call."""
    if sample.tool_calls is None:
        return None
    try:
        return [Right.of(read_call(call)) for call in sample.tool_calls]
    except ValueError as error:
        raise InputError(f"sample {sample.id!r} tool_calls: {error}") from None


def _calls(sample: Sample, answer: Said, parses: bool) -> tuple[list[Made], list[Fault]]:
    """The calls made, and a fault where there are none but some in the text, which are made too where it ``parses``."""
    if answer.tool_calls:
        return [made(call) for call in answer.tool_calls], []
    written = calls_in_text(answer.text, functions_of(sample.tools))
    found = [Fault(KINDS[0], short(call.name)) for call in written]
    return ([made(call) for call in written] if parses else []), found


def _validity(call: Made, offered: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    if call.name not in offered:
        yield Fault("hallucinated function", short(call.name))
    elif call.arguments is None:
        yield Fault("not JSON", f"the arguments of {short(call.name)} are {call.error}")
    else:
        for why in schema_errors(call.arguments, offered[call.name]):
            yield Fault("schema invalid", f"{short(call.name)} {why}")


def _one_of(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{option}={value!r} is none of {', '.join(map(repr, known))}")


def _listed(**options: tuple[str | float, str | float]) -> str:
    """Options that are not as they would be anyway, as they are written in a name."""
    given = ((name, value) for name, (value, usual) in options.items() if value != usual)
    return ", ".join(f"{name}={quoted(value) if isinstance(value, str) else repr(value)}" for name, value in given)
