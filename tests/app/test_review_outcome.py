"""From a run over people's ratings to `review result`, `judge align`, `judge correct` and the report, without a further
step in between."""

from __future__ import annotations

import copy
import csv
import json
import time
from typing import Any

import pytest
from markscheme.app.review.beginning import Asked, begin_or_resume
from markscheme.app.review.blind import BlindReview
from markscheme.app.review.outcome import disputed, result_of
from markscheme.app.review.rubrics import rubric_of
from markscheme.app.review.views import Given
from markscheme.harness.errors import InputError
from markscheme.harness.review.orders import order_for
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store
from mock_replies import code_word, is_right

N = 160
CANDIDATES = ("good", "poor")


@pytest.fixture
def graded(desk: Any) -> Any:
    """Two stored sheets of 160 answers to questions of which the judge passes some, whosever the answer."""
    desk.samples(N)
    for name in CANDIDATES:
        with (desk.folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "answer"])
            writer.writerows([f"s{n}", f"It must be {code_word(n)}, number {n}, says {name}."] for n in range(N))
    desk.exam["candidates"] = [{"name": name, "model": f"replay/./{name}.csv"} for name in CANDIDATES]
    desk.run()
    return desk


def reviewed(desk: Any, asked: Asked, says: Any, share: float = 1.0) -> Review:
    """Begin a review; every rater rates a ``share`` of their items as ``says`` says."""
    store = Store(str(desk.folder / ".markscheme"))
    try:
        review = begin_or_resume(store, "latest", asked)
        reviews = Reviews(store)
        items = reviews.items(review)
        for rater in review.raters:
            own = order_for(review, items, rater)
            for item in own[: round(share * len(own))]:
                reviews.rate(review, item, says(reviews, review, item, rater))
        return review
    finally:
        store.close()


def strict_people(reviews: Reviews, review: Review, item: Item, rater: str) -> Rating:
    """People fail a fifth of what the judge passes, of the poor one's a third more, and ben a tenth beside."""
    number = int(item.sample_id[1:])
    fails = number % 5 == 0 or (item.left == "poor" and number % 3 == 0) or (rater == "ben" and number % 10 == 1)
    passes = is_right(number) and not fails
    score = 0 if item.attention and rater == "ann" else int(passes or bool(item.attention))
    return Rating(item.id, rater, {"correctness": score}, None, "", 4.0 + number % 3, time.time())


def result(desk: Any, *words: str) -> dict[str, Any]:
    code, out, err = desk.command("review", "result", "--json", *words)
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def test_ratings_become_labels_that_align_and_correct_without_a_further_step(graded: Any):
    asked = Asked("gold", ("ann", "ben"), n=160, overlap=0.5, attention=3, seed=4)
    reviewed(graded, asked, strict_people)
    found = result(graded)
    assert (found["review"], found["design"], found["items"], found["rated"]) == ("gold", "random", 160, 160)

    code, out, err = graded.command("judge", "align", "--json")
    assert code == 0, err
    aligned = json.loads(out.splitlines()[-1])
    (used,) = aligned["labels"]
    assert (used["name"], used["design"], sorted(used["annotators"])) == ("gold", "random", ["ann", "ben"])
    (criterion,) = aligned["criteria"]
    assert criterion["n"] == 160
    assert criterion["estimates"]["bias"]["low"] > 0
    judge = next(row for row in found["agreement"][0]["raters"] if row["judge"])
    for name in ("exact", "kappa_quadratic", "ac2", "bias"):
        assert judge["estimates"][name]["value"] == pytest.approx(criterion["estimates"][name]["value"])

    code, out, err = graded.command("judge", "correct", "--json")
    assert code == 0, err
    rows = {row["candidate"]: row for row in json.loads(out.splitlines()[-1])["rows"]}
    assert {row["method"] for row in rows.values()} == {"ppi++"}
    assert rows["good"]["n_labels"] == 80
    assert rows["poor"]["corrected"]["high"] < rows["poor"]["judge_only"]["value"]
    means = {one["candidate"]: one["mean"]["value"] for one in found["means"]}
    assert means["good"] == pytest.approx(rows["good"]["labels_only"]["value"])

    code, out, err = graded.command("report", "--json")
    assert code == 0, err
    page = next(graded.folder.glob(".markscheme/reports/*/report.md")).read_text()
    assert "PPI++" in page
    assert "gold" in page


