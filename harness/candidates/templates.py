"""Users' Jinja templates: sandboxed, strict about unknown names, compiled once, rendered from what a candidate may see.

A candidate sees `question`, `context` (passages joined by blank lines), `contexts`, `messages` (the history so far),
`turn` (1-based) and `item` (every further column, and `id`). Never the reference or other labels: it would copy them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..errors import InputError
from ..records import Message, Sample
from ..text import plain

NAMES = frozenset({"question", "context", "contexts", "messages", "turn", "item"})
_LABELS = frozenset({"reference", "relevant", "expected", "answer", "tool_calls", "safety"})
_ONE_EXPRESSION = re.compile(r"\s*\{\{-?(.*?)-?\}\}\s*", re.DOTALL)

Variables = Mapping[str, Any]
Render = Callable[[Variables], Any]


class Item:
    """A sample's further columns for a template: `item.column` or `item["odd name"]`."""

    __slots__ = ("_columns", "_id")

    def __init__(self, sample: Sample) -> None:
        self._columns = sample.metadata
        self._id = sample.id

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, name: str) -> Any:
        return self._id if name == "id" else self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("id", *self._columns))


def variables(sample: Sample, question: str, messages: tuple[Message, ...] = (), turn: int = 1) -> dict[str, Any]:
    """What a template may use of ``sample`` when ``question`` (its question, or one of its turns) is asked."""
    return {
        "question": question,
        "context": "\n\n".join(sample.context),
        "contexts": sample.context,
        "messages": messages,
        "turn": turn,
        "item": Item(sample),
    }


def last_question(sample: Sample) -> str:
    """The text that is asked: the question, else the last user message of the history."""
    if sample.question:
        return plain(sample.question)
    for message in reversed(sample.messages):
        if message.get("role") == "user":
            return plain(message.get("content") or "")
    return ""


def compile_text(source: str, where: str) -> Callable[[Variables], str]:
    """Compile a template that renders text. ``where`` names it in errors. Raises InputError, also when rendering."""
    _check_names(source, where)
    render = sandbox().from_string(source).render
    return _guarded(render, where)


def compile_file(path: Path) -> Callable[[Variables], str]:
    """`compile_text` of a UTF-8 file; InputError where it cannot be read."""
    return compile_text(read_text(path), str(path))


def compile_json(template: Any, where: str) -> Render:
    """Compile nested JSON whose strings are templates; one that is exactly one ``{{ expression }}`` keeps its type."""
    if isinstance(template, Mapping):
        members = {str(key): compile_json(value, f"{where}.{key}") for key, value in template.items()}
        return lambda values: {key: render(values) for key, render in members.items()}
    if isinstance(template, list | tuple):
        parts = [compile_json(value, f"{where}[{index}]") for index, value in enumerate(template)]
        return lambda values: [render(values) for render in parts]
    if not isinstance(template, str) or "{" not in template:
        return lambda values: template
    return _expression(template, where) or compile_text(template, where)


def read_text(path: Path) -> str:
    """A UTF-8 file's text, without one line break at its end. Raises InputError."""
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; paths are relative to the exam file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


@cache
def sandbox() -> ImmutableSandboxedEnvironment:
    """The environment of all templates of candidates."""
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)  # plain text for a model, not HTML
    environment.filters["tojson"] = _tojson
    return environment


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON as a model reads it: Jinja's own filter would write `<` as `\\u003c`, for HTML."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain_json)


def _plain_json(value: Any) -> Any:
    if isinstance(value, Item):
        return {name: value[name] for name in value}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Undefined):
        str(value)  # raises, naming what is missing
    return str(value)


def _check_names(source: str, where: str) -> None:
    try:
        tree = sandbox().parse(source)
        unknown = meta.find_undeclared_variables(tree) - NAMES
    except TemplateSyntaxError as error:
        raise InputError(f"{where}:{error.lineno}: is not a Jinja template: {error.message}") from None
    for name in sorted(unknown):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        why = "a candidate may not see it (it would copy it)" if name in _LABELS else f"write item.{name} for a column"
        raise InputError(f"{where}:{line}: unknown variable {name!r}: {why}; there are {', '.join(sorted(NAMES))}")


def _expression(template: str, where: str) -> Render | None:
    """The render function of a string that is one expression, else ``None``."""
    match = _ONE_EXPRESSION.fullmatch(template)
    if match is None:
        return None
    try:
        compiled = sandbox().compile_expression(match[1].strip(), undefined_to_none=False)
    except TemplateSyntaxError:
        return None  # e.g. "{{ a }} and {{ b }}"
    _check_names(template, where)

    def evaluate(values: Variables) -> Any:
        value = compiled(values)
        if isinstance(value, Undefined):
            str(value)  # StrictUndefined raises here, naming what is missing
        return _plain_json(value) if isinstance(value, Item) else value

    return _guarded(evaluate, where)


def _guarded(render: Callable[[Variables], Any], where: str) -> Callable[[Variables], Any]:
    def guarded(values: Variables) -> Any:
        try:
            return render(values)
        except Exception as error:
            # A template is the operator's program: whatever it raises is theirs to mend, and names the sample.
            raise InputError(f"{where}: sample {values['item'].id!r}: {type(error).__name__}: {error}") from error

    return guarded
