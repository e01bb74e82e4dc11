"""JSON that somebody else wrote: sizes capped, nothing unpacked to disk, every failure named."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ...harness.errors import DataError, InputError

LARGEST = 512 * 2**20
"""Bytes of one JSON document, unpacked."""
LARGEST_ARCHIVE = 16 * 2**30
"""Bytes of all that an archive says to hold."""
MOST_MEMBERS = 1_000_000
_ZSTD = 93
_LOCAL_HEADER = 30
_CHUNK = 2**20


def read_json(path: Path, wanted: str) -> Any:
    """The document in a file, which should be ``wanted``. Raises DataError."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path}: is larger than {LARGEST // 2**20} MB; import it in parts")
    return parsed(path.read_bytes(), f"{path}: this is no {wanted}")


def read_json_lines(path: Path, wanted: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(``file:line``, object) of each line that is not empty; they should be ``wanted``. Raises DataError."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LARGEST + 1):
            number += 1
            where = f"{path}:{number}"
            if len(line) > LARGEST:
                raise DataError(f"{where}: is longer than {LARGEST // 2**20} MB")
            if line.isspace():
                continue
            row = parsed(line, f"{where}: this is no {wanted}")
            if not isinstance(row, dict):
                raise DataError(f"{where}: this is no {wanted}: it is {type(row).__name__}, and no JSON object")
            yield where, row


def parsed(data: bytes, where: str) -> Any:
    """``data`` as JSON; NaN and Infinity, which Python's tools write, are read as such."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        first = error
    try:
        return json.loads(data)
    except RecursionError:
        raise DataError(f"{where}: it is nested too deeply") from None
    except ValueError:
        raise DataError(f"{where}: it is not JSON: {first.msg} (line {first.lineno}, column {first.colno})") from None


class Archive:
    """A zip of JSON documents, read member by member. Raises DataError for what claims to be too large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{path}: is no zip archive: {error}") from None
        self._members = {info.filename: info for info in self._zip.infolist()}
        total = sum(info.file_size for info in self._members.values())
        if len(self._members) > MOST_MEMBERS or total > LARGEST_ARCHIVE:
            self.close()
            raise DataError(f"{path}: holds {len(self._members)} files of {total} bytes, more than can be a log")

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._zip.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the members, in the order of the archive."""
        return tuple(self._members)

    def json(self, name: str) -> Any:
        """A member as JSON."""
        return parsed(self._bytes(name), f"{self._path}!{name}")

    def _bytes(self, name: str) -> bytes:
        info, where = self._members[name], f"{self._path}!{name}"
        if info.file_size > LARGEST:
            raise DataError(f"{where}: unpacks to {info.file_size} bytes, more than {LARGEST // 2**20} MB")
        try:
            data = self._unpacked(info)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise DataError(f"{where}: cannot be unpacked: {error}") from None
        if len(data) > LARGEST:
            raise DataError(f"{where}: unpacks to more than {LARGEST // 2**20} MB, and says otherwise")
        return data

    def _unpacked(self, info: zipfile.ZipInfo) -> bytes:
        if info.compress_type == _ZSTD:
            return _unpacked_zstd(self._path, info)
        with self._zip.open(info) as member:
            return member.read(LARGEST + 1)


def _unpacked_zstd(path: Path, info: zipfile.ZipInfo) -> bytes:
    """Zstandard inside a zip, which the standard library reads from Python 3.14 on only. Raises OSError."""
    try:
        import zstandard
    except ModuleNotFoundError:
        raise InputError(
            f"{path}: is packed with Zstandard: pip install zstandard, or write the log as JSON: "
            "inspect log convert LOG --to json --output-dir FOLDER"
        ) from None
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER)
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(info.header_offset + _LOCAL_HEADER + names)
        packed = io.BytesIO(file.read(info.compress_size))
    data = bytearray()
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed) as stream:
            while len(data) <= LARGEST and (chunk := stream.read(_CHUNK)):
                data += chunk
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from None
    return bytes(data)
