"""Stores are joined row by row: what is absent comes, what is there stays, and twice is once."""

import pytest
import sqlalchemy as sa
from bundling import RUN, call, label, plant, review
from markscheme.harness.errors import RunBusy
from markscheme.harness.store import codec, runs
from markscheme.harness.store.bundle import write_bundle
from markscheme.harness.store.bundle_read import unpacked
from markscheme.harness.store.load import load
from markscheme.harness.store.merge import merge
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.schema import metadata
from markscheme.harness.store.store import Store

OTHER = "20261121-000000-cccc"


@pytest.fixture
def stores(tmp_path):
    """Two workspaces and how to open more."""
    opened = [Store(tmp_path / name) for name in ("left", "right")]
    yield opened
    for store in opened:
        store.close()


def contents(store):
    """Every row of a store."""
    with store.reading() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.select(table))))
            for name, table in metadata.tables.items()
            if name != "meta"
        }


def test_a_run_comes_with_all_its_rows(stores):
    left, right = stores
    plant(left)
    label(left)
    review(left)
    found = merge(left, right)
    assert contents(right) == contents(left)
    assert (found.runs_added, found.runs_present) == ([RUN], [])
    assert (found.differing, found.kept_apart) == ({}, 0)
    assert found.added["grades"] == 8


def test_twice_is_once(stores):
    left, right = stores
    plant(left)
    label(left)
    merge(left, right)
    before = contents(right)
    again = merge(left, right)
    assert contents(right) == before
    assert (again.runs_added, again.runs_present, again.added, again.differing) == ([], [RUN], {}, {})


def test_runs_of_both_sides_are_there(stores):
    left, right = stores
    plant(left)
    plant(right, OTHER, calls_of=OTHER, n=2)
    with right.writing() as connection:
        connection.execute(sa.text("update calls set key = 'other-' || key"))
    merge(left, right)
    assert {run.id for run in runs.all_runs(right)} == {RUN, OTHER}


def test_two_live_replies_to_one_request_are_both_kept_and_each_run_keeps_its_own(stores):
    left, right = stores
    plant(left, text="first", e2e_s=1.0)
    plant(right, OTHER, text="second", e2e_s=9.0)
    before = {run: load(store, runs.find(store, run)) for store, run in ((left, RUN), (right, OTHER))}
    found = merge(left, right)
    assert found.kept_apart == 16
    for run, data in before.items():
        now = load(right, runs.find(right, run))
        assert now.answers["e2e_s"].tolist() == data.answers["e2e_s"].tolist()
        assert now.calls["cost_usd"].sum() == data.calls["cost_usd"].sum()
    assert right.find_calls(["call-mini-0"], OTHER)["call-mini-0"].outcome.text.endswith("second")
    state = contents(right)
    assert merge(left, right).added == {}
    assert contents(right) == state


def test_an_answer_that_differs_stays_and_the_grades_of_the_other_stay_away(stores):
    left, right = stores
    plant(left)
    merge(left, right)
    with left.writing() as connection:
        connection.execute(sa.text("update answers set text = 'changed' where sample_id = 's0' and candidate = 'mini'"))
    with right.writing() as connection:
        connection.execute(sa.text("delete from grades where sample_id in ('s0', 's3') and candidate = 'mini'"))
    found = merge(left, right)
    assert (found.differing["answers"], found.differing["grades"], found.added["grades"]) == (1, 1, 1)
    assert found.first["answers"] == f"{RUN}, s0, mini, 0"
    given = load(right, runs.find(right, RUN))
    assert "changed" not in set(given.answers["text"])
    assert len(given.grades) == 7


def test_a_run_that_has_another_configuration_there_is_left_as_it_is(stores):
    left, right = stores
    plant(left, n=4)
    plant(right, n=2, fingerprint="changed since")
    found = merge(left, right)
    assert len(load(right, runs.find(right, RUN)).samples) == 2
    assert found.differing["run_samples"] == 4
    assert found.runs_present == [RUN]


def test_labels_of_a_set_that_was_made_in_another_way_stay_away(stores):
    left, right = stores
    for store, design in ((left, "chosen"), (right, "random")):
        plant(store)
        label(store, design=design, score=1.0)
    label(left, name="others")
    with right.writing() as connection:
        connection.execute(sa.text("delete from labels"))
    found = merge(left, right)
    assert (found.differing["labels"], found.added["labels"]) == (1, 1)
    assert set(load(right, runs.find(right, RUN)).labels["label_set"]) == {"others"}