def test_the_result_tells_of_work_of_attention_and_of_the_judge_as_one_more_rater(graded: Any):
    reviewed(graded, Asked("gold", ("ann", "ben"), n=60, overlap=1.0, attention=4), strict_people, share=0.75)
    found = result(graded, "gold")
    ann, ben = found["raters"]
    assert (ann["rater"], ann["dealt"], ann["rated"]) == ("ann", 64, 48)
    assert 4.0 <= ann["median_s"]["value"] <= 6.0
    assert ann["missed"] == 0
    assert ben["missed"] == ben["attention"] > 0
    assert any(note.startswith("Not finished: ann 48 of 64 and ben 48 of 64") for note in found["notes"])
    assert any(note.startswith("ben missed") for note in found["notes"])
    (criterion,) = found["agreement"]
    assert [(row["rater"], row["judge"]) for row in criterion["raters"]] == [
        ("ann", False),
        ("ben", False),
        ("judge", True),
    ]
    code, out, _ = graded.command("review", "result", "gold")
    assert code == 0
    assert "judge judge" in out
    assert "attention missed" in out
    folder = graded.folder / ".markscheme" / "reports" / found["run"] / "review" / "gold"
    assert {path.name for path in folder.iterdir()} == {"review.html", "review.md"}
    assert out.splitlines()[-1].endswith("review.html")


def test_a_second_pass_settles_disputes_and_leaves_the_correction_alone(graded: Any):
    review = reviewed(graded, Asked("gold", ("ann", "ben"), n=160, overlap=1.0), strict_people)
    before = graded.command("judge", "correct", "--json")[1]
    store = Store(str(graded.folder / ".markscheme"))
    items = disputed(store, review)
    assert items
    blind = BlindReview(Reviews(store), review, rubric_of(store, review), 2, items)
    assert [line["id"] for line in blind.items("cleo")["items"]] == [item.id for item in items]
    blind.rate(Given(rater="cleo", item=items[0].id, scores={"correctness": 1}, note="", seconds=9.0))
    assert [item.id for item in disputed(store, review)][-1] == items[0].id
    store.close()
    assert "serve --adjudicate --name gold\n" in graded.command("review", "result")[1]
    folder = str(graded.folder / ".markscheme")
    assert f"serve --adjudicate --name gold -w {folder}\n" in graded.command("review", "result", "-w", folder)[1]
    found = result(graded)
    first = found["disputes"][0]
    assert (first["item"], first["settled"]) == (items[0].id, {"cleo": "correctness 1"})
    code, out, _ = graded.command("judge", "align", "--json")
    assert code == 0
    designs = {used["name"]: used["design"] for used in json.loads(out.splitlines()[-1])["labels"]}
    assert designs == {"gold": "random", "gold/adjudicated": "chosen"}
    rows = [
        json.loads(text.splitlines()[-1])["rows"] for text in (before, graded.command("judge", "correct", "--json")[1])
    ]
    assert [row["corrected"] for row in rows[0]] == [row["corrected"] for row in rows[1]]
    assert all(row["labels"] == ["gold"] for row in rows[1])


def test_a_stratified_review_corrects_by_its_weights(graded: Any):
    asked = Asked("rare", ("ann",), n=120, overlap=0.0, design="score", seed=2)
    reviewed(graded, asked, strict_people)
    found = result(graded)
    assert found["design"] == "stratified"
    _, out, _ = graded.command("judge", "correct", "--json")
    rows = {row["candidate"]: row for row in json.loads(out.splitlines()[-1])["rows"]}
    for one in found["means"]:
        labels_only = rows[one["candidate"]]["labels_only"]
        assert one["mean"]["value"] == pytest.approx(labels_only["value"])
        assert "strata" in one["mean"]["method"]


def better(reviews: Reviews, review: Review, item: Item, rater: str) -> Rating:
    number = int(item.sample_id[1:])
    liked = "poor" if number % 4 == 0 else "good"
    winner = "tie" if number % 10 == 9 else "left" if item.left == liked else "right"
    return Rating(item.id, rater, {}, item.attention or winner, "", 3.0, time.time())


