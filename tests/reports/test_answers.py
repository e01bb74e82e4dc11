"""What the page's browser is given: which answers of a large run, which passages, and where scores are apart."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from labelling import rows as label_rows
from labelling import truths, with_labels
from markscheme.harness.store.frames import GRADE_COLUMNS
from markscheme.reports import answers as module
from markscheme.reports.answers import LONGEST, answers_of
from markscheme.reports.answers_places import places_of
from markscheme.reports.cells import score
from markscheme.reports.disputes import apart
from markscheme.reports.passages import Passages
from synthetic import Candidate, Judge, build

TWO = (Candidate("a", 2.2), Candidate("b", 1.4))


def given(data, most=10_000):
    return answers_of(data, score(data), most)


def gaps(data):
    scores = score(data)
    return apart(data, scores, places_of(data, scores))


def test_each_answer_has_its_own_values_grades_and_labels():
    data = build(n=12, clusters=None, candidates=(Candidate("a", trials=2), Candidate("b")), measures=("token_f1",))
    data = with_labels(data, label_rows(truths(data, 0.0), n=3, samples=["q-0007"], candidates=["b"]))
    found = given(data).payload
    for answer in found["answers"]:
        sample = found["samples"][answer["sample"]]["id"]
        own = data.grades[
            (data.grades["sample_id"] == sample)
            & (data.grades["candidate"] == answer["candidate"])
            & (data.grades["trial"] == answer["trial"])
        ]
        assert answer["text"].startswith(f"{answer['candidate']} says about {int(sample[2:])}:")
        assert [(g[1], g[4]) for g in answer["grades"]] == list(zip(own["criterion"], own["score"], strict=True))
        assert answer["values"][1:4] == list(own["score"])
        assert len(answer["scores"]) == 1
        assert ("labels" in answer) == (sample == "q-0007" and answer["candidate"] == "b")


def test_a_run_that_fits_is_there_whole_and_nothing_is_said():
    found = given(build(n=20, candidates=TWO))
    assert (len(found.payload["answers"]), found.words) == (40, "")


def test_of_a_large_run_the_worst_the_disputed_and_some_at_random_are_there_and_the_page_says_so():
    data = build(n=500, clusters=None, candidates=TWO, judges=(Judge("one"), Judge("two")))
    found = given(data, most=100)
    answers = found.payload["answers"]
    assert len(answers) == 100
    assert found.words == (
        "The page holds 100 of 1,000 answers: the 40 with the lowest scores, as many of each candidate, the 30 on "
        "which judges, repeats or people differ most and 30 of questions drawn at random (seed 0)."
    )
    whole = given(data).payload["answers"]
    for name in "ab":
        lowest = sorted(x["values"][0] for x in whole if x["candidate"] == name)[:20]
        assert sorted(x["values"][0] for x in answers if x["candidate"] == name)[:20] == lowest
    widest = sorted((x.get("apart", 0) for x in whole), reverse=True)[:10]
    assert sorted((x.get("apart", 0) for x in answers), reverse=True)[:10] == widest


def test_the_choice_is_the_same_each_time_and_ties_are_not_broken_by_order():
    data = build(n=300, clusters=None, candidates=(Candidate("a"),))
    data = dataclasses.replace(data, grades=data.grades.assign(score=1.0))
    first, second = given(data, most=50), given(data, most=50)
    assert first == second
    ids = [first.payload["samples"][x["sample"]]["id"] for x in first.payload["answers"]]
    assert ids != sorted(data.samples["sample_id"])[:50]
    assert ids == sorted(ids)


def test_without_a_judge_a_large_run_is_drawn_by_whole_questions():
    found = given(build(n=200, judges=(), candidates=TWO), most=40)
    samples = [x["sample"] for x in found.payload["answers"]]
    assert len(found.payload["samples"]) == 20
    assert all(samples.count(sample) == 2 for sample in set(samples))
    assert "lowest" not in found.words


def test_long_answers_leave_room_for_fewer(monkeypatch):
    data = build(n=40, clusters=None, candidates=TWO)
    monkeypatch.setattr(module, "LARGEST", 200 * 40)
    long = dataclasses.replace(data, answers=data.answers.assign(text="x" * 400))
    found = given(long)
    assert sum(len(x["text"]) for x in found.payload["answers"]) <= 200 * 40
    assert found.words.startswith("The page holds ")


def test_one_long_text_is_cut_and_says_how_long_it_was():
    data = build(n=2, candidates=(Candidate("a"),))
    found = given(dataclasses.replace(data, answers=data.answers.assign(text="x" * (LONGEST + 5))))
    assert found.payload["answers"][0]["text"][LONGEST:].startswith("\n[cut here: 20,005 characters in all")


def test_a_run_without_words_gives_those_of_the_chosen_answers_alone():
    data = build(n=60, clusters=None, candidates=TWO)
    asked = []

    def words(places):
        asked.append(len(places))
        keep = [
            p in places
            for p in zip(data.answers["sample_id"], data.answers["candidate"], data.answers["trial"], strict=True)
        ]
        return data.excerpt(np.flatnonzero(keep))

    bare = dataclasses.replace(data, answers=data.answers.drop(columns=["text", "reasoning"]), words=words)
    found = given(bare, most=20)
    assert asked == [20]
    assert len(found.payload["answers"]) == 20
    assert all(x["text"] for x in found.payload["answers"])


def test_categories_are_looked_up_as_names_are():
    data = build(n=9, candidates=TWO)
    tables = {
        name: getattr(data, name).astype({"sample_id": "category", "candidate": "category"})
        for name in ("answers", "grades", "scores")
    }
    assert given(dataclasses.replace(data, **tables)).payload == given(data).payload


def test_repeats_of_one_judge_are_apart_by_their_range():
    data = build(n=4, clusters=None, candidates=(Candidate("a"),), judges=(Judge(repeats=2),))
    level = np.where(data.grades["repeat"] == 1, 3.0, 1.0)
    changed = (data.grades["sample_id"] == "q-0002") & (data.grades["criterion"] == "readability")
    data = dataclasses.replace(data, grades=data.grades.assign(score=np.where(changed, level, 1.0)))
    assert gaps(data).tolist() == pytest.approx([0, 0, 2 / 3, 0])


def test_people_are_apart_from_the_judge_and_from_each_other():
    data = build(n=3, clusters=None, candidates=(Candidate("a"),))
    data = dataclasses.replace(data, grades=data.grades.assign(score=1.0))
    labels = label_rows(
        truths(data, 0.0), samples=["q-0000", "q-0001"], criteria=["correctness"], annotators=("ann", "ben")
    )
    given_by = list(zip(labels["sample_id"], labels["annotator"], strict=True))
    people = {("q-0000", "ann"): 3.0, ("q-0000", "ben"): 0.0, ("q-0001", "ann"): 1.0, ("q-0001", "ben"): 1.0}
    found = gaps(with_labels(data, labels.assign(score=[people[key] for key in given_by])))
    assert found[:2].tolist() == pytest.approx([1.0, 0.0])
    assert np.isnan(found[2])


def test_judges_of_different_scales_are_compared_as_shares_and_embedded_ones_not_at_all():
    judges = (Judge("one"), Judge("five", scale=(1, 5)), Judge("words", "embedded"))
    data = build(n=2, clusters=None, candidates=(Candidate("a"),), judges=judges)
    own = data.grades["judge"].map({"one": 3.0, "five": 5.0, "words": 0.0})
    off = (data.grades["judge"] == "five") & (data.grades["sample_id"] == "q-0001")
    assert gaps(dataclasses.replace(data, grades=data.grades.assign(score=own.where(~off, 3.0)))).tolist() == [0.0, 0.5]


def test_grades_of_nobodys_answer_are_passed_over():
    data = build(n=2, candidates=(Candidate("a"),), judges=(Judge(repeats=2),))
    stray = data.grades.iloc[[0]].assign(sample_id="gone")
    grown = dataclasses.replace(data, grades=pd.concat([data.grades, stray], ignore_index=True)[list(GRADE_COLUMNS)])
    places = places_of(grown, score(data))
    assert places.rows(grown.grades)[-1] == -1
    assert len(apart(grown, score(data), places)) == 2


def test_a_passage_is_held_once_and_beyond_the_limit_by_name_only():
    passages = Passages(limit=10)
    assert passages.numbers(["12345678", "12345678", "123456", "12"]) == [0, 0, 1, 2]
    assert passages.retrieved([{"id": "d1#0", "text": "a long one indeed", "score": 0.5}, {"text": "12"}]) == [
        [3, "d1#0", 0.5],
        [2, "", None],
    ]
    assert passages.found[0] == {"text": "12345678"}
    assert (passages.found[1]["length"], len(passages.found[1]["id"])) == (6, 12)
    assert passages.found[2] == {"text": "12"}
    assert passages.found[3] == {"id": "d1#0", "length": 17}


def test_the_same_context_under_every_candidate_is_in_the_page_once():
    data = build(n=50, clusters=None, candidates=TWO)
    shared = dataclasses.replace(data, samples=data.samples.assign(context=json.dumps(["One passage for all."])))
    found = given(shared).payload
    assert found["passages"] == [{"text": "One passage for all."}]
    assert all(sample["context"] == [0] for sample in found["samples"])
