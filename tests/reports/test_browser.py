"""The page in Chromium, opened from a file: sorting, filtering, opening, and nothing that an answer says is run."""

import dataclasses
import shutil

import pytest
from markscheme.reports.html import render_html
from markscheme.reports.report import build_report
from synthetic import HOSTILE, Candidate, Judge, build

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

    def open_page(fragment="", data=None, **exam):
        path = tmp_path / "report.html"
        path.write_text(render_html(build_report(data or build(**exam))), encoding="utf-8")
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if request.url != path.as_uri() else None)
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]")
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
    page.select_option("#measure", label="correctness")
    page.fill("#high", "1")
    assert column(page, 3)
    assert all(float(v) <= 1 for v in column(page, 3))
    page.fill("#low", "3")
    page.fill("#high", "")
    assert set(column(page, 3)) == {"3"}
    page.click("#clear")
    assert page.locator("#shown").inner_text() == "24 answers"
    assert page.locator("#clear").is_hidden()
    page.fill("#search", "question 7?")
    assert column(page, 1) == ["a", "b"]
    assert page.locator("#shown").inner_text() == "2 of 24 answers"
    page.fill("#search", "no such words")
    assert column(page, 1) == []
    assert page.locator("#answer").inner_text() == ""


def test_tags_narrow_the_list_and_have_no_menu_where_there_are_none(opened):
    data = build(n=6, candidates=(Candidate("a"),))
    tags = ['["easy", "short"]', '["hard"]'] * 3
    page = opened(data=dataclasses.replace(data, samples=data.samples.assign(tags=tags)))
    assert page.locator("#tag option").all_inner_texts() == ["all tags", "easy", "hard", "short"]
    page.select_option("#tag", label="hard")
    assert column(page, 0) == [f"What is question {i}?" for i in (1, 3, 5)]
    assert opened(n=3, candidates=(Candidate("a"),)).locator("#tag").is_hidden()


def test_answers_that_judges_grade_apart_are_disputed_and_can_be_sorted_by_it(opened):
    data = build(n=10, candidates=(Candidate("a"),), judges=(Judge("one"), Judge("two")))
    apart = (data.grades["sample_id"] == "q-0004") & (data.grades["judge"] == "two")
    score = data.grades["score"].where(data.grades["judge"] == "one", 2.0).where(data.grades["judge"] == "two", 2.0)
    page = opened(data=dataclasses.replace(data, grades=data.grades.assign(score=score.where(~apart, 0.0))))
    page.select_option("#status", label="disputed")
    assert column(page, 0) == ["What is question 4?"]
    page.select_option("#status", label="all answers")
    head(page, "apart").click()
    head(page, "apart").click()
    assert column(page, 0)[0] == "What is question 4?"
    assert column(page, 10)[:2] == ["67 %", "0 %"]


