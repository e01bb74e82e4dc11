"""The page in Chromium, opened from a file: sorting, filtering, opening, and nothing that an answer says is run."""

import shutil

import pytest
from markscheme.reports.html import render_html
from markscheme.reports.report import build_report
from synthetic import HOSTILE, Candidate, build

pytestmark = pytest.mark.browser
ROWS = "#list tbody tr[data-index]"


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of an exam; fails the test on any error, message or request."""
    troubles = []
    pages = []

    def open_page(**exam):
        path = tmp_path / "report.html"
        path.write_text(render_html(build_report(build(**exam))), encoding="utf-8")
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if request.url != path.as_uri() else None)
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert troubles == []


def column(page, index):
    return page.eval_on_selector_all(ROWS, f"rows => rows.map(row => row.children[{index}].textContent)")


def head(page, name):
    return page.locator("#list thead button", has_text=name)


def test_headings_sort_up_and_down_with_missing_values_last(opened):
    page = opened(n=8, candidates=(Candidate("a", failures=("timeout",)), Candidate("b")))
    head(page, "composite").click()
    values = column(page, 2)
    assert values[-1] == "–"
    assert [float(v) for v in values[:-1]] == sorted(float(v) for v in values[:-1])
    head(page, "composite").click()
    values = column(page, 2)
    assert values[-1] == "–"
    assert [float(v) for v in values[:-1]] == sorted((float(v) for v in values[:-1]), reverse=True)
    assert page.locator("#list thead th[aria-sort=descending]").inner_text().startswith("composite")


def test_filters_narrow_by_candidate_status_score_and_words(opened):
    candidates = (Candidate("a", failures=("timeout", "rate_limited"), unscored=("unparsable",)), Candidate("b", 1.0))
    page = opened(n=12, candidates=candidates)
    assert page.locator("#shown").inner_text() == "24 answers"
    page.select_option("#candidate", label="a")
    assert set(column(page, 1)) == {"a"}
    page.select_option("#status", label="failed: the candidate's own")
    assert column(page, 7) == ["timeout"]
    page.select_option("#status", label="failed: ours")
    assert column(page, 7) == ["rate limited"]
    page.select_option("#status", label="not scored")
    assert column(page, 7) == ["not scored"]
    page.select_option("#status", label="all answers")
    page.select_option("#candidate", label="all candidates")
    page.select_option("#score", label="correctness ≤ 1")
    assert column(page, 3)
    assert all(float(v) <= 1 for v in column(page, 3))
    page.select_option("#score", label="correctness = 3")
    assert set(column(page, 3)) == {"3"}
    page.select_option("#score", label="all scores")
    page.fill("#search", "question 7?")
    assert column(page, 1) == ["a", "b"]
    assert page.locator("#shown").inner_text() == "2 of 24 answers"
    page.fill("#search", "no such words")
    assert column(page, 1) == []
    assert page.locator("#answer").inner_text() == ""


def test_opening_an_answer_shows_its_text_grades_and_reasoning(opened):
    page = opened(n=6, candidates=(Candidate("a"), Candidate("b")))
    page.locator(ROWS).nth(3).click()
    shown = page.locator("#answer").inner_text()
    for part in (
        "What is question 1?",
        "b says about 1",
        "correctness",
        "It covers the readability",
        "tokens",
        "$0.00",
    ):
        assert part in shown
    page.locator("#answer summary", has_text="Reference").click()
    assert "Reference 1." in page.locator("#answer").inner_text()


def test_keys_move_and_search_but_not_while_typing(opened):
    page = opened(n=30, candidates=(Candidate("a"), Candidate("b")))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator("#list tr.picked").get_attribute("data-index") == "1"
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.input_value("#search") == "jk"
    page.keyboard.press("Escape")
    assert page.locator("#shown").inner_text() == "60 answers"
    for _ in range(40):
        page.keyboard.press("j")
    assert page.locator("#list tr.picked").get_attribute("data-index") == "40"
    box, row = (page.locator(name).bounding_box() for name in ("#list", "#list tr.picked"))
    assert box["y"] <= row["y"] <= box["y"] + box["height"] - row["height"]


def test_hostile_texts_are_shown_as_text_and_never_run(opened):
    page = opened(n=6, hostile=True, candidates=(Candidate(HOSTILE[0]), Candidate("b")))
    for index in range(6):
        page.locator(ROWS).nth(index).click()
        assert page.locator("#answer img, #answer script").count() == 0
    page.locator(ROWS).nth(1).click()
    assert HOSTILE[0] in page.locator("#answer pre").first.inner_text()
    assert page.evaluate("window.pwned") is None


def test_injected_markup_could_not_run_either(browser, tmp_path):
    path = tmp_path / "report.html"
    text = render_html(build_report(build(n=3))).replace("<footer>", "<script>window.pwned = 1</script><footer>")
    path.write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.evaluate("window.pwned") is None
    page.close()


def test_five_thousand_answers_hold_few_rows_and_answer_at_once(opened):
    page = opened(n=2500, clusters=None, candidates=(Candidate("a"), Candidate("b")))
    assert page.locator("#shown").inner_text() == "5,000 answers"
    assert page.locator(ROWS).count() < 60
    page.evaluate("document.getElementById('list').scrollTop = 32 * 4000")
    page.wait_for_function("Number(document.querySelector('#list tbody tr[data-index]').dataset.index) > 3900")
    assert page.locator(ROWS).count() < 60
    took = page.evaluate(
        "() => { const start = performance.now(), box = document.getElementById('search'); box.value = 'question 2499';"
        " box.dispatchEvent(new Event('input')); return performance.now() - start; }"
    )
    assert page.locator("#shown").inner_text() == "2 of 5,000 answers"
    assert took < 2000


@pytest.mark.parametrize("width", [390, 1240])
def test_the_page_never_scrolls_sideways(opened, width):
    page = opened(
        n=12, measures=("exact_match", "token_f1"), candidates=(Candidate("a", failures=("timeout",)), Candidate("b"))
    )
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
