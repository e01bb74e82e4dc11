"""A run goes into one file and comes out as it was; a file that somebody made up does not get in."""

import hashlib
import json
import subprocess
import sys
import time
import zipfile

import pandas as pd
import pytest
import sqlalchemy as sa
from bundling import CONFIG, RUN, SAID, call, failed_call, label, plant, review
from markscheme.harness.errors import InputError
from markscheme.harness.store import bundle_read, codec, runs
from markscheme.harness.store.bundle import MANIFEST, write_bundle
from markscheme.harness.store.bundle_read import is_bundle, unpacked
from markscheme.harness.store.load import load
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.schema import SCHEMA_VERSION, benches, meta, metadata
from markscheme.harness.store.store import Store
from markscheme.harness.store.wordless import MARK, without_texts

TABLES = ("samples", "answers", "grades", "scores", "calls", "preferences", "labels")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "ws")
    yield store
    store.close()


@pytest.fixture
def made(store, tmp_path):
    """A bundle of a run with a label and a review."""
    plant(store)
    label(store)
    review(store)
    write_bundle(store, [RUN], tmp_path / "run.mks", "0.1.0")
    return tmp_path / "run.mks"


def assert_same(left, right, but=()):
    for name in TABLES:
        mine, other = (getattr(data, name).drop(columns=list(but), errors="ignore") for data in (left, right))
        pd.testing.assert_frame_equal(mine, other, obj=name)
    assert left.info == right.info


def test_a_run_comes_out_as_it_went_in(store, made):
    with unpacked(made) as (copy, manifest):
        assert manifest.runs == (RUN,)
        assert_same(load(store, runs.find(store, RUN)), load(copy, runs.find(copy, RUN)))
        assert copy.find_calls(["call-mini-0"], RUN) == store.find_calls(["call-mini-0"], RUN)
        assert copy.read_samples(RUN) == store.read_samples(RUN)
        rated, there = (Reviews(one).ratings(Reviews(one).find("look")) for one in (store, copy))
        assert rated == there
        with copy.reading() as connection:
            shared = connection.execute(sa.text("select body from texts")).scalar()
    assert SAID in shared


def test_the_temporary_copy_is_gone_after_the_block(made):
    with unpacked(made) as (copy, _):
        folder = copy.engine.url.database
        assert copy.where == str(made)
        assert copy.folder is None
    assert not pd.io.common.file_exists(folder)


def test_the_same_run_makes_the_same_bytes(store, made, tmp_path):
    write_bundle(store, [RUN], tmp_path / "again.mks", "0.1.0")
    assert (tmp_path / "again.mks").read_bytes() == made.read_bytes()
    with unpacked(made) as (copy, manifest):
        write_bundle(copy, manifest.runs, tmp_path / "copy.mks", "0.1.0")
    assert (tmp_path / "copy.mks").read_bytes() == made.read_bytes()


def test_rows_of_other_runs_stay_outside(store, tmp_path):
    plant(store, "other-run", fingerprint="g")
    store.put({"calls": [codec.call_to_row(call("nobody-points-here", "a-third"), None)]})
    plant(store, n=2, text="mine")
    write_bundle(store, [RUN], tmp_path / "run.mks", "0.1.0")
    with unpacked(tmp_path / "run.mks") as (copy, _):
        assert [run.id for run in runs.all_runs(copy)] == [RUN]
        with copy.reading() as connection:
            assert {r for (r,) in connection.execute(sa.text("select distinct run from answers"))} == {RUN}
            assert connection.execute(sa.text("select count(*) from samples")).scalar() == 2
        assert copy.find_calls(["nobody-points-here"], RUN) == {}


def test_replies_that_another_run_paid_are_in_the_bundle(store, tmp_path):
    plant(store, calls_of="an-earlier-run")
    write_bundle(store, [RUN], tmp_path / "run.mks", "0.1.0")
    with unpacked(tmp_path / "run.mks") as (copy, _):
        data = load(copy, runs.find(copy, RUN))
    assert set(data.answers["origin"]) == {"reused"}
    assert len(data.calls) == 16
    assert data.calls["reused"].all()


def test_an_earlier_run_whose_labels_correct_this_one_comes_along(store, tmp_path):
    plant(store, "20261119-000000-bbbb", at=0.5)
    label(store, "20261119-000000-bbbb")
    plant(store)
    ids = [RUN, "20261119-000000-bbbb"]
    write_bundle(store, ids, tmp_path / "run.mks", "0.1.0")
    with unpacked(tmp_path / "run.mks") as (copy, manifest):
        assert list(manifest.runs) == ids
        for run in ids:
            assert_same(load(store, runs.find(store, run)), load(copy, runs.find(copy, run)))


