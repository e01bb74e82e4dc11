"""People rate in Chromium: keys, undo, notes, going on after a kill, two answers, several raters, hostile answers."""

from __future__ import annotations

import shutil

import pytest
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.schema import labels
from markscheme.harness.store.store import Store
from review_site import CANDIDATES, CRITERIA, SECRETS, begin, serving, started

pytestmark = pytest.mark.browser
HOSTILE = (
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "<svg onload='window.pwned = 1'><animate onbegin='window.pwned = 1' attributeName=x dur=1s></svg>",
    "</p></div></article></body></html><script>window.pwned = 1</script>",
    "[click me](javascript:window.pwned=1) and <a href='javascript:window.pwned=1'>me</a>",
    "![x](data:text/html,<script>window.pwned=1</script>) <iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "```html\n<script>window.pwned = 1</script>\n```",
    "# <img src=http://evil.example/x.png>\n- <object data='data:image/svg+xml,<svg onload=window.pwned=1>'></object>",
    "`<style>*{display:none}</style>` **<b onclick=window.pwned=1>**  \u202e reversed {{ 7 * 7 }} ${7*7}",
)
TAGS = (
    "script, img, svg, a, iframe, object, embed, style, link, form, input, [onclick], [onerror], [style], [href], [src]"
)


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
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def come(browser):
    """Open the page of a site as a rater, in a browser of one's own; fails the test on any trouble that shows."""
    troubles, contexts = [], []

    def come(guard, rater="ann", **look):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 860}} | look))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        own = f"http://127.0.0.1:{guard.port}/"
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith(own) else None)
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.goto(guard.address)
        if rater:
            page.get_by_role("button", name=rater, exact=True).click()
            page.locator("#place").filter(has_text="Item").wait_for()
        return page

    come.troubles = troubles
    yield come
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def site(store):
    with serving(store, begin(store)) as guard:
        yield guard


def press(page, keys):
    """Key by key, each when the page is done with the one before."""
    for key in keys:
        page.keyboard.press(key)
        page.locator("body:not([aria-busy])").wait_for()


def shown(page):
    return page.locator("#question").inner_text()


def count(page, text):
    page.locator("#count").filter(has_text=text).wait_for()


def ratings(store):
    reviews = Reviews(store)
    return reviews.ratings(reviews.find("latest"))


def items(store):
    reviews = Reviews(store)
    return {item.id: item for item in reviews.items(reviews.find("latest"))}


def question_of(store, rating):
    return f"What is question {items(store)[rating.item].position}?"


def test_digits_grade_and_what_is_pressed_is_what_is_kept(come, site, store):
    page = come(site)
    pressed = {}
    for keys in ("012", "321", "333", "120"):
        pressed[shown(page)] = tuple(map(int, keys))
        press(page, keys)
    page.get_by_text("All 4 are rated").wait_for()
    assert {question_of(store, r): tuple(r.scores.values()) for r in ratings(store)} == pressed
    assert all(list(r.scores) == list(CRITERIA) for r in ratings(store))
    with store.reading() as connection:
        kept = {
            (row["sample_id"], row["criterion"]): row["score"] for row in connection.execute(labels.select()).mappings()
        }
    attention = next(item for item in items(store).values() if item.attention)
    assert len(kept) == 9 and attention.sample_id not in {sample for sample, _ in kept}
    assert page.locator("#count").inner_text() == "4 of 4 rated"


def test_the_next_item_shows_when_the_rating_is_on_the_disk(come, site, store):
    page = come(site)
    first = shown(page)
    press(page, "222")
    assert shown(page) != first
    assert [question_of(store, r) for r in ratings(store)] == [first]
    assert page.locator("#saved").inner_text() == "saved"


def test_undo_takes_back_the_last_key_and_then_the_last_rating(come, site, store):
    page = come(site)
    first = shown(page)
    press(page, "222")
    press(page, "1u")
    assert page.locator(".score").all_inner_texts() == ["", "", ""]
    assert len(ratings(store)) == 1
    press(page, "u")
    assert shown(page) == first
    assert ratings(store) == []
    count(page, "0 of 4 rated")
    press(page, "333")
    assert [tuple(r.scores.values()) for r in ratings(store)] == [(3, 3, 3)]