def test_every_score_of_several_judges_has_a_column_whose_heading_can_be_read(opened):
    page = opened(n=6, candidates=(Candidate("a"),), judges=(Judge("strict"), Judge("lenient")), measures=("token_f1",))
    names = page.locator("#list thead button").all_inner_texts()
    wanted = [
        f"{j} {c}"
        for j in ("strict", "lenient")
        for c in ("composite", "correctness", "comprehensiveness", "readability")
    ]
    assert [name for name in names if name in (*wanted, "token_f1")] == [*wanted, "token_f1"]
    cut = (
        "all => all.filter(b => b.scrollWidth > b.clientWidth || b.scrollHeight > b.clientHeight).map(b => b.innerText)"
    )
    assert page.eval_on_selector_all("#list thead button", cut) == []
    assert (
        page.evaluate("Math.max(...[...document.querySelectorAll('#list thead button')].map(b => b.offsetHeight))") < 50
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 1240


def test_moving_down_keeps_the_picked_row_in_view_under_headings_of_two_lines(opened):
    page = opened(n=40, candidates=(Candidate("a"),), judges=(Judge("strict"), Judge("lenient")))
    for _ in range(20):
        page.keyboard.press("j")
    box, row = page.locator("#list").bounding_box(), page.locator("tr.picked").bounding_box()
    assert row["y"] + row["height"] <= box["y"] + box["height"]


def test_a_score_stands_on_the_line_of_its_name_side_by_side(opened):
    page = opened(n=3, candidates=(Candidate("a"), Candidate("b"), Candidate("c")), judges=(Judge("one"), Judge("two")))
    page.set_viewport_size({"width": 390, "height": 844})
    page.keyboard.press("s")
    page.wait_for_selector(".scores")
    tops = "all => all.map(d => d.getBoundingClientRect().top)"
    assert page.eval_on_selector_all(".scores dt", tops) == page.eval_on_selector_all(".scores dd", tops)


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


def test_huge_and_hidden_texts_are_cut_and_kept_apart(opened):
    data = build(n=3, candidates=(Candidate("a"),))
    texts = ["\u202etxet \u2066" + "x" * 60_000, "y" * 30_000, "\u200b"]
    page = opened(data=dataclasses.replace(data, answers=data.answers.assign(text=texts)))
    page.locator(ROWS).nth(0).click()
    shown = page.locator("#answer pre").first.inner_text()
    assert len(shown) < 21_000
    assert "[cut here: 60,007 characters in all" in shown
    assert page.locator("#answer pre").first.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1240


def test_side_by_side_shows_every_candidate_and_arrows_walk_the_questions(opened):
    page = opened(n=5, candidates=(Candidate("a"), Candidate("b", failures=("timeout",)), Candidate("c")))
    page.keyboard.press("s")
    dialog = page.locator("#sides")
    assert dialog.is_visible()
    assert page.locator("#sides h4").all_inner_texts() == ["a", "b", "c"]
    assert "The candidate's own failure: timeout" in dialog.inner_text()
    assert "question 1 of 5" in dialog.inner_text()
    assert page.locator("#earlier").is_disabled()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#sides-question").inner_text() == "What is question 1?"
    assert "b says about 1" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert dialog.is_hidden()
    assert "What is question 1?" in page.locator("#answer h3").inner_text()


def test_side_by_side_walks_what_the_filters_leave_in_the_order_of_the_list(opened):
    page = opened(n=5, candidates=(Candidate("a"), Candidate("b")))
    page.fill("#search", "a says")
    head(page, "question").click()
    head(page, "question").click()
    page.click("#beside")
    walked = []
    for _ in range(5):
        walked.append(page.locator("#sides-question").inner_text())
        page.keyboard.press("ArrowRight")
    assert set(walked) == {f"What is question {i}?" for i in range(5)}
    assert page.locator("#later").is_disabled()


def test_a_link_opens_its_answer_and_back_returns(opened):
    page = opened(n=30, candidates=(Candidate("a"), Candidate("b & c/d")))
    page.fill("#search", "b & c/d says about 17:")
    page.locator(ROWS).first.click()
    page.wait_for_timeout(400)
    assert "q-0017" in page.evaluate("location.hash")
    page.click("#beside")
    address = page.evaluate("location.hash")
    page.go_back()
    assert page.locator("#sides").is_hidden()
    linked = opened(address, n=30, candidates=(Candidate("a"), Candidate("b & c/d")))
    assert linked.locator("#sides").is_visible()
    assert linked.locator("#sides-question").inner_text() == "What is question 17?"
    linked.keyboard.press("Escape")
    assert "b & c/d says about 17" in linked.locator("#answer pre").first.inner_text()
    row = linked.locator("#list tr.picked")
    assert row.get_attribute("data-index") == "35"
    assert row.is_visible()


def test_a_link_to_an_answer_that_is_not_there_opens_the_page_as_usual(opened):
    page = opened("#answer=none&candidate=a", n=3, candidates=(Candidate("a"),))
    assert page.locator("#shown").inner_text() == "3 answers"


def test_everything_can_be_done_with_the_keyboard_alone(opened):
    page = opened(n=40, candidates=(Candidate("a"), Candidate("b")))
    page.focus("#search")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "rows":
            break
    page.keyboard.press("End")
    active = page.evaluate("document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))")
    assert page.locator("#list tr[aria-selected=true]").get_attribute("aria-rowindex") == "81"
    assert active is not None
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert page.locator("#list tr[aria-selected=true]").get_attribute("aria-rowindex") == "3"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "answer"
    page.keyboard.press("s")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('sides').contains(document.activeElement)")


def test_every_control_has_a_name(opened):
    page = opened(n=5, candidates=(Candidate("a"), Candidate("b")))
    page.keyboard.press("s")
    controls = "[...document.querySelectorAll('button, input, select, [tabindex], dialog')]"
    named = "e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')"
    unnamed = page.evaluate(f"{controls}.filter(e => !({named})).map(e => e.outerHTML)")
    assert unnamed == []
    assert page.evaluate("[...document.querySelectorAll('svg')].every(e => e.getAttribute('aria-label'))")


def test_an_old_browser_is_told_why_it_shows_no_answers(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(render_html(build_report(build(n=3))), encoding="utf-8")
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(path.as_uri())
    page.wait_for_selector("#trouble:not([hidden])")
    assert "too old for DecompressionStream" in page.locator("#trouble").inner_text()
    assert page.locator(".browser").is_hidden()
    page.close()


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
    assert page.locator("#rows").get_attribute("aria-rowcount") == "5001"
    page.evaluate("document.getElementById('list').scrollTop = 32 * 4000")
    page.wait_for_timeout(200)
    assert int(page.locator(ROWS).first.get_attribute("data-index")) > 3900
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
