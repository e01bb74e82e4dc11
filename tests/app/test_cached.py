"""`markscheme.cached`: a question is asked, and paid for, once, whoever asks and however often."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import markscheme as ms
import openai
import pytest
import sqlalchemy as sa
from markscheme.app.caching.desk import close_desks
from markscheme.harness.errors import CallFailed, EndpointGone, InputError
from markscheme.harness.prices import Price
from markscheme.harness.records import Failure
from markscheme.harness.store import runs
from markscheme.harness.store.schema import cache_uses, calls, metadata
from markscheme.harness.store.store import Store
from markscheme.harness.store.uses import Uses
from mock_replies import code_word

MODEL = "openai-compatible/cand-1"
PRICES = {MODEL: Price(1, 2)}


def question(number):
    return f"[[Q{number}]] Which code word?"


@pytest.fixture(autouse=True)
def closed():
    yield
    close_desks()


@pytest.fixture
def model(mock, tmp_path):
    return ms.cached(MODEL, base_url=mock.url, workspace=tmp_path, prices=PRICES)


@pytest.fixture
def client(mock):
    with openai.OpenAI(base_url=mock.url, api_key="x", max_retries=0) as opened:
        yield opened


def sent(number=1, **changes):
    return {"model": "cand-1", "messages": [{"role": "user", "content": question(number)}], **changes}


def test_the_same_question_is_sent_once_and_another_is_sent(model, mock):
    first, again, other = model.ask(question(1)), model.ask(question(1)), model.ask(question(2))
    assert first == again
    assert code_word(1) in first.text and code_word(2) in other.text
    assert mock.stats()["received"] == 2
    assert (model.uses.asked, model.uses.reused) == (3, 1)


def test_many_threads_that_ask_the_same_at_once_pay_once(model, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 30}})
    with ThreadPoolExecutor(24) as threads:
        replies = list(threads.map(lambda n: model.ask(question(n % 4)), range(96)))
    assert mock.stats()["received"] == 4
    assert [reply.text for reply in replies] == [reply.text for reply in replies[:4]] * 24
    assert len({reply.text for reply in replies}) == 4


def test_tasks_and_threads_share_what_is_on_its_way(model, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 30}})

    async def ask():
        waiting = [model.ask_async(question(7)) for _ in range(10)]
        return await asyncio.gather(*waiting, asyncio.to_thread(model.ask, question(7)))

    assert len({reply.text for reply in asyncio.run(ask())}) == 1
    assert mock.stats()["received"] == 1


def test_a_caller_that_gives_up_leaves_a_reply_behind_for_the_next(model, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 150}})

    async def impatient():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.ask_async(question(1)), 0.02)

    asyncio.run(impatient())
    assert code_word(1) in model.ask(question(1)).text
    assert mock.stats()["received"] == 1


def test_another_trial_another_parameter_and_other_tools_are_other_questions(model, mock):
    model.ask(question(1))
    model.ask(question(1), trial=1)
    model.ask(question(1), temperature=0.3)
    model.ask([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question(1)}])
    assert mock.stats()["received"] == 4
    assert model.uses.reused == 0


def test_what_a_run_paid_for_is_there_and_the_other_way_round(desk, mock):
    desk.run()
    before = mock.stats()["received"]
    model = ms.cached(MODEL, base_url=mock.url)
    assert code_word(4) in model.ask(question(4)).text
    assert mock.stats()["received"] == before
    model.ask(question(77))
    close_desks()
    desk.write_samples([{"id": "new", "question": question(77), "reference": code_word(77)}])
    del desk.exam["judges"]
    assert desk.run("--fresh")["calls"] == {"live": 1, "reused": 0}, "a fresh run asks anew"
    (desk.folder / "other.yaml").write_text((desk.folder / "exam.yaml").read_text())
    code, out, _ = desk.command("run", "other.yaml", "--no-report", "--json", "--quiet")
    assert code == 0 and '"calls":{"live":0,"reused":1}' in out


def test_a_run_that_began_in_a_blank_workspace_sees_what_code_has_paid_for_since(model, tmp_path):
    model.ask(question(1))
    store = Store(tmp_path)
    assert not store.alone("a-run"), "a run that believes to be alone would not look"
    close_desks()
    assert store.alone("a-run")
    store.close()


def test_what_is_asked_is_kept_with_its_price_and_without_a_key(mock, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-very-secret-1")
    ms.cached(MODEL, base_url=mock.url, api_key_env="MY_KEY", workspace=tmp_path, prices=PRICES).ask(question(1))
    close_desks()
    store = Store(tmp_path)
    with store.reading() as connection:
        row = connection.execute(sa.select(calls)).mappings().one()
    store.close()
    assert (row["run"], row["role"], row["model"], row["status"]) == ("cached", "other", MODEL, "ok")
    assert row["cost_usd"] == pytest.approx((row["prompt_tokens"] + 2 * row["completion_tokens"]) / 1e6)
    assert question(1) in row["request"]
    assert b"sk-very-secret-1" not in b"".join(path.read_bytes() for path in tmp_path.glob("markscheme.db*"))


def test_money_saved_is_that_of_the_replies_that_were_there(model, tmp_path):
    model.ask(question(1))
    for _ in range(3):
        model.ask(question(1))
    close_desks()
    store = Store(tmp_path)
    with store.reading() as connection:
        cost = connection.execute(sa.select(calls.c.cost_usd)).scalar()
        counted = connection.execute(sa.select(cache_uses)).mappings().one()
    store.close()
    assert (counted["asked"], counted["reused"], counted["unpriced"]) == (4, 3, 0)
    assert counted["saved_usd"] == pytest.approx(3 * cost) and cost > 0


def test_after_close_the_counts_are_written_and_the_next_question_opens_anew(model, mock, tmp_path):
    model.ask(question(1))
    model.close()
    assert not list((tmp_path / "locks").iterdir())
    assert model.ask(question(1)) and mock.stats()["received"] == 1
    model.close(), model.close()
    store = Store(tmp_path)
    with store.reading() as connection:
        counted = connection.execute(sa.select(cache_uses.c.asked, cache_uses.c.reused)).all()
    store.close()
    assert sorted(map(tuple, counted)) == [(1, 0), (1, 1)]


def test_closing_waits_for_what_is_being_paid_for(model, mock):
    mock.configure({"latency": {"kind": "fixed", "ms": 200}})
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(model.ask, question(1))
        while not mock.stats()["received"]:
            time.sleep(0.005)
        model.close()
        assert code_word(1) in waiting.result().text
    assert model.ask(question(1)) and mock.stats()["received"] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_forked_child_opens_the_workspace_anew(model, mock, tmp_path):
    model.ask(question(1))
    script = f"""
