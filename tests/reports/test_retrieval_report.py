"""The page of a sweep: intervals, differences, the recommendation, figures, and questions to browse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from markscheme.harness.exam import exam_from_dict
from markscheme.harness.records import Sample
from markscheme.harness.retrieval.sweep import Paper, Ranking
from markscheme.harness.retrieval.sweep_scores import Passage
from markscheme.harness.retrieval.sweep_targets import targets_of
from markscheme.harness.statistics.intervals import mean_interval
from markscheme.harness.statistics.paired import paired_difference
from markscheme.reports.figures.retrieval_by_k import Curve, by_k
from markscheme.reports.figures.retrieval_heat import heat
from markscheme.reports.retrieval import build_retrieval_report
from markscheme.reports.retrieval_html import milliseconds, render_retrieval, size
from synthetic import HOSTILE

QUESTIONS = 40
DOCUMENTS = {f"d{n}": f"The text of document {n}. " * 8 for n in range(QUESTIONS // 2)}
SECTION = {"embedders": ["hashed/64"], "sizes": [100, 200], "k": [1, 3], "tokens": [100]}


def spec_of(**changes):
    data = {"dataset": "docs_qa", "retrieval": SECTION | changes}
    return exam_from_dict(data, Path(), "exam").retrieval


def samples_of(question="What is in document {}?"):
    """Two questions a document, which share its cluster."""
    return [
        Sample(f"q{n}", question.format(n // 2), relevant={f"d{n // 2}": 2}, cluster=f"d{n // 2}")
        for n in range(QUESTIONS)
    ]


def made(quality=None, samples=None, documents=DOCUMENTS, **changes):
    """Spec, paper and rankings: ``quality`` is the share of questions whose document comes first, by configuration."""
    spec, samples = spec_of(**changes), samples or samples_of()
    paper = Paper(tuple(samples), targets_of(samples, documents, "lib"), documents, "lib", "f" * 64)
    quality = quality or {}
    rng = np.random.default_rng(5)
    rankings = []
    for configuration in spec.configurations:
        right = rng.uniform(size=len(samples)) < quality.get(configuration.name, 0.5)
        passages = {}
        for sample, first in zip(samples, right, strict=True):
            wanted = max(sample.relevant, default="d0")
            others = [d for d in documents if d != wanted][:4]
            order = [wanted, *others] if first else [*others, wanted]
            passages[sample.id] = tuple(piece(paper, sample.id, d, configuration.size) for d in order)
        scores = {question: tuple(0.5 for _ in found) for question, found in passages.items()}
        seconds = {sample.id: 0.001 * (1 + n) for n, sample in enumerate(samples)}
        rankings.append(Ranking(configuration, 40, 5, 0.25, 1234, 0, 0.0, passages, scores, seconds, {}))
    return rankings, spec, paper


def piece(paper, question, document, length):
    targets = paper.targets.targets.get(question)
    brings = targets.brought_by(document, 0, length) if targets else ()
    return Passage(f"{document}#0-{length}", document, 0, length, paper.documents[document][:length], brings)


def report_of(*arguments, **changes):
    return build_retrieval_report(*made(*arguments, **changes), "lib · exam", "2026-11-21", "markscheme 0.1.0")


def payload_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_intervals_are_by_cluster_and_differences_on_the_same_questions():
    rankings, spec, paper = made({"bm25 · recursive 100": 0.3, "hashed/64 · recursive 100": 0.9})
    report = build_retrieval_report(rankings, spec, paper, "t", "d", "f")
    first = [[float(bool(r.passages[s.id][0].brings)) for s in paper.samples] for r in rankings]
    clusters = [s.cluster for s in paper.samples]
    for row, values in zip(report.rows, first, strict=True):
        expected = mean_interval(values, clusters, scale=(0, 1))
        cell = row.cells[0]
        assert (cell.estimate.low, cell.estimate.value, cell.estimate.high) == (
            expected.low,
            expected.value,
            expected.high,
        )
    better = report.rows[2].cells[0].difference
    expected = paired_difference(first[2], first[0], clusters, scale=(0, 1))
    assert better.estimate.value == pytest.approx(expected.estimate.value)
    assert better.p == expected.p
    assert better.sign == 1
    assert report.rows[0].cells[0].difference is None


def test_holm_counts_every_comparison_of_both_tables():
    report = report_of({"hashed/64 · recursive 100": 0.9})
    cells = [cell for row in report.rows for cell in row.cells if cell.difference]
    assert len(cells) == report.comparisons == 3 * 3
    smallest = min(cells, key=lambda cell: cell.difference.p)
    assert smallest.difference.adjusted == pytest.approx(min(1, 9 * smallest.difference.p))
    assert all(cell.difference.adjusted >= cell.difference.p for cell in cells)


def test_the_same_rankings_give_the_same_page():
    assert render_retrieval(report_of()) == render_retrieval(report_of())


def test_the_page_says_what_was_chosen_how_and_among_how_many():
    report = report_of({"hashed/64 · recursive 200": 1.0, "bm25 · recursive 100": 0.1})
    page = render_retrieval(report)
    assert report.choice.configuration == "hashed/64 · recursive 200"
    assert report.verdict.startswith("hashed/64 · recursive 200 with 1 chunk: recall 1.00 [")
    assert "among 4 configurations" in page
    assert f"Chosen on {report.choice.chosen_on} questions" in page
    assert "Holm over all 9 comparisons" in page
    assert 'class="tag">recommended' in page
    assert 'class="tag soft">baseline' in page


def test_document_level_relevance_is_stated_with_what_it_favours():
    page = render_retrieval(report_of())
    assert "recall and nDCG count documents, once each" in page
    assert "favours small chunks" in page
    samples = [
        Sample(s.id, s.question, relevant=s.relevant, cluster=s.cluster, metadata={"passages": [mark(s)]})
        for s in samples_of()
    ]
    marked = render_retrieval(report_of(samples=samples))
    assert "count documents and marked passages" in marked
    assert "favours small chunks" not in marked


def mark(sample):
    return {"document": next(iter(sample.relevant)), "start": 0, "end": 50}


def test_questions_without_an_answer_have_a_column_of_their_own():
    samples = [*samples_of(), Sample("none", "Who knows?", cluster="none")]
    rankings, spec, paper = made(samples=samples)
    rankings[0].passages["none"] = ()
    report = build_retrieval_report(rankings, spec, paper, "t", "d", "f")
    assert (report.questions, report.no_answer) == (QUESTIONS, 1)
    assert [row.returned_nothing for row in report.rows] == [1.0, 0.0, 0.0, 0.0]
    assert "Returned nothing" in render_retrieval(report)
    assert "Returned nothing" not in render_retrieval(report_of())


def test_a_price_of_tokens_that_nothing_is_worth_leaves_the_smallest_k():
    quality = {"hashed/64 · recursive 200": 0.2}
    assert report_of(quality, price_per_1000_tokens=100.0).choice.k == 1


def test_a_single_cluster_of_questions_is_said_and_nothing_is_recommended():
    samples = [Sample(f"q{n}", "?", relevant={"d0": 1}, cluster="one") for n in range(8)]
    report = report_of(samples=samples)
    assert report.choice is None
    assert "too few clusters" in render_retrieval(report)


def test_the_payload_lists_each_chunk_once_and_what_each_brings():
    data = payload_of(render_retrieval(report_of()))
    assert len(data["questions"]) == QUESTIONS
    assert len({tuple(chunk[:3]) for chunk in data["chunks"]}) == len(data["chunks"])
    for configuration, found in enumerate(data["found"]):
        for question, ranking in enumerate(found):
            assert len(ranking) == 3
            got = {key for _, *keys in ranking for key in keys}
            recall = len(got) / len(data["questions"][question]["needs"])
            assert data["values"]["3"][configuration][question] == recall


def test_hostile_questions_documents_and_names_stay_text():
    documents = {HOSTILE[0] if n == 0 else f"d{n}": f"{HOSTILE[n % 2]} {n} " * 4 for n in range(20)}
    samples = [
        Sample(f"q{n}", HOSTILE[n % 2], relevant={list(documents)[n % 20]: 1}, cluster=f"c{n}") for n in range(40)
    ]
    page = render_retrieval(report_of(samples=samples, documents=documents))
    assert page.count("<script") == 2
    assert "<img" not in page
    assert payload_of(page)["questions"][0]["text"] == HOSTILE[0]
    assert not re.search(r'(?:src|href|url)\s*[=(]\s*["\']?(?:https?:)?//', page)


def test_lines_are_drawn_for_several_k_only_and_name_their_retrievers():
    curve = Curve("bm25 · recursive 100", "bm25", ((1, 0.4, 0.3, 0.5), (3, 0.6, 0.5, 0.7)))
    faint = Curve("bm25 · recursive 200", "bm25", ((1, 0.3, None, None), (3, 0.4, None, None)))
    drawn = str(by_k([curve, faint], "recall"))
    assert 'class="curve c0"' in drawn
    assert 'class="curve c0 faint"' in drawn
    assert drawn.count("<circle") == 2
    assert by_k([Curve("x", "x", ((1, 0.4, None, None),))], "recall") is None


def test_the_heat_map_marks_the_chosen_field_and_leaves_absent_ones_out():
    values = {("recursive 100", "bm25"): 0.2, ("recursive 100", "hashed"): 0.8, ("recursive 200", "bm25"): 0.5}
    drawn = str(heat(["recursive 100", "recursive 200"], ["bm25", "hashed"], values, ("recursive 100", "hashed")))
    assert drawn.count("<rect") == 3
    assert drawn.count("heat marked") == 1
    assert heat(["one"], ["bm25"], {("one", "bm25"): 0.5}, None) is None


@pytest.mark.parametrize(
    ("number", "text"), [(None, "–"), (0.000421, "0.42"), (0.0123, "12.3"), (0.14, "140"), (2.0, "2000")]
)
def test_milliseconds(number, text):
    assert milliseconds(number) == text


@pytest.mark.parametrize(("number", "text"), [(None, "–"), (812, "812 B"), (166_400, "166 kB"), (3_140_000, "3.1 MB")])
def test_sizes(number, text):
    assert size(number) == text


@pytest.mark.browser
def test_questions_can_be_searched_compared_and_opened_in_a_browser(tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    path, troubles = tmp_path / "retrieval.html", []
    report = report_of({"hashed/64 · recursive 200": 1.0, "bm25 · recursive 100": 0.0})
    path.write_text(render_retrieval(report), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        assert page.locator("#shown").inner_text() == "40 questions"
        assert page.locator("#one option:checked").inner_text() == "hashed/64 · recursive 200"
        page.select_option("#state", "better")
        assert page.locator("#answer .chunk.right").count() >= 1
        assert page.locator("#answer .needs .found").inner_text() == "d0 (grade 2)"
        page.select_option("#state", "worse")
        assert page.locator("#list tbody tr[data-index]").count() == 0
        page.select_option("#state", "")
        page.fill("#search", "document 7?")
        assert page.locator("#list tbody tr[data-index]").count() == 2
        page.locator("#answer details summary").first.click()
        assert "The text of document 7." in page.locator("#answer details pre").first.inner_text()
        page.fill("#search", "")
        page.locator("#list thead button").nth(3).click()
        assert page.locator("#list thead th").nth(3).get_attribute("aria-sort") == "ascending"
        browser.close()
    assert troubles == []