def test_numbers_that_json_has_no_word_for_come_through(store, tmp_path):
    plant(store)
    with store.writing() as connection:
        connection.execute(sa.text("update scores set value = 9e999 where sample_id = 's0'"))
    write_bundle(store, [RUN], tmp_path / "run.mks", "0.1.0")
    with unpacked(tmp_path / "run.mks") as (copy, _):
        found = load(copy, runs.find(copy, RUN)).scores
    assert found.loc[found["sample_id"] == "s0", "value"].tolist() == [float("inf")] * 2


def test_without_texts_no_word_is_in_the_file_and_every_number_is(store, tmp_path):
    plant(store)
    label(store)
    review(store)
    store.put({"calls": [failed_call("broken", RUN)]})
    path = tmp_path / "run.mks"
    write_bundle(store, [RUN], path, "0.1.0", texts=False)
    assert not any(SAID in text for text in members(path).values())
    whole = load(store, runs.find(store, RUN))
    with unpacked(path) as (copy, manifest):
        bare = load(copy, runs.find(copy, RUN))
    assert not manifest.texts
    assert_same(without_texts(whole), without_texts(bare))
    assert len(bare.labels) == 1 + 1, "they hold by the hash of the answer"
    assert bare.grades["score"].equals(whole.grades["score"])
    assert bare.answers["e2e_s"].equals(whole.answers["e2e_s"])
    assert bare.info.config[MARK]


def test_a_bundle_without_texts_of_one_without_texts_is_the_same(store, tmp_path):
    plant(store)
    write_bundle(store, [RUN], tmp_path / "a.mks", "0.1.0", texts=False)
    with unpacked(tmp_path / "a.mks") as (copy, manifest):
        write_bundle(copy, manifest.runs, tmp_path / "b.mks", "0.1.0", texts=False)
    assert (tmp_path / "a.mks").read_bytes() == (tmp_path / "b.mks").read_bytes()


def test_the_tables_of_a_run_without_texts_hold_no_word(store):
    data = without_texts(load(store, plant(store)))
    for name in TABLES:
        table = getattr(data, name)
        assert not table.astype(str).apply(lambda column: column.str.contains(SAID)).to_numpy().any(), name
    assert SAID not in json.dumps(data.info.config)
    assert (data.scores["why"] != "").sum() == 2, "that there was a reason stays said where the value is missing"


def test_a_run_of_an_older_schema_goes_into_a_bundle(tmp_path):
    store = Store(tmp_path / "old")
    plant(store)
    with store.writing() as connection:
        metadata.drop_all(connection, [benches, metadata.tables["servers"]])
        connection.execute(sa.update(meta).where(meta.c.name == "schema").values(value="3"))
    store.close()
    store = Store(tmp_path / "old")
    write_bundle(store, [RUN], tmp_path / "run.mks", "0.1.0")
    with unpacked(tmp_path / "run.mks") as (copy, manifest):
        assert manifest.schema_version == SCHEMA_VERSION
        assert_same(load(store, runs.find(store, RUN)), load(copy, runs.find(copy, RUN)))
    store.close()


def test_a_bundle_of_an_older_schema_is_read_where_it_lacks_only_what_may_be_absent(made):
    change(made, manifest=lambda m: m | {"schema_version": 3})
    table, column = "calls", "gaps_s"
    at = parts(made)[0]["members"][table]["columns"].index(column)

    def without(rows):
        return [row[:at] + row[at + 1 :] for row in rows]

    change(made, rows={table: without}, columns={table: lambda names: names[:at] + names[at + 1 :]})
    with unpacked(made) as (copy, _):
        assert load(copy, runs.find(copy, RUN)).answers["gap_p50_s"].isna().all()


KILLED = """
import sys
from markscheme.harness.store import bundle
from markscheme.harness.store.store import Store
lines = bundle._lines
def endless(table, rows):
    for line in lines(table, rows):
        while table.name == "grades":
            print("writing", flush=True)
            yield line
        yield line
bundle._lines = endless
bundle.write_bundle(Store(sys.argv[1]), [sys.argv[2]], __import__("pathlib").Path(sys.argv[3]), "0.1.0")
"""


