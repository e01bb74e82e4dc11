"""A run as one file: a zip of one JSON-lines member a table, and a manifest with their hashes. See `bundle_read`."""

from __future__ import annotations

import base64
import hashlib
import math
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from ..errors import InputError
from .bundle_rows import RunRows, snapshot
from .codec import Row
from .schema import SCHEMA_VERSION, metadata
from .store import Store
from .wordless import wordless

FORMAT = 1
MANIFEST = "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the same rows make the same bytes."""


class Member(BaseModel):
    """One table: the columns of its rows, how many there are, and the SHA-256 of its bytes before compression."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a bundle holds. The first of ``runs`` is the one it was made of; the labels of the others correct it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    markscheme: str
    schema_version: int = SCHEMA_VERSION
    runs: tuple[str, ...]
    texts: bool
    members: dict[str, Member]


def member_name(table: str) -> str:
    """The file within the zip that holds a table."""
    return f"{table}.jsonl"


def write_bundle(store: Store, runs: Sequence[str], path: Path, markscheme: str, texts: bool = True) -> Manifest:
    """Write ``runs`` (ids, the one in question first) to ``path``, which is there whole or not at all.

    Without ``texts`` numbers and hashes alone. ``markscheme`` is the version that writes.
    """
    with _replacing(path) as file, ZipFile(file, "w", ZIP_DEFLATED) as archive, snapshot(store) as connection:
        members = {}
        for table, rows in RunRows(connection, runs).tables():
            if not texts and table == "texts":
                continue
            found = rows if texts else (wordless(table, row) for row in rows)
            if (written := _write_member(archive, metadata.tables[table], found)) is not None:
                members[table] = written
        manifest = Manifest(markscheme=markscheme, runs=tuple(runs), texts=texts, members=members)
        archive.writestr(_info(MANIFEST), manifest.model_dump_json(indent=1))
    return manifest


def _write_member(archive: ZipFile, table: sa.Table, rows: Iterable[Row]) -> Member | None:
    """``None``, and nothing written, where there is no row."""
    lines = _lines(table, rows)
    if (line := next(lines, None)) is None:
        return None
    sha256, count = hashlib.sha256(), 0
    with archive.open(_info(member_name(table.name)), "w", force_zip64=True) as member:
        while line is not None:
            member.write(line)
            sha256.update(line)
            count += 1
            line = next(lines, None)
    return Member(columns=tuple(table.columns.keys()), rows=count, sha256=sha256.hexdigest())


def _lines(table: sa.Table, rows: Iterable[Row]) -> Iterator[bytes]:
    floats = [i for i, column in enumerate(table.columns) if isinstance(column.type, sa.Float)]
    names = table.columns.keys()
    for row in rows:
        values = [row[name] for name in names]
        for i in floats:
            if values[i] is not None and not math.isfinite(values[i]):
                values[i] = str(values[i])  # JSON has no word for them
        yield orjson.dumps(values, default=_base64, option=orjson.OPT_APPEND_NEWLINE)


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, _EPOCH)
    info.compress_type, info.create_system, info.external_attr = ZIP_DEFLATED, 3, 0o644 << 16
    return info


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside ``path`` that takes its place when the block ends well, and is gone when it does not."""
    if path.is_dir():
        raise InputError(f"--output {str(path)!r} is a folder; name a file, like {path.name or 'run'}.mks")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
