"""The loader by columns says what a loader by rows says, whatever stands in the store."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markscheme.harness.errors import BugError
from markscheme.harness.store import columns, load_calls, runs, schema
from markscheme.harness.store import load as loading
from markscheme.harness.store.codec import dumps, pack_floats
from markscheme.harness.store.frames import WORDS
from markscheme.harness.store.load import load
from markscheme.harness.store.store import Store
from row_by_row import records, tables

OWN = "own"
SAMPLES, CANDIDATES = ("q-2", "q-1", "é", "gone"), ("mini", "sheet", "dropped")
JUDGES, CRITERIA = ("strict", "twice", "jury", "dropped"), ("correctness", "clarity", "dropped")
KEYS = [f"k{n}" for n in range(9)]
CONFIG = {
    "candidates": [{"name": "mini", "trials": 2}, {"name": "sheet", "model": "replay/x"}],
    "judges": [
        {"name": "strict", "rubric": {"criteria": [{"name": "correctness"}, {"name": "clarity"}]}},
        {"name": "twice", "repeats": 2, "repeat_share": 0.5},
        {"name": "jury", "members": ["strict", "twice"]},
        {"name": "pair", "mode": "pairwise"},
    ],
    "measures": ["exact_match"],
}
some = st.sampled_from
texts = st.one_of(st.none(), some(["", "one", "naïvely\n“two”", "</script>"]))
numbers = st.one_of(st.none(), st.integers(0, 9))
seconds = st.one_of(st.none(), some([0.25, 0.5, 1.75]))
pointers = st.lists(some([*KEYS, "nowhere"]), max_size=3, unique=True).map(dumps)
bodies = some([
    None, '{"question":"why?","reference":"so","context":["a","b"]}', '{"turns":["one",{"type":"image"}]}',
    '{"question":"where?","relevant":{"d1":2}}',
])  # fmt: skip


def rows(places, **others):
    """Rows at different places."""
    place, rest = st.tuples(*places.values()), st.fixed_dictionaries(others)
    cells = st.lists(st.tuples(place, rest), max_size=12, unique_by=lambda cell: cell[0])
    return cells.map(lambda found: [dict(zip(places, at, strict=True)) | row for at, row in found])


made_calls = rows(
    {"key": some(KEYS)},
    run=some([OWN, "earlier"]), role=some(["candidate", "judge"]), who=some(["mini", "someone"]),
    model=some(["m", "n"]), status=some(["ok", "ok", "timeout"]), detail=st.just(""), reasoning=texts,
    finish_reason=some([None, "stop"]),
    served_model=some([None, "m-1", "m-2"]), dropped=some([None, "", "seed"]), prompt_tokens=numbers,
    completion_tokens=numbers, cached_tokens=numbers, cache_write_tokens=numbers, reasoning_tokens=numbers,
    usage_estimated=some([None, 0, 1]), cost_usd=seconds, e2e_s=some([0.5, 1.5]), ttft_s=seconds,
    gaps_s=some([None, pack_floats([0.5, 0.25, 0.75])]), attempts=some([1, 2]),
    created_at=some([0.0, 86_399.0, 86_400.0, 1_795_000_000.5]),
)  # fmt: skip
at = {"sample_id": some(SAMPLES), "candidate": some(CANDIDATES), "trial": some([0, 1, 2])}
made_answers = rows(
    at, status=some(["ok", "timeout"]), owner=some(["", "candidate", "ours"]), detail=some(["", "60 s"]), text=texts,
    tool_calls=some([None, '[{"name":"f"}]']), retrieved=some([None, '[{"text":"p"}]']), turns=some([None, '["a"]']),
    calls=pointers,
)  # fmt: skip
made_grades = rows(
    {**at, "judge": some(JUDGES), "criterion": some(CRITERIA), "turn": some([0, 1]), "repeat": some([0, 1])},
    status=some(["scored", "unparsable"]), score=some([None, 0.0, 2.5]), reasoning=texts, why=some(["", "no verdict"]),
    calls=pointers, labels=some([None, '["S3","user:safe"]']),
)  # fmt: skip
made_scores = rows(
    {**at, "measure": some(["exact_match", "dropped"])}, value=some([None, 0.0, 1.0]), why=some(["", "no number found"])
)
made_preferences = rows(
    {"sample_id": some(SAMPLES[:3]), "trial": some([0, 1]), "repeat": some([0, 1])},
    left=st.just("mini"), right=st.just("sheet"), rater=st.just("pair"), shown_order=st.just("left_first"),
    status=st.just("scored"), winner=st.just("left"), reasoning=texts, why=st.just(""), calls=pointers,
)  # fmt: skip
FIXED = {"run": OWN, "attempt": 0, "fingerprint": "f", "origin": "live"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("columns"))
    yield store
    store.close()


def fill(store, made):
    """The run of these rows, and nothing else."""
    with store.writing() as connection:
        for name in ("runs", "samples", "run_samples", *made):
            connection.execute(sa.delete(schema.metadata.tables[name]))
    store.put({"runs": [{
        "id": OWN, "exam": "e.yaml", "name": "", "fingerprint": "f", "salt": "", "judge_salt": "", "created_at": 0.0,
        "finished_at": None, "versions": "{}", "config": dumps(CONFIG),
    }]})  # fmt: skip
    with store.writing() as connection:
        for name, found in made.items():
            table = schema.metadata.tables[name]
            known = {column.name for column in table.columns}
            for row in found:
                connection.execute(sa.insert(table), {k: v for k, v in {**FIXED, **row}.items() if k in known})
    return runs.find(store, OWN)


def asked(kept, bodies, clusters):
    places = [
        {"sample_id": s, "position": i, "sha256": f"sha-{s}", "cluster": clusters[i], "tags": '["t"]'}
        for i, s in enumerate(kept)
    ]
    return places, [{"sha256": f"sha-{s}", "body": bodies[i]} for i, s in enumerate(kept)]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.permutations(SAMPLES[:3]),
    st.lists(bodies, min_size=3, max_size=3),
    st.lists(some(["", "doc"]), min_size=3, max_size=3),
    st.tuples(made_calls, made_answers, made_grades, made_scores, made_preferences),
    some([1, 3, 300]),
)
def test_tables_by_columns_are_those_by_rows(store, kept, body, clusters, made, chunk):
    places, contents = asked(kept, body, clusters)
    names = ("calls", "answers", "grades", "scores", "preferences")
    run = fill(store, {**dict(zip(names, made, strict=True)), "run_samples": places, "samples": contents})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "CHUNK", chunk)
        patch.setattr(load_calls, "_SOME", 2)
        patch.setattr(loading, "_SOME", 2)
        data, lean = load(store, run), load(store, run, words=False)
        expected = tables(store, run)
        for name, found in expected.items():
            key = (lambda row: row["key"]) if name == "calls" else None
            told = records(getattr(data, name))
            assert sorted(told, key=key) == sorted(found, key=key) if key else told == found, name
            whole = [{k: v for k, v in row.items() if k not in WORDS[name]} for row in told]
            assert records(getattr(lean, name)) == whole, name
        check_excerpt(data, lean)


def check_excerpt(data, lean):
    """Every second answer, with all its words, from a run that was loaded with them and from one that was not."""
    some = range(0, len(data.answers), 2)
    one, other = data.excerpt(some), lean.excerpt(some)
    for name in ("samples", "answers", "grades", "scores"):
        assert records(getattr(other, name)) == records(getattr(one, name)), name
    assert records(one.answers) == records(data.answers.iloc[list(some)])
    places = [(row["sample_id"], row["candidate"], row["trial"]) for row in records(one.answers)]
    mine = [r for r in records(data.grades) if (r["sample_id"], r["candidate"], r["trial"]) in places]
    assert records(one.grades) == mine


def test_two_keys_of_one_hash_are_noticed(store, monkeypatch):
    row = {"key": "a", "run": OWN, "role": "judge", "who": "x", "model": "m", "status": "ok", "detail": "",
           "attempts": 1, "created_at": 0.0}  # fmt: skip
    made = {"calls": [row, {**row, "key": "b"}], "answers": [], "grades": [], "scores": [], "preferences": []}
    run = fill(store, {**made, "run_samples": [], "samples": []})
    monkeypatch.setattr(columns, "key_hash", len)
    with pytest.raises(BugError, match="two calls have keys of the same hash"):
        load(store, run)