import os, sys
import markscheme as ms
model = ms.cached({MODEL!r}, base_url={mock.url!r}, workspace={str(tmp_path)!r})
model.ask({question(1)!r})
child = os.fork()
replies = [model.ask(text).text for text in ({question(1)!r}, {question(2)!r})]
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
model.close()
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert mock.stats()["received"] == 2


def test_without_a_known_price_nothing_is_said_to_be_saved(mock, tmp_path):
    model = ms.cached(MODEL, base_url=mock.url, workspace=tmp_path)
    model.ask(question(1)), model.ask(question(1))
    assert model.uses == Uses(2, 1, 0.0, 1)


def test_a_failure_is_raised_and_asked_again_the_next_time(tmp_path):
    script = iter([Failure("timeout", "no complete reply within 1 s"), "Here I am."])
    model = ms.cached(ms.ScriptedModel(lambda request: next(script)), workspace=tmp_path)
    with pytest.raises(CallFailed, match=r"scripted/model: timeout: no complete reply") as raised:
        model.ask("Hello?")
    assert raised.value.failure.kind == "timeout" and raised.value.exit_code == 3
    assert model.ask("Hello?").text == "Here I am."
    assert model.uses == Uses(1, 0, 0.0, 0)


def test_an_endpoint_that_was_given_up_is_tried_again(tmp_path):
    script = iter([Failure("unauthorized", "HTTP 401: bad key"), "Welcome."])
    model = ms.cached(ms.ScriptedModel(lambda request: next(script)), workspace=tmp_path)
    with pytest.raises(EndpointGone, match="bad key"):
        model.ask("Hello?")
    assert model.ask("Hello?").text == "Welcome."


