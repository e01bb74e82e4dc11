"""The page of a load test: verdict, caveats, figures, and that names are only text."""

import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markscheme.harness.records import Estimate
from markscheme.harness.serving.records import ServerUse
from markscheme.harness.timing import ALIASES
from markscheme.reports.serving.cells import cells
from markscheme.reports.serving.html import drawings, render_html
from markscheme.reports.serving.markdown import render_markdown
from markscheme.reports.serving.report import build
from markscheme.reports.serving.said import saturation
from serving_loads import bench, load, loads

GOLDEN = Path(__file__).parent / "golden" / "serving.md"
STATED = {"slo": {"ttft_s": 1.0, "gap_s": None}, "limits": {"ttft_p95_s": 1.0, "gap_p95_s": 0.1}}
SERVER = ServerUse("bench", "mini", ("vllm", "serve", "mini"), (0, 1), 3.6, 100.0, 172.0, 900.0, "mini.log")


def whole():
    """Two numbers of contexts in a closed loop, an open loop over capacity, failures, a server that was started."""
    given = loads((1, 4, 16), contexts=(0, 3)) + loads((14,), shape="poisson", n=240, fail=0.02)
    quality = {("mini", 0): Estimate(1.9, 1.8, 2.0, 60, "t"), ("mini", 3): Estimate(2.6, 2.5, 2.7, 60, "t")}
    config = {"serving": STATED, "candidates": [{"name": "mini", "usd_per_gpu_hour": 1.99}]}
    return build(bench(**config), given, [SERVER], quality)


def text(line) -> str:
    return "".join(span.text for span in line)


def caveats(report) -> str:
    return "\n".join(text(one) for one in report.caveats)


def test_the_whole_page_as_markdown():
    found = render_markdown(whole())
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


def test_the_verdict_is_the_operating_point():
    assert text(whole().verdict).startswith("Run mini with 3 contexts, 4 users: a score of 2.60")
    assert "the most quality per dollar that keeps TTFT p95 ≤ 1 s and gap p95 ≤ 0.1 s" in text(whole().verdict)


def test_where_no_rate_is_known_the_verdict_is_the_first_token():
    unknown = [replace(one, window_s=0.0) for one in loads((4,))]
    assert text(build(bench(), unknown).verdict) == "mini takes 0.0504 s to the first token (p50) with 4 users."
    failed = [replace(one, window_s=0.0) for one in loads((4,), fail=0.9)]
    assert text(build(bench(), failed).verdict) == "mini failed more than half of its requests with 4 users."


def test_of_many_candidates_the_verdict_names_the_first_four():
    found = text(build(bench(), loads((1, 2), candidates=[f"c{n}" for n in range(7)])).verdict)
    assert found.startswith("c0 still gains")
    assert found.endswith("3 other candidates stand below.")
    assert "c4" not in found


def test_what_all_settings_share_is_said_once():
    found = build(bench(serving=STATED), loads((1, 2, 4, 8), contexts=(3,), output=48, lag_s=(0.2,) * 100))
    assert "3 contexts, 48 tokens out" in [text(fact.line) for fact in found.facts]
    assert text(found.verdict).startswith("Run mini with 4 users: ")
    page = render_html(found)
    assert (page.count("tokens out"), page.count("3 contexts")) == (1, 1)


def test_what_sets_settings_apart_is_in_their_labels_and_no_fact():
    given = [one for k, n in ((0, 48), (3, 48)) for one in loads((1, 4), contexts=(k,), output=n)]
    found = build(bench(serving=STATED), given)
    assert text(found.verdict).startswith("Run mini with 0 contexts, 4 users")
    assert "48 tokens out" in [text(fact.line) for fact in found.facts]
    assert not any("context" in text(fact.line) for fact in found.facts if "tokens out" in text(fact.line))
    assert not any("out" in text(fact.line) for fact in build(bench(), loads((1, 4))).facts)


def test_without_limits_the_verdict_is_what_saturates_where():
    assert text(build(bench(), loads()).verdict).startswith("mini levels off at 4 users")
    assert text(build(bench(), loads((1, 2))).verdict).startswith("mini still gains at 2 users")
    over = build(bench(), loads((4, 14), shape="poisson", n=240))
    assert text(over.verdict) == "mini is over capacity at 14/s Poisson: requests wait longer and longer."
    under = build(bench(), loads((2, 4), shape="constant"))
    assert text(under.verdict) == "mini keeps up with 4/s constant, the most that was asked of it."
    few = build(bench(), loads((2,), shape="constant", n=30))
    assert text(few.verdict).startswith("Whether mini keeps up with 2/s constant cannot be told: n too small: a trend")
    ramp = text(build(bench(), loads((4,), shape="ramp")).verdict)
    assert ramp.startswith("Whether mini keeps up with up to 4 users, one more a second cannot be told")
    assert text(build(bench(), []).verdict) == "Nothing was measured yet."


