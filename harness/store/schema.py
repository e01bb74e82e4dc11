"""The tables, one schema for SQLite and PostgreSQL. JSON is text that we encode ourselves (speed, same bytes)."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

SCHEMA_VERSION = 7
UPGRADES = dict.fromkeys("123456", "7")
"""Versions that only lack tables: these are made, and the workspace is of the next version."""

metadata = MetaData()

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("exam", Text, nullable=False),  # which exam: path of its file relative to the workspace's folder
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("judge_salt", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("versions", Text, nullable=False),
    Column("config", Text, nullable=False),
    Index("runs_of_exam", "exam", "created_at"),
)

samples = Table("samples", metadata, Column("sha256", Text, primary_key=True), Column("body", Text))

run_samples = Table(
    "run_samples",
    metadata,
    Column("run", Text, primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("tags", Text, nullable=False),
)

texts = Table("texts", metadata, Column("sha256", Text, primary_key=True), Column("body", Text))
"""Messages that are the same for every sample, once each."""

calls = Table(
    "calls",
    metadata,
    Column("key", Text, primary_key=True),
    Column("run", Text, nullable=False),  # the run that paid
    Column("role", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("request", Text),
    Column("status", Text, nullable=False),  # ok, or a FailureKind
    Column("detail", Text, nullable=False),
    Column("http_status", Integer),
    Column("text", Text),
    Column("reasoning", Text),
    Column("refusal", Text),
    Column("tool_calls", Text),
    Column("payload", Text),
    Column("finish_reason", Text),
    Column("served_model", Text),
    Column("dropped", Text),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cached_tokens", Integer),
    Column("cache_write_tokens", Integer),
    Column("reasoning_tokens", Integer),
    Column("usage_estimated", Integer),
    Column("cost_usd", Float),
    Column("sent_at", Float),
    Column("e2e_s", Float),
    Column("ttft_s", Float),
    Column("ttfo_s", Float),
    Column("gaps_s", LargeBinary),  # float32, native order little-endian
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("calls_of_run", "run"),
)

answers = Table(
    "answers",
    metadata,
    Column("run", Text, primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("candidate", Text, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Text, nullable=False),  # ok, or a FailureKind
    Column("owner", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("text", Text),
    Column("tool_calls", Text),
    Column("retrieved", Text),
    Column("turns", Text),
    Column("calls", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

grades = Table(
    "grades",
    metadata,
    Column("run", Text, primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("candidate", Text, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("judge", Text, primary_key=True),
    Column("criterion", Text, primary_key=True),
    Column("turn", Integer, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Text, nullable=False),  # scored, or an UnscoredStatus
    Column("score", Float),
    Column("reasoning", Text),
    Column("why", Text, nullable=False),
    Column("labels", Text),
    Column("calls", Text, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("run", Text, primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("candidate", Text, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("value", Float),
    Column("why", Text, nullable=False),
)

preferences = Table(
    "preferences",
    metadata,
    Column("run", Text, primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("left", Text, primary_key=True),  # candidates, left before right in exam order
    Column("right", Text, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("rater", Text, primary_key=True),  # a judge's name
    Column("shown_order", Text, primary_key=True),  # left_first, right_first
    Column("repeat", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Text, nullable=False),  # scored, or an UnscoredStatus
    Column("winner", Text, nullable=False),  # left, right, tie; '' unless scored
    Column("reasoning", Text),
    Column("why", Text, nullable=False),
    Column("calls", Text, nullable=False),
)

label_sets = Table(
    "label_sets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("design", Text, nullable=False),  # random, stratified, chosen, unknown
    Column("weights", Text, nullable=False),  # JSON: stratum -> its share of all answers
    Column("seed", Integer),
    Column("labelled_at", Text, nullable=False),
    Column("source", Text, nullable=False),
)

labels = Table(
    "labels",
    metadata,
    Column("label_set", Text, primary_key=True),
    Column("sample_id", Text, primary_key=True),
    Column("candidate", Text, primary_key=True),
    Column("answer_sha256", Text, primary_key=True),
    Column("criterion", Text, primary_key=True),
    Column("annotator", Text, primary_key=True),
    Column("run", Text, nullable=False),  # the run whose answer was labelled
    Column("trial", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("stratum", Text, nullable=False),
    Index("labels_of_run", "run"),
)
"""A label holds for a text (its hash), and so for every run in which that candidate gave it."""

feedback = Table(
    "feedback",
    metadata,
    Column("sample_id", Text, primary_key=True),
    Column("candidate", Text, primary_key=True),
    Column("answer_sha256", Text, primary_key=True),
    Column("user", Text, primary_key=True),  # '' where nobody is named
    Column("run", Text, nullable=False),  # the run whose answer it was said of
    Column("trial", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),  # 0, 1
    Column("edit", Text),  # what the user made of the answer
    Column("edit_share", Float),
    Column("at", Float),
    Index("feedback_of_run", "run"),
)
"""What users said of answers, which holds for a text as a label does; of one user the last word."""

reviews = Table(
    "reviews",
    metadata,
    Column("name", Text, primary_key=True),
    Column("run", Text, nullable=False),
    Column("mode", Text, nullable=False),  # grade, pairs
    Column("body", Text, nullable=False),  # JSON: the rest of `review.records.Review`
)

review_items = Table(
    "review_items",
    metadata,
    Column("review", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("sample_id", Text, nullable=False),
    Column("left", Text, nullable=False),
    Column("right", Text, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("attention", Text, nullable=False),
    Column("answer_of", Text, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("review", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("rater", Text, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("scores", Text, nullable=False),  # JSON: criterion -> score
    Column("winner", Text, nullable=False),  # left, right, tie; '' where answers are graded one by one
    Column("note", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("rated_at", Float, nullable=False),
    Index("ratings_of_rater", "review", "rater"),
)
"""What people said, one row an item, rater and round; the labels that follow from it stand in `labels`."""

benches = Table(
    "benches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("exam", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("versions", Text, nullable=False),
    Column("config", Text, nullable=False),
    Index("benches_of_exam", "exam", "created_at"),
)
"""Load tests: one row a `serve-bench`."""

bench_cells = Table(
    "bench_cells",
    metadata,
    Column("bench", Text, primary_key=True),
    Column("cell", Text, primary_key=True),  # `serving.records.Setting.key`
    Column("repeat", Integer, primary_key=True),
    Column("body", Text, nullable=False),  # JSON: the setting, the window, the client's own lag and CPU seconds
)
"""A repeat of a cell that was measured to its end; one that was not has no row and is measured again."""

bench_requests = Table(
    "bench_requests",
    metadata,
    Column("bench", Text, primary_key=True),
    Column("cell", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sample_id", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("status", Text, nullable=False),  # ok, or a FailureKind
    Column("detail", Text, nullable=False),
    Column("scheduled_s", Float, nullable=False),
    Column("sent_s", Float, nullable=False),
    Column("ttft_s", Float),
    Column("ttfo_s", Float),
    Column("e2e_s", Float),
    Column("gaps_s", LargeBinary),  # float32, little-endian
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cached_tokens", Integer),
    Column("usage_estimated", Integer),
    Column("cost_usd", Float),
    Column("capped", Integer, nullable=False),
    Column("text", Text),
)

servers = Table(
    "servers",
    metadata,
    Column("owner", Text, primary_key=True),  # id of the run or bench that it was started for
    Column("name", Text, primary_key=True),
    Column("started_at", Float, primary_key=True),
    Column("command", Text, nullable=False),  # JSON list
    Column("gpus", Text, nullable=False),  # JSON list
    Column("usd_per_gpu_hour", Float),
    Column("ready_at", Float),
    Column("stopped_at", Float),
    Column("log", Text, nullable=False),
)
"""Servers that we launched, and for how long."""

anchor_sets = Table(
    "anchor_sets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("judge", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON: the rest of `watching.AnchorSet`, without the answers' texts
)
"""Frozen answers on which judges are watched, with what they got on the night of reference."""

anchor_grades = Table(
    "anchor_grades",
    metadata,
    Column("run", Text, primary_key=True),  # in whose night they were graded again
    Column("anchors", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("criterion", Text, primary_key=True),
    Column("score", Float),
    Column("served", Text, nullable=False),  # the model that the provider named, or ''
)

cache_uses = Table(
    "cache_uses",
    metadata,
    Column("session", Text, primary_key=True),  # a process that asked through `markscheme.cached`
    Column("model", Text, primary_key=True),
    Column("last_at", Float, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("reused", Integer, nullable=False),
    Column("saved_usd", Float, nullable=False),  # of the re-used replies whose price is known
    Column("unpriced", Integer, nullable=False),  # re-used replies whose price is not
)
"""How often code of a user's own asked and found the reply recorded. What runs re-use, their rows say themselves."""