@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_killed_writer_leaves_what_was_there(store, tmp_path, before):
    plant(store)
    path = tmp_path / "out" / "run.mks"
    path.parent.mkdir()
    if before is not None:
        path.write_bytes(before)
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "ws"), RUN, str(path)], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(0.05)
    writer.kill()
    writer.stdout.close()
    writer.wait()
    assert (path.read_bytes() if path.exists() else None) == before
    write_bundle(store, [RUN], path, "0.1.0")
    with unpacked(path) as (_, manifest):
        assert manifest.runs == (RUN,)


def test_a_writer_that_fails_leaves_nothing(store, tmp_path, monkeypatch):
    plant(store)
    monkeypatch.setattr("markscheme.harness.store.bundle._base64", None)
    (tmp_path / "out").mkdir()
    with pytest.raises(TypeError):
        write_bundle(store, [RUN], tmp_path / "out" / "run.mks", "0.1.0")
    assert list((tmp_path / "out").iterdir()) == []


def members(path):
    """Name -> text of every member."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def parts(path):
    """The manifest, and the rows by table."""
    found = members(path)
    manifest = json.loads(found.pop(MANIFEST))
    return manifest, {name.removesuffix(".jsonl"): [json.loads(x) for x in t.splitlines()] for name, t in found.items()}


def text_of(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def pack(path, manifest, texts):
    """A zip of members and manifest, as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        archive.writestr(MANIFEST, json.dumps(manifest))


def write(path, manifest, texts):
    """A bundle of tables, whose hashes are right."""
    for table, text in texts.items():
        member = manifest["members"].setdefault(table, {"columns": ["a"]})
        member |= {"rows": text.count("\n"), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    pack(path, manifest, {f"{table}.jsonl": text for table, text in texts.items()})


def change(path, manifest=lambda m: m, rows=(), columns=(), extra=()):
    """Write a bundle anew with changes, its hashes put right: what somebody could make up."""
    told, tables = parts(path)
    for table, new in dict(rows).items():
        tables[table] = new(tables.get(table, []))
    for table, new in dict(columns).items():
        told["members"][table]["columns"] = new(told["members"][table]["columns"])
    write(path, manifest(told), {table: text_of(rows) for table, rows in tables.items()})
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in extra:
            archive.writestr(name, text)


def put(table, column, value):
    """A change of the first row."""

    def changed(rows):
        at = list(metadata.tables[table].columns.keys()).index(column)
        return [[*rows[0][:at], value, *rows[0][at + 1 :]], *rows[1:]]

    return {"rows": {table: changed}}


def config(**changes):
    return json.dumps(CONFIG | changes)


HOSTILE = {
    "a path": ({"extra": [("../../evil", "x")]}, "member '../../evil' is none that a bundle has"),
    "an absolute path": ({"extra": [("/etc/passwd", "x")]}, "member '/etc/passwd' is none"),
    "an unknown table": ({"rows": {"sqlite_master": lambda _: [["x"]]}}, "'sqlite_master.jsonl' is none"),
    "the table of versions": ({"rows": {"meta": lambda _: [["x"]]}}, "'meta.jsonl' is none"),
    "an unknown column": ({"columns": {"grades": lambda c: ["evil", *c[1:]]}}, "grades.jsonl: .*'run'|'evil' is unk"),
    "a column too many": ({"columns": {"grades": lambda c: [*c, "evil"]}}, "column 'evil' is unknown"),
    "a column too few": ({"columns": {"grades": lambda c: c[:-1]}}, "has no column 'calls'"),
    "a short row": ({"rows": {"grades": lambda rows: [rows[0][:-1]]}}, r"grades.jsonl, line 1: wanted a list of 16"),
    "a row that is none": ({"rows": {"grades": lambda rows: [*rows, {}]}}, r"grades.jsonl, line 9: wanted a list"),
    "a text for a number": (put("grades", "score", "three"), r"grades.jsonl, line 1: score 'three': wanted a number"),
    "a number for a text": (put("answers", "text", 7), r"answers.jsonl, line 1: text 7: wanted a text"),
    "a truth for a number": (put("answers", "trial", True), "trial True: wanted a whole number"),
    "a huge number": (put("answers", "trial", 1 << 63), "trial 9223372036854775808: wanted a whole number"),
    "nothing for a key": (put("answers", "sample_id", None), "sample_id None: wanted a text"),
    "no base64": (put("calls", "gaps_s", "a!"), "gaps_s 'a!': wanted base64"),
    "half a number": (put("calls", "gaps_s", "AAAA"), "gaps_s 'AAAA': wanted numbers of four bytes"),
    "an unknown status": (put("grades", "status", "perfect"), "status 'perfect': wanted one of error, not_app"),
    "pointers that are none": (put("answers", "calls", "[1]"), r"calls '\[1\]': wanted the JSON text of a list"),
    "JSON that is none": (put("runs", "config", "{"), r"config '\{': wanted JSON text"),
    "no exam": (put("runs", "config", config(candidates=[3])), f"the configuration of run {RUN} is of no exam"),
    "a run that is a path": (put("runs", "id", "../../evil"), r"id '../../evil': wanted letters, digits"),
    "another run": (put("runs", "id", "other"), r"holds the runs \['other'\], its manifest names"),
    "a stranger's rows": (put("answers", "run", "other"), "has rows of run 'other'"),
    "a sample without content": ({"rows": {"samples": lambda rows: rows[1:]}}, "sample 's0' has no content"),
    "a reply never sent": (put("calls", "sent_at", None), "calls.jsonl, line 1: a reply without sent_at"),
    "a row twice": ({"rows": {"grades": lambda rows: [*rows, rows[0]]}}, "grades.jsonl: two rows have one key"),
    "a newer format": ({"manifest": lambda m: m | {"format": 2}}, r"format 2, by markscheme 0.1.0; .* update mark"),
    "a newer schema": (
        {"manifest": lambda m: m | {"schema_version": 99}},
        "schema_version 99, by .* update",
    ),
    "a format that is none": ({"manifest": lambda m: m | {"format": "1"}}, "manifest.json format: Input should be"),
    "a manifest that is none": ({"manifest": lambda _: {"members": {}}}, "manifest.json markscheme: Field required"),
    "no runs": ({"manifest": lambda m: m | {"runs": []}}, "its manifest names"),
}


@pytest.mark.parametrize(("changed", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_no_store_wrote_is_refused(made, changed, message):
    change(made, **changed)
    refused(made, message)


def refused(path, message):
    with pytest.raises(InputError, match=message) as refusal, unpacked(path):
        pass
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"sha256": "0" * 64}, "grades.jsonl: its hash is not that of the manifest"),
        ({"rows": 9}, "grades.jsonl: has 8 rows, the manifest says 9"),
    ],
)
def test_a_member_that_is_not_what_the_manifest_says_is_refused(made, said, message):
    told = parts(made)[0]
    told["members"]["grades"] |= said
    pack(made, told, {name: text for name, text in members(made).items() if name != MANIFEST})
    refused(made, message)


