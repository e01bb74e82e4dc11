"""What raters say is kept at once, once, and becomes labels of the text that was drawn."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from markscheme.harness.errors import InputError
from markscheme.harness.records import Answer, LabelSet, Retrieved, Said, Sample
from markscheme.harness.review.records import Item, Rating, Review, Shown
from markscheme.harness.store import codec, runs
from markscheme.harness.store.load import load
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.schema import labels, metadata, ratings
from markscheme.harness.store.store import Store

CRITERIA = {"correctness": (0, 1, 2, 3), "clarity": (0, 1, 2, 3)}
REVIEW = Review("first", "", "grade", "docs_qa", CRITERIA, ("ann", "ben"), "random", 7, 0.5, begun_at="2026-11-20")


def answered(store: Store, n: int = 3) -> runs.Run:
    """A run in which `mini` and `maxi` answered ``n`` questions."""
    run = runs.begin(store, "exam.yaml", {})
    criteria = [{"name": name} for name in CRITERIA]
    judges = [{"name": "strict", "rubric": {"name": "docs_qa", "criteria": criteria, "scale": [0, 3]}}]
    config = {"candidates": [{"name": "mini"}, {"name": "maxi"}], "judges": judges}
    runs.describe_run(store, run, "f", config, {})
    samples = [Sample(f"s{i}", f"Why {i}?", context=("page",), reference="so", sha256=f"x{i}") for i in range(n)]
    store.put_samples(run.id, samples)
    said = [
        Answer(run.id, sample.id, who, 0, Said(f"{who} says {sample.id}", retrieved=(Retrieved("found"),)))
        for sample in samples
        for who in ("mini", "maxi")
    ]
    store.put({"answers": [codec.answer_to_row(answer, 0) for answer in said]})
    return runs.find(store, run.id)


def item_of(number: int, who: str = "mini", **changes: object) -> Item:
    sha256 = codec.answer_sha256(f"{who} says s{number}")
    return replace(Item(f"i{number}", number, f"s{number}", who, "", 0, sha256), **changes)  # type: ignore[arg-type]


def begun(store: Store, n: int = 3, **changes: object) -> tuple[Reviews, Review, list[Item]]:
    review = replace(REVIEW, run=answered(store, n).id, **changes)  # type: ignore[arg-type]
    kept, items = Reviews(store), [item_of(number) for number in range(n)]
    kept.begin(review, items)
    return kept, review, items


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def either(request: pytest.FixtureRequest, tmp_path: Path):
    """A workspace of each kind, by its address."""
    if request.param == "sqlite":
        yield str(tmp_path)
        return
    url = request.getfixturevalue("postgres_url")
    yield url
    store = Store(url)
    metadata.drop_all(store.engine)
    store.close()


def label_rows(store: Store) -> set[tuple[str, str, str, str, float]]:
    c = labels.c
    with store.reading() as connection:
        query = sa.select(c.label_set, c.sample_id, c.criterion, c.annotator, c.score)
        return {tuple(row) for row in connection.execute(query)}


def test_a_review_comes_back_as_it_was_begun_with_its_items_and_ratings(either: str):
    store = Store(either)
    kept, review, items = begun(store)
    assert kept.find("first") == kept.find("latest") == review
    assert list(kept.find("first").criteria) == ["correctness", "clarity"], "in the order of the rubric"
    assert kept.of_run(review.run) == [review] and kept.of_run("another") == []
    assert kept.items(review) == items
    said = Rating("i1", "ann", {"correctness": 2, "clarity": 0}, None, "odd", 3.5, 1000.0)
    kept.rate(review, items[1], said)
    assert kept.ratings(review) == kept.ratings(review, "ann") == [said]
    assert kept.ratings(review, "ben") == []
    store.close()


def test_a_note_that_no_database_takes_is_kept_as_far_as_it_can_be(either: str):
    store = Store(either)
    kept, review, items = begun(store)
    kept.rate(review, items[0], Rating("i0", "ann", {"clarity": 1}, note="ein \ud83d Wort: naïv 四"))
    assert [rating.note for rating in kept.ratings(review)] == ["ein ? Wort: naïv 四"]
    store.close()


def test_to_begin_a_review_again_changes_nothing_and_another_one_of_its_name_is_refused(store: Store):
    kept, review, items = begun(store)
    kept.rate(review, items[0], Rating("i0", "ann", {"clarity": 1}))
    kept.begin(replace(review, begun_at=""), items)
    assert len(kept.ratings(review)) == 1
    with pytest.raises(InputError, match=r"review 'first': there is one already, of run .*choose another name"):
        kept.begin(replace(review, seed=8), [])
    assert kept.items(review) == items


def test_a_review_never_takes_the_name_of_labels_from_elsewhere(store: Store):
    store.put({"label_sets": [codec.label_set_to_row(LabelSet("first", source="labels.csv"))]})
    with pytest.raises(InputError, match=r"there are labels of that name already, read from labels.csv"):
        begun(store)
    with pytest.raises(InputError, match="those begun are: none yet"):
        Reviews(store).find("first")


@pytest.mark.parametrize("name", ["", "latest", "a/b", "../x", "-x", "a b"])
def test_a_name_that_could_be_no_file_is_refused(store: Store, name: str):
    with pytest.raises(InputError, match="a review is named by letters, digits"):
        Reviews(store).begin(replace(REVIEW, name=name), [])


def test_an_unknown_review_is_refused_with_those_that_are_known_and_the_latest_is_the_one_begun_last(store: Store):
    kept, review, _ = begun(store)
    second = replace(review, name="another")
    kept.begin(second, [])
    assert kept.find("latest") == second
    with pytest.raises(InputError, match="there is no review 'third'; those begun are: another, first"):
        kept.find("third")


def test_labels_follow_a_rating_in_the_design_of_the_review(store: Store):
    kept, review, items = begun(store, design="stratified", shares={"low": 0.25, "high": 0.75})
    items[0] = replace(items[0], stratum="low")
    kept.rate(review, items[0], Rating("i0", "ann", {"correctness": 3, "clarity": 1}))
    found = load(store, runs.find(store, review.run)).labels
    columns = ["sample_id", "candidate", "criterion", "annotator", "score", "label_set", "design", "stratum", "share"]
    assert found[columns].values.tolist() == [
        ["s0", "mini", "clarity", "ann", 1.0, "first", "stratified", "low", 0.25],
        ["s0", "mini", "correctness", "ann", 3.0, "first", "stratified", "low", 0.25],
    ]
    assert set(found["labelled_at"]) == {"2026-11-20"}


def test_to_rate_again_replaces_and_undo_takes_the_labels_away_but_no_others(store: Store):
    kept, review, items = begun(store)
    kept.rate(review, items[0], Rating("i0", "ann", {"correctness": 3, "clarity": 1}))
    kept.rate(review, items[0], Rating("i0", "ben", {"correctness": 2}))
    kept.rate(review, items[1], Rating("i1", "ann", {"correctness": 0}))
    kept.rate(review, items[0], Rating("i0", "ann", {"correctness": 1}))
    others = {("first", "s0", "correctness", "ben", 2.0), ("first", "s1", "correctness", "ann", 0.0)}
    assert label_rows(store) == {("first", "s0", "correctness", "ann", 1.0)} | others
    kept.undo(review, items[0], "ann")
    assert label_rows(store) == others
    assert [(r.item, r.rater) for r in kept.ratings(review)] == [("i0", "ben"), ("i1", "ann")]


def test_the_second_round_has_labels_of_its_own_that_count_as_picked(store: Store):
    kept, review, items = begun(store)
    kept.rate(review, items[0], Rating("i0", "ann", {"correctness": 3}))
    kept.rate(review, items[0], Rating("i0", "lead", {"correctness": 1}, round=2))
    found = load(store, runs.find(store, review.run)).labels.set_index("label_set")
    assert found["score"].to_dict() == {"first": 3.0, "first/adjudicated": 1.0}
    assert found["design"].to_dict() == {"first": "random", "first/adjudicated": "chosen"}
    kept.undo(review, items[0], "lead", 2)
    assert label_rows(store) == {("first", "s0", "correctness", "ann", 3.0)}


def test_attention_items_and_pairs_make_no_labels(store: Store):
    kept, review, _ = begun(store)
    wrong = item_of(1, attention="0", answer_of="s2")
    kept.rate(review, wrong, Rating("i1", "ann", {"correctness": 3}))
    pairs = replace(review, name="pairs", mode="pairs", criteria={})
    pair = item_of(0, right="maxi")
    kept.begin(pairs, [pair])
    kept.rate(pairs, pair, Rating("i0", "ann", winner="tie"))
    assert label_rows(store) == set()
    assert [r.winner for r in kept.ratings(pairs)] == ["tie"]
    assert "pairs" not in set(load(store, runs.find(store, review.run)).labels["label_set"])


@pytest.mark.parametrize(
    ("rating", "said"),
    [
        (Rating("i0", "eve", {"clarity": 1}), "rater 'eve': the review was begun with ann, ben"),
        (Rating("i0", "", {"clarity": 1}, round=2), "rater '': the review was begun with ann, ben"),
        (Rating("i9", "ann", {"clarity": 1}), "the rating is about item 'i9'"),
        (Rating("i0", "ann", {"clarity": 4}), "clarity 4 is none of the scores 0, 1, 2, 3"),
        (Rating("i0", "ann", {"clarity": True}), "clarity True is none of the scores"),
        (Rating("i0", "ann", {"style": 1}), "criterion 'style' is none of correctness, clarity"),
        (Rating("i0", "ann", {}), "there is no score; grade at least one of correctness, clarity"),
        (Rating("i0", "ann", winner="left"), "there is no score"),
        (Rating("i0", "ann", {"clarity": 1}, round=3), "round 3 is neither 1"),
    ],
)
def test_what_the_review_does_not_offer_is_refused_and_leaves_nothing(store: Store, rating: Rating, said: str):
    kept, review, items = begun(store)
    with pytest.raises(InputError, match=said):
        kept.rate(review, items[0], rating)
    assert kept.ratings(review) == [] and label_rows(store) == set()


def test_a_pair_wants_a_winner(store: Store):
    kept, review, _ = begun(store)
    with pytest.raises(InputError, match="winner None is none of left, right, tie"):
        kept.rate(replace(review, mode="pairs"), item_of(0), Rating("i0", "ann", {"clarity": 1}))


def test_a_rater_sees_the_sample_and_the_answers_in_the_order_of_the_item(store: Store):
    kept, review, items = begun(store)
    shown = Shown("Why 0?", ("page",), "so", ("mini says s0",), (("found",),))
    assert kept.texts(review, items[0]) == shown
    both = ":".join(codec.answer_sha256(f"{who} says s0") for who in ("maxi", "mini"))
    pair = item_of(0, "maxi", right="mini", sha256=both)
    assert kept.texts(review, pair).answers == ("maxi says s0", "mini says s0")


def test_an_attention_item_shows_the_answer_to_another_question(store: Store):
    kept, review, _ = begun(store)
    other = codec.answer_sha256("mini says s2")
    shown = kept.texts(review, item_of(0, sha256=other, attention="0", answer_of="s2"))
    assert (shown.question, shown.answers) == ("Why 0?", ("mini says s2",))
    both = f"{other}:{codec.answer_sha256('maxi says s0')}"
    pair = item_of(0, right="maxi", sha256=both, attention="right", answer_of="s2")
    assert kept.texts(review, pair).answers == ("mini says s2", "maxi says s0")


def test_a_conversation_is_shown_whole(store: Store):
    kept, review, _ = begun(store)
    answer = Answer(review.run, "s0", "mini", 0, Said("second", turns=("first", "second")))
    store.put({"answers": [codec.answer_to_row(answer, 0)]})
    item = item_of(0, sha256=codec.answer_sha256("second", '["first","second"]'))
    assert kept.texts(review, item).answers == ("first\n\nsecond",)


def test_an_answer_that_is_another_one_by_now_is_not_shown_and_its_labels_hold_no_more(store: Store):
    kept, review, items = begun(store)
    kept.rate(review, items[0], Rating("i0", "ann", {"correctness": 3}))
    changed = Answer(review.run, "s0", "mini", 0, Said("I changed my mind"))
    store.put({"answers": [codec.answer_to_row(changed, 1)]})
    shown = kept.texts(review, items[0])
    assert (shown.stale, shown.answers, shown.question) == ("changed", (), "Why 0?")
    kept.rate(review, items[0], Rating("i0", "ann", {"correctness": 2}))
    assert load(store, runs.find(store, review.run)).labels.empty
    assert kept.texts(review, replace(items[1], sample_id="s9")).stale == "gone"


def test_a_purge_takes_words_and_notes_and_leaves_ratings_and_labels(store: Store):
    kept, review, items = begun(store)
    said = Rating("i0", "ann", {"correctness": 3}, note="it says 'mini says s0'")
    kept.rate(review, items[0], said)
    store.purge_texts(review.run)
    assert kept.texts(review, items[0]) == Shown("", (), None, (), stale="purged")
    assert kept.ratings(review) == [replace(said, note="")]
    assert load(store, runs.find(store, review.run)).labels["score"].tolist() == [3.0]
    kept.rate(review, items[1], Rating("i1", "ann", {"correctness": 1}))
    assert len(load(store, runs.find(store, review.run)).labels) == 2


KILLED = """
import sys
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store
from markscheme.harness.review.records import Rating
kept = Reviews(Store(sys.argv[1]))
review = kept.find("first")
for number, item in enumerate(kept.items(review)):
    kept.rate(review, item, Rating(item.id, "ann", {"correctness": number % 4}))
    print(item.id, flush=True)
