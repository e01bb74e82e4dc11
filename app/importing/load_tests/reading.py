"""Files of load testers, told apart by what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from ....harness.errors import DataError
from ..json_files import LARGEST, read_json, read_json_lines
from .found import FoundLoad, LoadChoice
from .guidellm import is_guidellm, read_guidellm
from .llmperf import is_llmperf, read_llmperf, read_llmperf_table
from .vllm_bench import is_vllm, read_vllm

_KNOWN = (
    "known are results of vllm bench serve (--save-result --save-detailed), reports of guidellm (.json, .yaml) and "
    "responses of llmperf (_individual_responses.json)"
)
_TABLES = (".csv", ".tsv")


def read_loads(paths: Sequence[Path], choice: LoadChoice) -> list[FoundLoad]:
    """Every load of some files, in their order. Raises DataError for a file that holds none that we know."""
    return [found for path in paths for found in _read(path, choice)]


def _read(path: Path, choice: LoadChoice) -> Iterator[FoundLoad]:
    if path.suffix.lower() in _TABLES:
        yield from read_llmperf_table(path, choice)
        return
    for where, document in _documents(path):
        if is_vllm(document):
            yield read_vllm(document, where, choice)
        elif is_guidellm(document):
            yield from read_guidellm(document, where, choice)
        elif is_llmperf(document):
            yield read_llmperf(document, path, choice)
        else:
            raise DataError(f"{where}: {_unlike(document)}; {_KNOWN}")


def _documents(path: Path) -> Iterator[tuple[str, Any]]:
    """One of a file; several where a line holds each, as `--append-result` writes them."""
    if path.suffix.lower() in (".yaml", ".yml"):
        yield str(path), _yaml(path)
        return
    try:
        yield str(path), read_json(path, "result of a load tester")
    except DataError as error:
        lines = _lines(path)
        if len(lines) < 2:
            raise error from None
        yield from lines


def _lines(path: Path) -> list[tuple[str, Any]]:
    try:
        return list(read_json_lines(path, "result of a load tester"))
    except DataError:
        return []


def _yaml(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path}: is larger than {LARGEST // 2**20} MB; write it as JSON, in parts")
    try:
        return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe
    except yaml.YAMLError as error:
        raise DataError(f"{path}: is not YAML: {error}") from None


def _unlike(document: Any) -> str:
    """What a file looks like that is none we know."""
    if isinstance(document, dict):
        return f"has {', '.join(list(document)[:8]) or 'nothing in it'}, and is no result of a load tester that we know"
    return f"holds {type(document).__name__}, and is no result of a load tester that we know"
