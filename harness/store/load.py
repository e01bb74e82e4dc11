"""A run read back as the tables of `frames`. Pointers from answers and grades to calls are resolved here."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from .codec import answer_sha256_of_row, unpack_floats
from .frames import (
    ANSWER_COLUMNS,
    CALL_COLUMNS,
    GRADE_COLUMNS,
    PREFERENCE_COLUMNS,
    SAMPLE_COLUMNS,
    SCORE_COLUMNS,
    RunData,
    RunInfo,
    frame_of,
)
from .label_rows import Answered, label_frame
from .runs import Run
from .schema import answers, calls, grades, preferences, run_samples, samples, scores
from .store import Store, select_in
from .wanted import Wanted

Row = Mapping[Any, Any]
_NAN = math.nan


def load(store: Store, run: Run) -> RunData:
    """The run's tables: only what its latest configuration still names (`Wanted`)."""
    wanted = Wanted.of(run)
    with store.reading() as connection:
        sample_rows = connection.execute(_samples(run.id)).mappings().all()
        answer_rows = [r for r in connection.execute(rows_of_run(answers, run.id)).mappings() if wanted.answer(r)]
        grade_rows = [r for r in connection.execute(rows_of_run(grades, run.id)).mappings() if wanted.grade(r)]
        score_rows = [r for r in connection.execute(rows_of_run(scores, run.id)).mappings() if wanted.score(r)]
        compared = [r for r in connection.execute(rows_of_run(preferences, run.id)).mappings() if wanted.preference(r)]
        # A jury's grades point at the calls of its members, whose own grades say so.
        judged = [r for r in grade_rows if r["judge"] not in wanted.juries]
        pointers = _pointers(answer_rows, judged, compared)
        columns = [c for c in calls.columns if c.name not in ("request", "text", "payload", "tool_calls", "refusal")]
        query = sa.select(*columns)
        call_rows = {r["key"]: r for r in select_in(connection, query, calls.c.key, list(pointers))}
        paid = connection.execute(query.where(calls.c.run == run.id).order_by(calls.c.created_at, calls.c.key))
        call_rows |= {r["key"]: r for r in paid.mappings() if r["key"] not in call_rows}
        clusters = {r["sample_id"]: r["cluster"] or r["sample_id"] for r in sample_rows}
        labels = label_frame(connection, (_answered(r) for r in answer_rows if r["status"] == "ok"), clusters)
    candidates = run.config.get("candidates", ())
    replayed = {c["name"] for c in candidates if str(c.get("model", "")).startswith("replay/")}
    return RunData(
        info=info_of(run),
        samples=frame_of(SAMPLE_COLUMNS, (_sample(r) for r in sample_rows)),
        answers=frame_of(ANSWER_COLUMNS, (_answer(r, clusters, call_rows, run.id, replayed) for r in answer_rows)),
        grades=frame_of(GRADE_COLUMNS, (_grade(r, clusters) for r in grade_rows)),
        scores=frame_of(SCORE_COLUMNS, (_score(r, clusters) for r in score_rows)),
        calls=frame_of(CALL_COLUMNS, (_call(r, pointers.get(k), run.id) for k, r in call_rows.items())),
        preferences=frame_of(PREFERENCE_COLUMNS, (preference_of(r, clusters) for r in compared)),
        labels=labels,
    )


def _samples(run: str) -> sa.Select[Any]:
    return (
        sa.select(run_samples, samples.c.body)
        .join(samples, samples.c.sha256 == run_samples.c.sha256)
        .where(run_samples.c.run == run)
        .order_by(run_samples.c.position)
    )


def rows_of_run(table: sa.Table, run: str, columns: Sequence[str] = ()) -> sa.Select[Any]:
    """Rows of the run's present samples in exam order, all ``columns`` or these."""
    places = (run_samples.c.run == table.c.run) & (run_samples.c.sample_id == table.c.sample_id)
    keys = [column for column in table.primary_key if column.name not in ("run", "sample_id")]
    chosen = sa.select(*(table.c[name] for name in columns)) if columns else sa.select(table)
    return chosen.join(run_samples, places).where(table.c.run == run).order_by(run_samples.c.position, *keys)


def _pointers(
    answer_rows: Iterable[Row], grade_rows: Iterable[Row], compared: Iterable[Row]
) -> dict[str, tuple[str, str]]:
    """Call key -> (role, who) of whoever points at it in this run."""
    found: dict[str, tuple[str, str]] = {}
    sources = (("candidate", "candidate", answer_rows), ("judge", "judge", grade_rows), ("judge", "rater", compared))
    for role, name, rows in sources:
        for row in rows:
            for key in orjson.loads(row["calls"]):
                found.setdefault(key, (role, row[name]))
    return found


