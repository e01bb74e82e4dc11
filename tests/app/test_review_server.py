"""The review page's server: who is let in, what raters are told, and that nothing they said is lost."""

from __future__ import annotations

import json
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from markscheme.app.review.guard import Guard
from markscheme.app.review.page import render_page
from markscheme.app.review.server import Serving, serve_review
from markscheme.harness.errors import InputError
from markscheme.harness.review.orders import order_for
from markscheme.harness.review.records import Rating
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.schema import answers, labels
from markscheme.harness.store.store import Store
from review_site import CANDIDATES, CRITERIA, SECRETS, begin, rubric_of, serving, started

SCORES = dict.fromkeys(CRITERIA, 2)


@dataclass
class Browser:
    """Sends what a browser would and remembers every word that came back."""

    guard: Guard
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        origin = f"http://127.0.0.1:{self.guard.port}"
        self.headers = {"Origin": origin, "X-Markscheme": "review", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None, **changes: str | None) -> tuple[int, Any]:
        """Status and JSON; ``changes`` replace headers, or leave them out where they are None."""
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        with closing(HTTPConnection("127.0.0.1", self.guard.port, timeout=30)) as connection:
            connection.request(method, path, sent, {name: v for name, v in headers.items() if v is not None})
            response = connection.getresponse()
            text = response.read().decode()
        self.last = response.headers
        self.heard.append(text + str(response.headers))
        return response.status, json.loads(text) if "json" in self.last.get("Content-Type", "") else text

    def enter(self) -> Browser:
        status, _ = self.ask("POST", "/api/session", {"token": self.guard.token})
        assert status == 200
        self.headers["Cookie"] = self.last["Set-Cookie"].partition(";")[0]
        return self

    def items(self, rater: str) -> list[dict[str, Any]]:
        return self.ask("GET", f"/api/items?rater={rater}")[1]["items"]

    def item(self, rater: str, name: str) -> dict[str, Any]:
        return self.ask("GET", f"/api/item?rater={rater}&id={name}")[1]

    def rate(self, rater: str, name: str, **said: Any) -> tuple[int, Any]:
        return self.ask("POST", "/api/rating", {"rater": rater, "item": name, **said})


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def site(store):
    with serving(store, begin(store)) as guard:
        yield guard


@pytest.fixture
def browser(site):
    return Browser(site).enter()


def test_the_page_is_served_on_loopback_alone(site):
    assert Browser(site).ask("GET", "/")[0] == 200
    for other in ("127.0.0.2", "127.1.2.3"):  # a server on all addresses would answer there
        with pytest.raises(OSError), socket.create_connection((other, site.port), timeout=2):
            pass