def test_pairs_give_win_rates_and_no_labels(graded: Any):
    reviewed(graded, Asked("which", ("ann", "ben"), mode="pairs", n=80, overlap=1.0, attention=2), better)
    found = result(graded, "which")
    (one,) = found["pairs"]
    assert (one["left"], one["right"]) == CANDIDATES
    assert one["wins"] > one["losses"]
    assert one["win_rate"]["low"] > 0.5
    assert one["wins"] + one["ties"] + one["losses"] == 80
    assert found["means"] == []
    assert found["agreement"][0]["people"]["exact"]["value"] == 1.0
    assert found["disputes"] == []
    code, _, err = graded.command("judge", "align")
    assert code == 2
    assert "has no labels" in err
    code, out, _ = graded.command("review", "result", "which")
    assert "good against poor" in out


def test_a_review_that_nobody_rated_and_one_that_is_not_there_are_named_errors(graded: Any):
    reviewed(graded, Asked("gold", ("ann",), n=20), strict_people, share=0.0)
    code, _, err = graded.command("review", "result", "gold")
    assert code == 2
    assert "review 'gold': nobody has rated anything yet" in err
    code, _, err = graded.command("review", "result", "silver")
    assert code == 2
    assert "there is no review 'silver'; those begun are: gold" in err


def test_without_a_dispute_there_is_nothing_to_adjudicate(graded: Any):
    review = reviewed(graded, Asked("gold", ("ann",), n=20), strict_people)
    store = Store(str(graded.folder / ".markscheme"))
    with pytest.raises(InputError, match="nothing to adjudicate; no item has two ratings that lie two levels apart"):
        disputed(store, review)
    store.close()


def test_a_judges_grade_of_another_text_is_not_compared(graded: Any):
    review = reviewed(graded, Asked("gold", ("ann",), n=160, overlap=0.0), strict_people)
    sheet = graded.folder / "good.csv"
    sheet.write_text(sheet.read_text().replace("says good", "writes good"))
    graded.run()
    store = Store(str(graded.folder / ".markscheme"))
    found = result_of(store, Reviews(store).find(review.name))
    store.close()
    judge = found.agreement[0].raters[-1]
    assert 0 < judge.n < found.rated == 160
    assert any("no longer what was rated" in note for note in found.notes)


def test_a_rubric_that_changed_since_leaves_no_composite_and_says_so(graded: Any):
    graded.rubric["criteria"].append({**copy.deepcopy(graded.rubric["criteria"][0]), "name": "tone", "weight": 0.5})
    graded.rubric["criteria"][0]["weight"] = 0.5
    graded.run()

    def both(reviews: Reviews, review: Review, item: Item, rater: str) -> Rating:
        one = strict_people(reviews, review, item, rater)
        return Rating(item.id, rater, {**one.scores, "tone": 1}, rated_at=one.rated_at)

    reviewed(graded, Asked("gold", ("ann",), n=40), both)
    assert {one["criterion"] for one in result(graded)["means"]} == {"composite", "correctness", "tone"}
    graded.rubric["scale"] = [0, 2]
    for criterion in graded.rubric["criteria"]:
        criterion["levels"].append({"score": 2, "description": "More than that."})
    graded.save()
    found = result(graded)
    assert {one["criterion"] for one in found["means"]} == {"correctness", "tone"}
    assert any(note.startswith("There is no composite: rubric") for note in found["notes"])


def test_a_jury_is_one_more_rater_beside_its_members(graded: Any):
    graded.exam["judges"].append({**graded.exam["judges"][0], "name": "second"})
    graded.exam["judges"].append({"name": "panel", "members": ["judge", "second"], "aggregate": "median"})
    graded.run()
    reviewed(graded, Asked("gold", ("ann",), n=60), strict_people)
    rows = {row["rater"]: row for row in result(graded)["agreement"][0]["raters"] if row["judge"]}
    assert list(rows) == ["judge", "second", "panel"]
    assert rows["panel"]["n"] == 60
    assert rows["panel"]["estimates"] == rows["judge"]["estimates"]
