"""Labels of a review and labels of files stand side by side and never in each other's place."""

from __future__ import annotations

from pathlib import Path

import pytest
from markscheme.app.judging.labels import attach, read_spec, spec_of_words
from markscheme.harness.errors import InputError
from markscheme.harness.records import Answer, Said, Sample
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.harness.store import codec, runs
from markscheme.harness.store.load import load
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store


def test_a_file_of_labels_does_not_take_the_place_of_a_review(tmp_path: Path):
    store = Store(tmp_path / "workspace")
    run = runs.begin(store, "exam.yaml", {})
    judge = {"name": "strict", "rubric": {"criteria": [{"name": "clarity"}], "scale": [0, 3]}}
    runs.describe_run(store, run, "f", {"candidates": [{"name": "mini"}], "judges": [judge]}, {})
    run = runs.find(store, run.id)
    store.put_samples(run.id, [Sample("s1", "Why?", sha256="x")])
    store.put({"answers": [codec.answer_to_row(Answer(run.id, "s1", "mini", 0, Said("Because.")), 0)]})
    review = Review("first", run.id, "grade", "docs_qa", {"clarity": (0, 1, 2, 3)}, ("ann",), "random", 0)
    item = Item("i1", 0, "s1", "mini", "", 0, codec.answer_sha256("Because."))
    kept = Reviews(store)
    kept.begin(review, [item])
    kept.rate(review, item, Rating("i1", "ann", {"clarity": 3}))
    path = tmp_path / "labels.csv"
    path.write_text("sample_id,candidate,criterion,score,annotator\ns1,mini,clarity,1,ben\n")
    taken, free = (spec_of_words(path, "random", [], name, "") for name in ("first", "second"))
    with pytest.raises(InputError, match="a label set 'first' was read from review first already"):
        attach(store, run, taken, read_spec(taken))
    attach(store, run, free, read_spec(free))
    found = load(store, run).labels
    store.close()
    assert found[["label_set", "annotator", "score"]].values.tolist() == [["first", "ann", 3.0], ["second", "ben", 1.0]]
