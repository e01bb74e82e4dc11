"""Feedback files: what a row may say, which answer it is about, and what is kept of it."""

import json
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from markscheme.harness.edits import distance, edit_share
from markscheme.harness.errors import DataError
from markscheme.harness.feedback import FeedbackRow, read_feedback
from markscheme.harness.feedback_matching import Answers, Shown, match
from markscheme.harness.labels import text_sha256
from markscheme.harness.records import Answer, Failed, Said, Sample
from markscheme.harness.store import codec, runs
from markscheme.harness.store.bundle import write_bundle
from markscheme.harness.store.bundle_read import unpacked
from markscheme.harness.store.feedback import feedback_of, put_feedback
from markscheme.harness.store.merge import merge
from markscheme.harness.store.schema import feedback
from markscheme.harness.store.store import Store


def table(folder: Path, *rows: dict) -> Path:
    path = folder / "feedback.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(folder: Path, *rows: dict, **columns: str):
    return read_feedback(table(folder, *rows), columns)


@pytest.mark.parametrize(
    ("column", "yes", "no"),
    [
        ("accepted", ["yes", "TRUE", "1", 1, True, 1.0, "Accepted"], ["no", "False", "0", 0, False, 0.0, "rejected"]),
        (
            "thumb",
            ["up", "+1", 1, "'+1", "👍", "👍🏽", "thumbs_up"],
            ["down", "-1", -1, "'-1", "👎", "👎🏿", "thumbs down"],
        ),
    ],
)
def test_yes_and_no_are_read_as_people_write_them(tmp_path, column, yes, no):
    found = read(tmp_path, *({"sample_id": "s", column: value} for value in [*yes, *no]))
    assert [row.accepted for row in found.rows] == [True] * len(yes) + [False] * len(no)


