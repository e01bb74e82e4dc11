"""What `cache export` and `cache import` do, once their words are parsed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer

from ...harness.errors import DataError, InputError
from ...harness.mongodb import VARIABLE, opened_collection
from ...harness.prices import PriceBook
from ...harness.store.store import Store
from ...reports import words
from ..commands import emit
from ..references import opened
from .documents import Asked, Document, TakenIn, documents, take_in
from .output import CacheExportOutput, CacheImportOutput

if TYPE_CHECKING:
    from pymongo.collection import Collection

_SOME = 500
_NAMED = 3
"""Documents left out that a note names."""


@dataclass(frozen=True)
class Place:
    """A file, or a collection of a MongoDB; neither is standard output."""

    file: Path | None
    mongodb: str
    collection: str
    database: str

    def __post_init__(self) -> None:
        if self.file and self.collection:
            raise InputError(f"{str(self.file)!r} and --collection {self.collection!r}: give one of the two")
        if (self.mongodb or self.database) and not self.collection:
            raise InputError("--mongodb needs --collection NAME")


def export(workspace: str, to: Place, model: str, json: bool) -> None:
    """Write the replies as documents, and say how many."""
    done = exported(workspace, to, model)
    if json and (to.file or to.collection):
        emit(done)
    elif to.file or to.collection:
        there = f", {done.documents - done.written:,} were there" if done.written < done.documents else ""
        typer.echo(f"{words.plural(done.written, 'reply', 'replies')} written to {done.to}{there}")


def exported(workspace: str | Path, to: Place, model: str) -> CacheExportOutput:
    """Write the replies as documents."""
    with closing(opened(workspace)) as store, ExitStack() as stack:
        found = documents(store, model)
        if to.collection:
            collection = stack.enter_context(opened_collection(to.mongodb, to.collection, to.database))
            name, counts = f"collection {to.collection}", add(collection, found)
        else:
            name, counts = _write(to.file, found)
    return CacheExportOutput(to=name, documents=counts[0], written=counts[1])


def add(collection: Collection[Any], found: Iterable[Document]) -> tuple[int, int]:
    """Write documents that are not in the collection yet: how many there are, and how many were written."""
    total, written, left = 0, 0, iter(found)
    while some := list(islice(left, _SOME)):
        ids = {"$in": [document["_id"] for document in some]}
        there = {document["_id"] for document in collection.find({"_id": ids}, {"_id": 1})}
        if fresh := [document for document in some if document["_id"] not in there]:
            collection.insert_many(fresh)
        total, written = total + len(some), written + len(fresh)
    return total, written


def _write(path: Path | None, found: Iterable[Document]) -> tuple[str, tuple[int, int]]:
    count = 0
    with ExitStack() as stack:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        out = stack.enter_context(path.open("w", encoding="utf-8")) if path else sys.stdout
        for document in found:
            out.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).decode())
            count += 1
    return str(path), (count, count)


def bring_in(workspace: str, source: Place, model: str, params: str, json: bool) -> None:
    """Record the responses of documents, and say what came of them."""
    taken, where = taken_from(workspace, source, model, _object(params))
    _tell(taken, where, json)


def taken_from(workspace: str | Path, source: Place, model: str, params: Mapping[str, Any]) -> tuple[TakenIn, str]:
    """Record the responses of documents, and where they are from; the workspace is made where there is none."""
    if not source.file and not source.collection:
        raise InputError(f"cache import: give a FILE, or --collection NAME with --mongodb URI or {VARIABLE}")
    if model and not all(model.partition("/")):
        raise InputError(f"--model {model!r} has no provider: write provider/model, like openai/gpt-4o-mini")
    asked = Asked(model, params, PriceBook().cost_usd)
    with ExitStack() as stack:
        found: Iterable[Document]
        if source.collection:
            collection = stack.enter_context(opened_collection(source.mongodb, source.collection, source.database))
            found, where = collection.find({}), f"collection {source.collection}"
        else:
            assert source.file is not None
            found, where = _read(source.file), str(source.file)
        store = stack.enter_context(closing(Store(workspace)))
        return take_in(store, found, asked, where), where


def notes(taken: TakenIn) -> Iterator[str]:
    """What was left out, by what is wrong with it."""
    for reason, ids in taken.unusable.items():
        more = ", …" if len(ids) > _NAMED else ""
        yield f"{words.plural(len(ids), 'document')} left out: {reason} ({', '.join(ids[:_NAMED])}{more})"


def to_output(taken: TakenIn) -> CacheImportOutput:
    """The counts as printed."""
    unusable = {reason: len(ids) for reason, ids in taken.unusable.items()}
    return CacheImportOutput(documents=taken.documents, imported=taken.imported, known=taken.known, unusable=unusable)


def _tell(taken: TakenIn, where: str, json: bool) -> None:
    for note in notes(taken):
        typer.echo(f"note: {note}", err=True)
    if json:
        emit(to_output(taken))
        return
    known = f", {taken.known:,} were there" if taken.known else ""
    typer.echo(f"{words.plural(taken.imported, 'reply', 'replies')} imported from {where}{known}")


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise InputError(f"--params {text!r}: is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f'--params {text!r}: wanted an object, like {{"temperature": 0.1}}')
    return found


def _read(path: Path) -> Iterator[Document]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parsed(line, f"{path}:{number}")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None


def _parsed(line: bytes, where: str) -> Document:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{where}: is not JSON ({error}); wanted a document a line") from error
    if not isinstance(found, dict):
        raise DataError(f'{where}: wanted a document with "key" and "response"')
    return found
