"""Whether the judge can be trusted: what labels say about it, and how to ask where nobody has."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from labelling import rows, truths, with_labels
from markscheme.harness.records import Estimate
from markscheme.judges.align import align
from markscheme.reports.figures.criteria import criterion_bars
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from synthetic import Candidate, Judge, build


def labelled(*judges):
    data = build(n=60, judges=(Judge(), *judges))
    return with_labels(data, rows(truths(data), n=40, annotators=("ann", "ben")))


def test_a_judge_without_labels_is_unqualified_and_the_page_says_what_to_do():
    report = build_report(build(n=10))
    (found,) = report.trust
    assert found.rows == ()
    assert found.advice == "markscheme judge align run-1 --labels labels.csv"
    for page in (render_html(report), render_markdown(report)):
        assert "Unqualified" in page
        assert found.advice in re.sub("<[^>]+>", "", page)


def test_agreement_with_people_stands_in_both_pages():
    data = labelled()
    agreement = align(data)
    report = build_report(data, agreement=agreement)
    (found,) = report.trust
    assert [row.criterion for row in found.rows] == ["correctness", "comprehensiveness", "readability", "composite"]
    first, last = found.rows[0], found.rows[-1]
    own = agreement.criteria[0]
    assert (first.kappa, first.bias) == (own.estimates["kappa_quadratic"], own.estimates["bias"])
    assert first.bias.low > 0
    assert (last.exact, last.kappa) == (None, None)
    page = re.search(r'id="judges">(.*?)</div>', render_html(report), re.DOTALL)[1]
    assert "ann and ben" in page
    assert f"{first.kappa.value:.2f}" in page
    assert "Unqualified" not in page
    assert f"| correctness | {first.n} |" in render_markdown(report)


def test_of_two_judges_the_one_that_nobody_compared_stays_unqualified():
    data = labelled(Judge("other", criteria=(("tone", 1.0),)))
    found = build_report(data, agreement=align(data)).trust
    assert [(one.judge, bool(one.rows)) for one in found] == [("strict", True), ("other", False)]


def test_labels_that_chose_the_judge_or_were_picked_on_purpose_are_doubted():
    data = build(n=60)
    truth = truths(data)
    config = {"judges": [{**data.info.config["judges"][0], "selected_on": ["panel"]}]}
    chose = with_labels(build(n=60, config=config), rows(truth, n=40))
    picked = with_labels(data, rows(truth, n=40, design="chosen"))
    drawn = with_labels(data, rows(truth, n=40))
    words = [build_report(one, agreement=align(one)).trust[0].words for one in (chose, picked, drawn)]
    assert "which flatters it" in words[0]
    assert "not all of these answers were drawn by chance" in words[1].lower()
    assert not any(word in words[2] for word in ("flatters", "chance"))


def test_labels_that_meet_no_grade_qualify_nobody():
    data = build(n=20)
    data = with_labels(dataclasses.replace(data, grades=data.grades.iloc[:0]), rows(truths(data), n=10))
    (found,) = build_report(data, agreement=align(data)).trust
    assert found.rows == ()
    assert found.advice


def test_without_a_judge_nothing_is_said_of_one():
    assert build_report(build(n=5, judges=())).trust == ()
    assert 'id="judges"' not in render_html(build_report(build(n=5, judges=(), measures=("exact_match",))))


def test_bars_of_a_criterion_span_the_scale_with_whiskers_at_the_limits():
    svg = criterion_bars(
        "depth", [("a", Estimate(1.5, 1.0, 2.0, 9, "t")), ("b", Estimate(None, None, None, 0, ""))], (0, 3)
    )
    tree = ElementTree.fromstring(svg)
    (bar,) = tree.iter("rect")
    left, right = 108.0, 300.0
    assert float(bar.get("width")) == pytest.approx((right - left) / 2, abs=0.1)
    whisker = next(path.get("d") for path in tree.iter("path") if path.get("class") == "ci")
    assert [float(v) for v in re.findall(r"[MH]([\d.]+)", whisker)[:2]] == pytest.approx(
        [left + (right - left) / 3, left + 2 * (right - left) / 3], abs=0.1
    )
    assert tree.get("aria-label") == "depth. a: 1.50 [1.00, 2.00]; b: –"


def test_every_criterion_has_its_bars_and_a_lone_one_has_none():
    page = render_html(build_report(build(n=10)))
    assert page.count('class="criterion"') == 3
    assert 'class="criterion"' not in render_html(build_report(build(n=10, judges=(Judge(criteria=(("depth", 1),)),))))


def test_the_best_of_a_column_is_said_in_words_too():
    report = build_report(build(n=80, candidates=(Candidate("a", 2.6), Candidate("b", 1.2))))
    page = render_html(report)
    assert re.search(r'<span class="best">2\.\d\d<span class="said"> \(best\)</span></span>', page)
    assert re.search(r'<span class="second">1\.\d\d<span class="said"> \(second best\)</span></span>', page)
    assert re.search(r"\| 1 \| a \| \*\*2\.\d\d\*\* \S+ \S+ \| a \| \*\*2\.", render_markdown(report))
    assert re.search(r"\| 2 \| b \| <ins>1\.\d\d</ins> \S+ \S+ \| b \| <ins>1\.", render_markdown(report))


def test_corrected_and_uncorrected_cells_have_no_best_among_them():
    data = build(n=100, judges=(Judge(criteria=(("depth", 1.0),)),))
    labels = rows(truths(data), n=80, candidates=["large"])
    row = re.search(r"\| 1\S* \| large .*", render_markdown(build_report(with_labels(data, labels))))[0]
    assert "**" not in row.split("|")[3]
    assert np.isfinite(float(row.split("|")[3].split()[0]))
