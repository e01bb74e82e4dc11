"""The answers of a run with what each was given for: the sample, the messages that were sent, the calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from ..errors import InputError
from ..records import Answer, Message, Sample
from .codec import PURGED, answer_sha256_of_row, row_to_answer
from .load import rows_of_run
from .replies import requests_of
from .runs import Run
from .schema import answers, calls
from .store import Store, select_in
from .wanted import Wanted
from .wordless import MARK

_SOME = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer and its sample. ``messages``, ``tools`` and ``params`` are those of the last request that is recorded
    among its calls; ``recorded`` is False where there is none: of a baseline, a sheet, an application."""

    sample: Sample
    answer: Answer
    sha256: str
    recorded: bool = False
    messages: tuple[Message, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


def asked(store: Store, run: Run, samples: Iterable[Sample]) -> Iterator[Asked]:
    """The answers that the run's configuration wants, in exam order; ``samples`` are the run's.

    Raises InputError where their words are gone.
    """
    if run.config.get(MARK):
        raise InputError(
            f"run {run.id}: the bundle was written without texts; write one with them, or use its workspace"
        )
    wanted, shared = Wanted.of(run), dict[str, list[Any]]()
    by_id = {sample.id: sample for sample in samples}
    with store.reading() as connection:
        found = [row for row in connection.execute(rows_of_run(answers, run.id)).mappings() if wanted.answer(row)]
        for start in range(0, len(found), _SOME):
            some = found[start : start + _SOME]
            requests = _requests(connection, some, shared)
            for row in some:
                yield _asked(run, row, by_id[row["sample_id"]], requests)


def _asked(run: Run, row: Mapping[Any, Any], sample: Sample, requests: Mapping[str, Mapping[str, Any]]) -> Asked:
    if row["status"] == "ok" and row["text"] is None and row["detail"].startswith(PURGED):
        raise InputError(
            f"run {run.id}: its texts are gone (markscheme store purge, or a bundle without texts), and nothing can be "
            "learned from answers without words; name another run"
        )
    answer = row_to_answer(row)
    sent = next((requests[key] for key in reversed(answer.calls) if key in requests), None)
    if sent is None:
        return Asked(sample, answer, answer_sha256_of_row(row))
    messages, tools = tuple(sent["messages"]), tuple(sent.get("tools") or ())
    return Asked(sample, answer, answer_sha256_of_row(row), True, messages, tools, sent.get("params") or {})


def _requests(
    connection: sa.Connection, rows: Sequence[Mapping[Any, Any]], shared: dict[str, list[Any]]
) -> dict[str, Mapping[str, Any]]:
    """Key -> request, of the calls of some answers that have one."""
    keys = list(dict.fromkeys(key for row in rows for key in orjson.loads(row["calls"])))
    query = sa.select(calls.c.key, calls.c.request).where(calls.c.request.is_not(None))
    found = [(row["key"], row["request"]) for row in select_in(connection, query, calls.c.key, keys)]
    requests = requests_of(connection, [request for _, request in found], shared)
    return dict(zip((key for key, _ in found), requests, strict=True))