def test_a_setting_that_fails_is_not_chosen_for_the_gaps_of_the_rest():
    exam = bench(serving={"limits": {"gap_p95_s": 1.0}})
    found = text(build(exam, loads((1, 4), fail=0.3)).verdict)
    assert found == "More than 5 % of the requests to mini failed in every setting."


def test_a_choice_without_intervals_says_that_nothing_can_be_told_apart():
    exam = bench(serving={"limits": {"ttft_p95_s": 1.0}})
    sure = " ".join(text(line) for line in build(exam, loads((1, 4))).caveats)
    assert "no other setting can be told" not in sure
    found = " ".join(text(line) for line in build(exam, loads((1, 4), repeats=1, n=60)).caveats)
    assert "mini: requests per second has no interval, so no other setting can be told from the operating" in found
    assert "mini: its TTFT p95 has no interval, so that it keeps the limit is not shown." in found


def test_where_throughput_still_rises_a_little_more_users_are_not_said_to_only_wait():
    four, sixteen = cells(loads((4, 16)))
    slower = replace(four, requests_per_s=replace(four.requests_per_s, value=0.92 * sixteen.requests_per_s.value))
    assert next(saturation([slower, sixteen])).endswith(": more users gain 8.7 % at most.")


def test_limits_that_nothing_keeps_name_the_nearest():
    report = build(bench(serving={"limits": {"ttft_p95_s": 0.01}}), loads((1, 4)))
    assert re.search(
        r"No setting of mini keeps TTFT p95 ≤ 0\.01 s: its lowest TTFT p95 is 0\.05\d\d s", text(report.verdict)
    )


def test_what_is_so_of_all_settings_does_not_name_each():
    found = caveats(build(bench(), loads((1, 4), lag_s=(0.2,) * 100)))
    assert "The client may be what was slow: all settings; with mini, 1 user, its loop woke 200.0 ms late" in found
    assert "of mini, 4 users:" in caveats(build(bench(), loads((4,), repeats=2)))


def test_a_load_too_short_to_measure_anything_says_so():
    one = load()
    short = replace(one, requests=tuple(replace(o, phase="warm_up") for o in one.requests), window_s=0.0)
    found = build(bench(serving=STATED), [short])
    assert text(found.verdict) == "Nothing was measured."
    assert "Every request warmed up or cooled down, none was measured: mini, 4 users." in caveats(found)
    assert not any("was measured with" in text(fact.line) for fact in found.facts)
    assert text(build(bench(), []).verdict) == "Nothing was measured yet."


def test_where_nothing_is_chosen_nothing_is_said_of_how():
    dead = build(bench(serving=STATED), loads((1, 4), fail=1.0))
    assert text(dead.verdict) == "More than 5 % of the requests to mini failed in every setting."
    assert "the choice is by" not in caveats(dead)
    assert "the choice is by" in caveats(build(bench(serving=STATED), loads((1, 4))))


def test_caveats_name_what_is_wrong_and_are_silent_where_nothing_is():
    assert caveats(build(bench(), loads((4,), n=300))) == ""
    said = caveats(whole())
    assert "Over capacity, a mean latency says nothing there: mini, 14/s Poisson." in said
    assert re.search(r"\d+ of [\d,]+ requests failed", said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (loads((4,), repeats=1), "Fewer than 3 repeats of mini, 4 users"),
        (loads((4,), n=60), "n too small for an interval of p99: mini, 4 users."),
        (loads((4,), client_cpu_s=1000.0), "The client may be what was slow: mini, 4 users; there it used "),
        (
            loads((4,), origin="guidellm"),
            "Read from files of guidellm, not measured here: it keeps no gaps between chunks",
        ),
    ],
)
def test_each_weakness_has_its_caveat(given, said):
    assert said in caveats(build(bench(), given))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"capped": True}, "A cap on requests in flight held some back"),
        ({"cached_tokens": 200}, "Up to 50 % of prompt tokens came from the server's cache: mini, 4 users."),
        ({"usage_estimated": True}, "The server did not count tokens"),
        ({"scheduled_s": 0.0}, "Requests were sent late: read scheduled latency"),
    ],
)
def test_what_requests_went_through_has_its_caveat(change, said):
    given = [replace(one, requests=tuple(replace(r, **change) for r in one.requests)) for one in loads((4,))]
    assert said in caveats(build(bench(), given))