def test_ratings_of_a_review_that_has_its_name_from_another_stay_away(stores):
    left, right = stores
    plant(left)
    plant(right, OTHER)
    for store, run in ((left, RUN), (right, OTHER)):
        review(store, run)
    found = merge(left, right)
    assert found.differing["ratings"] == 1
    assert Reviews(right).find("look").run == OTHER


def test_words_that_one_side_was_left_without_make_no_difference(stores, tmp_path):
    left, right = stores
    plant(left)
    label(left)
    write_bundle(left, [RUN], tmp_path / "bare.mks", "0.1.0", texts=False)
    with unpacked(tmp_path / "bare.mks") as (bare, _):
        merge(bare, right)
    assert load(right, runs.find(right, RUN)).samples["question"].tolist() == [""] * 4
    found = merge(left, right)
    assert (found.differing, found.kept_apart) == ({}, 0)
    assert right.read_samples(RUN) == left.read_samples(RUN), "questions come back, by their hash"
    with unpacked(tmp_path / "bare.mks") as (bare, _):
        assert merge(bare, left).differing == {}


@pytest.mark.parametrize("side", [0, 1])
def test_a_run_that_is_being_worked_on_is_not_touched(stores, side):
    left, right = stores
    plant(left)
    before = contents(right)
    with stores[side].lease(RUN), pytest.raises(RunBusy, match=RUN):
        merge(left, right)
    assert contents(right) == before


def test_a_run_appears_when_all_its_rows_are_there(stores, monkeypatch):
    left, right = stores
    plant(left)
    stop = Store.insert_absent

    def stopped(self, table):
        if table.name == "preferences":
            raise KeyboardInterrupt
        return stop(self, table)

    monkeypatch.setattr(Store, "insert_absent", stopped)
    with pytest.raises(KeyboardInterrupt):
        merge(left, right)
    assert runs.all_runs(right) == []
    monkeypatch.undo()
    merge(left, right)
    assert contents(right) == contents(left)


def test_load_tests_and_calls_of_no_run_come_too(stores):
    left, right = stores
    left.put({"calls": [codec.call_to_row(call("probe", "a-run-probe"), None)]})
    bench = {"id": "b", "exam": "e", "name": "", "created_at": 1.0, "finished_at": None, "versions": "{}"}
    left.put(
        {"benches": [bench | {"config": "{}"}], "bench_cells": [{"bench": "b", "cell": "c", "repeat": 0, "body": "{}"}]}
    )
    merge(left, right)
    assert contents(right) == contents(left)


@pytest.fixture
def server(postgres_url):
    store = Store(postgres_url)
    metadata.drop_all(store.engine)  # what other tests left on that server
    store.close()
    store = Store(postgres_url)
    yield store
    metadata.drop_all(store.engine)
    store.close()


@pytest.mark.server
def test_a_run_goes_by_way_of_a_server_and_its_bundle_keeps_its_bytes(stores, server, tmp_path):
    left, right = stores
    plant(left)
    label(left)
    review(left)
    left.put({"calls": [codec.call_to_row(call("Été", RUN), None), codec.call_to_row(call("zebra", RUN), None)]})
    write_bundle(left, [RUN], tmp_path / "left.mks", "0.1.0")
    with unpacked(tmp_path / "left.mks") as (copy, _):
        merge(copy, server)
    assert merge(left, server).added == {}
    write_bundle(server, [RUN], tmp_path / "server.mks", "0.1.0")
    assert (tmp_path / "server.mks").read_bytes() == (tmp_path / "left.mks").read_bytes()
    merge(server, right)
    assert contents(right) == contents(left)


@pytest.mark.server
def test_a_nul_that_a_server_cannot_keep_makes_no_difference_later(stores, server):
    left, _ = stores
    plant(left, text="with a \0 in it")
    merge(left, server)
    again = merge(left, server)
    assert (again.added, again.differing, again.kept_apart) == ({}, {}, 0)


@pytest.mark.server
def test_a_run_that_a_process_works_on_is_not_touched_on_a_server(stores, server):
    left, _ = stores
    plant(left)
    with server.lease(RUN), pytest.raises(RunBusy):
        merge(left, server)
