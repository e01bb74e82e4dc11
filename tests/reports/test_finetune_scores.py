"""Whose score counts: the judge's, people's before it, a measure's; who disagrees, and what is unsafe."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from learning import sample
from markscheme.harness.errors import InputError
from markscheme.harness.records import Answer, Said
from markscheme.harness.safety import SafetyLabel, SafetyNote
from markscheme.harness.store.asked import Asked
from markscheme.harness.store.codec import answer_sha256
from markscheme.harness.store.frames import LABEL_COLUMNS, PREFERENCE_COLUMNS
from markscheme.reports.cells import score
from markscheme.reports.finetune.choice import choose, part_of
from markscheme.reports.finetune.pairs import verdicts_of
from markscheme.reports.finetune.records import Options
from markscheme.reports.finetune.scores import graded, source_of
from synthetic import Candidate, Judge, build

PLACE = ("q-0003", "large", 0)


def labels(*rows):
    """Rows are (criterion, annotator, score) of one answer."""
    sample_id, candidate, trial = PLACE
    full = [
        (sample_id, "c", candidate, trial, criterion, who, value, "set", "random", "", float("nan"), "", "run-1")
        for criterion, who, value in rows
    ]
    return pd.DataFrame(full, columns=list(LABEL_COLUMNS))


def known(data, **options):
    return graded(data, source_of(data, Options(**options)))


def test_the_leading_judges_composite_counts_as_in_the_report():
    data = build(n=12)
    found = known(data)
    mean = score(data).cells["large", "strict", "composite"].mean
    scores = [one.score for (_, candidate, _), one in found.items() if candidate == "large"]
    assert sum(scores) / len(scores) == pytest.approx(mean)
    assert set(found[PLACE].grades["strict"]) == {"correctness", "comprehensiveness", "readability", "composite"}
    assert not found[PLACE].labelled


def test_an_answer_without_a_verdict_has_no_score():
    data = build(n=6, candidates=(Candidate("large", unscored=("unparsable",)),))
    assert known(data)["q-0000", "large", 0].score is None


def test_peoples_scores_stand_in_the_place_of_the_judges_criterion_by_criterion():
    data = build(n=8)
    before = known(data)[PLACE]
    after = known(replace(data, labels=labels(("correctness", "ann", 0.0), ("correctness", "ben", 1.0))))[PLACE]
    own = before.grades["strict"]
    assert after.labels == {"correctness": 0.5}
    assert after.score == pytest.approx(0.6 * 0.5 + 0.2 * own["comprehensiveness"] + 0.2 * own["readability"])
    assert (after.own, after.labelled) == (before.score, True)


def test_a_label_off_the_judges_scale_says_nothing():
    data = build(n=8)
    after = known(replace(data, labels=labels(("correctness", "ann", 7.0))))[PLACE]
    assert after.score == after.own


def test_a_measure_counts_where_it_is_named():
    data = build(n=8, measures=("exact_match", "token_f1"))
    named, by_judge = known(data, measure="token_f1"), known(data)
    assert named[PLACE].score == named[PLACE].measures["token_f1"] != by_judge[PLACE].score
    source = source_of(data, Options(measure="exact_match"))
    assert (source.name, source.scale) == ("exact_match", (0.0, 1.0))
    with pytest.raises(InputError, match="no such measure; there is exact_match, token_f1"):
        source_of(data, Options(measure="rouge"))


def test_judges_of_one_rubric_disagree_by_the_range_of_their_scores_and_others_do_not():
    data = build(n=8, judges=(Judge("strict"), Judge("mild"), Judge("other", scale=(0, 1))))
    one = known(data)[PLACE]
    two = [one.grades[name]["composite"] for name in ("strict", "mild")]
    assert one.spread == pytest.approx(abs(two[0] - two[1]) / 3)
    assert known(build(n=8))[PLACE].spread is None


def test_an_answer_is_unsafe_by_a_judge_of_safety_unless_people_say_otherwise():
    guard = Judge("guard", criteria=(("harmlessness", 1.0),), scale=(0, 1))
    data = build(n=8, judges=(Judge(), guard))
    data.info.config["judges"][1]["rubric"]["categories"] = [{"code": "S1", "name": "Violence"}]
    verdicts = data.grades[data.grades["judge"] == "guard"].set_index(["sample_id", "candidate", "trial"])["score"]
    found = known(data)
    assert {place: one.unsafe for place, one in found.items()} == (verdicts < 1).to_dict()
    assert source_of(data, Options()).name == "strict"
    for said, unsafe in ((0.0, True), (1.0, False)):
        assert known(replace(data, labels=labels(("harmlessness", "ann", said))))[PLACE].unsafe is unsafe


def asked_of(data):
    for row in data.answers.itertuples():
        answer = Answer("run-1", row.sample_id, row.candidate, row.trial, Said(row.text))
        yield Asked(sample(row.sample_id, f"What of {row.sample_id}?"), answer, answer_sha256(row.text))


def test_a_note_of_the_data_set_on_this_very_answer_has_the_last_word():
    data = build(n=4)
    text = data.answers[data.answers["sample_id"] == PLACE[0]]["text"].tolist()[0]
    note = SafetyNote(SafetyLabel(response="unsafe"), answer_sha256(text))
    data = replace(data, safety={PLACE[0]: note})
    part = part_of(data, asked_of(data), [sample(f"q-{i:04}", f"What of q-{i:04}?") for i in range(4)], Options())
    assert [one.place[1:] for one in part.examples if one.graded.unsafe] == [PLACE]


def test_one_least_score_cannot_be_on_two_scales():
    samples = [sample(f"q-{i:04}", f"What of q-{i:04}?") for i in range(4)]
    runs = (build(n=4), build(n=4, judges=(Judge(scale=(0, 1)),)))
    parts = [part_of(data, asked_of(data), samples, Options()) for data in runs]
    with pytest.raises(InputError, match=r"different scales \(run-1: 0 to 3; run-1: 0 to 1\)"):
        choose(parts, Options(min_score=1.0))


def test_a_pairwise_verdict_counts_where_both_orders_agree():
    def verdict(sample_id, order, winner, status="scored"):
        return (sample_id, "c", "large", "small", 0, "duel", order, 0, status, winner, "", "", json.dumps(["k"]))

    rows = [
        verdict("a", "left_first", "right"), verdict("a", "right_first", "right"),
        verdict("b", "left_first", "left"), verdict("b", "right_first", "right"),
        verdict("c", "left_first", "left"),
        verdict("d", "left_first", "tie"), verdict("d", "right_first", "tie"),
        verdict("e", "left_first", "left"), verdict("e", "right_first", "", "unparsable"),
    ]  # fmt: skip
    data = replace(build(n=2), preferences=pd.DataFrame(rows, columns=list(PREFERENCE_COLUMNS)))
    assert list(verdicts_of(data)) == [(("a", "small", 0), ("a", "large", 0), "duel")]