def test_declared_cached_prompts_are_said():
    assert "Prompts were cached" in caveats(build(bench(serving={"prompts": "cached"}), loads((4,))))


def test_start_up_is_a_line_of_its_own_in_time_and_money():
    (start,) = whole().starts
    assert (start.startup_s, start.held_s) == (72.0, 800.0)
    assert start.startup_usd == pytest.approx(72 / 3600 * 3.6 * 2)
    assert start.held_usd == pytest.approx(800 / 3600 * 3.6 * 2)
    unpriced = build(bench(), loads((1,)), [replace(SERVER, usd_per_gpu_hour=None, stopped_at=None)]).starts[0]
    assert (unpriced.startup_usd, unpriced.held_s, unpriced.held_usd) == (None, None, None)


def test_an_endless_percentile_is_shown_as_such():
    report = build(bench(), loads((4,), fail=0.2))
    assert "∞" in render_html(report)
    assert not re.search(r"\binf\b|\bnan\b", render_html(report) + render_markdown(report))


def test_names_and_failures_are_only_text():
    name = "</td><script>alert(1)</script>|*x*"
    report = build(bench(), loads((1, 4, 8), candidates=(name, "b"), fail=0.1))
    html, markdown = render_html(report), render_markdown(report)
    assert "<script" not in html
    assert r"\<script\>" in markdown
    for drawing in drawings(report.cells):
        assert ElementTree.fromstring(drawing.svg) is not None


def test_the_page_needs_no_network_and_is_the_same_each_time():
    assert render_html(whole()) == render_html(whole())
    assert not re.search(r"(?:src|href)=", render_html(whole()))
    assert "prefers-color-scheme: dark" in render_html(whole())


def test_every_name_of_the_other_tools_is_on_the_page():
    html = render_html(whole())
    for alias in ALIASES:
        assert all(name.replace("`", "") in html.replace("&#39;", "'") for name in (alias.vllm, alias.aiperf))


def test_figures_are_drawn_of_what_there_is():
    assert [d.title for d in drawings(whole().cells)] == [
        "Time to first token",
        "Time between two chunks",
        "Throughput",
        "Latency against throughput",
        "Cost per 1,000 answers",
    ]
    unpriced = drawings(build(bench(), loads((1, 4, 16))).cells)
    assert "Cost per 1,000 answers" not in [d.title for d in unpriced]
    assert drawings(()) == []


def test_the_knee_is_ringed_once_a_curve():
    drawn = {d.title: d.svg for d in drawings(build(bench(), loads((1, 2, 4, 8, 16), contexts=(0, 3))).cells)}
    assert drawn["Latency against throughput"].count('class="ring"') == 2
    assert drawn["Throughput"].count('class="ring"') == 0


def test_boxes_stand_on_a_logarithmic_axis():
    drawn = {d.title: d.svg for d in drawings(build(bench(), loads((1, 4, 16))).cells)}["Time to first token"]
    ticks = re.findall(r'class="tick end" x="45" y="([\d.]+)">([\d.]+)<', drawn)
    places = {float(value): float(y) for y, value in ticks}
    assert places[0.1] - places[0.2] == pytest.approx(places[0.5] - places[1.0], abs=0.3)


def test_a_box_of_failures_reaches_the_end_of_the_axis():
    drawn = drawings(build(bench(), [load("mini", "closed", 4, fail=0.3), load("mini", "closed", 1)]).cells)
    assert "p95 ∞ s" in drawn[0].svg
    assert "inf" not in drawn[0].svg


def test_one_setting_has_boxes_and_no_curve():
    assert [d.title for d in drawings(build(bench(), loads((4,))).cells)] == [
        "Time to first token",
        "Time between two chunks",
    ]


def test_the_guide_holds_the_whole_table_of_names():
    page = (Path(__file__).parents[2] / "docs" / "guide" / "latency.md").read_text(encoding="utf-8")
    rows = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in page.splitlines() if row.startswith("|")]
    for a in ALIASES:
        assert [a.name, a.meaning, *(name or "–" for name in (a.vllm, a.guidellm, a.aiperf))] in rows
