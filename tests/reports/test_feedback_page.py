"""What users said of a run: rates, windows, what judges' scores predict, and the pages that say so."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.feedback import Feedback
from markscheme.harness.records import Estimate
from markscheme.reports.feedback import said
from markscheme.reports.feedback.build import feedback_report
from markscheme.reports.feedback.pages import feedback_markdown, render_feedback, sections
from markscheme.reports.figures.acceptance import Shares, acceptance_by_score, acceptance_over_time
from scipy import stats
from synthetic import HOSTILE, Candidate, Judge, build

START = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
DAY = 86_400.0
MINI = (Candidate("mini", 1.6),)


def votes(data, keep=lambda n: True, accept=lambda score, n: score >= 2, **given):
    """A vote on each answer that ``keep`` keeps, by the judge's first criterion."""
    grades = data.grades[data.grades["criterion"] == "correctness"]
    scores = {(g.sample_id, g.candidate, g.trial): g.score for g in grades.itertuples()}
    found = []
    for n, answer in enumerate(data.answers.itertuples()):
        place = (answer.sample_id, answer.candidate, answer.trial)
        if keep(n) and answer.status == "ok":
            more = {name: value(n) if callable(value) else value for name, value in given.items()}
            found.append(Feedback(*place, "x", more.pop("user", ""), bool(accept(scores[place], n)), **more))
    return found


def days(data, step=0.5):
    return {sample: START + step * DAY * n for n, sample in enumerate(data.samples["sample_id"])}


def test_rates_are_of_the_votes_that_came_and_say_of_how_many_answers():
    data = build(candidates=(Candidate("mini", failures=("timeout",)), Candidate("maxi")), n=40, clusters=None)
    found = feedback_report(data, votes(data, lambda n: n < 40, lambda s, n: n % 4, user=lambda n: f"u{n}"), {})
    mini, maxi = found.acceptance
    assert (mini.candidate, mini.answers, mini.heard, mini.votes, mini.users) == ("mini", 39, 19, 19, 19)
    assert (maxi.answers, maxi.heard) == (40, 20)
    assert maxi.rate.value == 1.0
    assert next(said.caveats(found)).startswith("39 of 79 answers have feedback, 49 %. Who gives feedback is no random")


def test_answers_of_one_cluster_and_votes_of_one_user_count_together():
    data = build(candidates=MINI, n=60, clusters=None)
    alone = feedback_report(data, votes(data, user=lambda n: f"u{n}"), {})
    by_user = feedback_report(data, votes(data, user=lambda n: f"u{n % 12}"), {})
    assert alone.acceptance[0].rate.method == "Wilson"
    assert "12 clusters" in by_user.acceptance[0].rate.method
    assert not by_user.crossed
    crossed = build(candidates=MINI, n=60, clusters=10)
    found = feedback_report(crossed, votes(crossed, user=lambda n: f"u{n % 7}"), {})
    assert found.crossed
    assert "10 clusters" in found.acceptance[0].rate.method
    assert any("intervals know the clusters alone" in text for text in said.caveats(found))


def test_windows_are_of_when_the_question_was_asked_and_a_window_without_votes_says_so():
    data = build(candidates=MINI, n=42, clusters=None)
    found = feedback_report(data, votes(data, lambda n: not 14 <= n < 28, at=START + 99 * DAY), days(data))
    assert found.clock == "asked"
    assert [window.label for window in found.windows] == ["2026-W45", "2026-W46", "2026-W47"]
    assert [(one.answers, one.heard, one.rate.n) for one in found.by_window] == [(14, 14, 14), (14, 0, 0), (14, 14, 14)]
    assert [row[-1] for row in said.window_rows(found)][1] == "–"
    by_day = feedback_report(data, votes(data), days(data), "day")
    assert len(by_day.windows) == 21


def test_without_times_of_the_questions_windows_are_of_the_votes_or_there_are_none():
    data = build(candidates=MINI, n=20, clusters=None)
    found = feedback_report(data, votes(data, at=lambda n: START + n * DAY if n else None), {})
    assert (found.clock, len(found.windows), found.untimed) == ("said", 3, 1)
    assert {one.answers for one in found.by_window} == {None}
    assert "1 vote of unknown time is in no window." in list(said.caveats(found))
    found = feedback_report(data, votes(data), {})
    assert (found.clock, found.windows, found.by_window, found.untimed) == ("", (), (), 0)
    assert "Over time" not in render_feedback(found)


