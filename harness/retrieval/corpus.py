"""Corpora in: a folder of Markdown, text or HTML, JSON Lines, a BEIR folder, or a LangChain document loader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..data_rows import iter_rows
from ..errors import DataError
from ..keys import digest

_MARKDOWN, _TEXT, _HTML = (".md", ".markdown"), (".txt", ".text"), (".html", ".htm")
SUFFIXES = (*_MARKDOWN, *_TEXT, *_HTML)
_ROWS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_ID = ("_id", "id", "doc_id", "docid")
_BODY = ("text", "contents", "content", "body", "page_content")


@dataclass(frozen=True, slots=True)
class Document:
    """One document. ``title`` is what its source gives beside the text; it is not part of ``text``."""

    id: str
    text: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Corpus:
    """Documents in a fixed order. ``sha256`` covers their ids, titles and texts; ``notes`` say what was left out."""

    name: str
    documents: tuple[Document, ...]
    sha256: str
    notes: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Document]:
        """Id -> document."""
        return {document.id: document for document in self.documents}


def load_corpus(source: Any, name: str = "") -> Corpus:
    """The corpus at ``source``: a path, a LangChain loader (``lazy_load`` or ``load``), or documents.

    A folder is read in this order: ``corpus.jsonl`` (BEIR), a folder ``corpus`` (that of a data set), else every
    Markdown, text and HTML file below it, by path; the id is the path without its suffix. Raises DataError for no
    document at all, two with one id, or what cannot be read.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        return make_corpus(_located(path), name or _name_of(path), str(path))
    for method in ("lazy_load", "load"):
        if callable(load := getattr(source, method, None)):
            given: Iterable[Any] = load()
            break
    else:
        given = source
    return make_corpus(_of_objects(given), name or type(source).__name__, name or type(source).__name__)


def make_corpus(documents: Iterable[tuple[str, Document]], name: str, where: str) -> Corpus:
    """A corpus of (place, document) pairs; ``where`` and the places are for messages.

    Documents without text are left out and noted. Raises DataError for two documents with one id, or none left.
    """
    kept: dict[str, Document] = {}
    places: dict[str, str] = {}
    empty: list[str] = []
    for place, document in documents:
        if (first := places.setdefault(document.id, place)) != place:
            raise DataError(f"{place}: the document id {document.id!r} is that of {first} already; ids must differ")
        if document.id in kept:
            raise DataError(f"{place}: the document id {document.id!r} stands there twice; ids must differ")
        if document.text.strip():
            kept[document.id] = document
        else:
            empty.append(document.id)
    if not kept:
        what = (
            f"all {len(empty)} documents are empty" if empty else f"no document ({', '.join(SUFFIXES)} or JSON Lines)"
        )
        raise DataError(f"{where}: the corpus is empty: {what}")
    notes = (f"{len(empty)} documents without text left out: {', '.join(empty[:5])}",) if empty else ()
    found = tuple(kept.values())
    return Corpus(name, found, digest([[d.id, d.title, d.text] for d in found]), notes)


def _name_of(path: Path) -> str:
    path = path.absolute()
    stem = path.name if path.is_dir() else path.stem
    return path.parent.name if stem == "corpus" else stem


def _located(path: Path) -> Iterator[tuple[str, Document]]:
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder to read a corpus from")
    if path.is_file():
        return _rows(path) if path.suffix.lower() in _ROWS else iter([(str(path), _of_file(path, path.parent))])
    if (path / "corpus.jsonl").is_file():
        return _rows(path / "corpus.jsonl")
    if (path / "corpus").is_dir():
        return _located(path / "corpus")
    return _files(path)


def _files(folder: Path) -> Iterator[tuple[str, Document]]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden:
            yield str(path), _of_file(path, folder)


def _of_file(path: Path, folder: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    title = ""
    if path.suffix.lower() in _HTML:
        from .html_text import html_text

        title, text = html_text(text)
    elif path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: the suffix {path.suffix!r} is not known; a corpus is {', '.join(SUFFIXES + _ROWS)}")
    return Document(path.relative_to(folder).with_suffix("").as_posix(), text, title, {"path": path.name})


def _rows(path: Path) -> Iterator[tuple[str, Document]]:
    for row in iter_rows(path):
        data, place = dict(row.data), f"{path}:{row.line}"
        id_column = next((column for column in _ID if data.get(column) not in (None, "")), None)
        body = next((column for column in _BODY if column in data), None)
        if id_column is None:
            raise DataError(f"{place} id: is missing; each document has an id under one of {', '.join(_ID)}")
        if body is None or not isinstance(data[body], str):
            value = "missing" if body is None else f"{data[body]!r}, not text"
            raise DataError(f"{place} {body or 'text'}: is {value}; the text stands under one of {', '.join(_BODY)}")
        document_id, text, title = str(data.pop(id_column)), data.pop(body), data.pop("title", None)
        yield place, Document(document_id, text, str(title or ""), data)


def _of_objects(given: Any) -> Iterator[tuple[str, Document]]:
    """Our documents, or LangChain's (``page_content``, ``metadata``, ``id``)."""
    try:
        items = enumerate(given, 1)
    except TypeError:
        raise DataError(
            f"{type(given).__name__} is no corpus: wanted a path, a LangChain document loader, or documents"
        ) from None
    for number, item in items:
        place = f"document {number}"
        if isinstance(item, Document):
            yield place, item
            continue
        text, metadata = getattr(item, "page_content", None), getattr(item, "metadata", None) or {}
        if not isinstance(text, str):
            raise DataError(f"{place}: {type(item).__name__} has no page_content; wanted LangChain's documents or ours")
        document_id = foreign_id(item)
        if not document_id:
            raise DataError(f"{place}: has neither an id nor metadata['id'] or metadata['source']; give it one")
        yield place, Document(document_id, text, str(metadata.get("title") or ""), dict(metadata))


def foreign_id(item: Any) -> str:
    """Id of a LangChain document: its own, else ``metadata['id']``, else its source, with the page where it has one."""
    metadata = getattr(item, "metadata", None) or {}
    own = getattr(item, "id", None) or metadata.get("id") or metadata.get("_id")
    if own:
        return str(own)
    source, page = metadata.get("source"), metadata.get("page")
    return f"{source}:{page}" if source and page is not None else str(source or "")