def test_offline_answers_from_recordings_alone(mock, tmp_path):
    ms.cached(MODEL, base_url=mock.url, workspace=tmp_path).ask(question(1))
    offline = ms.cached(MODEL, base_url=mock.url, workspace=tmp_path, offline=True)
    assert code_word(1) in offline.ask(question(1)).text
    with pytest.raises(CallFailed, match="no reply is recorded"):
        offline.ask(question(2))
    assert mock.stats()["received"] == 1


def test_a_clients_completions_are_kept_and_say_the_same_each_time(client, mock, tmp_path):
    kept = ms.cached(client, workspace=tmp_path)
    first, again = (kept.chat.completions.create(**sent(temperature=0.2)) for _ in range(2))
    assert first == again and code_word(1) in first.choices[0].message.content
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens > 0
    assert mock.stats()["received"] == 1
    assert kept.uses("cand-1").reused == 1


def test_a_client_and_a_name_share_their_replies_where_they_ask_the_same(client, model, mock, tmp_path):
    model.ask(question(1), temperature=0.2)
    kept = ms.cached(client, workspace=tmp_path)
    said = kept.chat.completions.create(**sent(temperature=0.2, max_tokens=1024, extra_headers={"X-Trace": "1"}))
    assert code_word(1) in said.choices[0].message.content
    assert mock.stats()["received"] == 1, "how a call travels is not part of the question"
    kept.chat.completions.create(**sent(temperature=0.2))
    assert mock.stats()["received"] == 2, "a limit of tokens is"


def test_an_asynchronous_client_is_asked_on_its_own_loop(mock, tmp_path):
    async def ask():
        async with openai.AsyncOpenAI(base_url=mock.url, api_key="x") as client:
            kept = ms.cached(client, workspace=tmp_path)
            return await asyncio.gather(*(kept.chat.completions.create(**sent(n % 2)) for n in range(12)))

    assert len({one.id for one in asyncio.run(ask())}) == 2
    assert mock.stats()["received"] == 2


def test_an_error_of_the_client_is_its_own_and_nothing_is_recorded(client, mock, tmp_path):
    kept = ms.cached(client, workspace=tmp_path)
    mock.configure({"errors": {"r500": 1.0}})
    with pytest.raises(openai.InternalServerError):
        kept.chat.completions.create(**sent())
    mock.configure({})
    assert code_word(1) in kept.chat.completions.create(**sent()).choices[0].message.content


def test_a_reply_may_be_sent_back_as_the_client_gave_it(client, tmp_path):
    kept = ms.cached(client, workspace=tmp_path)
    said = kept.chat.completions.create(**sent()).choices[0].message
    longer = [*sent()["messages"], said, {"role": "user", "content": question(2)}]
    assert kept.chat.completions.create(model="cand-1", messages=longer).choices[0].message.content


@pytest.mark.parametrize("argument", [{"stream": True}, {"n": 2}, {"logprobs": True}])
def test_what_a_record_cannot_hold_is_refused_before_it_is_paid_for(client, mock, tmp_path, argument):
    kept = ms.cached(client, workspace=tmp_path)
    with pytest.raises(InputError, match="is not kept"):
        kept.chat.completions.create(**sent(**argument))
    assert mock.stats()["received"] == 0


def test_what_is_not_kept_of_a_client_is_not_there(client, tmp_path):
    with pytest.raises(AttributeError, match=r"only chat\.completions\.create is kept: for 'embeddings'"):
        ms.cached(client, workspace=tmp_path).embeddings  # noqa: B018


def test_a_hosted_clients_endpoint_is_named_as_in_an_exam():
    from markscheme.app.caching.client import endpoint_of

    def named(url, kind=openai.OpenAI):
        with kind(base_url=url, api_key="x") as made:
            return endpoint_of(made)

    assert named(None) == "openai"
    assert named("https://api.fireworks.ai/inference/v1") == "fireworks"
    assert named("http://127.0.0.1:8000/v1") == "openai-compatible"