sys.stdin.read()
"""


def test_what_was_rated_before_a_kill_is_there_afterwards(either: str):
    store = Store(either)
    kept, review, items = begun(store, 20)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, either], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as rater:
        assert rater.stdout is not None
        seen = [rater.stdout.readline().strip() for _ in items[:12]]
        os.kill(rater.pid, signal.SIGKILL)
    assert rater.returncode == -signal.SIGKILL and seen == [item.id for item in items[:12]]
    there = [rating.item for rating in kept.ratings(review)]
    assert set(seen) <= set(there) and len(set(there)) == len(there)
    assert {row[1] for row in label_rows(store)} == {f"s{item[1:]}" for item in there}
    store.close()


def rate_all(workspace: str, rater: str) -> None:
    store = Store(workspace)
    kept = Reviews(store)
    review = kept.find("first")
    for item in kept.items(review):
        kept.rate(review, item, Rating(item.id, rater, {"correctness": item.position % 4}))
    store.close()


@pytest.mark.slow
def test_five_raters_at_once_lose_no_label_and_double_none(either: str):
    store = Store(either)
    raters = tuple("abcde")
    _, review, items = begun(store, 200, raters=raters, overlap=1.0)
    store.close()
    context = multiprocessing.get_context("spawn")
    working = [context.Process(target=rate_all, args=(either, rater)) for rater in raters]
    for process in working:
        process.start()
    for process in working:
        process.join()
    assert [process.exitcode for process in working] == [0] * 5
    store = Store(either)
    wanted = {(item.id, rater): item.position % 4 for item in items for rater in raters}
    found = Reviews(store).ratings(review)
    assert {(r.item, r.rater): r.scores["correctness"] for r in found} == wanted
    assert len(found) == len(label_rows(store)) == 1000
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ratings)).scalar() == 1000
    store.close()