def test_a_csv_is_read_with_the_names_of_another_tool(tmp_path):
    path = tmp_path / "theirs.csv"
    path.write_text("trace,score,when,who\nt1,1,2026-11-20T10:00:00Z,u1\nt2,,,\n", encoding="utf-8")
    found = read_feedback(path, {"trace_id": "trace", "accepted": "score", "at": "when", "user": "who"})
    assert found.gaps == 1
    assert found.rows == (FeedbackRow(2, {"trace_id": "t1"}, "", None, "", True, None, 1795168800.0, "u1"),)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"sample_id": "s", "accepted": "maybe"}, ":1 accepted: 'maybe' says neither; write yes or no"),
        ({"sample_id": "s", "thumb": 0}, ":1 thumb: 0 says neither; write up or down"),
        ({"sample_id": "s", "thumb": "up", "accepted": "no"}, ":1 thumb: 'up' says another thing than accepted, 'no'"),
        ({"sample_id": "s", "edit": 7}, ":1 edit: 7 is no text"),
        ({"sample_id": "", "accepted": 1}, ":1 sample_id: is empty; say which answer is meant"),
        ({"sample_id": 1.5, "accepted": 1}, ":1 sample_id: 1.5 is neither text nor a whole number"),
        ({"sample_id": "s", "accepted": 1, "trial": -1}, ":1 trial: -1 is no draw of an answer"),
        (
            {"sample_id": "s", "accepted": 1, "at": 1795168800000},
            ":1 at: 1795168800000 is no time in Unix seconds; milli",
        ),
        ({"sample_id": "s", "accepted": 1, "at": "soon"}, ":1 at: 'soon' is no time; wanted ISO 8601 or Unix seconds"),
        ({"name": "s", "accepted": 1}, ": no column names an answer: wanted response_id"),
        ({"sample_id": "s", "liked": 1}, ": no column says what the user did: wanted accepted, thumb or edit, found"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place_and_the_remedy(tmp_path, row, says):
    with pytest.raises(DataError) as caught:
        read(tmp_path, row)
    assert f"feedback.jsonl{says}" in str(caught.value)


def test_a_column_that_is_not_there_and_an_empty_file_are_told(tmp_path):
    with pytest.raises(DataError, match=r"--columns accepted=ok: there is no column 'ok'; found sample_id, liked"):
        read(tmp_path, {"sample_id": "s", "liked": 1}, accepted="ok")
    with pytest.raises(DataError, match="holds no rows"):
        read(tmp_path)


def test_edits_are_measured_by_levenshtein_and_white_space_is_none():
    assert distance("kitten", "sitting") == 3
    assert edit_share("kitten", "sitting") == pytest.approx(3 / 7)
    assert edit_share("a  b\n", "a b") == 0
    assert edit_share("", "new") == 1 == edit_share("abc", "xyz")
    assert edit_share("The bridge is 12 m long.", "The bridge is 13 m long.") == pytest.approx(1 / 24)
    assert edit_share("one two three " * 5_000, "one four three " * 5_000) == pytest.approx(1 / 3), "by words"


def test_the_distance_is_that_of_the_textbook_on_random_texts():
    rng = np.random.default_rng(3)
    for _ in range(60):
        a, b = ("".join(rng.choice(list("abc"), size)) for size in rng.integers(0, 12, 2))
        assert distance(a, b) == textbook(a, b), (a, b)
        assert edit_share(a, b) == pytest.approx(textbook(a, b) / max(len(a), len(b), 1))


def textbook(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def shown(sample: str, candidate: str = "bot", trial: int = 0, text: str = "An answer.") -> Shown:
    return Shown((sample, candidate, trial), codec.answer_sha256(text), text_sha256(text), text)


def said(answer: str = "", candidate: str = "", trial: int | None = None, **ids: str) -> FeedbackRow:
    return FeedbackRow(9, ids, candidate, trial, text_sha256(answer) if answer else "", True, None, None, "")


ANSWERS = Answers(
    [
        shown("a"),
        shown("b"),
        shown("c", "bot", 0, "One."),
        shown("c", "bot", 1, "Two."),
        shown("c", "cat", 0, "Miaow."),
        Shown(("f", "bot", 0), "", "", None),
        shown("g", "cat"),
        Shown(("g", "bot", 0), "", "", None),
    ],
    {
        "a": {"trace_id": "t", "span_id": "s1", "response_id": "r1"},
        "b": {"trace_id": "t", "span_id": "s2", "request_id": 17},
        "c": {},
        "f": {},
        "g": {},
    },
)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (said(sample_id="a"), ("a", "bot", 0)),
        (said(response_id="r1"), ("a", "bot", 0)),
        (said(request_id="17"), ("b", "bot", 0)),
        (said(trace_id="t", span_id="s2"), ("b", "bot", 0)),
        (said(trace_id="b"), ("b", "bot", 0)),
        (said(trace_id="t", span_id="s1", request_id="of another system"), ("a", "bot", 0)),
        (said(sample_id="c", candidate="cat"), ("c", "cat", 0)),
        (said(sample_id="c", candidate="bot", trial=1), ("c", "bot", 1)),
        (said(sample_id="c", answer="Two."), ("c", "bot", 1)),
        (said(sample_id="g"), ("g", "cat", 0)),
        (said(sample_id="g", candidate="bot"), "not_answered"),
        (said(sample_id="c"), "ambiguous"),
        (said(trace_id="t"), "ambiguous"),
        (said(sample_id="c", candidate="bot"), "ambiguous"),
        (said(sample_id="nobody"), "unknown"),
        (said(span_id="s1", request_id="17"), "unknown"),
        (said(sample_id="a", candidate="cat"), "unknown_candidate"),
        (said(sample_id="a", answer="Something else."), "changed"),
        (said(sample_id="a", trial=4), "not_answered"),
        (said(sample_id="f"), "not_answered"),
    ],
)
def test_a_row_is_about_the_answer_that_its_ids_name(row, place):
    found = match([row], ANSWERS, {})
    if isinstance(place, str):
        assert (found.bound, dict(found.unmatched), found.first) == ([], {place: 1}, {place: 9})
    else:
        assert [(one.sample_id, one.candidate, one.trial) for one in found.bound] == [place]


CONFIG = {"candidates": [{"name": "bot", "trials": 2}], "judges": []}


def answered(store: Store, texts: dict[str, str], begun: runs.Run | None = None) -> runs.Run:
    """A run in which `bot` answered the samples; '' is a failure."""
    run = begun or runs.begin(store, "exam.yaml", {})
    runs.describe_run(store, run, "f", CONFIG, {})
    store.put_samples(run.id, [Sample(name, "Why?", sha256=name, metadata={"trace_id": f"t-{name}"}) for name in texts])
    outcomes = {name: Said(text) if text else Failed("timeout", "candidate", "60 s") for name, text in texts.items()}
    store.put(
        {"answers": [codec.answer_to_row(Answer(run.id, name, "bot", 0, one), 0) for name, one in outcomes.items()]}
    )
    return runs.find(store, run.id)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "ws")
    yield store
    store.close()


def contents(store: Store) -> list:
    with store.reading() as connection:
        return sorted(map(repr, connection.execute(sa.select(feedback))))


