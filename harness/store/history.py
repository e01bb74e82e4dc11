"""The runs of an exam for a view over nights: of each only the columns that this needs, and no table of pandas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from .frames import RunInfo
from .load import info_of
from .queries import SHEET
from .runs import Run, all_runs
from .schema import answers, calls, run_samples
from .store import Store, select_in
from .wanted import Wanted

Values = Mapping[tuple[str, str, str], Mapping[str, Sequence[float]]]
"""(candidate, judge or '', measure) -> sample id -> the values of its trials."""
_CALL = (calls.c.key, calls.c.run, calls.c.status, calls.c.e2e_s, calls.c.ttft_s, calls.c.cost_usd)


@dataclass(frozen=True, slots=True)
class Asked:
    """A sample of a run; ``sha256`` is that of its content."""

    sample_id: str
    cluster: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Took:
    """What came of one answer. Seconds are of live replies only; ``None`` is unknown.

    ``owner`` is who failed (candidate or ours), '' where nobody did; ``reused``: another run paid for its reply.
    """

    sample_id: str
    candidate: str
    trial: int
    status: str
    owner: str
    reused: bool
    e2e_s: float | None = None
    ttft_s: float | None = None
    cost_usd: float | None = None


@dataclass(frozen=True)
class Sitting:
    """One run. ``served`` has, by role (candidate or judge) and name, the models that the provider named for the
    replies that this run paid."""

    run: RunInfo
    samples: tuple[Asked, ...]
    answers: tuple[Took, ...]
    values: Values
    served: Mapping[tuple[str, str], tuple[str, ...]]


def runs_of(store: Store, exam: str) -> list[Run]:
    """The runs of an exam that have begun, the oldest first."""
    return [run for run in reversed(all_runs(store)) if run.exam == exam and run.config]


def read_sitting(store: Store, run: Run, values: Values) -> Sitting:
    """The run, with its ``values`` as they were read already."""
    with store.reading() as connection:
        places = sa.select(run_samples.c.sample_id, run_samples.c.cluster, run_samples.c.sha256)
        asked = connection.execute(places.where(run_samples.c.run == run.id).order_by(run_samples.c.position)).all()
        return Sitting(
            info_of(run),
            tuple(Asked(sample, cluster or sample, sha256) for sample, cluster, sha256 in asked),
            tuple(_answers(connection, run, {row[0] for row in asked})),
            values,
            _served(connection, run),
        )


def _answers(connection: sa.Connection, run: Run, samples: set[str]) -> Iterator[Took]:
    a = answers.c
    query = sa.select(a.sample_id, a.candidate, a.trial, a.status, a.owner, a.calls).where(a.run == run.id)
    wanted = Wanted.of(run).trials
    rows = [row for row in connection.execute(query) if row[0] in samples and row[2] < wanted.get(row[1], 0)]
    keys = [orjson.loads(row[5]) for row in rows]
    known = _calls(connection, run, {key for own in keys for key in own})
    replayed = {c["name"] for c in run.config["candidates"] if str(c.get("model", "")).startswith(SHEET)}
    for (sample, candidate, trial, status, owner, _), own in zip(rows, keys, strict=True):
        made = [known[key] for key in own if key in known]
        priced = candidate not in replayed
        yield Took(sample, candidate, trial, status, owner, *_took(made, run.id, priced))


def _calls(connection: sa.Connection, run: Run, keys: set[str]) -> dict[str, Any]:
    own = sa.select(*_CALL).where(calls.c.run == run.id, calls.c.role == "candidate")
    found = {row[0]: row for row in connection.execute(own) if row[0] in keys}
    elsewhere = sorted(keys - found.keys())
    if elsewhere:
        columns = [column.name for column in _CALL]
        rows = select_in(connection, sa.select(*_CALL), calls.c.key, elsewhere)
        found |= {row["key"]: tuple(row[name] for name in columns) for row in rows}
    return found


def _took(made: Sequence[Any], run: str, priced: bool) -> tuple[bool, float | None, float | None, float | None]:
    """Reused, seconds to the end and to the first token, and USD: as in `load_calls.took`."""
    if not made:
        return False, None, None, 0.0 if priced else None
    good = [call for call in made if call[2] == "ok"]
    live = bool(good) and all(call[1] == run for call in good)
    reused = any(call[1] != run for call in made)
    return reused, _total(good, 3) if live else None, good[0][4] if live else None, _total(good, 5)


def _total(made: Sequence[Any], column: int) -> float | None:
    found = [call[column] for call in made]
    return sum(found) if found and None not in found else None


def _served(connection: sa.Connection, run: Run) -> dict[tuple[str, str], tuple[str, ...]]:
    c = calls.c
    query = sa.select(c.role, c.who, c.served_model).where(c.run == run.id, c.status == "ok").distinct()
    found: dict[tuple[str, str], set[str]] = {}
    for role, who, served in connection.execute(query):
        if served:
            found.setdefault((role, who), set()).add(served)
    return {who: tuple(sorted(models)) for who, models in found.items()}
