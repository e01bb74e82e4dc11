"""Judgments and runs in the files of TREC and of BEIR, read as trec_eval reads them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ..errors import DataError

Judgments = dict[str, dict[str, int]]
Run = dict[str, list[str]]

_QRELS = "a line of judgments is 'query iteration document grade', or in BEIR's files query, document, grade with tabs"
_RUN = "a line of a run is 'query Q0 document rank score run-name'"


def read_qrels(path: str | Path) -> Judgments:
    """Query → document → grade, in the order of the file.

    TREC's format (``query iteration document grade``, the iteration ignored, lines that start with # left out) or
    BEIR's (three columns between tabs, under a header). Grades may be negative: not judged. Raises DataError with
    ``file:line``, also for a document that is judged twice.
    """
    path = Path(path)
    judgments: Judgments = {}
    for number, cells in _judged(path):
        query, document, grade = cells
        try:
            value = int(grade)
        except ValueError:
            _refuse(path, number, f"the grade {grade!r} is not a whole number; {_QRELS}")
        documents = judgments.setdefault(query, {})
        if document in documents:
            _refuse(path, number, f"the document {document!r} is judged twice for query {query!r}; keep one line")
        documents[document] = value
    if not judgments:
        raise DataError(f"{path}: holds no judgments; {_QRELS}")
    return judgments


def read_run(path: str | Path) -> Run:
    """Query → documents, best first: the rank column is ignored, scores decide, as single-precision numbers; of equal
    scores the document whose id sorts last comes first (trec_eval to 9 and pytrec_eval; trec_eval 10 differs where
    scores are equal in single and not in double precision). Raises DataError with ``file:line``, also for a document
    that a query returns twice."""
    path = Path(path)
    scored: dict[str, dict[str, float]] = {}
    for number, line in _lines(path):
        cells = line.split()
        if len(cells) < 6:
            _refuse(path, number, f"has {len(cells)} columns; {_RUN}")
        query, _, document, _, score = _texts(path, number, cells[:5])
        documents = scored.setdefault(query, {})
        if document in documents:
            _refuse(path, number, f"query {query!r} returns the document {document!r} twice; keep one line")
        documents[document] = _score(path, number, score)
    if not scored:
        raise DataError(f"{path}: holds no results; {_RUN}")
    return {query: _ordered(documents) for query, documents in scored.items()}


def _judged(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Query, document and grade of each line."""
    is_beir = None
    for number, line in _lines(path):
        tabbed = line.strip(b"\r\n").split(b"\t")
        if is_beir is None:
            is_beir = len(tabbed) == 3
            if is_beir and not _is_whole(tabbed[2]):
                continue
        cells = tabbed if is_beir else line.split()
        wanted = 3 if is_beir else 4
        if len(cells) != wanted:
            _refuse(path, number, f"has {len(cells)} columns and not {wanted}; {_QRELS}")
        yield number, _texts(path, number, cells if is_beir else [cells[0], *cells[2:]])


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with something on them, as bytes: only ASCII white space separates, as in trec_eval."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
                if not line.startswith(b"#") and not line.isspace():
                    yield number, line
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _texts(path: Path, number: int, cells: list[bytes]) -> list[str]:
    try:
        return [cell.decode() for cell in cells]
    except UnicodeDecodeError as error:
        _refuse(path, number, f"is not UTF-8 text ({error.reason}); save it as UTF-8")


def _is_whole(cell: bytes) -> bool:
    return cell.strip().removeprefix(b"-").isdigit()


def _score(path: Path, number: int, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if math.isnan(score):
        _refuse(path, number, f"the score {text!r} is not a number; {_RUN}")
    return score


def _ordered(documents: dict[str, float]) -> list[str]:
    import numpy as np

    names = sorted(documents, reverse=True)
    with np.errstate(over="ignore"):
        scores = np.array([documents[name] for name in names], dtype=np.float64).astype(np.float32)
    return [names[i] for i in np.argsort(-scores, kind="stable")]


def _refuse(path: Path, number: int, what: str) -> NoReturn:
    raise DataError(f"{path}:{number}: {what}")
