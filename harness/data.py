"""Data sets in: rows become samples, checked, hashed, clustered, and if asked for, a random subset of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .data_beir import QUERIES, beir_rows, folder_of
from .data_rows import Row, iter_rows, read_rows
from .data_samples import Reader, Wrong, asked, content_sha256, identifier
from .data_tools import Columns, tool_columns, tool_rows
from .errors import DataError
from .keys import digest
from .records import Sample
from .tool_calls import has_vast, long_integer, too_large

if TYPE_CHECKING:
    from .exam_specs import DatasetSpec

__all__ = ["Dataset", "Row", "Subset", "load_dataset", "read_rows"]

_MOST_PROBLEMS = 20
_JSON_LINES = frozenset({".jsonl", ".ndjson"})
_TEXT_SUFFIXES = frozenset({".csv", ".tsv"})


@dataclass(frozen=True, slots=True)
class Subset:
    """``n`` samples drawn at random from ``of``."""

    n: int
    of: int
    seed: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples in the order of the file. ``sha256`` covers them with their ids, clusters and tags."""

    name: str
    version: str
    path: Path
    samples: tuple[Sample, ...]
    sha256: str
    subset: Subset | None = None
    notes: tuple[str, ...] = ()


def load_dataset(spec: DatasetSpec, limit: int | None = None, seed: int | None = None) -> Dataset:
    """Read the data set of an exam. ``limit`` and ``seed`` replace the exam's own.

    A subset is drawn at random (never the first rows) and kept in the order of the file; with one seed, a smaller
    subset is part of a larger one. Raises DataError with up to 20 problems, each with ``file:line``.
    """
    path = spec.path
    name, version, notes = _card(path, spec.name)
    read = _read(path, spec.columns, *_form(spec))
    ids = _ids(path, read)
    clusters, clustered = _clusters(ids, [sample for _, sample in read])
    limit, seed = limit or spec.limit, spec.seed if seed is None else seed
    chosen, subset = _chosen(len(read), limit, seed)
    samples = tuple(
        replace(sample, id=ids[k], cluster=clusters[k], sha256=content_sha256(sample))
        for k, (_, sample) in ((k, read[k]) for k in chosen)
    )
    sha256 = digest([[sample.id, sample.sha256, sample.cluster, sample.tags] for sample in samples])
    return Dataset(name, version, path, samples, sha256, subset, notes + clustered)


def _card(path: Path, name: str) -> tuple[str, str, tuple[str, ...]]:
    """Name and version, from ``card.yaml`` where a folder has one."""
    if not (path / "card.yaml").is_file():
        return name, "", ()
    from .yaml_file import load_yaml

    card = load_yaml(path / "card.yaml").data
    if not isinstance(card, Mapping):
        raise DataError(f"{path / 'card.yaml'}: is not a section of 'key: value' lines, like name: my_set")
    return str(card.get("name") or name), str(card.get("version") or ""), ()


def _form(spec: DatasetSpec) -> tuple[Iterable[Row], Columns | None]:
    """The rows of the file, and what makes our columns of a row of somebody else's form."""
    path = spec.path
    if spec.format is not None:
        return tool_rows(spec.format, path), tool_columns(spec.format, spec.answers)
    return beir_rows(path) if folder_of(path) else iter_rows(path), None


def _read(
    path: Path, columns: Mapping[str, str], rows: Iterable[Row], ours: Columns | None = None
) -> list[tuple[int, Sample]]:
    """Every row's line and sample. Raises DataError with the first problems of all rows."""
    file = _file(path)
    reader = Reader((path if path.is_dir() else path.parent).absolute(), file.suffix.lower() in _TEXT_SUFFIXES)
    read: list[tuple[int, Sample]] = []
    problems: list[str] = []
    there: dict[str, None] = {}
    for row in rows:
        try:
            data = row.data if ours is None else ours(row.data)
            if columns:
                there |= dict.fromkeys(data)
                data = _mapped(data, columns)
            sample = reader.sample(identifier(data.pop("id", None)), data)
            read.append((row.line, sample))
        except Wrong as error:
            problems.append(f"{file}:{row.line} {error.column}: {error}")
    _check_columns(file, columns, there)
    problems += _vast_numbers(file, read)
    _raise(problems)
    if not read:
        raise DataError(f"{file}: holds no rows")
    return read