def test_the_token_buys_a_cookie_that_scripts_and_other_sites_do_not_get(site):
    browser = Browser(site)
    assert site.token in site.address.partition("#")[2]
    assert browser.ask("POST", "/api/session", {"token": site.token}) == (200, {})
    cookie = browser.last["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    assert site.token not in cookie


def test_without_the_cookie_nothing_of_the_review_is_given(site):
    browser = Browser(site)
    place = {"rater": "ann", "item": "x000"}
    asked = [("GET", "/api/review"), ("GET", "/api/items?rater=ann"), ("GET", "/api/item?rater=ann&id=x000")]
    asked += [("POST", "/api/rating", {**place, "scores": SCORES}), ("POST", "/api/undo", place), ("GET", "/api/else")]
    for words in asked:
        assert browser.ask(*words)[0] == 401
        assert browser.ask(*words, Cookie=f"{site.cookie}=guess")[0] == 401
        assert browser.ask(*words, Cookie=f"{site.cookie}={site.token}")[0] == 401
    status, page = browser.ask("GET", "/")
    assert status == 200
    assert "blind-look" not in page
    assert "What is question" not in page


@pytest.mark.parametrize("token", ["", "guess", "gü\ud800ss".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_wrong_token_buys_nothing(site, token):
    status, said = Browser(site).ask("POST", "/api/session", {"token": token})
    assert status == 403
    assert "address" in said["error"]


def test_another_start_has_another_token_and_does_not_take_the_old_cookie(store):
    review = begin(store)
    with serving(store, review) as first:
        old = Browser(first).enter()
    with serving(store, review, port=first.port) as second:
        assert second.token != first.token
        browser = Browser(second)
        assert browser.ask("GET", "/api/review", Cookie=old.headers["Cookie"])[0] == 401
        assert browser.ask("POST", "/api/session", {"token": first.token})[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
def test_a_name_that_is_made_to_point_here_is_turned_away(browser, site, host):
    for path in ("/", "/api/review"):
        assert browser.ask("GET", path, Host=host.format(port=site.port))[0] == 403
    assert browser.ask("GET", "/api/review", Host=f"localhost:{site.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{port}"]
)
def test_a_request_from_another_page_changes_nothing(browser, site, store, origin):
    forged = None if origin is None else origin.format(port=site.port)
    body = {"rater": "ann", "item": browser.items("ann")[0]["id"], "scores": SCORES}
    assert browser.ask("POST", "/api/rating", body, Origin=forged)[0] == 403
    assert browser.ask("POST", "/api/undo", body, Origin=forged)[0] == 403
    assert Reviews(store).ratings(Reviews(store).find("latest")) == []


def test_what_a_form_can_send_changes_nothing(browser, store):
    body = {"rater": "ann", "item": browser.items("ann")[0]["id"], "scores": SCORES}
    assert browser.ask("POST", "/api/rating", body, X_Markscheme=None)[0] == 403
    assert browser.ask("POST", "/api/rating", body, X_Markscheme="else")[0] == 403
    assert browser.ask("POST", "/api/rating", body, Content_Type="text/plain")[0] == 415
    assert Reviews(store).ratings(Reviews(store).find("latest")) == []


def test_every_response_forbids_keeping_framing_and_guessing(browser):
    for words in [("GET", "/"), ("GET", "/api/review"), ("GET", "/none"), ("PUT", "/api/rating"), ("GET", "/api/item")]:
        browser.ask(*words)
        assert browser.last["Cache-Control"] == "no-store"
        assert browser.last["X-Content-Type-Options"] == "nosniff"
        assert browser.last["X-Frame-Options"] == "DENY"
        assert browser.last["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_page_may_run_its_own_script_alone_and_load_from_nowhere(browser):
    _, page = browser.ask("GET", "/")
    policy = browser.last["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy and "http" not in policy
    assert page.count("<script>") == page.count("<style>") == 1
    assert render_page() == (page, policy)
    for word in ("http://", "https://", "innerHTML", "insertAdjacent", "document.write", "eval("):
        assert word not in page


def test_a_rating_is_kept_with_its_labels_before_the_reply(browser, store):
    name = next(line["id"] for line in browser.items("ann") if line["id"] != "x003")
    assert browser.rate("ann", name, scores={**SCORES, "readability": 0}, note=" so so ", seconds=4.5)[0] == 200
    reviews = Reviews(store)
    (rating,) = reviews.ratings(reviews.find("latest"))
    assert (rating.item, rating.rater, rating.note, rating.seconds) == (name, "ann", "so so", 4.5)
    with store.reading() as connection:
        kept = {(row["criterion"], row["score"]) for row in connection.execute(labels.select()).mappings()}
    assert kept == {("correctness", 2.0), ("comprehensiveness", 2.0), ("readability", 0.0)}
    assert browser.item("ann", name)["given"]["scores"]["readability"] == 0
    assert browser.item("ben", name)["given"] is None


def test_a_note_is_kept_as_text_that_every_database_takes(browser, store):
    browser.rate("ann", browser.items("ann")[0]["id"], scores=SCORES, note="a\0b")
    (rating,) = Reviews(store).ratings(Reviews(store).find("latest"))
    assert rating.note == "a?b"


def test_undo_takes_the_rating_and_its_labels_away(browser, store):
    name = browser.items("ann")[0]["id"]
    browser.rate("ann", name, scores=SCORES)
    assert browser.ask("POST", "/api/undo", {"rater": "ann", "item": name})[0] == 200
    assert Reviews(store).ratings(Reviews(store).find("latest")) == []
    assert all(line["rated_at"] is None for line in browser.items("ann"))
    with store.reading() as connection:
        assert connection.execute(labels.select()).all() == []


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"scores": {"correctness": 4}}, "correctness 4 is none of the scores 0, 1, 2, 3"),
        ({"scores": {"correctness": 1.5}}, "scores.correctness"),
        ({"scores": {"correctness": True}}, "scores.correctness"),
        ({"scores": {"style": 1}}, "'style' is none of"),
        ({"scores": {}}, "no score"),
        ({"choice": "first"}, "score"),
        ({"scores": SCORES, "seconds": -1}, "seconds"),
        ({"scores": SCORES, "seconds": "NaN"}, "seconds"),
        ({"scores": SCORES, "note": "x" * 10_001}, "note"),
        ({"scores": SCORES, "round": 2}, "round"),
        ({"scores": SCORES, "rater": "zed"}, "'zed'"),
        ({"scores": SCORES, "rater": ""}, "rater"),
        ({"scores": SCORES, "item": "x999"}, "'x999'"),
    ],
)
def test_what_is_no_rating_is_refused_by_name_and_not_kept(browser, store, said, message):
    given = {"rater": "ann", "item": browser.items("ann")[0]["id"], **said}
    status, answer = browser.ask("POST", "/api/rating", given)
    assert status == 422
    assert message in answer["error"]
    assert Reviews(store).ratings(Reviews(store).find("latest")) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"note": "\\ud800"}', b"\xff"])
