"""Rows of a table that a user brings: JSON Lines, a JSON list, CSV, Parquet, or a Hugging Face folder on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import orjson

from .errors import DataError, MissingExtra

_BOM = b"\xef\xbb\xbf"
_FORMATS = ".jsonl, .ndjson, .json (a list), .csv, .tsv, .parquet, or a folder"
_LONGEST_CELL = 2**31 - 1
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``line`` is 1-based: where it starts in a text file; its number in a Parquet or Arrow file."""

    line: int
    data: dict[str, Any]


def read_rows(path: str | Path) -> list[Row]:
    """All rows of a file or folder. CSV cells are text, always; other formats keep their types.

    Raises DataError (``file:line``) for what cannot be read, MissingExtra where pyarrow is needed and absent.
    """
    return list(iter_rows(Path(path)))


def iter_rows(path: Path) -> Iterator[Row]:
    """`read_rows`, one at a time."""
    if not path.exists():
        raise DataError(f"{path}: there is no such file")
    if path.is_dir():
        return _folder(path)
    readers = {
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".json": _json_list,
        ".csv": _csv,
        ".tsv": _csv,
        ".parquet": _parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: the suffix {path.suffix!r} is not known; wanted {_FORMATS}")
    return _readable(path, reader(path))


def json_rows(path: Path) -> Iterator[Row]:
    """JSON Lines or a JSON list, whatever the file is called. Raises DataError."""
    if not path.is_file():
        raise DataError(f"{path}: is no file")
    with path.open("rb") as file:
        start = file.read(1024).removeprefix(_BOM).lstrip()
    return _readable(path, _json_list(path) if start.startswith(b"[") else _json_lines(path))


def _readable(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason}); save it as UTF-8") from None


def _json_lines(path: Path) -> Iterator[Row]:
    loads = orjson.loads
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            try:
                data = loads(line if number > 1 else line.removeprefix(_BOM))
            except orjson.JSONDecodeError as error:
                raise DataError(
                    f"{path}:{number}: is not JSON: {error.msg} (column {error.colno}); each line holds one object"
                ) from None
            if type(data) is not dict:
                _no_object(path, number, data)
            yield Row(number, data)


def _no_object(path: Path, line: int, data: Any) -> NoReturn:
    raise DataError(f'{path}:{line}: {short(data)} is not an object; write {{"column": value, …}}')


def _json_list(path: Path) -> Iterator[Row]:
    """Elements one by one, so that each has its line."""
    text = path.read_text(encoding="utf-8-sig")
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    position, line = _skip(text, 0, ""), 1
    if text[position : position + 1] != "[":
        remedy = "; a file with one object a line is named .jsonl" if text[position : position + 1] == "{" else ""
        raise DataError(f"{path}: does not hold a JSON list of objects{remedy}")
    seen, position = 0, _skip(text, position + 1, "")
    while text[position : position + 1] != "]":
        line, seen = line + text.count("\n", seen, position), position
        try:
            data, position = decoder.raw_decode(text, position)
        except ValueError as error:
            bad = line + text.count("\n", seen, getattr(error, "pos", seen))
            raise DataError(f"{path}:{bad}: is not JSON: {getattr(error, 'msg', error)}") from None
        if type(data) is not dict:
            _no_object(path, line, data)
        yield Row(line, data)
        after = _skip(text, position, "")
        if text[after : after + 1] not in (",", "]"):
            bad = line + text.count("\n", seen, after)
            raise DataError(f"{path}:{bad}: is not JSON: wanted ',' or ']' after an object")
        position = _skip(text, after, ",")


def _skip(text: str, position: int, separator: str) -> int:
    """Past white space, and past one ``separator`` if there is one."""
    while text[position : position + 1].isspace():
        position += 1
    if separator and text[position : position + 1] == separator:
        return _skip(text, position + 1, "")
    return position


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON; write null")


def _csv(path: Path) -> Iterator[Row]:
    """Cells as text. A column without a name (an index that pandas wrote) is left out."""
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        start = 1
        header: list[str] = []
        try:
            for cells in reader:
                if not header:
                    header = _header(path, start, cells)
                elif cells:
                    yield Row(start, _cells(path, start, header, cells))
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"{path}:{start}: is not CSV: {error}; a quote inside quotes is written twice") from None


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise DataError(f"{path}:{line}: the column {twice!r} is there twice; rename one")
    if len(names) == 1 and (separator := next((s for s in ";\t|" if s in names[0]), None)):
        raise DataError(f"{path}:{line}: columns are separated by {separator!r}; save it with commas, or tabs as .tsv")
    return names


def _cells(path: Path, line: int, header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise DataError(
            f"{path}:{line}: has {len(cells)} cells where the header has {len(header)}; quote cells that hold a comma"
        )
    return {name: cell for name, cell in zip(header, cells, strict=True) if name}


def _folder(path: Path) -> Iterator[Row]:
    """A folder of our own (samples.jsonl), or one that Hugging Face's ``save_to_disk`` wrote."""
    if (samples := path / "samples.jsonl").is_file():
        return iter_rows(samples)
    if (splits := path / "dataset_dict.json").is_file():
        names = orjson.loads(splits.read_bytes()).get("splits", [])
        if len(names) == 1:
            return iter_rows(path / names[0])
        raise DataError(f"{path}: holds the splits {', '.join(names)}; name one of them, like {path / names[-1]}")
    if (state := path / "state.json").is_file():
        return _readable(path, _saved(path, orjson.loads(state.read_bytes())))
    raise DataError(
        f"{path}: is a folder without samples.jsonl, and not one that Hugging Face's save_to_disk wrote, nor one of "
        f"BEIR's (queries.jsonl, qrels/test.tsv); name a file ({_FORMATS})"
    )


def _saved(path: Path, state: dict[str, Any]) -> Iterator[Row]:
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise DataError(f"{path}: is a selection of another data set; save it with flatten_indices() first")
    pyarrow = _pyarrow(path)
    from pyarrow import ipc

    number = 0
    for name in [entry["filename"] for entry in state.get("_data_files") or ()]:
        try:
            with pyarrow.memory_map(str(path / name)) as source, ipc.open_stream(source) as stream:
                for row in _arrow_rows(path / name, stream):
                    number += 1
                    yield Row(number, row)
        except pyarrow.ArrowException as error:
            raise DataError(f"{path / name}: cannot be read as an Arrow stream: {error}") from None


def _parquet(path: Path) -> Iterator[Row]:
    pyarrow = _pyarrow(path)
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            for number, row in enumerate(_arrow_rows(path, file.iter_batches(_BATCH)), 1):
                yield Row(number, row)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from None


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("parquet", f"reading {path}") from None
    return pyarrow


def _arrow_rows(path: Path, batches: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Rows as JSON has them: dates become text, NaN becomes null."""
    for batch in batches:
        if binary := next((f.name for f in batch.schema if "binary" in str(f.type)), None):
            raise DataError(
                f"{path}: the column {binary!r} holds binary data, which a sample cannot: leave the column out, "
                "or save images as files and name their paths"
            )
        for row in batch.to_pylist(maps_as_pydicts="strict"):
            yield orjson.loads(orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS))


def short(value: Any) -> str:
    """A value as Python prints it, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