def test_a_member_that_is_there_twice_is_refused(made):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(made, "a") as archive:
        archive.writestr("grades.jsonl", "")
    refused(made, "a member is there twice")


def test_a_member_that_the_manifest_does_not_name_is_refused(made):
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("servers.jsonl", "")
    refused(made, "manifest.json and the members differ: 'servers.jsonl'")


def test_a_bomb_is_refused_before_it_is_unpacked(made):
    told = parts(made)[0]
    pack(made, told, {f"{table}.jsonl": "\0" * (16 << 20) for table in told["members"]})
    refused(made, r"bytes would unpack to \d+, more than 500 times as many")


def test_a_line_without_an_end_is_refused(made, monkeypatch):
    monkeypatch.setattr(bundle_read, "LONGEST_LINE", 500)
    refused(made, "a line is longer")


def test_nested_json_is_refused(made):
    told, tables = parts(made)
    texts = {table: text_of(rows) for table, rows in tables.items()}
    write(made, told, texts | {"grades": "[" * 100_000 + "\n"})
    refused(made, "grades.jsonl, line 1: is not JSON")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(made, part):
    whole = made.read_bytes()
    made.write_bytes(whole[: int(len(whole) * part)])
    refused(made, "is no bundle, or damaged")


def test_a_flipped_byte_is_refused_or_says_nothing(made):
    whole = bytearray(made.read_bytes())
    refusals = 0
    with unpacked(made) as (copy, _):
        said = load(copy, runs.find(copy, RUN))
    for at in range(60, len(whole) - 60, len(whole) // 12):
        made.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            with unpacked(made) as (copy, _):  # a date of the zip, say
                assert_same(said, load(copy, runs.find(copy, RUN)))
        except InputError:
            refusals += 1
    assert refusals > 6


def test_a_zip_of_something_else_is_no_bundle(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "x")
    assert not is_bundle(path)
    (tmp_path / "nightly").write_text("not a zip")
    assert not is_bundle(tmp_path / "nightly")
    refused(path, "is no bundle: it has no manifest.json")


def test_a_bundle_of_any_name_is_one(made, tmp_path):
    made.rename(tmp_path / "baseline")
    assert is_bundle(tmp_path / "baseline")
