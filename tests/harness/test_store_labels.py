"""Labels and preferences in the workspace; a workspace of an earlier version."""

from pathlib import Path

import sqlalchemy as sa
from markscheme.harness.records import Answer, Label, LabelSet, Preference, Said, Sample, Unscored
from markscheme.harness.store import codec, runs
from markscheme.harness.store.load import load
from markscheme.harness.store.schema import SCHEMA_VERSION, meta
from markscheme.harness.store.store import Store

CONFIG = {
    "candidates": [{"name": "a"}, {"name": "b"}],
    "judges": [{"name": "pairs", "mode": "pairwise", "repeats": 1, "rubric": {}}],
}


def answered(store: Store, text: str) -> runs.Run:
    """A run in which candidate `a` answered the one sample with ``text``."""
    run = runs.begin(store, "exam.yaml", {})
    runs.describe_run(store, run, "f", CONFIG, {})
    store.put_samples(run.id, [Sample("s1", "Why?", sha256="x")])
    store.put({"answers": [codec.answer_to_row(Answer(run.id, "s1", "a", 0, Said(text)), 0)]})
    return runs.find(store, run.id)


def label(store: Store, run: runs.Run, text: str, score: float) -> None:
    row = codec.label_to_row(
        Label("s1", "a", 0, "correctness", score, "ann", codec.answer_sha256(text), "first"), run.id
    )
    kept = codec.label_set_to_row(LabelSet("first", "random", labelled_at="2026-11-20"))
    store.put({"label_sets": [kept], "labels": [row]})


def test_a_label_holds_for_the_same_text_of_a_later_run_and_for_no_other(tmp_path: Path):
    store = Store(tmp_path)
    first = answered(store, "Because.")
    label(store, first, "Because.", 3.0)
    same, changed = answered(store, "Because."), answered(store, "Because!")
    found = load(store, same).labels
    assert found[["sample_id", "candidate", "score", "annotator", "design", "source_run"]].values.tolist() == [
        ["s1", "a", 3.0, "ann", "random", first.id]
    ]
    assert load(store, changed).labels.empty
    store.close()


def test_preferences_come_back_with_their_winner_or_their_reason(tmp_path: Path):
    store = Store(tmp_path)
    run = answered(store, "Because.")
    said = Preference(run.id, "s1", "a", "b", 0, "pairs", "left_first", "right", "shorter")
    silent = Preference(run.id, "s1", "a", "b", 0, "pairs", "right_first", Unscored("unparsable", "no JSON"))
    store.put({"preferences": [codec.preference_to_row(p, 0) for p in (said, silent)]})
    found = load(store, run).preferences.set_index("shown_order")
    assert found.loc["left_first", ["status", "winner", "reasoning"]].tolist() == ["scored", "right", "shorter"]
    assert found.loc["right_first", ["status", "winner", "why"]].tolist() == ["unparsable", "", "no JSON"]
    store.close()


def test_a_workspace_of_the_first_version_gets_the_tables_that_it_lacks(tmp_path: Path):
    store = Store(tmp_path)
    run = answered(store, "Because.")
    with store.writing() as connection:
        for table in ("labels", "label_sets", "preferences"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.update(meta).where(meta.c.name == "schema").values(value="1"))
    store.close()
    again = Store(tmp_path)
    assert load(again, run).labels.empty
    with again.reading() as connection:
        assert connection.execute(sa.select(meta.c.value)).scalar() == str(SCHEMA_VERSION)
    again.close()
