"""What the store promises on SQLite, it keeps on PostgreSQL."""

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from markscheme.harness.errors import RunBusy, StoreError
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
from markscheme.harness.store import codec, queries, runs
from markscheme.harness.store.schema import metadata
from markscheme.harness.store.store import Store
from markscheme.harness.store.writer import Writer

pytestmark = pytest.mark.server

REPLY = Reply(
    text="forty-two, naïvely — 四十二",
    usage=Usage(10, 5, cached_tokens=4, reasoning_tokens=2),
    timing=Timing(sent_at=1_795_245_670.25, e2e_s=1.5, ttft_s=0.5, ttfo_s=0.75, gaps_s=(0.25, 0.5)),
    reasoning="hm",
    tool_calls=(ToolCall("f", "{}", "1"),),
    served_model="m-2026",
    dropped=("temperature",),
    payload={"retrieved": [{"text": "p"}]},
)


@pytest.fixture
def store(postgres_url):
    store = Store(postgres_url)
    yield store
    metadata.drop_all(store.engine)
    store.close()


def call(key="k", run="r1", outcome=REPLY):
    return Call(key, run, "candidate", "mini", "openai/x", outcome, attempts=2, cost_usd=0.01, created_at=101.0)


def test_a_call_comes_back_as_it_was_put(store):
    store.put({"calls": [codec.call_to_row(call(), '{"messages":[]}')]})
    assert store.find_calls(["k"], "r1") == {"k": call()}
    assert store.find_calls(["k"], "r2")["k"].reused


def test_calls_with_and_without_a_reply_go_into_one_commit(store):
    failed = call("f", outcome=Failure("network", "reset", None, sent_at=99.0))
    store.put({"calls": [codec.call_to_row(call(), None), codec.call_to_row(failed, None)]})
    found = store.find_calls(["k", "f"], "r1")
    assert found["k"].outcome == REPLY
    assert found["f"].outcome == failed.outcome


def test_a_recorded_reply_is_never_overwritten_but_a_failure_is(store):
    failed = call(outcome=Failure("network", "reset", None, sent_at=99.0))
    other = call(run="r2", outcome=Reply("something else", Usage(1, 1), Timing(1.0, 1.0)))
    for later in (failed, call(), failed, other):
        store.put({"calls": [codec.call_to_row(later, None)]})
    assert store.find_calls(["k"], "r1") == {"k": call()}


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
def test_a_grade_comes_back_as_it_was_put_and_a_later_one_takes_its_place(store, outcome):
    run = runs.begin(store, "exam.yaml", {})
    store.put_samples(run.id, [Sample("s1", "q", sha256="a")])
    first = Grade(run.id, "s1", "mini", 0, "strict", "correctness", Unscored("error", "500"))
    grade = Grade(run.id, "s1", "mini", 0, "strict", "correctness", outcome, calls=("k",), fingerprint="f")
    for attempt, each in enumerate((first, grade)):
        store.put({"grades": [codec.grade_to_row(each, attempt)]})
    assert list(queries.read_grades(store, run.id)) == [grade]
    assert queries.grade_standings(store, run.id)[("s1", "mini", 0, "strict", 0)].attempt == 1


def test_samples_come_back_in_exam_order_and_follow_the_last_put(store):
    items = [
        Sample("b", "q1", context=("p",), reference="r", cluster="c", tags=("t",), metadata={"x": 1}, sha256="1"),
        Sample("a", "q2", cluster="a", sha256="2"),
    ]
    store.put_samples("r1", items)
    assert store.read_samples("r1") == items
    store.put_samples("r1", items[1:])
    assert store.read_samples("r1") == items[1:]


def test_samples_with_one_content_share_its_body(store):
    items = [Sample("a", "q", sha256="1"), Sample("b", "q", sha256="1")]
    store.put_samples("r1", items)
    assert store.read_samples("r1") == items


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
    with store.reading() as connection:
        for table in metadata.tables.values():
            assert "SECRET" not in str(connection.execute(sa.select(table)).all())
    (grade,) = queries.read_grades(store, run.id)
    assert grade.outcome.score == 2
    assert store.find_calls(["k"], run.id)["k"].outcome.usage.completion_tokens == 4
    store.put_samples(run.id, [sample])
    assert store.read_samples(run.id) == [sample]


def test_a_run_is_begun_described_finished_and_found(store):
    first = runs.begin(store, "e.yaml", {"markscheme": "1"}, name="monday")
    runs.describe_run(store, first, "fingerprint", {"exam": 1}, {"markscheme": "2"})
    runs.finish(store, first)
    second = runs.begin(store, "other.yaml", {}, fresh=True)
    found = runs.find(store, "monday")
    assert (found.id, found.fingerprint, found.config, found.versions["markscheme"]) == (
        first.id,
        "fingerprint",
        {"exam": 1},
        "2",
    )
    assert found.finished_at >= found.created_at
    assert runs.find(store, "latest").id == second.id
    assert runs.latest(store, "e.yaml").id == first.id


