"""A run read back one row at a time: slow and plain, what the loader by columns is held against."""

import math
from datetime import UTC, datetime

import orjson
import sqlalchemy as sa
from markscheme.harness.store import schema
from markscheme.harness.store.codec import unpack_floats
from markscheme.harness.store.load import readable, rows_of_run
from markscheme.harness.store.wanted import Wanted

TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
CALL = "run model status served_model finish_reason attempts cache_write_tokens e2e_s created_at dropped".split()


def tables(store, run):
    """Name of the table -> its rows as dicts."""
    wanted = Wanted.of(run)
    with store.reading() as connection:

        def read(table, wants):
            return [row for row in connection.execute(rows_of_run(table, run.id)).mappings() if wants(row)]

        asked = connection.execute(
            sa.select(schema.run_samples, schema.samples.c.body)
            .join(schema.samples, schema.samples.c.sha256 == schema.run_samples.c.sha256)
            .where(schema.run_samples.c.run == run.id)
            .order_by(schema.run_samples.c.position)
        )
        asked = list(asked.mappings())
        said, graded = read(schema.answers, wanted.answer), read(schema.grades, wanted.grade)
        scored, compared = read(schema.scores, wanted.score), read(schema.preferences, wanted.preference)
        calls = {row["key"]: row for row in connection.execute(sa.select(schema.calls)).mappings()}
    clusters = {row["sample_id"]: row["cluster"] or row["sample_id"] for row in asked}
    replayed = {c["name"] for c in run.config["candidates"] if c.get("model", "").startswith("replay/")}
    judged = [row for row in graded if row["judge"] not in wanted.juries]
    return {
        "samples": [sample(row) for row in asked],
        "answers": [answer(row, calls, run.id, replayed, clusters) for row in said],
        "grades": [grade(row, clusters) for row in graded],
        "scores": [placed(row, clusters) | {k: row[k] for k in ("measure", "value", "why")} for row in scored],
        "calls": call_rows(calls, run.id, said, judged, compared),
    }


def placed(row, clusters):
    place = {name: row[name] for name in ("sample_id", "candidate", "trial")}
    return {**place, "cluster": clusters[row["sample_id"]]}


def sample(row):
    body = orjson.loads(row["body"] or "{}")
    return {
        **{name: row[name] for name in ("sample_id", "tags", "sha256")},
        "cluster": row["cluster"] or row["sample_id"],
        "question": readable(body.get("question") or body.get("turns") or body.get("messages") or ""),
        "context": orjson.dumps(body.get("context", [])).decode(),
        "reference": body.get("reference"),
        "relevant": orjson.dumps(body.get("relevant", {})).decode(),
    }


def answer(row, calls, run, replayed, clusters):
    own = [calls[key] for key in orjson.loads(row["calls"]) if key in calls]
    ok = [call for call in own if call["status"] == "ok"]
    live = bool(ok) and all(call["run"] == run for call in ok)
    gaps = sorted(gap for call in ok for gap in unpack_floats(call["gaps_s"])) if live else []
    paid = total(ok, "cost_usd") if ok else 0.0 if not own and row["candidate"] not in replayed else None
    return {
        **placed(row, clusters),
        "status": row["status"],
        "owner": row["owner"],
        "detail": "" if row["status"] == "ok" else row["detail"],
        "text": row["text"] or "",
        "reasoning": "\n\n".join(call["reasoning"] for call in ok if call["reasoning"]),
        **{name: row[name] or "[]" for name in ("tool_calls", "retrieved", "turns")},
        "origin": "live" if all(call["run"] == run for call in own) else "reused",
        "reply_run": own[0]["run"] if own else run,
        "reply_date": datetime.fromtimestamp(own[0]["created_at"], UTC).date().isoformat() if own else "",
        "served_model": ok[-1]["served_model"] if ok else "",
        "finish_reason": ok[-1]["finish_reason"] if ok else "",
        "ttft_s": ok[0]["ttft_s"] if live else None,
        "e2e_s": total(ok, "e2e_s") if live else None,
        "gap_p50_s": gaps[len(gaps) // 2] if gaps else None,
        **{name: total(ok, name) for name in TOKENS},
        "usage_estimated": any(call["usage_estimated"] for call in ok),
        "cost_usd": paid,
        "n_calls": len(own),
    }


def total(calls, name):
    values = [call[name] for call in calls]
    return sum(values) if values and None not in values else None


def grade(row, clusters):
    names = ("judge", "criterion", "turn", "repeat", "status", "score", "why", "calls")
    told = {"reasoning": row["reasoning"] or "", "labels": row["labels"] or "[]"}
    return {**placed(row, clusters), **{name: row[name] for name in names}, **told}


def call_rows(calls, run, said, judged, compared):
    pointers = {}
    whose = (("candidate", "candidate", said), ("judge", "judge", judged), ("judge", "rater", compared))
    for role, name, rows in whose:
        for row in rows:
            for key in orjson.loads(row["calls"]):
                pointers.setdefault(key, (role, row[name]))
    pointed = [calls[key] for key in pointers if key in calls]
    others = [row for key, row in calls.items() if key not in pointers and row["run"] == run]
    found = []
    for row in [*pointed, *sorted(others, key=lambda row: row["created_at"])]:
        role, who = pointers.get(row["key"], (row["role"], row["who"]))
        numbers = {name: row[name] for name in (*TOKENS, "cost_usd")}
        about = {"role": role, "who": who, "reused": row["run"] != run, "superseded": row["key"] not in pointers}
        found.append({"key": row["key"], **{name: row[name] for name in CALL}, **numbers, **about})
    return found


def records(frame):
    """The rows of a table as dicts, missing values as None."""
    return [
        {name: None if missing(value) else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


def missing(value):
    return value is None or (isinstance(value, float) and math.isnan(value))
