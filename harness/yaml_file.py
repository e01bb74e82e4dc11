"""YAML with line numbers: every mistake in a file that a user writes is named by file, line, field and remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

from .errors import ExamError, Problem

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the root: ``("candidates", 0, "model")``."""
Model = TypeVar("Model", bound=BaseModel)

_MOST_NODES = 200_000
_LONGEST_VALUE = 80
_SECRET = re.compile(r"(^|_)(key|token|secret|password)(_|$)|headers|authorization", re.IGNORECASE)
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed file. ``lines`` holds the 1-based line of every path; ``raw`` the text of scalars that are not strings.

    ``shown`` is how errors name the file. Data without a file (from Python) has no lines.
    """

    path: Path
    data: Any
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    raw: Mapping[KeyPath, str] = field(default_factory=dict)
    shown: str = ""

    def line(self, path: KeyPath) -> int:
        """Line of ``path``, or of the nearest thing around it that is there; 0 for data without a file."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 0)

    def where(self, path: KeyPath) -> str:
        """``file:line`` of ``path``."""
        shown, line = self.shown or str(self.path), self.line(path)
        return f"{shown}:{line}" if line else shown

    def problem(self, path: KeyPath, what: str) -> Problem:
        """A mistake at ``path``; ``what`` says what is wrong, with which value, and the remedy."""
        return Problem(self.where(path), dotted(path), what)


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it.

    >>> dotted(("candidates", 0, "model"))
    'candidates[0].model'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def load_yaml(path: str | Path) -> YamlFile:
    """Read one YAML document. Raises `ExamError` where the file is missing, empty, or not plain YAML.

    Scalars follow YAML 1.2's core schema: ``no``, ``on``, dates and ``012`` are text; keys always are. Anchors and
    merge keys (``<<``) work; duplicate keys and tags like ``!!python/…`` are mistakes.
    """
    path = Path(path)
    text = _text_of(path)
    loader = _loader()(text)
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise ExamError([_syntax_problem(path, error)]) from None
    except yaml.YAMLError as error:
        raise ExamError([Problem(str(path), "", f"is not YAML: {' '.join(str(error).split())}")]) from None
    finally:
        loader.dispose()
    if root is None:
        raise ExamError([Problem(f"{path}:1", "", "is empty; `markscheme init` writes an exam to start from")])
    builder = _Builder(path)
    data = builder.build(root, ())
    if builder.problems:
        raise ExamError(builder.problems)
    return YamlFile(path, data, builder.lines, builder.raw)


def validate(file: YamlFile, model: type[Model], context: Mapping[str, Any] | None = None) -> Model:
    """``file.data`` as ``model``. Raises `ExamError` with every mistake, one problem each, in the order of the file.

    Validators get ``context`` (default: ``base``, the file's folder). Where text is wanted and the file holds a
    number or the like, the text as written counts: ``version: 1.10`` is ``'1.10'``.
    """
    given = {"base": file.path.parent} if context is None else dict(context)
    data = file.data
    try:
        return model.model_validate(data, context=given)
    except ValidationError as error:
        found = error.errors(include_url=False)
    if texts := [e["loc"] for e in found if e["type"] == "string_type" and e["loc"] in file.raw]:
        for loc in texts:
            data = _replaced(data, loc, file.raw[loc])
        return validate(YamlFile(file.path, data, file.lines, {}, file.shown), model, given)
    located = sorted(((_loc(e, data), e) for e in found), key=lambda pair: file.line(pair[0]))
    raise ExamError([file.problem(loc, _what(model, e, loc)) for loc, e in located])


def mistake(what: str, *at: str | int) -> PydanticCustomError:
    """What a validator raises: ``what`` becomes the problem's text, unchanged; ``at`` leads on from where it checks."""
    return PydanticCustomError("markscheme", "{what}", {"what": what, "at": at})


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """`` did you mean 'x'?`` for the nearest known word, else ''."""
    near = difflib.get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExamError([Problem(str(path), "", f"is not UTF-8 text (byte {error.start}); save it as UTF-8")]) from None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        if isinstance(error, FileNotFoundError) and (near := _near_files(path)):
            what += f"; {path.parent} has {near}"
        raise ExamError([Problem(str(path), "", what)]) from None


