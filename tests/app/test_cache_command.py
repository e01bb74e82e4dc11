"""`markscheme cache`: what recorded replies save, documents in and out, upkeep."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket

import markscheme as ms
import mongomock
import pymongo
import pytest
import sqlalchemy as sa
from markscheme.app.caching.desk import close_desks
from markscheme.app.caching.documents import key_of, messages_of
from markscheme.harness.prices import Price
from markscheme.harness.store.schema import answers, calls
from markscheme.harness.store.store import Store
from markscheme.harness.store.uses import model_uses
from mock_replies import code_word

MODEL = "openai-compatible/cand-1"
SERVER = os.environ.get("MARKSCHEME_TEST_MONGODB", "")


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    monkeypatch.delenv("MARKSCHEME_MONGODB", raising=False)
    yield
    close_desks()


def question(number):
    return f"[[Q{number}]] Which code word?"


def ask(desk, *numbers, workspace=".markscheme", **options):
    """Through `cached`; the workspace is closed afterwards."""
    model = ms.cached(MODEL, base_url=desk.url, workspace=workspace, prices={MODEL: Price(1, 2)})
    replies = [model.ask(question(n), **options) for n in numbers]
    close_desks()
    return replies


def said(desk, *words):
    code, out, err = desk.command(*words)
    assert code == 0, err
    return json.loads(out.splitlines()[-1]) if "--json" in words else out


def rows(folder=".markscheme"):
    store = Store(folder)
    with store.reading() as connection:
        found = [dict(row) for row in connection.execute(sa.select(calls).order_by(calls.c.key)).mappings()]
    store.close()
    return found


def test_stats_count_what_code_and_runs_asked_for_again(desk):
    ask(desk, 1, 1, 1, 50)
    desk.run()  # ten samples, of which s1 is there
    (desk.folder / "again.yaml").write_text((desk.folder / "exam.yaml").read_text())
    desk.command("run", "again.yaml", "--no-report", "--quiet")
    found = {row["model"]: row for row in said(desk, "cache", "stats", "--json")["models"]}
    cand, judge = found[MODEL], found["openai-compatible/judge-1"]
    assert (cand["replies"], cand["asked"], cand["reused"]) == (11, 4 + 10 + 10, 2 + 1 + 10)
    assert cand["hit_rate"] == pytest.approx(13 / 24)
    assert (judge["replies"], judge["asked"], judge["reused"]) == (10, 20, 10)
    cost = next(row["cost_usd"] for row in rows() if row["cost_usd"] is not None)
    assert cand["saved_usd"] > 3 * cost * 0.5
    assert (cand["saved_unpriced"], judge["saved_unpriced"]) == (9, 10), "the exam names no price"


def test_money_saved_is_the_price_of_each_reply_each_time_that_it_was_there(desk):
    desk.exam["prices"] = {MODEL: {"input_usd_per_million": 1, "output_usd_per_million": 2}}
    del desk.exam["judges"]
    desk.run()
    for name in ("second", "third"):
        (desk.folder / f"{name}.yaml").write_text((desk.folder / "exam.yaml").read_text())
        desk.command("run", f"{name}.yaml", "--no-report", "--quiet")
    paid = sum(row["cost_usd"] for row in rows())
    total = said(desk, "cache", "stats", "--json")["total"]
    assert total["paid_usd"] == pytest.approx(paid)
    assert total["saved_usd"] == pytest.approx(2 * paid)
    assert (total["asked"], total["reused"], total["saved_unpriced"]) == (30, 20, 0)
    table = said(desk, "cache", "stats")
    assert "67 %" in table and "unpriced" not in table


def test_a_run_that_goes_on_re_uses_nothing_that_it_paid_for_itself(desk):
    desk.run()
    desk.run()
    assert said(desk, "cache", "stats", "--json")["total"]["reused"] == 0


def test_documents_give_another_workspace_back_exactly_what_there_was(desk, mock):
    ask(desk, 1, 2, temperature=0.2)
    desk.run("--limit", "3")
    said(desk, "cache", "export", "-o", "replies.jsonl")
    found = said(desk, "cache", "import", "replies.jsonl", "-w", "other", "--json")
    assert found == {"documents": 8, "imported": 8, "known": 0, "unusable": {}}
    before, after = rows(), rows("other")
    for row in (*before, *after):
        row["request"] = json.loads(row["request"])
    shared = [row for row in before if any("shared" in m for m in row["request"]["messages"])]
    assert len(shared) == 3, "the judge's system message is kept once"
    for one, other in zip(before, after, strict=True):
        assert {k: v for k, v in one.items() if k != "request"} == {k: v for k, v in other.items() if k != "request"}
        assert not any("shared" in m for m in other["request"]["messages"])
    received = mock.stats()["received"]
    ask(desk, 1, 2, workspace="other", temperature=0.2)
    assert mock.stats()["received"] == received
    again = said(desk, "cache", "import", "replies.jsonl", "-w", "other", "--json")
    assert (again["imported"], again["known"]) == (0, 8)


def test_a_document_says_what_was_asked_and_answered(desk):
    reply = ask(desk, 1, temperature=0.2)[0]
    document = json.loads(said(desk, "cache", "export"))
    assert document["key"] == question(1)
    assert document["response"] == reply.text
    assert (document["model"], json.loads(document["params"])) == (MODEL, {"max_tokens": 1024, "temperature": 0.2})
    assert document["prompt_tokens"] == reply.usage.prompt_tokens and document["cost_usd"] > 0


def write(desk, *documents, name="demo.jsonl"):
    (desk.folder / name).write_text("".join(json.dumps(one) + "\n" for one in documents))
    return name


def test_prompts_and_responses_answer_code_and_runs_that_ask_the_same(desk, mock):
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is APR?"}]
    demo = [{"key": question(n), "response": f"It is {code_word(n)}."} for n in range(10)]
    name = write(desk, *demo, {"key": json.dumps(chat), "response": "A yearly rate."})
    said(desk, "cache", "import", name, "--model", MODEL)
    model = ms.cached(MODEL, base_url=desk.url)
    assert model.ask(question(3)).text == f"It is {code_word(3)}."
    assert model.ask(chat).text == "A yearly rate."
    assert model.uses.unpriced == 2, "nobody knows what they cost"
    close_desks()
    made = desk.run()
    assert made["calls"]["reused"] == 10 and made["answers"]["ok"] == 10
    assert mock.stats()["received"] == 10, "only the judge was called"


def test_a_report_of_imported_replies_times_and_prices_none_of_them(desk):
    name = write(desk, *({"key": question(n), "response": f"It is {code_word(n)}."} for n in range(10)))
    said(desk, "cache", "import", name, "--model", MODEL)
    desk.save()
    code, _, err = desk.command("run", "exam.yaml", "--quiet")
    assert code == 0, err
    report = next((desk.folder / ".markscheme" / "reports").glob("*/report.md")).read_text()
    assert "| cand | 0 | 10 | – |" in report or re.search(r"\| cand \| 0 \| 10 \| [–-]", report)


def test_a_run_over_imported_replies_goes_into_a_bundle(desk):
    name = write(desk, *({"key": question(n), "response": f"It is {code_word(n)}."} for n in range(10)))
    said(desk, "cache", "import", name, "--model", MODEL)
    desk.run()
    said(desk, "bundle", "latest", "-o", "run.mks")
    assert "10 rows" in said(desk, "export", "answers", "--run", "run.mks", "--output", "answers.csv")


def test_parameters_are_part_of_the_question(desk, mock):
    name = write(desk, {"key": question(1), "response": "Warm."})
    said(desk, "cache", "import", name, "--model", MODEL, "--params", '{"temperature": 0.7}')
    assert ask(desk, 1, temperature=0.7)[0].text == "Warm."
    assert ask(desk, 1)[0].text != "Warm."
    assert mock.stats()["received"] == 1


def test_tokens_of_a_document_are_priced_and_its_own_dollars_come_first(desk):
    one = {"key": "a", "response": "b", "model": "openai/gpt-4o-mini", "prompt_tokens": 1000, "completion_tokens": 100}
    two = {**one, "key": "c", "cost_usd": 0.5}
    said(desk, "cache", "import", write(desk, one, two, {"key": "d", "response": "e", "model": "openai/gpt-4o-mini"}))
    costs = {json.loads(row["request"])["messages"][0]["content"]: row["cost_usd"] for row in rows()}
    assert costs == {"a": pytest.approx((1000 * 0.15 + 100 * 0.6) / 1e6), "c": 0.5, "d": None}


BAD = {
    "no text under 'response'": {"key": "a"},
    "no text or messages under 'key'": {"key": "", "response": "b"},
    "no model: name it with --model provider/model": {"key": "a", "response": "b", "model": "gpt"},
    "'params' that are no object": {"key": "a", "response": "b", "model": MODEL, "params": [1]},
    "'prompt_tokens' that is no number of 0 or more": {
        "key": "a", "response": "b", "model": MODEL, "prompt_tokens": "9",
    },
    "'created_at' that is no time": {"key": "a", "response": "b", "model": MODEL, "created_at": "soon"},
    "a 'call' that was changed or damaged": {"key": "a", "response": "b", "call": '{"request": {}, "key": 3}'},
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_a_document_that_holds_no_reply_is_left_out_by_name(desk, reason):
    name = write(desk, {**BAD[reason], "_id": "doc-9"}, {"key": "ok", "response": "fine", "model": MODEL})
    code, out, err = desk.command("cache", "import", name, "--json")
    assert code == 0
    assert json.loads(out) == {"documents": 2, "imported": 1, "known": 0, "unusable": {reason: 1}}
    assert f"1 document left out: {reason} (doc-9)" in err


def test_of_two_responses_to_one_prompt_the_first_stays(desk):
    pair = [{"key": "a", "response": text, "model": MODEL} for text in ("first", "second")]
    found = said(desk, "cache", "import", write(desk, *pair), "--json")
    assert (found["imported"], found["known"]) == (1, 1)
    assert [row["text"] for row in rows()] == ["first"]


def test_a_response_never_takes_the_place_of_one_that_was_paid_for(desk):
    paid = ask(desk, 1)[0].text
    found = said(desk, "cache", "import", write(desk, {"key": question(1), "response": "x", "model": MODEL}), "--json")
    assert found["known"] == 1 and rows()[0]["text"] == paid


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import"], "give a FILE, or --collection NAME"),
        (["import", "none.jsonl"], "none.jsonl: there is no such file"),
        (["import", "bad.jsonl"], "bad.jsonl:2: is not JSON"),
        (["import", "bad.jsonl", "--params", "{"], "--params '{': is not JSON"),
        (["import", "bad.jsonl", "--model", "gpt-4o"], "--model 'gpt-4o' has no provider"),
        (["import", "bad.jsonl", "--collection", "c"], "give one of the two"),
        (["import", "--mongodb", "mongodb://h/db"], "--mongodb needs --collection"),
        (["import", "--collection", "c"], "export MARKSCHEME_MONGODB="),
        (["prune"], "say which calls, with --older-than AGE or --model NAME"),
        (["prune", "--older-than", "30"], "--older-than '30': wanted a number with h, d or w"),
    ],
)
def test_a_wrong_word_is_refused_with_its_remedy(desk, words, message):
    ask(desk, 1)
    (desk.folder / "bad.jsonl").write_text('{"key": "a", "response": "b", "model": "x/y"}\n{"key"\n')
    code, _, err = desk.command("cache", *words)
    assert code == 2 and message in err


def test_prune_takes_what_no_run_needs(desk, mock):
    ask(desk, 1, 50, 51)
    desk.run()  # points at the reply to question 1
    dry = said(desk, "cache", "prune", "--older-than", "0h", "--dry-run", "--json")
    assert dry == {"removed": 2, "kept_for_runs": 20, "dry_run": True}
    assert len(rows()) == 22
    assert "2 calls removed; 20 calls of runs kept" in said(desk, "cache", "prune", "--older-than", "0h")
    assert desk.run()["calls"] == {"live": 0, "reused": 0}
    received = mock.stats()["received"]
    ask(desk, 1)
    assert mock.stats()["received"] == received, "what the run points at is there"
    ask(desk, 50)
    assert mock.stats()["received"] == received + 1
    assert said(desk, "cache", "stats", "--json")["total"]["asked"] == 5 + 20, "what was asked stays counted"


def test_prune_chooses_by_age_and_model(desk):
    ask(desk, 1, 2)
    store = Store(".markscheme")
    with store.writing() as connection:
        first = connection.execute(sa.select(sa.func.min(calls.c.key))).scalar()
        connection.execute(sa.update(calls).where(calls.c.key == first).values(created_at=1e9))
    store.close()
    assert said(desk, "cache", "prune", "--older-than", "1d", "--model", "other/model", "--json")["removed"] == 0
    assert said(desk, "cache", "prune", "--older-than", "1d", "--model", MODEL, "--json")["removed"] == 1
    assert [row["key"] for row in rows()] != [first] and len(rows()) == 1


def test_pruned_words_are_gone_from_the_file(desk):
    reply = ask(desk, 1)[0].text
    said(desk, "cache", "prune", "--model", MODEL)
    kept = b"".join(path.read_bytes() for path in (desk.folder / ".markscheme").glob("markscheme.db*"))
    assert reply.encode() not in kept


def test_what_runs_point_at_goes_only_when_asked_and_their_report_still_comes(desk):
    desk.run()
    assert said(desk, "cache", "prune", "--model", MODEL, "--json") == {
        "removed": 0, "kept_for_runs": 10, "dry_run": False,
    }  # fmt: skip
    assert said(desk, "cache", "prune", "--model", MODEL, "--also-used", "--json")["removed"] == 10
    assert "report.html" in said(desk, "report", "latest")


def test_prune_waits_for_a_run_at_work(desk):
    desk.run()
    store = Store(".markscheme")
    with store.reading() as connection:
        run = connection.execute(sa.select(answers.c.run).limit(1)).scalar()
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE runs SET finished_at = NULL"))
    with store.lease(run):
        code, _, err = desk.command("cache", "prune", "--model", MODEL)
    store.close()
    assert code == 2 and f"run {run} is being worked on" in err


KEYS = ["What is APR?", '["not", "messages"]', "[unclosed", "Ünïcode 🦊"]


@pytest.mark.parametrize("prompt", KEYS)
def test_a_prompt_is_its_own_key(prompt):
    assert key_of([{"role": "user", "content": prompt}]) == prompt
    assert messages_of(prompt) == [{"role": "user", "content": prompt}]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": '[{"role": "user", "content": "inner"}]'}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        [{"role": "user", "content": "Why?", "name": "ann"}],
        [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}],
        [{"role": "user", "content": ""}],
    ],
)
def test_other_messages_are_keyed_as_json_and_come_back(messages):
    assert messages_of(key_of(messages)) == messages
    assert messages_of(messages) == messages


@pytest.fixture
def collection(monkeypatch):
    """A collection's name in a MongoDB that the commands reach: mongomock's, or that of MARKSCHEME_TEST_MONGODB."""
    if SERVER:
        monkeypatch.setenv("MARKSCHEME_MONGODB", SERVER)
        client = pymongo.MongoClient(SERVER)
    else:
        monkeypatch.setenv("MARKSCHEME_MONGODB", "mongodb://ann:very-secret@mongo.example.com/demo")
        client = mongomock.MongoClient()
        monkeypatch.setattr(pymongo, "MongoClient", lambda address, **options: client)
        monkeypatch.setattr(client, "get_default_database", lambda: client["demo"], raising=False)
    name = f"replies_{secrets.token_hex(4)}"
    found = (client["demo"] if not SERVER else client.get_default_database())[name]
    yield found
    found.drop()
    client.close()


def test_a_collection_of_prompts_and_responses_comes_in(desk, mock, collection):
    collection.insert_many([{"key": question(n), "response": f"It is {code_word(n)}."} for n in range(3)])
    collection.insert_one({"key": "no response"})
    code, out, err = desk.command("cache", "import", "--collection", collection.name, "--model", MODEL)
    assert code == 0 and out == f"3 replies imported from collection {collection.name}\n"
    assert "1 document left out: no text under 'response'" in err
    assert [reply.text for reply in ask(desk, 0, 1, 2)] == [f"It is {code_word(n)}." for n in range(3)]
    assert mock.stats()["received"] == 0


def test_replies_go_to_a_collection_once_and_leave_its_own_documents_alone(desk, collection):
    collection.insert_one({"_id": "mine", "key": "What is APR?", "response": "A rate."})
    replies = ask(desk, 1, 2)
    words = ("cache", "export", "--collection", collection.name, "--json")
    assert said(desk, *words) == {"to": f"collection {collection.name}", "documents": 2, "written": 2}
    assert said(desk, *words)["written"] == 0
    found = {one["key"]: one["response"] for one in collection.find()}
    assert found == {question(1): replies[0].text, question(2): replies[1].text, "What is APR?": "A rate."}
    said(desk, "cache", "import", "--collection", collection.name, "-w", "other", "--model", "openai/gpt-4o-mini")
    store = Store("other")
    assert {one.model: one.replies for one in model_uses(store)} == {MODEL: 2, "openai/gpt-4o-mini": 1}
    store.close()


def test_more_documents_than_go_at_once_all_arrive(desk, collection):
    collection.insert_many([{"key": f"prompt {n}", "response": str(n)} for n in range(1203)])
    said(desk, "cache", "import", "--collection", collection.name, "--model", MODEL)
    assert said(desk, "cache", "export", "--collection", collection.name, "--json")["written"] == 1203
    assert len(rows()) == 1203


def test_a_mongodb_that_nobody_reaches_is_said_before_anything_is_made(desk, monkeypatch):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    monkeypatch.setenv("MARKSCHEME_MONGODB", f"mongodb://ann:very-secret@127.0.0.1:{port}/demo")
    monkeypatch.setattr("markscheme.harness.mongodb.PATIENCE_S", 0.2)
    code, out, err = desk.command("cache", "import", "--collection", "c", "--model", MODEL, "-w", "other")
    assert code == 2 and out == ""
    assert f"MongoDB at '127.0.0.1:{port}': nobody answered within 0.2 s" in err
    assert "very-secret" not in err and "ann" not in err
    assert not (desk.folder / "other").exists()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mongodb://ann:very@secret@host/db", "correct --mongodb or MARKSCHEME_MONGODB"),
        ("mongodb://ann:very/secret@host/db", "correct --mongodb or MARKSCHEME_MONGODB"),
        ("mongodb://ann:very-secret@host:port/db", "correct --mongodb or MARKSCHEME_MONGODB"),
        ("http://ann:secret@host/db", "correct --mongodb or MARKSCHEME_MONGODB"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(desk, monkeypatch, address, message):
    monkeypatch.setenv("MARKSCHEME_MONGODB", address)
    code, _, err = desk.command("cache", "import", "--collection", "c", "--model", MODEL)
    assert code == 2 and message in err
    assert "secret" not in err and "very" not in err


def test_a_password_among_the_words_of_a_command_is_refused(desk):
    code, _, err = desk.command("cache", "import", "--mongodb", "mongodb://ann:secret@host/db", "--collection", "c")
    assert code == 2 and "export MARKSCHEME_MONGODB=" in err and "secret" not in err


def test_an_address_without_a_database_asks_for_one(desk, monkeypatch):
    monkeypatch.setattr(pymongo, "MongoClient", _without_database)
    code, _, err = desk.command("cache", "import", "--mongodb", "mongodb://host", "--collection", "c", "--model", MODEL)
    assert code == 2 and "or with --database NAME" in err


def _without_database(address, **options):
    client = mongomock.MongoClient()

    def none():
        raise pymongo.errors.ConfigurationError("No default database defined")

    client.get_default_database = none
    return client


def test_without_the_package_the_extra_is_named(desk, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymongo", None)
    code, _, err = desk.command("cache", "import", "--mongodb", "mongodb://host/db", "--collection", "c")
    assert code == 2 and "pip install 'markscheme[mongodb]'" in err
