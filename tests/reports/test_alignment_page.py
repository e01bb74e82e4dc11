"""The pages of `judge align`: what they say, what they draw, and that no name is ever markup."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from markscheme.harness.alignment import Alignment, CandidateAgreement, CriterionAlignment, LabelsUsed, PairAlignment
from markscheme.harness.records import Estimate
from markscheme.harness.statistics.agreement import human_agreement, judge_agreement
from markscheme.harness.statistics.alternative import alternative_annotator_test
from markscheme.harness.statistics.votes import Votes, vote_agreement
from markscheme.reports.figures.agreement import Dot, dots, reach_of
from markscheme.reports.figures.confusion import confusion
from markscheme.reports.judging.alignment import caveats, verdict
from markscheme.reports.judging.alignment_html import render_alignment
from markscheme.reports.judging.alignment_markdown import alignment_markdown
from synthetic import HOSTILE

LEVELS = (0.0, 1.0, 2.0, 3.0)


def criterion(
    name: str = "correctness", n: int = 120, judge: str = "strict", offset: float = 0.0
) -> CriterionAlignment:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, n)
    humans = np.clip(truth[:, None] + rng.integers(-1, 2, (n, 2)), 0, 3).astype(float)
    graded = np.clip(truth + offset + rng.integers(-1, 2, n), 0, 3)
    whole, people = judge_agreement(graded, humans, LEVELS), human_agreement(humans, LEVELS)
    own = whole.estimates
    return CriterionAlignment(
        judge=judge,
        criterion=name,
        scale=(0, 3),
        n=n,
        annotators={"ann": n, "ben": n},
        estimates=own,
        agreement=whole,
        humans=people.estimates,
        n_humans=n,
        candidates=(CandidateAgreement("large", n, own["bias"], own["exact"], own["kappa_quadratic"]),),
        raters=("ann", "ben"),
        alternative=alternative_annotator_test(graded, humans, 0.2, "neg_rmse"),
        notes=whole.notes,
    )


def alignment(*criteria: CriterionAlignment, **changes: object) -> Alignment:
    labels = (LabelsUsed("gold", ("ann", "ben"), "random", "2026-11-20", 240, {"the answer has changed since": 3}),)
    found = Alignment("run-1", "nightly", "2026-11-21", criteria or (criterion(),), (), labels, 0.2)
    return replace(found, **changes)


def test_the_first_sentence_says_how_far_the_judge_agrees_and_what_people_reach():
    one = criterion(offset=1.0)
    said = verdict(alignment(one))
    kappa, people = one.estimates["kappa_quadratic"].value, one.humans["kappa_quadratic"].value
    assert f"strict agrees with people on 120 answers at a quadratic kappa of {kappa:.2f} (correctness)" in said
    assert f"people among themselves reach {people:.2f} on correctness" in said
    assert f"kinder than people by {one.estimates['bias'].value:.2f} on the correctness" in said
    assert "kinder" not in verdict(alignment(replace(one, estimates=criterion().estimates)))


def test_what_does_not_count_and_what_is_too_little_stands_under_it():
    said = caveats(alignment(replace(criterion(n=30), lost={"answers without a verdict of the judge": 2})))
    assert said[0] == "strict, correctness: only 30 labelled items: below 50 these intervals are not to be trusted."
    assert "gold, not counted: 3 × the answer has changed since." in said
    assert "strict, correctness, left out: 2 × answers without a verdict of the judge." in said


def test_a_note_on_all_criteria_of_a_judge_names_the_judge_alone():
    said = caveats(alignment(criterion(n=30), criterion("depth", n=30), criterion(n=120, judge="mild")))
    assert said[0] == "strict: only 30 labelled items: below 50 these intervals are not to be trusted."
    part = caveats(alignment(criterion(n=30), criterion("depth", n=120)))
    assert part[0].startswith("strict, correctness: only 30")


def test_answers_that_were_not_drawn_at_random_are_said_to_stand_for_themselves_alone():
    for design, words in (("chosen", "were picked on purpose"), ("unknown", "nobody said how"), ("random", "")):
        said = caveats(alignment(labels=(LabelsUsed("gold", ("ann",), design, "", 240, {}),)))
        assert said == () if design == "random" else words in said[0] and said[0].startswith("gold: ")


def test_both_pages_show_chance_ceiling_and_the_alternative_test():
    one = criterion()
    page, text = render_alignment(alignment(one)), alignment_markdown(alignment(one))
    assert f"chance {one.agreement.chance_within_1:.2f}" in page
    assert f"(chance {one.agreement.chance_within_1:.2f})" in text
    assert "people among themselves" in page and "people among themselves" in text
    assert f"judge {100 * one.ratio('kappa_quadratic'):.0f} % of it" in page
    assert "May the judge stand in for a person?" in page and "Alternative annotator test, epsilon 0.20" in text
    assert one.alternative.passed == ("| passes |" in text)


def test_an_undefined_coefficient_is_a_dash_and_says_why():
    flat = judge_agreement([2.0] * 60, np.full((60, 1), 2.0), LEVELS)
    one = replace(criterion(), estimates=flat.estimates, agreement=flat, humans={}, alternative=None)
    page = render_alignment(alignment(one))
    assert 'title="undefined: no variation">–' in page
    assert "kappa is undefined" in verdict(alignment(one))


def test_preferences_have_their_own_table():
    judge, people = Votes([1, 2, 3], ["left", "tie", "left"]), Votes([1, 1, 2, 3], ["left", "left", "left", "right"])
    pair = PairAlignment("arbiter", 3, 4, *vote_agreement(judge, people), *vote_agreement(people), 1, {})
    found = alignment(criteria=(), pairs=(pair,))
    page, text = render_alignment(found), alignment_markdown(found)
    assert "arbiter prefers the answer that people prefer in 50 % of 4 votes" in verdict(found)
    assert "Which of two answers is better" in page and "S2 without ties" in text
    assert "<h2>Agreement</h2>" not in page


def test_no_name_becomes_markup():
    worst = HOSTILE[0]
    one = replace(
        criterion(worst, judge=worst),
        candidates=tuple(replace(c, candidate=worst) for c in criterion().candidates),
        raters=(worst, worst),
    )
    used = LabelsUsed(worst, (worst,), "random", worst, 1, {worst: 1})
    found = alignment(one, title=worst, labels=(used,), notes=(worst,))
    page, text = render_alignment(found), alignment_markdown(found)
    assert "<script" not in page and "<img" not in page and "onerror='" not in page
    assert "\\<script" in text and re.search(r"(?<!\\)<", text) is None


def test_the_page_needs_no_network_and_no_script():
    page = render_alignment(alignment())
    assert re.findall(r'(?:src|href)="[^"]*"', page) == []
    assert "default-src 'none'" in unescape(page) and page == render_alignment(alignment())


def test_the_confusion_matrix_has_the_judge_down_and_people_across():
    drawn = str(confusion((0.0, 1.0), ((3.0, 1.0), (0.0, 2.5)), "strict"))
    assert "judge 0: people 0 3, people 1 1; judge 1: people 1 2.5" in drawn
    assert re.findall(r"<title>(\d+ %)", drawn) == ["75 %", "25 %", "0 %", "100 %"]


def test_dots_leave_out_what_is_undefined_and_stay_on_the_axis():
    known = Estimate(-0.4, -0.9, 0.1, 50, "t")
    unknown = Estimate(None, None, None, 0, "undefined")
    drawn = str(dots([Dot("a", known), Dot("b", unknown)], "bias", reach_of([known, unknown], -0.5, 0.5), signed=True))
    assert "a: −0.40 [−0.90, +0.10]" in drawn and ">b<" not in drawn
    assert reach_of([known], -0.5, 0.5)[0] < -0.9
    assert dots([Dot("b", unknown)], "bias", (0, 1)) is None


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chromium_shows_it_without_a_complaint(tmp_path, scheme: str):
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    path = tmp_path / "align.html"
    path.write_text(render_alignment(alignment(criterion(), criterion("style"))), encoding="utf-8")
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda request: troubles.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        assert page.locator("svg.confusion").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        browser.close()
    assert troubles == []