def test_the_same_file_twice_is_as_once_and_a_later_word_replaces_an_earlier_one(store, tmp_path):
    run = answered(store, {"a": "Because.", "b": "Because.", "c": ""})
    rows = [
        {"trace_id": "t-a", "thumb": "up", "user": "u1", "at": 100},
        {"trace_id": "t-a", "thumb": "down", "user": "u2", "at": 100},
        {"trace_id": "t-b", "edit": "Because!", "at": 50},
        {"trace_id": "t-c", "thumb": "up"},
    ]
    first = put_feedback(store, run, read(tmp_path, *rows))
    assert (first.added, first.replaced, dict(first.matched.unmatched)) == (3, 0, {"not_answered": 1})
    before = contents(store)
    again = put_feedback(store, run, read(tmp_path, *rows))
    assert (again.added, again.replaced, contents(store)) == (0, 0, before)
    more = [
        {"sample_id": "a", "accepted": "no", "user": "u1", "at": 90},
        {"sample_id": "a", "accepted": "yes", "user": "u2", "at": 110},
    ]
    later = put_feedback(store, run, read(tmp_path, *more))
    assert (later.added, later.replaced) == (0, 1)
    found = [(one.sample_id, one.user, one.accepted, one.at) for one in feedback_of(store, run)]
    assert found == [("a", "u1", True, 100.0), ("a", "u2", True, 110.0), ("b", "", False, 50.0)]
    put_feedback(store, run, read(tmp_path, *rows))
    assert [(one.sample_id, one.user, one.accepted, one.at) for one in feedback_of(store, run)] == found


def test_an_edit_is_kept_with_its_share_and_accepts_only_where_it_changes_nothing(store, tmp_path):
    run = answered(store, {"a": "It is 12 m.", "b": "It is 12 m.", "c": "It is 12 m."})
    rows = [
        {"sample_id": "a", "edit": "It is 13 m."},
        {"sample_id": "b", "edit": "It is 12 m.\n"},
        {"sample_id": "c", "edit": "It is 13 m.", "accepted": "yes"},
    ]
    put_feedback(store, run, read(tmp_path, *rows))
    found = feedback_of(store, run)
    assert [one.accepted for one in found] == [False, True, True]
    assert [one.edit_share for one in found] == pytest.approx([1 / 11, 0, 1 / 11])
    assert found[0].edit == "It is 13 m."


def test_feedback_holds_for_the_text_in_any_run_and_for_no_other_text(store, tmp_path):
    run = answered(store, {"a": "Because."})
    file = read(tmp_path, {"sample_id": "a", "accepted": 1, "at": 5})
    put_feedback(store, run, file)
    same, other = answered(store, {"a": "Because."}), answered(store, {"a": "Because!"})
    assert [len(feedback_of(store, one)) for one in (run, same, other)] == [1, 1, 0]
    assert put_feedback(store, other, file).added == 1, "said of the other run, it is of that run's text"
    changed = answered(store, {"a": "Why not?"}, begun=run)
    assert feedback_of(store, changed) == ()
    assert dict(put_feedback(store, changed, file).matched.unmatched) == {"changed": 1}
    anew = read(tmp_path, {"sample_id": "a", "accepted": 0, "at": 9})
    assert put_feedback(store, changed, anew).added == 1


def test_purging_a_run_forgets_the_edits_and_keeps_what_they_said(store, tmp_path):
    run, same = answered(store, {"a": "Secret."}), answered(store, {"a": "Secret."})
    apart = answered(store, {"a": "Another run's."})
    rows = [{"sample_id": "a", "edit": "Secret edit.", "user": "u"}]
    put_feedback(store, run, read(tmp_path, *rows))
    put_feedback(store, apart, read(tmp_path, {"sample_id": "a", "edit": "Not purged.", "user": "u"}))
    before = feedback_of(store, same)
    store.purge_texts(same.id)
    (after,) = feedback_of(store, run)
    assert (after.edit, after.edit_share, after.accepted) == (None, before[0].edit_share, False)
    assert feedback_of(store, apart)[0].edit == "Not purged."
    again = put_feedback(store, same, read(tmp_path, *rows))
    assert dict(again.matched.unmatched) == {"purged": 1}
    assert b"Secret edit." not in (tmp_path / "ws" / "markscheme.db").read_bytes()


def test_bundles_and_merges_carry_feedback_and_without_texts_no_edit(store, tmp_path):
    run, other = answered(store, {"a": "Because."}), answered(store, {"b": "Else."})
    put_feedback(store, run, read(tmp_path, {"sample_id": "a", "edit": "Because, it was said.", "user": "u"}))
    put_feedback(store, other, read(tmp_path, {"sample_id": "b", "accepted": 1}))
    for texts in (True, False):
        path = tmp_path / f"{texts}.mks"
        write_bundle(store, [run.id], path, "0.1.0", texts)
        with unpacked(path) as (copy, _):
            (found,) = feedback_of(copy, runs.find(copy, run.id))
            assert (found.user, found.accepted, found.edit is not None) == ("u", False, texts)
            assert len(contents(copy)) == 1
    target = Store(tmp_path / "target")
    merge(store, target)
    assert contents(target) == contents(store)
    assert merge(store, target).differing == {}
    target.close()