def test_undo_works_on_the_last_item_and_after_a_reload(come, site, store):
    page = come(site)
    press(page, "222" * 4)
    page.get_by_text("All 4 are rated").wait_for()
    page.reload()
    page.get_by_text("All 4 are rated").wait_for()
    press(page, "u")
    assert page.locator("#place").inner_text() == "Item 4 of 4"
    assert len(ratings(store)) == 3


def test_a_note_is_typed_without_grading_and_kept_with_the_rating(come, site, store):
    page = come(site)
    press(page, "n")
    page.keyboard.type("just 3 words, u know? rank")
    press(page, ["Escape"])
    press(page, "123")
    (rating,) = ratings(store)
    assert rating.note == "just 3 words, u know? rank"
    press(page, "k")
    assert page.locator("#note").input_value() == rating.note
    press(page, "n")
    page.keyboard.type("!")
    press(page, ["Escape"])
    page.locator("#saved").filter(has_text="saved").wait_for()
    (rating,) = ratings(store)
    assert (rating.note, tuple(rating.scores.values())) == ("just 3 words, u know? rank!", (1, 2, 3))


def test_moving_skips_and_comes_back_and_a_rating_can_be_changed(come, site, store):
    page = come(site)
    first = shown(page)
    press(page, "2j")
    assert shown(page) != first
    press(page, "k")
    assert shown(page) == first
    assert page.locator(".score").all_inner_texts() == ["2", "", ""]
    press(page, "22")
    press(page, "k")
    assert page.locator("#place").inner_text() == "Item 1 of 4, rated"
    press(page, ["ArrowDown", "0"])
    (rating,) = ratings(store)
    assert tuple(rating.scores.values()) == (2, 0, 2)
    assert shown(page) == first


def test_arrows_and_tab_reach_each_criterion_and_enter_leaves_some_open(come, site, store):
    page = come(site)
    press(page, ["ArrowDown", "ArrowDown"])
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "readability"
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    press(page, ["ArrowUp", "Shift+Tab"])
    assert page.locator(".criterion.current b").inner_text() == "correctness"
    press(page, ["Tab", "3", "Enter"])
    (rating,) = ratings(store)
    assert rating.scores == {"comprehensiveness": 3}


def test_the_mouse_does_what_keys_do(come, site, store):
    page = come(site)
    for name in CRITERIA:
        page.get_by_role("radiogroup", name=name).get_by_role("radio").nth(1).click()
    count(page, "1 of 4 rated")
    assert tuple(ratings(store)[0].scores.values()) == (1, 1, 1)
    page.locator("#undo").click()
    count(page, "0 of 4 rated")


def test_a_held_key_grades_once(come, site, store):
    page = come(site)
    for _ in range(8):
        page.keyboard.down("2")  # without a release, all but the first are repeats
    page.keyboard.up("2")
    assert page.locator(".score").all_inner_texts() == ["2", "", ""]
    assert ratings(store) == []


def test_the_rubric_with_worked_examples_is_one_key_away(come, site):
    page = come(site)
    press(page, "r")
    rubric = page.locator("#rubric")
    assert "Everything it says about the question is right." in rubric.inner_text()
    assert "What does recall measure in ROUGE-N?" in rubric.inner_text()
    press(page, "2")
    assert page.locator(".score").all_inner_texts() == ["", "", ""]
    press(page, "r?")
    assert not rubric.is_visible()
    assert "the score on the marked criterion" in page.locator("#help").inner_text()


def test_eleven_levels_have_a_key_each(come, store):
    criteria = {name: tuple(range(11)) for name in CRITERIA}
    with serving(store, begin(store, rubric="docs_qa_0_10", criteria=criteria)) as guard:
        page = come(guard)
        press(page, "x07")
    assert tuple(ratings(store)[0].scores.values()) == (10, 0, 7)


