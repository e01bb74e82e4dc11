"""Names of measures: ``token_f1``, ``numeric(tol=0.01)``, ``regex('…')``, ``python:my.module:name``, ``nDCG@10``.

Text in a name is raw, so that a pattern is written once as it is: between single or double quotes, in which a doubled
quote stands for one. Numbers are written as in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .base import Measure
from .choice import MultipleChoice
from .number import Numeric
from .retrieval import is_retrieval, parse_retrieval
from .structure import JsonSchema, JsonValid
from .text import Contains, ExactMatch, Refusal, Regex, TokenF1
from .tools import FunctionNameAccuracy, FunctionNameAndArgsAccuracy, ToolCallErrors, ToolSchemaValidity
from .user import PREFIX, user_measure

Value = str | float
_CALL = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<arguments>.*)\))?", re.DOTALL)
_ARGUMENT = re.compile(
    r"\s*(?:(?P<key>[A-Za-z_]\w*)\s*=\s*)?"
    r"(?:'(?P<single>(?:[^']|'')*)'|\"(?P<double>(?:[^\"]|\"\")*)\"|(?P<number>[-+]?[\w.]+(?:[-+]\d+)?))\s*(?:,|$)"
)


@dataclass(frozen=True, slots=True)
class _Form:
    """How one measure is made: its parameters in order, each text or number, and the number that it needs."""

    make: Callable[..., Measure]
    parameters: Mapping[str, type[str] | type[float]]
    needed: int = 0

    @property
    def usage(self) -> str:
        shown = (f"{name}='…'" if kind is str else f"{name}=0.01" for name, kind in self.parameters.items())
        return ", ".join(shown)


_FORMS: dict[str, _Form] = {
    "exact_match": _Form(ExactMatch, {}),
    "contains": _Form(Contains, {}),
    "token_f1": _Form(TokenF1, {}),
    "multiple_choice": _Form(MultipleChoice, {}),
    "numeric": _Form(Numeric, {"tol": float, "abs": float}),
    "regex": _Form(Regex, {"pattern": str}, needed=1),
    "json_valid": _Form(JsonValid, {}),
    "json_schema": _Form(JsonSchema, {"file": str}, needed=1),
    "refusal": _Form(Refusal, {}),
    "function_name_accuracy": _Form(FunctionNameAccuracy, {"text": str}),
    "function_name_and_args_accuracy": _Form(
        FunctionNameAndArgsAccuracy, {"tol": float, "abs": float, "case": str, "ignore": str, "text": str}
    ),
    "tool_schema_validity": _Form(ToolSchemaValidity, {}),
    "tool_call_errors": _Form(ToolCallErrors, {"kind": str}, needed=1),
}


def parse(name: str, base: Path | None = None) -> Measure:
    """The measure of this name; ``str(parse(name))`` is its canonical spelling, which parses to an equal measure.

    ``base`` (default: the current folder) is where files and modules are looked for. Raises InputError for an unknown
    measure, listing those that exist, and for arguments that cannot be used.

    >>> str(parse("numeric( tol = 1e-2 )"))
    'numeric(tol=0.01)'
    """
    if name.startswith(PREFIX):
        return user_measure(name, base)
    match = _CALL.fullmatch(name.strip())
    form = _FORMS.get(match["name"]) if match else None
    if match is None or form is None:
        if is_retrieval(name):
            return parse_retrieval(name)
        raise InputError(
            f"there is no measure {name!r}; there are {', '.join(_FORMS)}, python:my.module:name, and of what a "
            "retriever returned P@5, nDCG@10 and others"
        )
    arguments = _arguments(name, form, match["arguments"] or "")
    try:
        if form.make is JsonSchema:
            return JsonSchema(str(arguments["file"]), base)
        return form.make(**arguments)
    except ValueError as error:
        raise InputError(f"measure {name!r}: {error}") from None


def _arguments(name: str, form: _Form, text: str) -> dict[str, Value]:
    """Positional and named arguments by parameter. Raises InputError."""
    wanted = f"it is written {name.split('(', maxsplit=1)[0].strip()}" + (f"({form.usage})" if form.usage else "")
    found: dict[str, Value] = {}
    start = 0
    while start < len(text) and text[start:].strip():
        match = _ARGUMENT.match(text, start)
        if match is None:
            raise InputError(f"measure {name!r}: cannot read {text[start:].strip()!r}; {wanted}; text stands in quotes")
        free = [parameter for parameter in form.parameters if parameter not in found]
        key = match["key"] or (free[0] if free else "")
        if key not in form.parameters or key in found:
            raise InputError(f"measure {name!r}: {key or match[0].strip()!r} is one argument too many; {wanted}")
        found[key] = _value(match, form.parameters[key], name, wanted)
        start = match.end()
    if len(found) < form.needed:
        raise InputError(f"measure {name!r}: an argument is missing; {wanted}")
    return found


def _value(match: re.Match[str], kind: type[str] | type[float], name: str, wanted: str) -> Value:
    written: str | None = match["number"]
    if kind is str and written is None:
        return _unquoted(match)
    if kind is float and written is not None:
        with suppress(ValueError):
            return float(written)
    what = "a number" if kind is float else "text in quotes"
    raise InputError(f"measure {name!r}: {match[0].strip(' ,')} is not {what}; {wanted}")


def _unquoted(match: re.Match[str]) -> str:
    single, double = match["single"], match["double"]
    return str(double).replace('""', '"') if single is None else str(single).replace("''", "'")
