"""A BEIR folder as a data set: ``queries.jsonl`` and ``qrels/test.tsv`` (Thakur et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .data_rows import Row, iter_rows
from .errors import DataError
from .measures.trec import read_qrels

QUERIES = "queries.jsonl"
_SPLIT = "test.tsv"


def folder_of(path: Path) -> Path | None:
    """The BEIR folder that ``path`` is, or whose judgments (``qrels/dev.tsv``) it names; None for any other path."""
    if path.suffix == ".tsv" and path.parent.name == "qrels":
        path = path.parent.parent
    is_ours = (path / "samples.jsonl").is_file()
    return path if (path / QUERIES).is_file() and (path / "qrels").is_dir() and not is_ours else None


def beir_rows(path: Path) -> Iterator[Row]:
    """The queries that have judgments, in the order and with the lines of queries.jsonl, each with ``relevant``.

    ``path`` is the folder (its test split, or its only one), or the file of another split. Negative grades, which mean
    not judged, are left out. Raises DataError, also for a judged query that queries.jsonl does not have.
    """
    folder = folder_of(path) or path
    qrels = path if path.is_file() else _split(folder)
    judgments = read_qrels(qrels)
    unseen = dict.fromkeys(judgments)
    for row in iter_rows(folder / QUERIES):
        query = str(row.data.pop("_id", ""))
        if query not in judgments:
            continue
        unseen.pop(query, None)
        relevant = {document: grade for document, grade in judgments[query].items() if grade >= 0}
        yield Row(row.line, {"id": query, "question": row.data.pop("text", None), "relevant": relevant, **row.data})
    if unseen:
        raise DataError(f"{qrels}: {len(unseen)} judged queries, like {next(iter(unseen))!r}, are not in {QUERIES}")


def _split(folder: Path) -> Path:
    files = sorted((folder / "qrels").glob("*.tsv"))
    chosen = next((file for file in files if file.name == _SPLIT or len(files) == 1), None)
    if chosen is None:
        found = ", ".join(file.name for file in files) or "nothing"
        example = files[0] if files else folder / "qrels" / _SPLIT
        raise DataError(f"{folder / 'qrels'}: has {found} and no {_SPLIT}; name the judgments to use, like {example}")
    return chosen