def test_a_sample_of_unknown_time_is_in_no_window_and_is_counted():
    data = build(candidates=MINI, n=20, clusters=None)
    times = days(data) | {"q-0003": None}
    found = feedback_report(data, votes(data), times)
    assert sum(one.answers for one in found.by_window) == 19
    assert found.untimed == 1
    assert found.acceptance[0].votes == 20


def test_a_score_that_decides_predicts_perfectly_and_chance_does_not():
    data = build(candidates=MINI, n=120, clusters=None)
    sure = feedback_report(data, votes(data), {})
    drawn = feedback_report(data, votes(data, accept=lambda s, n: n % 5 < 3), {})
    of = {p.measure: p.auc for p in sure.predictions if not p.candidate}
    assert list(of) == ["composite", "correctness", "comprehensiveness", "readability"]
    assert of["correctness"].value == 1.0
    assert 0.5 < of["correctness"].low < 1
    lucky = {p.measure: p.auc for p in drawn.predictions}["correctness"]
    assert lucky.low < 0.5 < lucky.high
    assert "predicts it better than chance" in said.second(sure)
    assert "Nothing shows that \0strict\0's composite predicts it better than chance, 0.50: AUC" in said.second(drawn)
    turned = feedback_report(data, votes(data, accept=lambda s, n: s < 2), {})
    assert said.second(turned).startswith("What \0strict\0's composite scores higher users accept less often: AUC")


def test_candidates_are_told_apart_where_there_are_several():
    data = build(n=60, clusters=None)
    found = feedback_report(data, votes(data), {})
    assert {p.candidate for p in found.predictions} == {"", "large", "small"}
    alone = feedback_report(data, [one for one in votes(data) if one.candidate == "small"], {})
    assert {p.candidate for p in alone.predictions} == {""}


def test_there_is_no_auc_where_all_accept_and_it_says_why():
    data = build(candidates=MINI, n=30, clusters=None)
    found = feedback_report(data, votes(data, accept=lambda s, n: True), {})
    assert said.predicted_text(found.predictions[0]) == "n/a: all 30 are accepted: undefined"
    assert "How well" in said.second(found)
    assert "all 30 are accepted" in said.second(found)


def test_levels_hold_all_votes_once_and_acceptance_rises_with_the_score():
    data = build(candidates=MINI, n=200, clusters=None)
    found = feedback_report(data, votes(data), {})
    by_measure = {one.measure: one.levels for one in found.calibrations}
    assert [level.low for level in by_measure["correctness"]] == [0, 1, 2, 3]
    assert [level.rate.value for level in by_measure["correctness"]] == [0, 0, 1, 1]
    groups = by_measure["composite"]
    assert 2 < len(groups) <= 7
    assert sum(level.rate.n for level in groups) == 200
    assert all(a.high < b.low for a, b in pairwise(groups))


def test_answers_with_feedback_that_score_lower_are_said_to_be_unlike_the_others():
    data = build(candidates=MINI, n=120, clusters=None, judges=(Judge(criteria=(("correctness", 1.0),)),))
    scores = data.grades["score"].to_numpy()
    found = feedback_report(data, votes(data, lambda n: scores[n] < 2), {})
    (one,) = found.selections
    assert one.measure == "correctness"
    assert one.difference.value == pytest.approx(scores[scores < 2].mean() - scores[scores >= 2].mean())
    assert one.difference.high < 0
    assert any("mini: answers with feedback score lower than those without" in text for text in said.caveats(found))
    everyone = feedback_report(data, votes(data), {})
    assert everyone.selections[0].difference.value is None
    assert "all answers have feedback" in next(said.selected_rows(everyone))


def test_p_of_many_judges_is_corrected_for_their_number():
    names = [f"judge-{i}" for i in range(12)]
    judges = tuple(Judge(name, criteria=(("correctness", 1.0),)) for name in names)
    data = build(candidates=MINI, n=80, clusters=None, judges=judges)
    found = feedback_report(data, votes(data, lambda n: n % 2), {})
    ps = []
    for one in found.selections:
        own = data.grades[data.grades["judge"] == one.judge].sort_values("sample_id")["score"].to_numpy()
        ps.append(stats.ttest_ind(own[1::2], own[::2], equal_var=False).pvalue)
    assert len(ps) == 12
    assert [one.p for one in found.selections] == pytest.approx(stats.false_discovery_control(ps))