def _answered(row: Row) -> Answered:
    return row["sample_id"], row["candidate"], row["trial"], answer_sha256_of_row(row)


def info_of(run: Run) -> RunInfo:
    return RunInfo(
        run.id, run.exam, run.name, run.fingerprint, run.created_at, run.finished_at, run.versions, run.config
    )


def _sample(row: Row) -> tuple[Any, ...]:
    body = orjson.loads(row["body"] or "{}")
    question = body.get("question") or body.get("turns") or body.get("messages") or ""
    context = orjson.dumps(body.get("context", [])).decode()
    cluster = row["cluster"] or row["sample_id"]
    relevant = orjson.dumps(body.get("relevant", {})).decode()
    told = readable(question), context, body.get("reference"), row["tags"], relevant
    return row["sample_id"], cluster, *told, row["sha256"]


def readable(content: Any) -> str:
    """What a reader should see of text, parts, turns or messages."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        inner = content.get("content", content.get("text", ""))
        text = readable(inner) if inner else f"[{content.get('type', 'part')}]"
        return f"{content['role']}: {text}" if "role" in content else text
    return "\n".join(readable(part) for part in content)


def _answer(
    row: Row, clusters: Mapping[str, str], call_rows: Mapping[str, Row], run: str, replayed: Collection[str]
) -> tuple[Any, ...]:
    own = [call_rows[key] for key in orjson.loads(row["calls"]) if key in call_rows]
    ok = [call for call in own if call["status"] == "ok"]
    first = own[0] if own else None
    live = bool(ok) and all(call["run"] == run for call in ok)
    gaps = sorted(gap for call in ok for gap in unpack_floats(call["gaps_s"])) if live else []
    return (
        row["sample_id"],
        clusters[row["sample_id"]],
        row["candidate"],
        row["trial"],
        row["status"],
        row["owner"],
        "" if row["status"] == "ok" else row["detail"],
        row["text"] or "",
        "\n\n".join(call["reasoning"] for call in ok if call["reasoning"]),
        row["tool_calls"] or "[]",
        row["retrieved"] or "[]",
        row["turns"] or "[]",
        "live" if all(call["run"] == run for call in own) else "reused",
        first["run"] if first else row["run"],
        _date(first["created_at"]) if first else "",
        ok[-1]["served_model"] if ok else "",
        ok[-1]["finish_reason"] if ok else "",
        _or_nan(ok[0]["ttft_s"]) if live else _NAN,
        sum(call["e2e_s"] for call in ok) if live else _NAN,
        gaps[len(gaps) // 2] if gaps else _NAN,
        *(_total(ok, name) for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")),
        any(call["usage_estimated"] for call in ok),
        # Without a call nothing was paid; only of a sheet that says no cost nobody knows what it took.
        _total(ok, "cost_usd") if ok else (0.0 if not own and row["candidate"] not in replayed else _NAN),
        len(own),
    )


def _grade(row: Row, clusters: Mapping[str, str]) -> tuple[Any, ...]:
    names = ("candidate", "trial", "judge", "criterion", "turn", "repeat", "status")
    head = (row["sample_id"], clusters[row["sample_id"]], *(row[name] for name in names))
    return (*head, _or_nan(row["score"]), row["reasoning"] or "", row["why"], row["calls"])


def preference_of(row: Row, clusters: Mapping[str, str]) -> tuple[Any, ...]:
    names = ("left", "right", "trial", "rater", "shown_order", "repeat", "status", "winner")
    head = (row["sample_id"], clusters[row["sample_id"]], *(row[name] for name in names))
    return (*head, row["reasoning"] or "", row["why"], row["calls"])


def _score(row: Row, clusters: Mapping[str, str]) -> tuple[Any, ...]:
    place = (row["sample_id"], clusters[row["sample_id"]], row["candidate"], row["trial"])
    return (*place, row["measure"], _or_nan(row["value"]), row["why"])


def _call(row: Row, pointer: tuple[str, str] | None, run: str) -> tuple[Any, ...]:
    role, who = pointer or (row["role"], row["who"])
    values = {**row, "role": role, "who": who, "reused": row["run"] != run, "cost_usd": _or_nan(row["cost_usd"])}
    values["superseded"] = pointer is None
    return tuple(values[name] for name in CALL_COLUMNS)


def _total(rows: Sequence[Row], name: str) -> float:
    """Sum over calls; NaN where one of them does not say, or there is none."""
    if not rows:
        return _NAN
    return sum(_or_nan(row[name]) for row in rows)


def _or_nan(value: float | None) -> float:
    return _NAN if value is None else value


def _date(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).date().isoformat()