def test_a_broken_body_is_refused(browser, body):
    assert browser.ask("POST", "/api/rating", body)[0] == 422


def test_a_body_without_end_is_refused(browser):
    assert browser.ask("POST", "/api/rating", b"x" * 300_000)[0] == 413


def test_a_whole_session_tells_nobody_whose_answers_these_are(browser):
    browser.ask("GET", "/api/review")
    for rater in ("ann", "ben"):
        for line in browser.items(rater):
            browser.item(rater, line["id"])
            browser.rate(rater, line["id"], scores=SCORES)
            browser.item(rater, line["id"])
        browser.rate(rater, line["id"], scores={"correctness": 9})
        browser.rate(rater, "x999", scores=SCORES)
        browser.items(rater)
    assert [secret for secret in SECRETS if secret in "".join(browser.heard)] == []
    assert any("What is question 3?" in heard and "to 0." in heard for heard in browser.heard)  # the attention item


def test_a_session_of_pairs_tells_nobody_either_and_turns_half_of_them(store):
    review = begin(store, 12, mode="pairs")
    with serving(store, review) as guard:
        browser = Browser(guard).enter()
        assert browser.ask("GET", "/api/review")[1]["considerations"]
        firsts = {}
        for rater in ("ann", "ben"):
            for line in browser.items(rater):
                shown = browser.item(rater, line["id"])["answers"]
                firsts[rater, line["id"]] = "one" in shown[0]
                browser.rate(rater, line["id"], choice="first")
                assert browser.item(rater, line["id"])["given"]["choice"] == "first"
    assert [secret for secret in SECRETS if secret in "".join(browser.heard)] == []
    assert sum(firsts.values()) == len(firsts) / 2
    for rating in Reviews(store).ratings(review):
        assert rating.winner == ("left" if firsts[rating.rater, rating.item] else "right")


@pytest.mark.parametrize("said", [{}, {"choice": "left"}, {"choice": "tie", "scores": {"correctness": 1}}])
def test_a_pair_is_rated_by_a_choice(store, said):
    with serving(store, begin(store, mode="pairs")) as guard:
        browser = Browser(guard).enter()
        assert browser.rate("ann", browser.items("ann")[0]["id"], **said)[0] == 422


def test_raters_are_shown_what_the_rubric_shows_the_judge(store):
    review = begin(store, rubric="faithfulness", criteria={"faithfulness": (0, 1, 2, 3)})
    with serving(store, review) as guard:
        browser = Browser(guard).enter()
        shown = browser.item("ann", browser.items("ann")[0]["id"])
    assert shown["reference"] is None
    assert shown["context"] == []
    assert shown["passages"] == [["What the candidate was given."]]


def test_an_answer_that_has_changed_is_said_to_be_stale_and_not_shown(browser, store):
    with store.writing() as connection:
        connection.execute(answers.update().where(answers.c.candidate == CANDIDATES[0]).values(text="another one"))
    shown = [browser.item("ann", line["id"]) for line in browser.items("ann")]
    assert {item["stale"] for item in shown} == {"changed", ""}
    assert all(item["answers"] == [] for item in shown if item["stale"])


@pytest.mark.parametrize(
    ("change", "words"), [({"text": "another one"}, "not the one that was drawn"), ({"status": "failed"}, "is gone")]
)
def test_an_answer_that_has_changed_is_not_rated_even_past_the_page(browser, store, change, words):
    name = browser.items("ann")[0]["id"]
    assert browser.rate("ann", name, scores=SCORES, note="as drawn")[0] == 200
    with store.writing() as connection:
        connection.execute(answers.update().values(**change))
    status, said = browser.rate("ann", name, scores=dict.fromkeys(CRITERIA, 0))
    assert (status, words in said["error"]) == (422, True)
    assert not [secret for secret in CANDIDATES if secret in said["error"]]
    (kept,) = Reviews(store).ratings(Reviews(store).find("latest"))
    assert (kept.scores, kept.note) == (SCORES, "as drawn")
    assert browser.ask("POST", "/api/undo", {"rater": "ann", "item": name})[0] == 200