def test_nonsense_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"a model is wanted, .* this is of type 'int'"):
        ms.cached(3)
    with pytest.raises(InputError, match="has no provider"):
        ms.cached("gpt-4o-mini")
    with pytest.raises(InputError, match="go with a model's name"):
        ms.cached(ms.ScriptedModel([]), base_url="http://127.0.0.1:1/v1")


SCRIPT = """
import sys
from concurrent.futures import ThreadPoolExecutor
import markscheme as ms
model = ms.cached("openai-compatible/cand-1", base_url=sys.argv[1], workspace=sys.argv[2])
with ThreadPoolExecutor(4) as threads:
    list(threads.map(lambda n: model.ask(f"[[Q{n}]] Which code word?"), range(int(sys.argv[3]))))
print(model.uses.asked, model.uses.reused)
"""


def process(mock, folder, count):
    words = [sys.executable, "-c", textwrap.dedent(SCRIPT), mock.url, str(folder), str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_ask_the_same_at_once_pay_once(mock, tmp_path):
    mock.configure({"latency": {"kind": "fixed", "ms": 60}})
    asked = [process(mock, tmp_path, 24) for _ in range(2)]
    said = [one.communicate(timeout=60)[0].split() for one in asked]
    assert mock.stats()["received"] == 24
    assert [one[0] for one in said] == ["24", "24"]
    assert sum(int(one[1]) for one in said) == 24
    store = Store(tmp_path)
    with store.reading() as connection:
        counted = connection.execute(sa.select(sa.func.sum(cache_uses.c.asked), sa.func.sum(cache_uses.c.reused))).one()
    store.close()
    assert tuple(counted) == (48, 24)
    assert not list((tmp_path / "locks").iterdir())


def test_counts_are_kept_where_the_interpreter_takes_its_time_to_end(mock, tmp_path):
    ending = "import atexit, time; atexit.register(time.sleep, 0.7)  # longer than counts wait, when pools are gone"
    words = [sys.executable, "-c", textwrap.dedent(SCRIPT) + ending, mock.url, str(tmp_path), "3"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.split(), done.stderr) == (["3", "0"], "")
    store = Store(tmp_path)
    with store.reading() as connection:
        assert connection.execute(sa.select(cache_uses.c.asked)).scalars().all() == [3]
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_what_was_committed_before_a_kill_is_never_asked_again(mock, tmp_path):
    mock.configure({"latency": {"kind": "fixed", "ms": 40}})
    killed = process(mock, tmp_path, 40)
    while mock.stats()["received"] < 16:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    store = Store(tmp_path)
    with store.reading() as connection:
        kept = connection.execute(sa.select(sa.func.count()).select_from(calls)).scalar()
    store.close()
    before = mock.stats()["received"]
    assert 0 < kept < 40 and before - kept <= 4, "at most what was in flight is lost"
    after = process(mock, tmp_path, 40).communicate(timeout=60)[0].split()
    assert after == ["40", str(kept)]
    assert mock.stats()["received"] == before + 40 - kept
    store = Store(tmp_path)
    assert store.alone(runs.new_id(0.0)), "the locks of the killed are taken away"
    store.close()


@pytest.mark.server
def test_many_threads_ask_through_a_database_server(mock, postgres_url):
    mock.configure({"latency": {"kind": "fixed", "ms": 30}})
    model = ms.cached(MODEL, base_url=mock.url, workspace=postgres_url)
    with ThreadPoolExecutor(48) as threads:
        list(threads.map(lambda n: model.ask(question(n % 60)), range(240)))
    assert mock.stats()["received"] == 60
    close_desks()
    store = Store(postgres_url)
    with store.reading() as connection:
        counted = connection.execute(sa.select(cache_uses.c.asked, cache_uses.c.reused)).one()
    metadata.drop_all(store.engine)
    store.close()
    assert tuple(counted) == (240, 180)
