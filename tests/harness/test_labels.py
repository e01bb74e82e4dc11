"""Label files: what is read, what is refused, and for which answers a label holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from markscheme.harness.errors import DataError
from markscheme.harness.exam import exam_from_dict
from markscheme.harness.label_matching import Given, Paper, match
from markscheme.harness.labels import check_strata, example_key, read_labels, text_sha256
from markscheme.harness.records import Answer, LabelSet, Said, Sample
from markscheme.harness.store import codec, runs
from markscheme.harness.store.labels import put_labels
from markscheme.harness.store.load import load
from markscheme.harness.store.store import Store

HEAD = "sample_id,candidate,trial,criterion,score,annotator"


def write(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


def refusal(folder: Path, *rows: str, head: str = HEAD) -> str:
    with pytest.raises(DataError) as caught:
        read_labels(write(folder, *rows, head=head))
    return str(caught.value)


def test_ids_are_text_an_empty_score_is_a_gap_and_the_trial_may_be_left_out(tmp_path: Path):
    file = read_labels(
        write(tmp_path, "007,a,,correctness,2,ann", "007,a,,correctness,,ben", "8,a,1,correctness,1.5,ann")
    )
    assert (file.samples, file.trials, file.scores, file.gaps) == (["007", "8"], [0, 1], [2.0, 1.5], 1)
    rows = [{"sample_id": 7, "candidate": "a", "criterion": "c", "score": 0, "annotator": "ann"}]
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = read_labels(path)
    assert (file.samples, file.trials, file.scores) == (["7"], [0], [0.0])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s1,a,0,c,good,ann", "labels.csv:2 score: 'good' is not a number"),
        ("s1,a,0,c,nan,ann", "labels.csv:2 score: 'nan' is not a number"),
        ("s1,a,half,c,1,ann", "labels.csv:2 trial: 'half' is no draw"),
        ("s1,a,inf,c,1,ann", "labels.csv:2 trial: 'inf' is no draw"),
        ("s1,,0,c,1,ann", "labels.csv:2 candidate: is empty"),
        ("s1,a,0,c,1,", "labels.csv:2 annotator: is empty"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_named_by_line_and_column(tmp_path: Path, row: str, said: str):
    assert said in refusal(tmp_path, row)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path):
    said = refusal(tmp_path, "s1,a,1,ann", head="sample_id,candidate,score,annotator")
    assert "labels.csv:2 criterion: is missing" in said and "sample_id, candidate, score, annotator" in said


def test_one_annotator_scores_a_criterion_of_an_answer_once(tmp_path: Path):
    said = refusal(tmp_path, "s1,a,0,c,1,ann", "s1,a,0,c,1,ben", "s1,a,1,c,1,ann", "s1,a,0,c,2,ann")
    assert said == (
        f"{tmp_path}/labels.csv:5 score: 'ann' scored c of this answer in line 2 already; keep one of the two, or give "
        "another draw of the answer a trial of its own"
    )


def test_only_the_annotators_that_are_asked_for_are_read(tmp_path: Path):
    path = write(tmp_path, "s1,a,0,c,1,ann", "s1,a,0,c,2,ben")
    assert read_labels(path, ("ben",)).scores == [2.0]
    with pytest.raises(DataError, match="no label of 'cat'; its annotators are ann, ben"):
        read_labels(path, ("cat",))


def test_a_stratum_without_a_share_is_refused(tmp_path: Path):
    file = read_labels(write(tmp_path, "s1,a,0,c,1,ann,odd", head=f"{HEAD},stratum"))
    with pytest.raises(DataError, match=r"labels.csv:2 stratum: 'odd' is none of the strata"):
        check_strata(file, {"easy": 0.5, "hard": 0.5})


def test_the_exam_refuses_shares_that_do_not_sum_to_one_and_packaged_labels_are_found_by_name(tmp_path: Path):
    write(tmp_path)
    exam = {
        "dataset": "docs_qa",
        "candidates": [{"model": "baseline/lead"}],
        "labels": ["docs_qa/author", {"path": "labels.csv", "design": "stratified", "shares": {"a": 0.5}}],
    }
    with pytest.raises(DataError.__base__, match=r"labels\[1\].shares: \{a: 0.5\} is not how large each stratum is"):
        exam_from_dict(exam, tmp_path, "exam")
    exam["labels"][1] = "labels.csv"
    found = exam_from_dict(exam, tmp_path, "exam").labels
    assert [spec.path.parent.name for spec in found] == ["author", tmp_path.name]
    assert {spec.design for spec in found} == {"unknown"}


def paper(**changes: object) -> Paper:
    given = (Given(0, "h0", text_sha256("first\nline"), False), Given(1, "h1", text_sha256("second"), False))
    fields = {
        "samples": frozenset({"s1", "s2"}),
        "candidates": frozenset({"a"}),
        "answers": {("s1", "a"): given},
        "examples": frozenset(),
        "scales": {"c": ((0.0, 3.0),)},
    }
    return Paper(**(fields | changes))


def matched(folder: Path, *rows: str, pins: dict | None = None, **changes: object):
    return match(read_labels(write(folder, *rows, head=f"{HEAD},answer")), paper(**changes), pins or {})


def test_every_label_that_does_not_hold_is_counted_by_its_reason(tmp_path: Path):
    found = matched(
        tmp_path,
        "s1,a,0,c,3,ann,",
        "s9,a,0,c,3,ann,",
        "s1,b,0,c,3,ann,",
        "s1,a,0,style,3,ann,",
        "s1,a,0,c,4,ben,",
        "s2,a,0,c,1,ann,",
        "s1,a,2,c,1,ann,",
    )
    assert found.attached == 1 and found.bound == {0: "h0"}
    assert found.unattached == {
        "unknown_sample": 1,
        "unknown_candidate": 1,
        "unknown_criterion": 1,
        "off_scale": 1,
        "not_answered": 2,
    }
    assert found.first["not_answered"] == 7


def test_a_text_is_found_at_whatever_trial_and_a_changed_one_never(tmp_path: Path):
    found = matched(tmp_path, "s1,a,0,c,3,ann,second", "s1,a,1,c,3,ann,Second", '"s1",a,0,c,3,ben,"first\r\nline"')
    assert found.bound == {0: "h1", 2: "h0"}
    assert found.unattached == {"changed": 1}


def test_a_label_without_a_text_stays_bound_to_the_answer_that_was_there_first(tmp_path: Path):
    place = ("s1", "a", 0, "c", "ann")
    found = matched(tmp_path, "s1,a,0,c,3,ann,", pins={place: "old"})
    assert found.attached == 0 and found.unattached == {"changed": 1}
    assert found.bound == {0: "old"}, "kept for the run that it was made for"


def test_a_worked_example_of_the_rubric_is_never_a_label(tmp_path: Path):
    shown = (Given(0, "h0", "t", True),)
    assert matched(tmp_path, "s1,a,0,c,3,ann,", answers={("s1", "a"): shown}).unattached == {"worked_example": 1}
    assert matched(tmp_path, "s1,a,0,c,3,ann,", examples=frozenset({"s1"})).unattached == {"worked_example": 1}
    assert example_key(" Why\n so? ") == example_key("Why so?") != example_key("why so?")
    assert example_key(" \n") == ""


CONFIG = {
    "candidates": [{"name": "a"}],
    "judges": [{"name": "j", "rubric": {"scale": [0, 3], "criteria": [{"name": "c", "weight": 1}]}}],
}


def answered(store: Store, text: str) -> runs.Run:
    run = runs.begin(store, "exam.yaml", {})
    runs.describe_run(store, run, "f", CONFIG, {})
    samples = [Sample(f"s{i}", f"Why {i}?", sha256=f"x{i}") for i in range(2)]
    store.put_samples(run.id, samples)
    answers = [Answer(run.id, sample.id, "a", 0, Said(f"{text} {sample.id}")) for sample in samples]
    store.put({"answers": [codec.answer_to_row(answer, 0) for answer in answers]})
    return runs.find(store, run.id)


def held(store: Store, run: runs.Run) -> list[tuple[str, str, float]]:
    found = load(store, run).labels
    return [tuple(row) for row in found[["sample_id", "annotator", "score"]].itertuples(index=False)]


def test_the_workspace_follows_the_file_and_keeps_what_was_bound(tmp_path: Path):
    store = Store(tmp_path / "ws")
    first = answered(store, "Because")
    made = LabelSet("labels")
    put_labels(store, first, made, read_labels(write(tmp_path, "s0,a,0,c,1,ann", "s1,a,0,c,2,ann")))
    assert held(store, first) == [("s0", "ann", 1.0), ("s1", "ann", 2.0)]
    changed = answered(store, "Otherwise")
    found = put_labels(store, changed, made, read_labels(write(tmp_path, "s0,a,0,c,3,ann", "s0,a,0,c,0,ben")))
    assert found.unattached == {"changed": 1}
    assert held(store, first) == [("s0", "ann", 3.0)], "a new score, and the row that is gone from the file"
    assert held(store, changed) == [("s0", "ben", 0.0)]
    store.close()


def test_labels_hold_on_when_the_words_of_a_run_are_purged(tmp_path: Path):
    store = Store(tmp_path / "ws")
    run = answered(store, "Because")
    put_labels(store, run, LabelSet("labels"), read_labels(write(tmp_path, "s0,a,0,c,1,ann")))
    for _ in range(2):
        store.purge_texts(run.id)
        data = load(store, run)
        assert data.labels["score"].tolist() == [1.0]
        assert set(data.answers["text"]) == set(data.answers["detail"]) == {""}
    store.close()
