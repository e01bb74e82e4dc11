"""Traces over windows of time: what moved is found, what cannot be told is not, and the pages say the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.statistics.alternative import benjamini_hochberg
from markscheme.reports.figures.windows import Frame, Line, Spot, over_windows
from markscheme.reports.over_time import said
from markscheme.reports.over_time.bags import OWN, SHARED, bags_of, folded, movers
from markscheme.reports.over_time.html import render_over_time
from markscheme.reports.over_time.markdown import over_time_markdown
from markscheme.reports.over_time.questions import script_of
from markscheme.reports.over_time.records import SAME
from synthetic import HOSTILE
from tracing import Candidate, Options, followed, traces, track


@pytest.fixture(scope="module")
def worse():
    """Four weeks, in the last of which scores are lower."""
    return followed(traces(shift=lambda week, i: -1.0 if week == 3 else 0.0))


def test_a_planted_loss_is_found_in_its_week_and_nowhere_else(worse):
    quality = track(worse, "quality")
    assert [one.moved for one in quality.changes] == [False, False, True, True]
    assert [one.against for one in quality.changes] == ["reference"] * 3 + ["before"]
    assert quality.changes[2].estimate.high < 0
    assert worse.verdicts() == {"scores": "moved", "answers": "no change seen", "questions": "no change seen"}
    assert said.line(worse, "scores").startswith("Scores moved: quality in 2026-W40: −")
    assert said.line(worse, "answers") == "Answers: no change seen"
    assert worse.moved


def test_all_tests_of_a_page_are_one_family(worse):
    tested = [one for one in worse.changes() if one.p is not None]
    assert worse.tests == len(tested) > 20
    assert [one.adjusted for one in tested] == pytest.approx(benjamini_hochberg([one.p for one in tested]))


def test_points_are_those_of_the_windows_and_the_reference(worse):
    quality = track(worse, "quality")
    means = [point.estimate.value for point in quality.points]
    assert quality.base.estimate.value == means[0]
    assert quality.changes[2].estimate.value == pytest.approx(means[3] - means[0])
    assert [period.samples for period in worse.periods] == [40] * 4
    assert [period.clusters for period in worse.periods] == [20] * 4


def test_a_notebook_shows_what_moved_and_marks_it(worse):
    shown = worse._repr_html_()
    assert "Scores moved" in shown
    assert 'class="worse"' in shown
    assert "p is corrected by" in shown


def test_without_a_change_nothing_moved():
    found = followed(traces(seed=3))
    assert not found.moved
    assert said.verdict(found) == "No change seen in scores, answers and questions."


def test_a_number_that_is_always_the_same_is_not_tested(worse):
    failures = track(worse, "failed answers")
    assert [one.few for one in failures.changes] == [SAME] * 4
    assert failures.base.estimate.value == 0.0


def test_a_week_that_has_just_begun_is_not_compared_and_not_taken_for_the_last():
    data, times = traces(shift=lambda week, i: -1.0 if week >= 2 else 0.0)
    ids = list(times)
    few = {name: at for number, (name, at) in enumerate(times.items()) if number < 120 or number >= 148}
    found = followed((data, few))
    quality = track(found, "quality")
    assert quality.changes[2].few == "too few: 12 samples"
    assert quality.changes[2].p is None
    assert found.last == 2
    assert [one.window for one in quality.changes] == [1, 2, 3, 2]
    assert found.untimed == len(ids) - len(few)
    assert "28 samples left out: nothing says when they were asked." in said.notes(found)
    assert any(
        "too few to compare" in note.lower() and "2026-W40 with 12 samples" in note for note in said.notes(found)
    )


def test_few_conversations_are_too_few_however_many_turns_they_have():
    data, times = traces(weeks=2, per_week=60)
    data = replace(data, samples=data.samples.assign(cluster=[f"c{i // 15}" for i in range(120)]))
    found = followed((data, times))
    assert track(found, "quality").changes[0].few == "too few: 4 clusters"
    assert set(found.verdicts().values()) == {"too few"}
    assert said.verdict(found) == "Too few samples to tell of scores, answers and questions."


def test_the_change_of_a_window_of_few_conversations_is_not_taken_apart():
    data, times = traces(weeks=2, per_week=60, tags=lambda week, i: [f"t{i % 2}"])
    data = replace(data, samples=data.samples.assign(cluster=[f"c{i // 15}" for i in range(120)]))
    assert followed((data, times)).sliced.parts == ()


def test_an_empty_week_is_a_gap_and_no_zero():
    data, times = traces()
    late = {name: at + (7 * 86400 if number >= 80 else 0) for number, (name, at) in enumerate(times.items())}
    found = followed((data, late))
    quality = track(found, "quality")
    assert [period.samples for period in found.periods] == [40, 40, 0, 40, 40]
    assert quality.points[2] is None
    assert [one.window for one in quality.changes] == [1, 3, 4, 4]
    assert "1 window is empty." in said.notes(found)


@pytest.mark.parametrize(
    ("written", "windows", "compared"),
    [("first", (0,), 3), ("2-windows", (0, 1), 2), ("2026-W38", (1,), 2)],
)
def test_the_reference_is_the_first_window_several_or_one_by_name(written, windows, compared):
    found = followed(traces(), Options(reference=written))
    assert found.reference == windows
    quality = track(found, "quality")
    assert sum(one.against == "reference" for one in quality.changes) == compared
    assert quality.base.estimate.n == 40 * len(windows)


@pytest.mark.parametrize("written", ["last", "0-windows", "2026-W52", "4-windows", "9999999999-windows", "2026-W40"])
def test_a_reference_that_is_none_is_refused_with_what_there_is(written):
    with pytest.raises(InputError, match=f"--reference '{written}': .*(2026-W37|2026-W40)"):
        followed(traces(), Options(reference=written))


def test_traces_without_a_time_are_refused_with_where_to_put_it():
    data, _ = traces()
    with pytest.raises(
        InputError, match=r"none of its 160 samples .* 'asked_at' of a sample's metadata .* were purged"
    ):
        followed((data, {}))


def test_one_window_is_refused():
    with pytest.raises(InputError, match=r"--window 'month': all 80 samples fall into one window, 2026-09"):
        followed(traces(weeks=2), Options(window="month"))


def test_a_run_without_answers_is_refused():
    data, times = traces(weeks=2)
    with pytest.raises(InputError, match="holds no answers"):
        followed((replace(data, answers=data.answers.iloc[:0]), times))


def services(seed=0):
    """Two services, each of which answered every other trace; the second gets worse."""
    data, times = traces(candidates=(Candidate("shop", 2.4), Candidate("desk", 2.4)), seed=seed)
    even = {name for number, name in enumerate(times) if number // 2 % 2 == 0}
    tables = {
        name: table[(table["candidate"] == "shop") == table["sample_id"].isin(even)]
        for name, table in (("answers", data.answers), ("grades", data.grades))
    }
    late = {name for name, at in times.items() if at > min(times.values()) + 20 * 86400}
    grades = tables["grades"]
    drop = ((grades["candidate"] == "desk") & grades["sample_id"].isin(late)).to_numpy()
    tables["grades"] = grades.assign(score=np.where(drop, np.maximum(grades["score"] - 1.5, 0), grades["score"]))
    return replace(data, **tables), times


def test_services_are_followed_each_on_its_own_traces():
    found = followed(services())
    shop, desk = [one for one in found.tracks if one.subject.measure == "quality"]
    assert shop.points[0].estimate.n == desk.points[0].estimate.n == 20
    assert not any(one.moved for one in shop.changes)
    assert desk.changes[2].moved
    assert found.sliced.by == "candidate"
    assert [(one.name, one.change.moved) for one in found.sliced.slices] == [("desk", True), ("shop", False)]
    assert "desk, quality" in said.line(found, "scores")


def test_one_candidate_alone_takes_its_own_questions_with_it():
    found = followed(services(), Options(candidate="shop"))
    assert {one.subject.candidate for one in found.tracks} == {"", "shop"}
    assert track(found, "words of a question").points[0].estimate.n == 20
    with pytest.raises(InputError, match=r"--candidate 'nobody': .* it has those of shop, desk"):
        followed(services(), Options(candidate="nobody"))


def mixed(week, i):
    """Refunds are asked for in the last two weeks."""
    return ["refund"] if (i // 2) % 2 and week >= 2 else ["billing"]


def asked(week, i):
    topic = mixed(week, i)[0]
    return f"how do i get my {topic} {'money back' if topic == 'refund' else 'invoice paid'}"


def test_another_mix_of_questions_is_found_with_its_words_and_what_it_does_to_the_score():
    given = traces(questions=asked, tags=mixed, shift=lambda week, i: -1.5 if mixed(week, i) == ["refund"] else 0.5)
    found = followed(given)
    words = track(found, "words")
    assert [one.moved for one in words.changes] == [False, True, True, False]
    assert words.changes[2].estimate.low > 0
    assert words.changes[2].distance > words.changes[2].limit > words.changes[2].chance
    assert {"refund", "money", "back"} <= {one.name for one in words.movers if one.late > one.early}
    assert {"invoice", "paid"} <= {one.name for one in words.movers if one.late < one.early}
    assert track(found, "tags").movers[0].name == "refund"
    part = found.sliced.parts[-1].composition
    assert part.mix.high < 0
    assert part.within.low < 0 < part.within.high
    assert part.mix.value + part.within.value == pytest.approx(part.total.value)


def test_a_mix_that_moved_at_last_is_found_among_however_many_tests(monkeypatch):
    """1 / (1 + draws) times the tests must be below 0.05, or nothing could ever move."""
    given = traces(
        weeks=6, tags=lambda week, i: ["late" if week == 5 else "early", f"t{i % 2}"], questions=lambda w, i: ""
    )
    monkeypatch.setattr("markscheme.reports.over_time.drift.DRAWS", 59)
    monkeypatch.setattr("markscheme.reports.over_time.drift._MOST", 59)
    few = followed(given)
    assert [one.p for one in track(few, "tags").changes][-2:] == [1 / 60] * 2
    assert not few.moved
    monkeypatch.setattr("markscheme.reports.over_time.drift._MOST", 99_999)
    enough = followed(given)
    assert [one.moved for one in track(enough, "tags").changes] == [False] * 4 + [True] * 2
    assert enough.tests == few.tests


def test_slices_by_a_field_a_prefix_and_a_cluster():
    given = traces(tags=lambda week, i: ["topic:a" if i % 2 else "topic:b", "eu"])
    fields = {name: {"region": "north" if number % 2 else "south"} for number, name in enumerate(given[1])}
    assert {one.name for one in followed(given).sliced.slices} == {"topic:a", "topic:b", "eu"}
    assert {one.name for one in followed(given, Options(by="tag:topic:")).sliced.slices} == {"topic:a", "topic:b"}
    regions = followed(given, Options(by="region"), fields).sliced
    assert {(one.name, one.early.n) for one in regions.slices} == {("north", 20), ("south", 20)}
    clusters = followed(given, Options(by="cluster")).sliced
    assert all(one.change.few.startswith("too few") for one in clusters.slices)
    with pytest.raises(InputError, match=r"--by 'planet': no sample has such a field .* or one of region"):
        followed(given, Options(by="planet"), fields)


def passages(week, i):
    """Now and then none; from the third week on the corpus has new documents."""
    first = "new" if week >= 2 and i % 2 else f"doc-{i % 7}"
    return [] if i % 10 == 0 else [{"id": first, "text": "…", "score": 0.9}, {"id": "faq", "text": "…", "score": 0.4}]


def test_a_slice_that_moved_alone_is_told_wherever_the_verdict_is():
    """One question in ten is of the slice: too few to move the whole."""
    rare = ["<b>rare</b>"]
    found = followed(
        traces(
            weeks=2,
            per_week=400,
            tags=lambda week, i: rare if (i // 2) % 10 == 0 else ["usual"],
            shift=lambda week, i: -1.0 if week == 1 and (i // 2) % 10 == 0 else 0.0,
        )
    )
    assert found.moved
    assert found.verdicts()["scores"] == "no change seen"
    assert said.verdict(found).endswith("; of the slices by tag, <b>rare</b> moved.")
    assert said.slices_line(found).startswith("Slices by tag moved: <b>rare</b>: quality −")
    page = render_over_time(found)
    assert "<p>Slices by tag moved: &lt;b&gt;rare" in page
    assert "Slices by tag moved" in over_time_markdown(found)
    assert said.slices_line(followed(traces(seed=3, tags=lambda week, i: [f"t{i % 2}"]))) == ""


def test_what_was_retrieved_is_followed():
    found = followed(traces(retrieved=passages))
    assert found.verdicts()["retrieval"] == "moved"
    new = track(found, "documents not seen before")
    assert [one.moved for one in new.changes] == [False, True, True]
    assert new.points[2].estimate.value == pytest.approx(20 / 72, abs=0.02)
    assert new.points[0] is None
    assert any(one.name == "new" for one in track(found, "documents").movers)
    assert track(found, "nothing retrieved").points[0].estimate.value == 0.1
    assert track(found, "passages").points[0].estimate.value == 2.0
    assert not any(one.moved for one in track(found, "highest score of a passage").changes)


def test_failures_count_those_of_the_candidate_alone():
    late = ("ok",) * 120 + ("timeout",) * 20 + ("network",) * 5
    found = followed(traces(candidates=(Candidate("bot", 2.0, failures=late),)))
    failed = track(found, "failed answers")
    assert failed.points[3].estimate.value == pytest.approx(20 / 35)
    assert failed.changes[2].moved
    assert said.side(failed.changes[2], failed.subject) == -1


def test_names_that_strangers_wrote_are_no_markup():
    given = traces(
        questions=lambda week, i: f"{HOSTILE[0]} {'<b>late</b>' if week == 3 else 'early'} {i % 5}",
        tags=lambda week, i: [f"<i>{'late' if week == 3 else 'early'}</i>", f"t{i % 3}"],
        retrieved=lambda week, i: [{"id": f"<u>{week == 3}</u>", "text": "x", "score": None}],
    )
    found = followed(given)
    assert any(one.name.startswith("<i>") for one in track(found, "tags").movers)
    page, text = render_over_time(found), over_time_markdown(found)
    for raw in ("<i>late", "<u>True", "<b>late", "<script>window"):
        assert raw not in page
        assert raw not in text
    assert "&lt;i&gt;late" in page


def test_the_pages_say_the_same_and_stay_the_same(worse):
    page, text = render_over_time(worse), over_time_markdown(worse)
    change = said.effect(track(worse, "quality").changes[2], track(worse, "quality").subject)
    assert change.partition(" [")[0] in page
    assert change.replace("[", r"\[").replace("]", r"\]") in text
    assert "Scores moved." in text.replace("; no change seen in answers and questions", "")
    assert page == render_over_time(followed(traces(shift=lambda week, i: -1.0 if week == 3 else 0.0)))


def test_texts_that_were_purged_leave_the_numbers():
    data, times = traces(shift=lambda week, i: -1.0 if week == 3 else 0.0)
    blank = replace(data, samples=data.samples.assign(question=""), answers=data.answers.assign(text=""))
    found = followed((blank, times))
    assert found.verdicts() == {"scores": "moved", "answers": "no change seen"}


def test_rare_names_share_columns_and_a_row_holds_a_name_once():
    rows = [[f"w{i}", f"w{i + 1}", "all", "all"] for i in range(2000)]
    bags = bags_of(rows)
    matrix = folded(bags)
    assert matrix.shape == (2000, OWN + SHARED)
    assert set(matrix.data.tolist()) == {1.0}
    assert matrix.sum(axis=0).max() == 2000
    assert bags.matrix.sum() == 6000


def test_movers_are_told_by_their_share_of_rows():
    bags = bags_of([["a", "b"]] * 50 + [["b", "c"]] * 50)
    early = np.arange(100) < 50
    assert [(one.name, one.early, one.late) for one in movers(bags, early, ~early)] == [("c", 0, 1), ("a", 1, 0)]


@pytest.mark.parametrize(
    ("text", "script"),
    [("What?", "latin"), ("Où est-ce ?", "latin"), ("Сколько стоит?", "cyrillic"), ("多少钱", "cjk"), ("42 €", "none")],
)
def test_the_script_of_a_question_is_that_of_most_of_its_letters(text, script):
    assert script_of(text) == script


def test_a_line_breaks_over_an_empty_window_and_rings_mark_what_moved():
    spots = (Spot(0, 1.0, 0.5, 1.5), Spot(1, 1.1, 0.6, 1.6), Spot(3, 2.0, 1.5, 2.5, moved=-1))
    drawn = over_windows([Line("<bot>", spots)], Frame(("a", "b", "c", "d"), (0,)), "score", str)
    assert drawn.count('class="line"') == 2
    assert drawn.count('class="moved worse"') == 1
    assert "&lt;bot&gt;" in drawn
    assert over_windows([Line("bot", ())], Frame(("a",)), "score", str) is None


def test_a_whole_number_stands_once_on_an_axis_with_halves_between():
    drawn = over_windows([Line("bot", (Spot(0, 6.0), Spot(1, 7.0)))], Frame(("a", "b")), "words", "{:.0f}".format)
    assert drawn.count('class="grid"') == 3
    assert (drawn.count(">6</text>"), drawn.count(">7</text>")) == (1, 1)
