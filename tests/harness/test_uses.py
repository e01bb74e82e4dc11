"""What re-used replies save, and what may be pruned: the same on SQLite and PostgreSQL."""

import pytest
import sqlalchemy as sa
from bundling import RUN, call, failed_call, plant
from markscheme.harness.store import codec
from markscheme.harness.store.replies import Pruned, prune, replies
from markscheme.harness.store.schema import calls, metadata
from markscheme.harness.store.store import Store
from markscheme.harness.store.uses import IMPORTED, PAYER, ModelUses, Uses, model_uses, uses_row

LATER = "20261121-000000-bbbb"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def store(request, tmp_path):
    """A run of 16 calls at $0.01, and a later one that points at all of them."""
    where = tmp_path if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Store(where)
    plant(opened)
    plant(opened, LATER, calls_of=RUN, at=2.0)
    yield opened
    metadata.drop_all(opened.engine)
    opened.close()


def put(store, *rows):
    store.put({"calls": [{**codec.call_to_row(call(key, run), '{"messages":[]}'), **more} for key, run, more in rows]})


def test_what_two_runs_share_is_asked_twice_and_paid_once(store):
    assert model_uses(store) == [ModelUses("openai/x", 16, 0, 0, pytest.approx(0.16), 0, uses(32, 16, 0.16))]


def uses(asked, reused, saved, unpriced=0):
    return Uses(asked, reused, pytest.approx(saved), unpriced)


def test_a_call_that_many_rows_of_a_run_point_at_is_one(store):
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE grades SET calls = '[\"call-mini-0\"]'"))
    assert model_uses(store)[0].uses == uses(16 + 8, 8, 0.08)


def test_code_imports_failures_and_prices_are_told_apart(store):
    put(store, ("mine", PAYER, {}), ("brought", IMPORTED, {"cost_usd": None}), ("free", RUN, {"cost_usd": None}))
    put(store, ("sheet", RUN, {"model": "replay/answers"}))
    store.put({"calls": [failed_call("lost", RUN)]})
    store.put({"cache_uses": [uses_row("s1", "openai/x", Uses(5, 4, 0.03, 1), 9.0)]})
    store.put({"cache_uses": [uses_row("s1", "openai/x", Uses(6, 5, 0.04, 1), 9.5)]})
    store.put({"cache_uses": [uses_row("s2", "openai/y", Uses(2, 1, 0.0, 1), 9.0)]})
    first, second = model_uses(store)
    assert (first.replies, first.imported, first.failed, first.unpriced) == (19, 1, 1, 1)
    assert first.paid_usd == pytest.approx(0.17)
    assert first.uses == uses(32 + 1 + 6, 16 + 5, 0.16 + 0.04, 1)
    assert second == ModelUses("openai/y", 0, 0, 0, 0.0, 0, Uses(2, 1, 0.0, 1))


def test_prune_leaves_what_a_run_points_at_or_paid_for(store):
    put(store, ("mine", PAYER, {}), ("other", PAYER, {"model": "openai/y"}), ("replaced", RUN, {}))
    assert prune(store, None, "openai/x", used=False, dry=True) == Pruned(1, 17)
    assert prune(store, 50.0, "", used=False, dry=False) == Pruned(0, 0), "all were made at 101"
    assert prune(store, None, "openai/x", used=False, dry=False) == Pruned(1, 17)
    assert keys(store) >= {"other", "replaced", "call-mini-0"} and "mine" not in keys(store)
    assert prune(store, 200.0, "openai/x", used=True, dry=False) == Pruned(17, 0)
    assert keys(store) == {"other"}


def keys(store):
    with store.reading() as connection:
        return set(connection.execute(sa.select(calls.c.key)).scalars())


def test_replies_come_a_page_at_a_time_with_their_shared_messages(store):
    put(store, *((f"more-{n:04}", PAYER, {}) for n in range(1001)), ("no words", PAYER, {"text": None}))
    found = list(replies(store))
    assert [row["key"] for row, _ in found] == sorted(keys(store) - {"no words"})
    whole = next(request for row, request in found if row["key"] == "call-mini-0")
    assert whole["messages"][0] == "It was said that shared"
    assert list(replies(store, "openai/none")) == []