def test_pairs_are_chosen_by_place_and_kept_by_candidate(come, store):
    with serving(store, begin(store, 6, mode="pairs")) as guard:
        page = come(guard)
        wanted = {}
        for key, place in (("1", 0), ("ArrowLeft", 0), ("2", 1), ("ArrowRight", 1), ("0", None), ("1", 0)):
            texts = page.locator("#answers .text").all_inner_texts()
            better = None if place is None else texts[place]
            wanted[shown(page)] = "tie" if better is None else "left" if "one" in better else "right"
            press(page, [key])
        page.get_by_text("All 6 are rated").wait_for()
        found = {question_of(store, r): r.winner for r in ratings(store)}
        attention = f"What is question {len(wanted) - 1}?"
        assert {q: w for q, w in found.items() if q != attention} == {q: w for q, w in wanted.items() if q != attention}
        press(page, "u")
        assert len(ratings(store)) == 5


def test_several_raters_work_at_once_and_see_nothing_of_each_other(come, site, store):
    ann, ben = come(site, "ann"), come(site, "ben")
    press(ann, "222")
    press(ben, "111333")
    count(ann, "1 of 4 rated")
    count(ben, "2 of 4 rated")
    ann.locator("#who").click()
    ann.get_by_role("button", name="ben", exact=True).click()
    count(ann, "2 of 4 rated")
    assert sorted(r.rater for r in ratings(store)) == ["ann", "ben", "ben"]


def test_the_page_knows_no_names_and_no_grades(come, site):
    page = come(site)
    heard = [page.content()]
    page.on("response", lambda response: heard.append(response.text()))
    press(page, "222" * 4)
    page.get_by_text("All 4 are rated").wait_for()
    assert [secret for secret in SECRETS if secret in "".join(heard)] == []


def test_time_is_measured_and_stops_while_the_page_is_out_of_sight(come, site, store):
    page = come(site)
    away = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    away += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.wait_for_timeout(300)
    page.evaluate(away, True)
    page.wait_for_timeout(3000)
    page.evaluate(away, False)
    press(page, "222")
    assert 0.3 <= ratings(store)[0].seconds < 3.0


def test_hostile_answers_are_shown_as_text_and_never_run(come, store):
    n = len(HOSTILE)
    review = begin(store, n + 1, said=lambda who, number: HOSTILE[number % n])
    with serving(store, review) as guard:
        page = come(guard)
        seen = []
        for number in range(n + 1):
            for plain in (True, False):
                press(page, "p")
                answer = page.locator("#answers .text")
                assert page.locator("main").locator("#material").locator(TAGS).count() == 0
                if plain:
                    seen.append(answer.inner_text())
                else:
                    assert answer.inner_text().strip()
            if number < n:
                press(page, "j")
        assert page.evaluate("window.pwned") is None
        assert set(seen) == set(HOSTILE)
        press(page, "n")
        page.keyboard.type(HOSTILE[1])
        press(page, ["Escape", "0", "0", "0", "k"])
        assert page.evaluate("window.pwned") is None