def _vast_numbers(file: Path, read: Sequence[tuple[int, Sample]]) -> Iterator[str]:
    """Right calls with whole numbers whose digits the reader of JSON Lines cannot keep."""
    suspects = {line for line, sample in read if sample.tool_calls and has_vast(sample.tool_calls)}
    if suspects and file.suffix.lower() in _JSON_LINES:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if number in suspects and (digits := long_integer(line)):
                    yield f"{file}:{number} tool_calls: {too_large(digits)}"


def _file(path: Path) -> Path:
    """What errors name: the file of a folder, where there is one."""
    beir = folder_of(path)
    if beir:
        return beir / QUERIES
    return path / "samples.jsonl" if (path / "samples.jsonl").is_file() else path


def _mapped(data: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """The row under our names. A column of the file that is in the way of a mapped one becomes metadata."""
    taken = set(columns.values())
    mapped = {ours: data[theirs] for ours, theirs in columns.items() if theirs in data}
    aside = {name: data[name] for name in columns if name in data and name not in taken}
    rest = {name: value for name, value in data.items() if name not in taken and name not in columns}
    if aside:
        inner = rest.get("metadata")
        mapped["metadata"] = {**aside, **(inner if isinstance(inner, dict) else {"metadata": inner} if inner else {})}
    return {**rest, **mapped}


def _check_columns(file: Path, columns: Mapping[str, str], there: Mapping[str, None]) -> None:
    """A mapped column that no row has is a slip of the pen, not an absent value."""
    missing = [f"{ours}: {theirs}" for ours, theirs in columns.items() if theirs not in there]
    if missing and there:
        names = ", ".join(there)[:300]
        raise DataError(f"{file}: columns: {{{', '.join(missing)}}} names what no row has; the columns are {names}")


def _ids(path: Path, read: Sequence[tuple[int, Sample]]) -> list[str]:
    """The ids, or the rows' numbers where no row has one."""
    ids = [sample.id for _, sample in read]
    if not any(ids):
        return [str(number) for number in range(1, len(read) + 1)]
    first: dict[str, int] = {}
    problems = []
    for (line, _), sample_id in zip(read, ids, strict=True):
        if not sample_id:
            problems.append(f"{_file(path)}:{line} id: is empty or missing, and other rows have one")
        elif first.setdefault(sample_id, line) != line:
            problems.append(f"{_file(path)}:{line} id: {sample_id!r} stands in line {first[sample_id]} already")
    _raise(problems)
    return ids


def _clusters(ids: Sequence[str], samples: Sequence[Sample]) -> tuple[list[str], tuple[str, ...]]:
    """Each sample's cluster: as given, else that of another sample that asks the same, else its own id."""
    if all(sample.cluster for sample in samples):
        return [sample.cluster for sample in samples], ()
    keys = [asked(sample) for sample in samples]
    shared = {key: sample.cluster for key, sample in zip(keys, samples, strict=True) if sample.cluster}
    for key, sample_id in zip(keys, ids, strict=True):
        shared.setdefault(key, sample_id)
    again = sum(count for count in Counter(keys).values() if count > 1)
    notes = (f"{again} samples ask what another one asks too: they share a cluster",) if again else ()
    return [sample.cluster or shared[key] for key, sample in zip(keys, samples, strict=True)], notes


def _chosen(total: int, limit: int | None, seed: int) -> tuple[Sequence[int], Subset | None]:
    if limit is None or limit >= total:
        return range(total), None
    order = list(range(total))
    random.Random(seed).shuffle(order)  # noqa: S311 - a reproducible draw, not a secret
    return sorted(order[:limit]), Subset(limit, total, seed)


def _raise(problems: Sequence[str]) -> None:
    if problems:
        more = [f"… and {len(problems) - _MOST_PROBLEMS} more"] if len(problems) > _MOST_PROBLEMS else []
        raise DataError("\n".join([*problems[:_MOST_PROBLEMS], *more]))