def test_a_vote_on_one_answer_alone_is_no_test():
    data = build(candidates=MINI, n=40, clusters=None)
    found = feedback_report(data, votes(data, lambda n: n == 0), {})
    (one,) = found.selections
    assert (one.heard.n, one.p) == (1, None)
    assert next(said.selected_rows(found))[-1] == "–"


def test_edits_are_told_by_the_share_that_they_change():
    data = build(candidates=MINI, n=20, clusters=None)
    found = feedback_report(data, votes(data, edit_share=lambda n: 0.25 if n % 2 else None), {})
    assert (found.acceptance[0].edited.n, found.acceptance[0].edited.value) == (10, 0.25)


def test_one_loud_user_is_told():
    data = build(candidates=MINI, n=40, clusters=None)
    found = feedback_report(data, votes(data, user=lambda n: "boss" if n % 2 else f"u{n}"), {})
    assert "One user said 50 % of all votes." in list(said.caveats(found))


def test_an_unknown_judge_no_feedback_and_an_odd_window_are_refused():
    data = build(n=10, clusters=None)
    with pytest.raises(InputError, match=r"--judge 'strct' is no judge of run run-1; did you mean 'strict'\?"):
        feedback_report(data, votes(data), {}, judge="strct")
    with pytest.raises(InputError, match="run run-1: no feedback holds for its answers; take some in"):
        feedback_report(data, [], {})
    with pytest.raises(InputError, match="--window 'fortnight'"):
        feedback_report(data, votes(data), days(data), "fortnight")


def test_a_run_without_a_judge_still_says_what_users_accept():
    data = build(judges=(), n=20, clusters=None)
    some = [Feedback(a.sample_id, a.candidate, a.trial, "x", "", True) for a in data.answers.itertuples()]
    found = feedback_report(data, some, {})
    assert found.predictions == ()
    assert "No judge of single answers graded the run" in said.second(found)
    assert "predict it?" not in render_feedback(found)


def test_pages_hold_every_number_and_no_markup_of_names():
    data = build(candidates=(Candidate(HOSTILE[0], 1.6), Candidate("maxi")), n=60, clusters=None)
    data.info.config["candidates"] = []
    found = feedback_report(data, votes(data, user=lambda n: f"u{n}"), days(data))
    page, text = render_feedback(found), feedback_markdown(found)
    assert "<script" not in page
    assert "onerror='" not in page
    assert page == render_feedback(found)
    for row in (*said.accepted_rows(found), *said.window_rows(found), *said.level_rows(found)):
        assert row[-1].split(" [")[0] in page
    assert page.count('<svg class="acceptance"') == 1 + len(found.calibrations)
    assert "| maxi |" in text
    assert "<script>" not in text.replace("\\<", "")


def share(value, n=20):
    return Estimate(value, max(0, value - 0.1), min(1, value + 0.1), n, "Wilson")


def test_a_gap_breaks_the_line_and_its_band():
    lines = [Shares("mini", (share(0.5), share(0.6), None, share(0.7), share(0.8), None, share(0.4)))]
    svg = str(acceptance_over_time(lines, [f"w{n}" for n in range(7)]))
    assert (svg.count('class="band"'), svg.count("<circle")) == (2, 5)
    assert svg.count('class="reach"') == 1, "a point without neighbours has its interval as a stroke"
    assert "w3, mini: 70 % [60, 80] of 20 votes" in svg
    assert svg.count('class="name"') == 0


def test_points_by_score_carry_their_intervals():
    svg = str(acceptance_by_score("strict, composite", ["0", "1 to 2"], [share(0.1), Estimate(0.5, None, None, 1, "")]))
    assert (svg.count("<circle"), svg.count('class="reach"')) == (2, 1)
    assert "1 to 2, strict, composite: 50 % of 1 vote" in svg


def test_a_notebook_shows_verdict_and_tables_with_names_as_text():
    data = build(n=40, candidates=(Candidate("<b>bot</b>"),))
    found = feedback_report(data, votes(data), {})
    assert repr(found).startswith(f"Feedback on run {found.run.name or found.run.id}: Users accept: <b>bot</b> ")
    shown = found._repr_html_()
    assert "<b>bot</b>" not in shown.replace("<b>&lt;b&gt;bot&lt;/b&gt;</b>", "")
    assert "&lt;b&gt;bot&lt;/b&gt;" in shown
    assert shown.count("<table") == len(list(sections(found)))
