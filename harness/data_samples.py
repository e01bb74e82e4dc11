"""One row to one `Sample`: every column of ours checked, every other one kept as metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from .data_rows import short
from .keys import digest
from .records import Content, Message, Sample
from .safety import safety_label
from .tool_calls import check_together, read_call, read_tool

FIELDS = (
    "id", "question", "messages", "turns", "context", "reference", "relevant", "tools", "tool_calls", "safety",
    "cluster", "tags",
)  # fmt: skip
"""Columns of a data set that mean something to us, besides ``metadata``."""
ROLES = ("system", "developer", "user", "assistant", "tool")
MEDIA_TYPES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_HASHED = tuple(name for name in (*FIELDS, "metadata") if name not in ("id", "cluster", "tags"))
_NOTHING: dict[str, Any] = {}


class Wrong(Exception):
    """A value cannot be used; the text says which is wanted."""

    def __init__(self, column: str, what: str) -> None:
        super().__init__(what)
        self.column = column


@dataclass(slots=True)
class Reader:
    """Builds samples from the rows of one file. Images are looked for from ``folder``, and hashed once each."""

    folder: Path
    cells: bool = False
    """True where every value is text (CSV): an empty one is absent, lists and mappings are JSON."""
    images: dict[str, tuple[str, str]] = field(default_factory=dict)

    def sample(self, sample_id: str, row: dict[str, Any]) -> Sample:
        """The sample of a row without its ``id``. ``sha256`` is still empty. Raises `Wrong`."""
        get = row.pop
        others = "" if "question" in row else ", ".join(row)[:200]
        question = self._content("question", get("question", None))
        messages = self._list("messages", get("messages", None), self._message)
        turns = self._list("turns", get("turns", None), self._turn)
        _check_asked(question, messages, turns, others)
        context = self._texts("context", get("context", None))
        reference = _reference(get("reference", None))
        relevant = self._relevant(get("relevant", None))
        tools, tool_calls = self._tools(get("tools", None), get("tool_calls", None))
        safety = _safety(self._mapping("safety", get("safety", None)))
        cluster = _identifier("cluster", get("cluster", None))
        tags = self._texts("tags", get("tags", None))
        return Sample(
            sample_id,
            question,
            messages,
            turns,
            context,
            reference if reference or not self.cells else None,
            relevant,
            tools,
            tool_calls,
            safety,
            cluster,
            tags,
            _metadata(row),
        )

    def _parsed(self, column: str, value: Any) -> Any:
        """Text that should be a list or mapping, as a cell of a CSV file holds it."""
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Wrong(column, f"{short(value)} is not JSON") from None

    def _list(self, column: str, value: Any, read: Callable[[str, Any], Any]) -> tuple[Any, ...]:
        if not value:
            return ()
        items = self._parsed(column, value)
        if items is None:
            return ()
        if not isinstance(items, list):
            raise Wrong(column, f"{short(items)} is not a list")
        return tuple(read(f"{column}[{index}]", item) for index, item in enumerate(items))

    def _tools(self, tools: Any, calls: Any) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
        """The functions offered, and the right calls where somebody says which: an empty list says that none is."""
        offered = self._list("tools", tools, _made_by(read_tool))
        blank = calls is None or (isinstance(calls, str) and not calls.strip())
        right = None if blank else self._list("tool_calls", calls, _made_by(read_call))
        _together("tools", offered)
        _together("tool_calls", offered, right or ())
        return offered, right

    def _mapping(self, column: str, value: Any) -> Mapping[str, Any]:
        if not value:
            return _NOTHING
        parsed = self._parsed(column, value)
        return _NOTHING if parsed is None else _section(column, parsed)

    def _texts(self, column: str, value: Any) -> tuple[str, ...]:
        """Text, or a list of texts. A cell that starts with a bracket is a JSON list; tags in text stand apart by
        commas or semicolons."""
        if not value:
            return ()
        if isinstance(value, str):
            if self.cells and value.startswith("["):
                value = self._parsed(column, value)
            elif column == "tags":
                value = [tag.strip() for tag in value.replace(";", ",").split(",")]
            else:
                return (value,) if value.strip() else ()
        if not isinstance(value, list):
            raise Wrong(column, f"{short(value)} is neither text nor a list of texts")
        for item in value:
            if not isinstance(item, str):
                raise Wrong(column, f"{short(item)} in the list is not text")
        return tuple(item for item in value if item)

    def _relevant(self, value: Any) -> Mapping[str, int]:
        """``{document: grade}``, or a list of documents, each of grade 1."""
        if not value:
            return _NOTHING
        value = self._parsed("relevant", value)
        if isinstance(value, list):
            value = dict.fromkeys((_identifier("relevant", item) for item in value), 1)
        grades = {str(name): grade for name, grade in _section("relevant", value).items() if grade is not None}
        for name, grade in grades.items():
            if isinstance(grade, bool) or not isinstance(grade, int | float) or grade < 0 or grade != int(grade):
                raise Wrong("relevant", f"{name!r}: {grade!r} is not a whole number of 0 or more")
        return {name: int(grade) for name, grade in grades.items()}

    def _message(self, column: str, value: Any) -> Message:
        message = dict(_section(column, value))
        if message.get("role") not in ROLES:
            raise Wrong(column, f"the role {message.get('role')!r} is not one of {', '.join(ROLES)}")
        message = {name: part for name, part in message.items() if part is not None or name == "content"}
        if message.get("content") is not None:
            message["content"] = self._content(column, message["content"])
        elif not message.get("tool_calls"):
            raise Wrong(column, "has no content")
        return message

    def _turn(self, column: str, value: Any) -> Content:
        content = self._content(column, value)
        if not content or (isinstance(content, str) and content.isspace()):
            raise Wrong(column, "is empty")
        return content

    def _content(self, column: str, value: Any) -> Content:
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if not isinstance(value, list):
            raise Wrong(column, f"{short(value)} is neither text nor a list of parts ({{text: …}}, {{image: path}})")
        return tuple(self._part(column, part) for part in value)

    def _part(self, column: str, part: Any) -> Mapping[str, Any]:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        part = _section(column, part)
        if isinstance(text := part.get("text"), str):
            return {"type": "text", "text": text}
        path = part.get("image") or (part.get("path") if part.get("type") == "image" else None)
        if not isinstance(path, str):
            raise Wrong(column, f"{short(part)} is not a part; write {{text: …}} or {{image: path of a file}}")
        media_type, sha256 = self._image(column, path)
        return {"type": "image", "media_type": media_type, "sha256": sha256, "path": str(self.folder / path)}

    def _image(self, column: str, path: str) -> tuple[str, str]:
        if path not in self.images:
            media_type = MEDIA_TYPES.get(Path(path).suffix.lower())
            if media_type is None:
                raise Wrong(column, f"the image {path!r} is not one of {', '.join(MEDIA_TYPES)}")
            try:
                content = (self.folder / path).read_bytes()
            except OSError as error:
                what = f"the image {path!r} cannot be read: {error.strerror}; paths are relative to {self.folder}"
                raise Wrong(column, what) from None
            self.images[path] = (media_type, hashlib.sha256(content).hexdigest())
        return self.images[path]


def content_sha256(sample: Sample) -> str:
    """Hash of everything but ``id``, ``cluster`` and ``tags``; images by their content, wherever their files lie."""
    values = {name: value for name in _HASHED if (value := getattr(sample, name))}
    if sample.tool_calls is not None:
        values["tool_calls"] = sample.tool_calls
    if type(sample.question) is tuple:
        values["question"] = _without_paths(sample.question)
    if sample.messages:
        values["messages"] = [{**m, "content": _without_paths(m.get("content"))} for m in sample.messages]
    if sample.turns:
        values["turns"] = [_without_paths(turn) for turn in sample.turns]
    return digest(values)


def asked(sample: Sample) -> str:
    """What is asked, as a key: samples that ask the same have the same."""
    if type(sample.question) is str and not sample.messages and not sample.turns:
        return sample.question.strip()
    messages = [[m.get("role"), _without_paths(m.get("content"))] for m in sample.messages]
    return digest([_without_paths(sample.question), messages, [_without_paths(turn) for turn in sample.turns]])


def identifier(value: Any) -> str:
    """An id as text; '' where there is none. Raises `Wrong` for what is no id."""
    return _identifier("id", value)


def _identifier(column: str, value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value != int(value):
        raise Wrong(column, f"{short(value)} is neither text nor a whole number")
    return str(int(value))


def _check_asked(question: Content, messages: tuple[Any, ...], turns: tuple[Any, ...], others: str) -> None:
    if question and not (isinstance(question, str) and question.isspace()):
        if turns:
            raise Wrong("question", "stands beside turns; put it first among the turns, or leave one of the two out")
    elif not messages and not turns:
        hint = f"; its columns are {others} (map one with columns: {{question: …}})" if others else ""
        raise Wrong("question", f"is empty or missing, and there are no messages or turns{hint}")


def _reference(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("reference", f"{short(value)} is not text")
    return str(value)


def _made_by(read: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[[str, Any], Mapping[str, Any]]:
    def made(column: str, value: Any) -> Mapping[str, Any]:
        try:
            return read(_section(column, value))
        except ValueError as error:
            raise Wrong(column, str(error)) from None

    return made


def _together(column: str, tools: tuple[Any, ...], calls: tuple[Any, ...] = ()) -> None:
    try:
        check_together(tools, calls)
    except ValueError as error:
        raise Wrong(column, str(error)) from None


def _safety(written: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        safety_label(written)
    except ValueError as error:
        raise Wrong("safety", str(error)) from None
    return written


def _section(column: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(column, f"{short(value)} is not an object of names and values")
    return value


def _metadata(row: dict[str, Any]) -> Mapping[str, Any]:
    inner = row.pop("metadata", None)
    if isinstance(inner, dict):
        row = {**inner, **row}
    elif inner is not None:
        row["metadata"] = inner
    return row or _NOTHING


def _without_paths(content: Content | Iterable[Mapping[str, Any]] | None) -> Any:
    if content is None or isinstance(content, str):
        return content
    return [{name: value for name, value in part.items() if name != "path"} for part in content]