def test_a_regrade_takes_the_answers_along(store):
    source = runs.begin(store, "e.yaml", {})
    store.put({"answers": [codec.answer_to_row(Answer(source.id, "s", "m", 0, Said("hi"), ("k",)), 0)]})
    (answer,) = queries.read_answers(store, runs.begin_regrade(store, source, {}).id, ["s"])
    assert (answer.outcome.text, answer.origin) == ("hi", "reused")


def test_of_many_that_find_no_run_one_begins_it(store):
    with ThreadPoolExecutor(8) as threads:
        begun = list(threads.map(lambda _: runs.latest_or_begin(store, "fresh.yaml", {}).id, range(8)))
    assert len(set(begun)) == 1


def test_what_a_run_spent_is_summed_over_its_own_calls(store):
    store.put({"calls": [codec.call_to_row(call(f"k{i}", f"r{i % 2}"), None) for i in range(5)]})
    assert queries.spent_usd(store, "r0") == pytest.approx(0.03)
    assert queries.spent_usd(store, "never") == 0.0


def test_a_run_is_held_against_a_second_connection_and_freed_at_the_end(store, postgres_url):
    other = Store(postgres_url)
    with store.lease("r1"):
        with pytest.raises(RunBusy, match="worked on"), other.lease("r1"):
            pass
        with other.lease("r2"):
            pass
    with other.lease("r1"):
        pass
    other.close()


def test_a_killed_holder_frees_the_run(store, postgres_url):
    script = (
        "import sys, time; from markscheme.harness.store.store import Store\n"
        "with Store(sys.argv[1]).lease('r1'): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, postgres_url], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunBusy), store.lease("r1"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    until = time.monotonic() + 10  # the server notices the closed connection on its own time
    while True:
        try:
            with store.lease("r1"):
                return
        except RunBusy:
            assert time.monotonic() < until
            time.sleep(0.01)


def test_the_writer_commits_what_waits_together_and_finds_it_again(store):
    commits = []

    @sa.event.listens_for(store.engine, "commit")
    def note(connection):
        commits.append(connection)

    async def write():
        writer = Writer(store, "r1")
        await asyncio.gather(*(writer.put(("calls", codec.call_to_row(call(f"k{i}"), None))) for i in range(64)))
        found = await asyncio.gather(*(writer.find(f"k{i}") for i in range(65)))
        await writer.close()
        return found

    *found, missing = asyncio.run(write())
    assert [each.key for each in found] == [f"k{i}" for i in range(64)]
    assert missing is None
    assert len(commits) == 1


def test_one_place_written_twice_in_a_group_keeps_the_later_row(store):
    answers = [Answer("r1", "s", "m", 0, Said(text), ("k",)) for text in ("first", "second")]

    async def write():
        writer = Writer(store, "r1")
        await asyncio.gather(*(writer.put(("answers", codec.answer_to_row(each, 0))) for each in answers))
        await writer.close()

    asyncio.run(write())
    (answer,) = queries.read_answers(store, "r1", ["s"])
    assert answer.outcome.text == "second"


def test_two_writers_with_the_same_keys_in_another_order_do_not_block_each_other(store, postgres_url):
    """Rows are locked in the order in which they are written: without one order for all, this is a deadlock."""
    other = Store(postgres_url)
    keys = [f"k{i}" for i in range(400)]

    def failed(run, order):
        outcome = Failure("network", "reset")
        return {"calls": [codec.call_to_row(call(key, run, outcome), None) for key in order]}

    async def both():
        loop = asyncio.get_running_loop()
        for _ in range(5):
            await asyncio.gather(
                loop.run_in_executor(None, store.put, failed("r1", keys)),
                loop.run_in_executor(None, other.put, failed("r2", keys[::-1])),
            )

    asyncio.run(both())
    other.close()
    assert len(store.find_calls(keys, "r1")) == 400


def test_many_processes_may_open_an_empty_database_at_the_same_time(store, postgres_url):
    metadata.drop_all(store.engine)

    async def open_all():
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(None, Store, postgres_url) for _ in range(4)))

    for opened in asyncio.run(open_all()):
        opened.close()


def test_text_with_a_nul_is_kept_with_a_mark_in_its_place(store):
    """PostgreSQL takes no NUL in text; what a model wrote may hold one, and must not stop the run."""
    reply = Reply("a\x00b", Usage(1, 1), Timing(1.0, 1.0))
    store.put({"calls": [codec.call_to_row(call(outcome=reply), None)]})
    assert store.find_calls(["k"], "r1")["k"].outcome.text == "a\N{REPLACEMENT CHARACTER}b"


def test_a_wrong_password_and_a_closed_port_are_named_without_the_password(postgres_url):
    url = sa.make_url(postgres_url)
    for wrong in (url.set(password="hunter2"), url.set(port=1, password="hunter2")):
        with pytest.raises(StoreError) as caught:
            Store(wrong.render_as_string(hide_password=False))
        assert "127.0.0.1" in str(caught.value)
        assert "hunter2" not in str(caught.value)