def _near_files(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return ", ".join(sorted(p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml"))[:8])


def _syntax_problem(path: Path, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    what = ", ".join(part for part in (error.context, error.problem) if part)
    return Problem(where, "", f"is not YAML: {what} (indent with spaces, and quote text that holds ': ' or ' #')")


@cache
def _loader() -> Any:
    """SafeLoader with the scalars of YAML 1.2's core schema, where only true and false are booleans."""

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own name and shape

    number = "-+.0123456789"
    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("int", r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+", number),
        ("float", r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", number),
        ("merge", r"<<", "<"),
    ):
        Loader.add_implicit_resolver(_CORE + tag, re.compile(f"^(?:{pattern})$"), list(first))
    return Loader


class _Builder:
    """Nodes to plain data, with the line of everything and all the mistakes of form."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[KeyPath, int] = {}
        self.raw: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._nodes = 0

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._nodes += 1
        if id(node) in self._open or self._nodes > _MOST_NODES:
            self._mistake(
                node, path, "an alias contains itself, or aliases expand without bounds; write the values out"
            )
            raise ExamError(self.problems)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in (f"{_CORE}map", f"{_CORE}seq"):
            self._mistake(node, path, f"the tag {node.tag!r} is not supported; remove it")
        self._open.add(id(node))
        built = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._sequence(node, path)
        self._open.discard(id(node))
        return built

    def _sequence(self, node: yaml.Node, path: KeyPath) -> list[Any]:
        return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        built: dict[str, Any] = {}
        first: dict[str, int] = {}
        merged = []
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._mistake(key_node, path, "a key is a list or a section; keys are words")
                continue
            if key_node.tag == f"{_CORE}merge":
                merged.append(value_node)
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in first:
                self._mistake(key_node, (*path, key), f"the key is written twice, first in line {first[key]}; keep one")
                continue
            first[key] = self.lines[(*path, key)] = line
            built[key] = self.build(value_node, (*path, key))
        for source in merged:
            for key, value in self._merged(source, path):
                built.setdefault(key, value)
        return built

    def _merged(self, node: yaml.Node, path: KeyPath) -> Iterator[tuple[str, Any]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._mistake(source, path, "<< merges sections only, like <<: *name")
                continue
            yield from self._mapping_apart(source, path)

    def _mapping_apart(self, node: yaml.Node, path: KeyPath) -> Iterator[tuple[str, Any]]:
        """A merged section, built without overwriting the lines of the keys that stand beside the merge."""
        apart = _Builder(self.path)
        apart._open, apart._nodes = self._open, self._nodes
        built = apart.build(node, path)
        self._nodes = apart._nodes
        self.problems += apart.problems
        self.lines = {**apart.lines, **self.lines}
        self.raw = {**apart.raw, **self.raw}
        yield from built.items()

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        kind, text = node.tag.removeprefix(_CORE), node.value
        if kind in ("str", "merge"):
            return text
        try:
            value = _SCALARS[kind](text)
        except (KeyError, ValueError):
            self._mistake(node, path, f"the tag {node.tag!r} is not supported here; remove it")
            return None
        self.raw[path] = text
        return value

    def _mistake(self, node: yaml.Node, path: KeyPath, what: str) -> None:
        self.problems.append(Problem(f"{self.path}:{node.start_mark.line + 1}", dotted(path), what))


_SCALARS: dict[str, Any] = {
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
    "int": lambda text: int(text, 0),
    "float": float,
}


def _replaced(data: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of ``data`` with ``value`` at ``path``."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, Mapping) else list(data)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], value)  # type: ignore[index]
    return copy


def _loc(error: ErrorDetails, data: Any) -> KeyPath:
    """Where the mistake is written: a section in short (``dataset: name``) has no keys to point at."""
    at = (error.get("ctx") or {}).get("at", ())
    loc = (*(part for part in error["loc"] if part != "[key]"), *at)
    for depth, part in enumerate(loc):
        if isinstance(data, str):
            return loc[:depth]
        found = data.get(part) if isinstance(data, Mapping) else None
        inside = isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
        data = data[part] if inside else found
    return loc


def _what(model: type[BaseModel], error: ErrorDetails, loc: KeyPath) -> str:
    kind, given, limits = error["type"], error.get("input"), error.get("ctx") or {}
    if kind == "markscheme":
        return error["msg"]
    if kind == "extra_forbidden":
        known = list(_model_at(model, loc[:-1]).model_fields)
        return f"unknown key{did_you_mean(str(loc[-1]), known) or '.'} Known here: {', '.join(known)}"
    if kind == "missing":
        described = _model_at(model, loc[:-1]).model_fields[str(loc[-1])].description
        return f"is missing{f'; write {described}' if described else ''}"
    if kind == "value_error":
        return str(limits.get("error", error["msg"]))
    shown = "an empty value" if given is None else _shown(given, loc)
    return f"{shown} is wrong: wanted {_wanted(kind, limits, error['msg'])}"


def _wanted(kind: str, limits: Mapping[str, Any], message: str) -> str:
    words = {
        "string_type": "text",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "int_parsing": "a whole number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "list_type": "a list, one '- …' line an entry",
        "tuple_type": "a list, one '- …' line an entry",
        "dict_type": "a section of 'key: value' lines",
        "model_type": "a section of 'key: value' lines",
        "model_attributes_type": "a section of 'key: value' lines",
        "path_type": "the path of a file",
        "greater_than_equal": f"at least {limits.get('ge')}",
        "greater_than": f"more than {limits.get('gt')}",
        "less_than_equal": f"at most {limits.get('le')}",
        "less_than": f"less than {limits.get('lt')}",
        "literal_error": str(limits.get("expected")),
        "finite_number": "a finite number",
    }
    return words.get(kind) or message


def _shown(value: Any, loc: KeyPath) -> str:
    """The value as Python prints it, shortened; not at all where it may be a key."""
    if any(isinstance(part, str) and _SECRET.search(part) for part in loc):
        return "the value (not shown: it may be secret)"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel]:
    """The pydantic model that describes what stands at ``path``."""
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
