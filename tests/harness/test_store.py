"""The workspace keeps what was paid for, and says clearly why it cannot."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from markscheme.harness.errors import InputError, RunBusy, StoreError
from markscheme.harness.records import (
    Answer,
    Call,
    Failed,
    Failure,
    Grade,
    Reply,
    Retrieved,
    Said,
    Sample,
    Scored,
    Timing,
    ToolCall,
    Unscored,
    Usage,
)
from markscheme.harness.store import codec, engine, queries, runs
from markscheme.harness.store.store import Store

REPLY = Reply(
    text="forty-two",
    usage=Usage(10, 5, cached_tokens=4, reasoning_tokens=2),
    timing=Timing(sent_at=100.0, e2e_s=1.5, ttft_s=0.5, ttfo_s=0.75, gaps_s=(0.25, 0.5)),
    reasoning="hm",
    tool_calls=(ToolCall("f", "{}", "1"),),
    served_model="m-2026",
    dropped=("temperature",),
    payload={"retrieved": [{"text": "p"}]},
)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "ws")
    yield store
    store.close()


def call(key="k", run="r1", outcome=REPLY):
    return Call(key, run, "candidate", "mini", "openai/x", outcome, attempts=2, cost_usd=0.01, created_at=101.0)


def test_a_call_comes_back_as_it_was_put(store):
    store.put({"calls": [codec.call_to_row(call(), '{"messages":[]}')]})
    assert store.find_calls(["k"], "r1") == {"k": call()}


def test_a_call_paid_by_another_run_is_marked_as_reused(store):
    store.put({"calls": [codec.call_to_row(call(), None)]})
    assert store.find_calls(["k"], "r2")["k"].reused


def test_a_recorded_reply_is_never_overwritten_but_a_failure_is(store):
    failed = call(outcome=Failure("network", "reset", None, sent_at=99.0))
    store.put({"calls": [codec.call_to_row(failed, None)]})
    assert store.find_calls(["k"], "r1")["k"].outcome.kind == "network"
    store.put({"calls": [codec.call_to_row(call(), None)]})
    store.put({"calls": [codec.call_to_row(failed, None)]})
    assert store.find_calls(["k"], "r1")["k"].outcome == REPLY


def test_more_keys_than_a_statement_takes_are_found(store):
    store.put({"calls": [codec.call_to_row(call(f"k{i}"), None) for i in range(1200)]})
    assert len(store.find_calls([f"k{i}" for i in range(1300)], "r1")) == 1200


@pytest.mark.parametrize(
    "outcome",
    [
        Said("text", (ToolCall("f", '{"a":1}'),), (Retrieved("passage", "d1", 0.5),), ("first", "text")),
        Failed("truncated", "candidate", "cut at 10 tokens", "half an ans"),
    ],
)
def test_an_answer_comes_back_as_it_was_put(store, outcome):
    answer = Answer("r1", "s1", "mini", 0, outcome, ("k",), "live", "f")
    store.put({"answers": [codec.answer_to_row(answer, 3)]})
    assert queries.read_answers(store, "r1", ["s1"]) == [answer]
    assert queries.answer_standings(store, "r1")[("s1", "mini", 0)].attempt == 3


@pytest.mark.parametrize("outcome", [Scored(2.0, "because", ("S1",)), Unscored("unparsable", "no JSON")])
def test_a_grade_comes_back_as_it_was_put(store, outcome):
    run = runs.begin(store, "exam.yaml", {})
    store.put_samples(run.id, [Sample("s1", "q", sha256="a")])
    grade = Grade(run.id, "s1", "mini", 0, "strict", "correctness", outcome, calls=("k",), fingerprint="f")
    store.put({"grades": [codec.grade_to_row(grade, 0)]})
    assert list(queries.read_grades(store, run.id)) == [grade]


def test_the_standing_of_a_set_of_grades_is_the_one_most_in_need(store):
    outcomes = {"a": Scored(1.0), "b": Unscored("error", "500"), "c": Unscored("unparsable", "?")}
    rows = [codec.grade_to_row(Grade("r1", "s", "m", 0, "j", c, o), 0) for c, o in outcomes.items()]
    store.put({"grades": rows})
    assert queries.grade_standings(store, "r1")[("s", "m", 0, "j", 0)].status == "error"


def test_samples_come_back_in_exam_order_and_follow_the_last_put(store):
    items = [
        Sample("b", "q1", context=("p",), reference="r", cluster="c", tags=("t",), metadata={"x": 1}, sha256="1"),
        Sample("a", "q2", cluster="a", sha256="2"),
    ]
    store.put_samples("r1", items)
    assert store.read_samples("r1") == items
    store.put_samples("r1", items[1:])
    assert store.read_samples("r1") == items[1:]


def test_a_run_is_found_by_id_prefix_name_and_latest(store):
    first = runs.begin(store, "e.yaml", {}, name="monday")
    second = runs.begin(store, "other.yaml", {}, fresh=True)
    assert runs.find(store, first.id).id == first.id
    assert runs.find(store, "monday").id == first.id
    assert runs.find(store, "latest").id == second.id
    assert runs.latest(store, "e.yaml").id == first.id
    assert (first.salt, second.salt) == ("", second.id)
    with pytest.raises(InputError, match=r"no run 'x'.*the latest are"):
        runs.find(store, "x")


def test_a_regrade_takes_the_answers_along_and_salts_only_the_judges(store):
    source = runs.begin(store, "e.yaml", {})
    store.put({"answers": [codec.answer_to_row(Answer(source.id, "s", "m", 0, Said("hi"), ("k",)), 0)]})
    again = runs.begin_regrade(store, source, {})
    (answer,) = queries.read_answers(store, again.id, ["s"])
    assert (answer.outcome.text, answer.origin) == ("hi", "reused")
    assert (again.salt, again.judge_salt) == ("", again.id)


def test_purging_forgets_words_and_keeps_numbers(store):
    run = runs.begin(store, "e.yaml", {})
    sample = Sample("s", "SECRETQUESTION", sha256="h")
    store.put_samples(run.id, [sample])
    secret = Reply("SECRETANSWER", Usage(3, 4), Timing(1.0, 1.0))
    store.put(
        {
            "calls": [codec.call_to_row(call("k", run.id, secret), '{"messages": "SECRETPROMPT"}')],
            "answers": [codec.answer_to_row(Answer(run.id, "s", "m", 0, Said("SECRETANSWER"), ("k",)), 0)],
            "grades": [codec.grade_to_row(Grade(run.id, "s", "m", 0, "j", "c", Scored(2, "SECRETREASON")), 0)],
        }
    )
    assert store.purge_texts(run.id) == 1
    store.close()
    folder = Path(store.where)
    assert not any(b"SECRET" in path.read_bytes() for path in folder.glob("markscheme.db*"))
    again = Store(folder)
    (grade,) = queries.read_grades(again, run.id)
    assert grade.outcome.score == 2
    assert again.find_calls(["k"], run.id)["k"].outcome.usage.completion_tokens == 4
    again.put_samples(run.id, [sample])
    assert again.read_samples(run.id) == [sample]
    again.close()


def test_of_many_that_find_no_run_one_begins_it(store):
    with ThreadPoolExecutor(8) as threads:
        begun = list(threads.map(lambda _: runs.latest_or_begin(store, "exam.yaml", {}).id, range(8)))
    assert set(begun) == {run.id for run in runs.all_runs(store)}
    assert len(set(begun)) == 1


def test_a_second_process_on_one_run_is_refused_and_a_killed_one_frees_it(store):
    run = runs.begin(store, "e.yaml", {})
    script = (
        "import sys, time; from markscheme.harness.store.store import Store\n"
        f"with Store({store.where!r}).lease({run.id!r}): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunBusy, match=rf"pid {holder.pid}.*, or start anew"), store.lease(run.id, "start anew"):
            pass
        with store.lease("another-run"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with store.lease(run.id):
        pass


def test_a_lock_file_that_its_holder_removes_locks_nobody_out(store):
    for _ in range(3):
        with store.lease("r"):
            assert store.alone("r")
            with store.lease("another"):
                assert not store.alone("r")
    assert list((Path(store.where) / "locks").iterdir()) == []


def test_a_corrupt_database_is_named_with_a_remedy(tmp_path):
    (tmp_path / "markscheme.db").write_bytes(b"this is not a database, not at all, not even near" * 100)
    with pytest.raises(StoreError, match="not a SQLite database"):
        Store(tmp_path)


def test_a_database_of_another_schema_is_refused(tmp_path):
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "markscheme.db") as connection:
        connection.execute("UPDATE meta SET value = '999'")
    connection.close()
    with pytest.raises(StoreError, match="schema '999'"):
        Store(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_read_only_workspace_is_refused_by_name():
    with tempfile.TemporaryDirectory() as folder:  # outside tmp_path, whose parents only their owner may enter
        script = (
            "import os, sys\nfrom markscheme.harness.store.store import Store, StoreError\n"
            "where = sys.argv[1]\nStore(where).close()\nos.chmod(where + '/markscheme.db', 0o444)\n"
            "os.chmod(where, 0o555)\nif os.geteuid() == 0: os.seteuid(65534)\n"
            "try: Store(where).put_samples('r', [])\nexcept StoreError as error: print(error)\n"
        )
        script = script.replace(
            "import Store, StoreError", "import Store\nfrom markscheme.harness.errors import StoreError"
        )
        command = [sys.executable, "-c", script, folder]
        shown = subprocess.run(command, check=False, capture_output=True, text=True)
        Path(folder).chmod(0o755)
    assert "the workspace is read-only" in shown.stdout, shown


def test_a_full_disk_is_named_and_what_was_committed_stays(store):
    store.put({"calls": [codec.call_to_row(call("kept"), None)]})
    with store.engine.connect() as connection:
        raw = connection.connection.driver_connection
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {pages}")
        long = Reply("x" * 500_000, Usage(1, 1), Timing(1.0, 1.0))
        with pytest.raises(StoreError, match="no space is left"), engine.store_errors(store.where):
            connection.execute(store._upserts["calls"], [codec.call_to_row(call("lost", outcome=long), None)])
            connection.commit()
        raw.execute("PRAGMA max_page_count = 1000000")
    assert set(store.find_calls(["kept", "lost"], "r1")) == {"kept"}


def test_a_network_file_system_is_refused_by_name(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    assert engine.file_system_of(tmp_path / "deep" / "ws", str(mounts)) == "nfs4"
    monkeypatch.setattr(engine, "file_system_of", lambda folder: "nfs4")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*postgresql"):
        Store(tmp_path / "ws")


def test_a_file_as_workspace_is_an_input_error(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(InputError, match="is a file; name a folder"):
        Store(tmp_path / "f")


def test_a_password_in_a_url_is_hidden():
    assert "hunter2" not in engine.describe("postgresql+psycopg://me:hunter2@127.0.0.1/db")


def test_processes_that_make_one_workspace_at_once_all_open_it(tmp_path):
    opened = (
        "import sys; from markscheme.harness.store.store import Store; print('ready', flush=True); "
        "[(input(), Store(f'{sys.argv[1]}/{turn}').close(), print('opened', flush=True)) for turn in range(10)]"
    )
    command = [sys.executable, "-c", opened, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    made = [subprocess.Popen(command, **pipes) for _ in range(6)]
    for _ in range(10):
        for process in made:
            process.stdout.readline()
        for process in made:
            process.stdin.write("\n")
            process.stdin.flush()
    assert [process.communicate()[1][-300:] for process in made] == [""] * 6