def test_injected_markup_could_not_run_either(come, site):
    page = come(site)
    page.evaluate(
        "() => { for (const html of ['<img src=x onerror=\"window.pwned=1\">', '<script>window.pwned=1</' + 'script>'])"
        " try { document.body.insertAdjacentHTML('beforeend', html); } catch (error) { window.refused = true; } }"
    )
    page.evaluate(
        "() => { const s = document.createElement('script');"
        " try { s.text = 'window.pwned = 1'; document.body.append(s); } catch (error) { window.refused = true; } }"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.refused") is True
    assert page.evaluate("window.pwned") is None
    come.troubles.clear()  # the browser's reports of what it refused


MARKDOWN = """# Title

A **bold** and *slanted* word, `code < 1`, snake_case_name, 2 * 3 * 4, [link](https://example.org/a_b_c), \\*stars\\*.

- one
- two
  1. deep
  2. deeper

> quoted

```python
x = "**not bold**"
```

~~~
never closed"""


def test_markdown_becomes_elements_and_plain_text_is_one_key_away(come, store):
    with serving(store, begin(store, said=lambda who, number: MARKDOWN)) as guard:
        page = come(guard)
        answer = page.locator("#answers .text")
        counts = {tag: answer.locator(tag).count() for tag in ("h3", "strong", "em", "li", "ol", "blockquote", "pre")}
        assert counts == {"h3": 1, "strong": 1, "em": 1, "li": 4, "ol": 1, "blockquote": 1, "pre": 2}
        text = answer.inner_text()
        for part in ("snake_case_name, 2 * 3 * 4", "link (https://example.org/a_b_c)", "*stars*", 'x = "**not bold**"'):
            assert part in text
        assert answer.locator("code").first.inner_text() == "code < 1"
        press(page, "p")
        assert answer.inner_text() == MARKDOWN


@pytest.mark.parametrize(
    "piece", ["*a ", "**", "_a", "[", "![a](", "`", "> ", "- ", "  - a\n", "```\n", "\n\n", "|\n", "#"]
)
def test_endless_answers_do_not_hold_up_the_page(come, store, piece):
    endless = piece * (100_000 // len(piece)) + "end"
    with serving(store, begin(store, 1, said=lambda who, number: endless)) as guard:
        page = come(guard)
        assert page.locator("#answers .text").inner_text().endswith("end")
        press(page, "p")
        assert page.locator("#answers .text").inner_text() == endless


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("mode", ["grade", "pairs"])
def test_the_page_never_scrolls_sideways(come, store, width, mode):
    wide = "x" * 500 + "\n\n```\n" + "y" * 500 + "\n```\n\n| " + "z" * 500 + " |"
    with serving(store, begin(store, said=lambda who, number: wide, mode=mode)) as guard:
        page = come(guard, viewport={"width": width, "height": 800}, color_scheme="dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        press(page, "r")
        assert page.evaluate(
            "document.getElementById('rubric').scrollWidth <= document.getElementById('rubric').clientWidth"
        )


def test_without_the_token_the_page_says_what_to_open(come, site):
    page = come(site, rater="")
    stranger = page.context.browser.new_context()
    other = stranger.new_page()
    other.goto(f"http://127.0.0.1:{site.port}/#wrong")
    other.get_by_text("earlier start").wait_for()
    assert other.locator("#tools").is_hidden()
    stranger.close()
    assert page.url == f"http://127.0.0.1:{site.port}/"  # the token does not stay in the address


def test_after_a_kill_the_unsaved_rating_is_sent_and_the_rater_goes_on(come, store, tmp_path):
    begin(store, 5)
    with started(tmp_path) as (process, first):
        page = come(first)
        press(page, "111222")
        kept = {(r.item, tuple(r.scores.values())) for r in ratings(store)}
        process.kill()
        process.wait(10)
        unsaved = shown(page)
        for key in "330":
            page.keyboard.press(key)
        page.get_by_text("The server does not answer. Your rating is kept here").wait_for()
        assert page.locator(".score").all_inner_texts() == ["3", "3", "0"]
        assert {(r.item, tuple(r.scores.values())) for r in ratings(store)} == kept
    with started(tmp_path, first.port) as (_, second):
        page.get_by_text("Open the address that it printed").wait_for()
        page.goto(second.address)  # only what stands behind # differs: nothing is loaded anew
        count(page, "3 of 5 rated")
        page.locator("#banner").wait_for(state="hidden")
        assert page.locator("#place").inner_text() == "Item 4 of 5"
        again = come(second)
        assert again.locator("#place").inner_text() == "Item 4 of 5"
    last = ratings(store)[-1]
    assert (question_of(store, last), tuple(last.scores.values())) == (unsaved, (3, 3, 0))
    come.troubles.clear()  # the browser's reports of the server that was gone


def test_an_answer_that_changed_meanwhile_is_not_rated(come, site, store):
    from markscheme.harness.store.schema import answers

    page = come(site)
    with store.writing() as connection:
        connection.execute(answers.update().where(answers.c.candidate == CANDIDATES[0]).values(text="another one"))
    page.reload()
    for _ in range(4):
        if page.locator(".stale").count():
            break
        press(page, "j")
    press(page, "222")
    assert ratings(store) == []
    assert "cannot be rated" in page.locator(".stale").inner_text()
