"""Whether a call is a right one: values compared as JSON has them, calls assigned to right calls in any order."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Matching:
    """What two values may differ in and still be equal: numbers by ``tol`` (relative) or ``abs``, texts in case.

    Arguments in ``ignored`` are not looked at.
    """

    tol: float = 0.0
    abs: float = 0.0
    ignores_case: bool = False
    ignored: frozenset[str] = frozenset()

    def same(self, said: Any, wanted: Any) -> bool:
        """JSON equality: 1 is 1.0 but neither ``true`` nor "1"; keys in any order; texts in Unicode's form NFC."""
        if isinstance(said, str) and isinstance(wanted, str):
            return said == wanted or self._text(said) == self._text(wanted)
        if is_number(said) and is_number(wanted):
            return self._close(said, wanted)
        if isinstance(wanted, Mapping):
            alike = isinstance(said, Mapping) and said.keys() == wanted.keys()
            return alike and all(self.same(said[name], value) for name, value in wanted.items())
        if isinstance(wanted, list | tuple):
            alike = isinstance(said, list | tuple) and len(said) == len(wanted)
            return alike and all(map(self.same, said, wanted))
        return type(said) is type(wanted) and bool(said == wanted)

    def _text(self, text: str) -> str:
        normal = unicodedata.normalize("NFC", text)
        return " ".join(normal.casefold().split()) if self.ignores_case else normal

    def _close(self, said: float, wanted: float) -> bool:
        if said == wanted:
            return True
        try:
            x, y = float(said), float(wanted)
        except OverflowError:
            return False
        whole = isinstance(said, int) and isinstance(wanted, int)
        if x == y and not whole:  # a double stands for all whole numbers near it
            return True
        allowed = max(self.tol * abs(y), self.abs)
        return allowed > 0 and abs(x - y) <= allowed


@dataclass(frozen=True, slots=True)
class Right:
    """A right call: per argument the values that are right (none: any is), and which may be left out."""

    name: str
    values: Mapping[str, Sequence[Any]]
    optional: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, call: Mapping[str, Any]) -> Right:
        """From the form of `tool_calls.read_call`."""
        arguments, accepted = call.get("arguments") or {}, call.get("accepted") or {}
        optional = frozenset(call.get("optional") or ())
        values = {name: [value, *accepted.get(name, ())] for name, value in arguments.items()}
        values |= {name: list(more) for name, more in accepted.items() if name not in values}
        return cls(call["name"], {**dict.fromkeys(optional, ()), **values}, optional)

    def takes(self, arguments: Mapping[str, Any], how: Matching) -> bool:
        """Whether these are right arguments."""
        for name in arguments:
            if name not in self.values and name not in how.ignored:
                return False
        return all(
            self.accepts(name, arguments[name], how) if name in arguments else name in self.optional
            for name in self.values
            if name not in how.ignored
        )

    def accepts(self, name: str, said: Any, how: Matching) -> bool:
        """Whether ``said`` is a right value of the argument."""
        values = self.values[name]
        return not values or any(how.same(said, wanted) for wanted in values)


def is_number(value: Any) -> bool:
    """Whether it is a number as JSON has them: ``true`` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def assigned(fits: Sequence[Sequence[int]]) -> dict[int, int]:
    """A largest assignment of rights to calls, each to one: right -> call. ``fits[i]``: the calls that right i takes.

    By augmenting paths (Kuhn 1955): with alternatives and tolerances, taking the first that fits may leave another
    right call without one.
    """
    taken: dict[int, int] = {}
    for right in range(len(fits)):
        _augment(right, fits, taken, set())
    return {right: call for call, right in taken.items()}


def _augment(right: int, fits: Sequence[Sequence[int]], taken: dict[int, int], tried: set[int]) -> bool:
    for call in fits[right]:
        if call not in tried:
            tried.add(call)
            if call not in taken or _augment(taken[call], fits, taken, tried):
                taken[call] = right
                return True
    return False