def test_a_second_round_is_for_the_chosen_items_and_whoever_comes(store):
    review = begin(store)
    reviews = Reviews(store)
    first, *_ = chosen = reviews.items(review)[:2]
    with serving(store, review, 2, chosen) as guard:
        browser = Browser(guard).enter()
        assert browser.ask("GET", "/api/review")[1]["new_raters"] is True
        assert [line["id"] for line in browser.items("carla")] == [item.id for item in chosen]
        assert browser.rate("carla", first.id, scores=SCORES)[0] == 200
        for name in ("<b>zed</b>", "a\nb", "\x1b[31mred", " ", "x" * 51):
            assert browser.rate(name, first.id, scores=SCORES)[0] == 422
    assert [(rating.rater, rating.round) for rating in reviews.ratings(review)] == [("carla", 2)]


def test_five_raters_at_once_lose_and_double_nothing(store):
    raters = tuple(f"rater{number}" for number in range(5))
    review = begin(store, 68, raters=raters, overlap=1.0)
    took: list[float] = []
    with serving(store, review) as guard:

        def work(rater: str) -> None:
            browser = Browser(guard).enter()
            for number, line in enumerate(browser.items(rater)):
                start = time.perf_counter()
                assert browser.rate(rater, line["id"], scores=dict.fromkeys(CRITERIA, number % 4))[0] == 200
                took.append(time.perf_counter() - start)

        together([lambda rater=rater: work(rater) for rater in raters])
    ratings = Reviews(store).ratings(review)
    assert len(ratings) == len({(rating.rater, rating.item) for rating in ratings}) == 5 * 68
    with store.reading() as connection:
        assert len(connection.execute(labels.select()).all()) == 5 * 67 * 3  # the attention item gives none
    print(f"5 raters at once: median {statistics.median(took):.3f} s, worst {max(took):.3f} s")


@pytest.mark.slow
def test_a_thousand_items_for_five_raters_are_kept_as_they_come(store, tmp_path):
    """The last hundred items of each, at ten a second, which no rater is up to; 2 cores should take below 100 ms."""
    raters = tuple(f"rater{number}" for number in range(5))
    review = begin(store, 1000, raters=raters, overlap=1.0)
    reviews = Reviews(store)
    for rater in raters:
        for item in order_for(review, reviews.items(review), rater)[:900]:
            reviews.rate(review, item, Rating(item.id, rater, SCORES, rated_at=time.time()))
    took: dict[str, list[float]] = {"list": [], "item": [], "rate": []}

    def timed(what: str, act: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = act()
        took[what].append(time.perf_counter() - start)
        return found

    def work(guard: Guard, rater: str) -> None:
        browser = Browser(guard).enter()
        for line in timed("list", lambda: browser.items(rater))[900:]:
            assert line["rated_at"] is None
            timed("item", lambda name=line["id"]: browser.item(rater, name))
            timed("rate", lambda name=line["id"]: browser.rate(rater, name, scores=SCORES))
            time.sleep(0.1)

    with started(tmp_path) as (_, guard):
        together([lambda rater=rater: work(guard, rater) for rater in raters])
    assert len({(rating.rater, rating.item) for rating in reviews.ratings(review)}) == 5 * 1000
    for what, seconds in took.items():
        tail = sorted(seconds)[int(0.99 * len(seconds))]
        print(f"{what}: median {statistics.median(seconds):.4f} s, 99% {tail:.4f} s, worst {max(seconds):.4f} s")


def together(jobs: list[Any]) -> None:
    """Run the jobs in threads; a failure of one fails the test."""
    failed: list[BaseException] = []

    def guarded(job: Any) -> None:
        try:
            job()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_kill_loses_no_rating_that_was_answered(store, tmp_path):
    review = begin(store, 30)
    with started(tmp_path) as (process, guard):
        browser = Browser(guard).enter()
        names = [line["id"] for line in browser.items("ann")]
        for name in names[:20]:
            assert browser.rate("ann", name, scores=SCORES)[0] == 200
        process.kill()
        process.wait(10)
    assert {rating.item for rating in Reviews(store).ratings(review)} == set(names[:20])
    with serving(store, review) as guard:
        again = Browser(guard).enter().items("ann")
    assert [line["id"] for line in again] == names
    assert [line["rated_at"] is not None for line in again] == [True] * 20 + [False] * (len(names) - 20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_well(store, tmp_path, number):
    begin(store)
    with started(tmp_path) as (process, guard):
        Browser(guard).enter()
        process.send_signal(number)
        assert process.wait(20) == 0


def test_a_port_that_is_taken_is_named_with_what_to_do(store):
    review = begin(store)
    with serving(store, review) as guard, pytest.raises(InputError, match=f"--port {guard.port}.*leave it out"):
        serve_review(store, review, rubric_of(store, review), Serving(guard.port), print)
