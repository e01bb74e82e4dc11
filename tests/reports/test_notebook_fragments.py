"""What a notebook shows of a result: everything escaped, nothing that runs, of bounded size, light or dark."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import gating
import numpy as np
import pytest
from markscheme.harness.probing import Finding, Limit, Probe, Probing
from markscheme.harness.records import Estimate
from markscheme.reports.html import asset
from markscheme.reports.notebook.fragment import MOST_LETTERS, MOST_ROWS, Mark, fragment, table
from markscheme.reports.notebook.judging import probing_html
from markscheme.reports.notebook.outputs import output_html, prompt_html
from markscheme.reports.notebook.overview import (
    criteria_figure,
    latency_figure,
    overview,
    quality_figure,
    run_html,
)
from markscheme.reports.notebook.regression import compared_html, gate_html
from markscheme.reports.notebook.samples import sample_of, worst_answers
from markscheme.reports.regression.compare import Options, compared
from markscheme.reports.regression.gate_records import GateLine, GateResult
from regressions import run
from synthetic import HOSTILE, Candidate, Judge, build
from test_contrast import contrast

ALLOWED = {
    "div", "style", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "dl", "dt", "dd",
    "svg", "g", "path", "rect", "circle", "text", "title",
}  # fmt: skip


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html.partition("</style>")[2]))


def rows(html: str) -> list[str]:
    return re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)


class Elements(HTMLParser):
    """Names of all elements and attributes, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def safe(html: str) -> None:
    """Only elements of ours, none with an address or a handler, and no text that became markup."""
    found = Elements()
    found.feed(html)
    assert found.tags <= ALLOWED
    assert {name for name in found.attributes if name.startswith("on") or name in ("href", "src", "style")} == set()


def hostile_run() -> Any:
    return build(
        candidates=(Candidate(HOSTILE[0], 2.0), Candidate("b" * 400, 1.0)), judges=(Judge(HOSTILE[1]),), hostile=True
    )


def two_runs() -> Any:
    rng = np.random.default_rng(1)
    old = run("old", {"mini": np.clip(rng.integers(1, 4, 60), 0, 3)})
    new = run("new", {"mini": np.clip(rng.integers(0, 3, 60), 0, 3)})
    return compared(new, [old], Options())


def test_a_run_shows_the_verdict_the_leaderboard_and_its_figures():
    html = run_html(overview(build(measures=("token_f1",))))
    said = words(html)
    assert "large and small cannot be told apart" in " ".join(said.split())
    assert len(rows(html)) == 3 + 3  # both tables with their head
    assert html.count("<svg") == 1 + 3
    assert "p50 s" in said and "USD per 1,000" in said and "token_f1" in said
    safe(html)


def test_a_run_without_grades_says_so():
    html = run_html(overview(replace(data := build(), grades=data.grades.iloc[:0])))
    assert "No answer has been graded yet" in words(html)


def test_missing_answers_are_counted_beside_the_mean():
    data = build(candidates=(Candidate("large", failures=("timeout",) * 3), Candidate("small")))
    assert "3 missing" in words(run_html(overview(data)))


def test_names_and_answers_are_never_markup():
    data = hostile_run()
    found = overview(data)
    for html in (
        run_html(found),
        quality_figure(found).html,
        criteria_figure(found).html,
        latency_figure(found).html,
        sample_of(data, data.samples["sample_id"][0])._repr_html_(),
        output_html(HOSTILE[0], {HOSTILE[1]: HOSTILE[0], "rows": [{HOSTILE[0]: HOSTILE[1]}]}),
        prompt_html(HOSTILE[0], [(HOSTILE[1], HOSTILE[0])]),
    ):
        safe(html)
        assert "window.pwned" in words(html) or "gnp.exe" in words(html)


def test_a_table_of_many_rows_shows_the_first_and_counts_the_rest():
    html = fragment(table(["name", "n"], ([f"row {i}", str(i)] for i in range(1000))))
    assert len(rows(html)) == 1 + MOST_ROWS
    assert "and 970 more rows" in words(html)


def test_a_long_text_is_cut_in_a_table():
    html = fragment(table(["said"], [["x" * 5000]]))
    assert words(html).count("x") == MOST_LETTERS - 1
    assert "…" in html


def test_a_large_run_makes_a_small_fragment():
    data = build(candidates=tuple(Candidate(f"candidate-{i}") for i in range(60)), n=10)
    html = run_html(overview(data))
    assert len(html) < 60_000
    assert "and 30 more rows" in words(html)


def test_a_comparison_shows_every_difference_and_marks_what_got_worse():
    found = two_runs()
    html = compared_html(found)
    assert len(rows(html)) == 1 + len(found.differences)
    assert '<td class="worse">' in html
    assert "mini is worse" in words(html)
    assert html.count('class="forest"') >= 1
    assert found._repr_html_() == html
    assert repr(found).startswith("Compared: run new against old")
    safe(html)


def test_a_gate_shows_the_worst_line_first():
    good, bad = gating.difference(0.0), gating.difference(-0.4, candidate="maxi")
    lines = tuple(
        GateLine(one.subject, verdict, one, gating_gain(one), 0.01, 0.1, 0.05)
        for one, verdict in ((good, "pass"), (bad, "regression"))
    )
    found = GateResult("new", ("old",), "regression", 1, lines, notes=(HOSTILE[0],))
    html = gate_html(found)
    shown = rows(html)
    assert "REGRESSION" in shown[1] and 'class="worse word"' in shown[1]
    assert "PASS" in shown[2] and 'class="better word"' in shown[2]
    assert repr(found).startswith("Gate: REGRESSION (2 lines")
    safe(html)


def gating_gain(one: Any) -> Any:
    from markscheme.reports.regression.gate import gain_of

    return gain_of(one)


def test_probes_show_their_verdicts_and_those_that_were_not_run():
    finding = Finding("flips", Estimate(0.4, 0.3, 0.5, 50, "Wilson"), Limit(None, 0.1), "items")
    probes = (Probe("P2", "test-retest", "j", (finding,)), Probe("P5", "verbosity", "j", why="nobody answered"))
    html = probing_html(Probing("run-1", "exam", "j", "2026-11-21", probes))
    assert [re.sub(r"<[^>]+>", "|", row).strip("|").split("||")[-1] for row in rows(html)[1:]] == ["fail", "not run"]
    assert "Nobody answered." in words(html)


def test_outputs_become_tables_with_intervals_and_without_what_is_absent():
    estimate = {"value": 2.0, "low": 1.5, "high": 2.5, "n": 10, "method": "t"}
    html = output_html("Plan", {"run": None, "usd": 1.5, "rows": [{"name": "a", "mean": estimate, "why": ""}]})
    assert words(html).split() == ["Plan", "usd", "1.5", "rows", "name", "mean", "a", "2.00", "[1.50,", "2.50]"]


def test_the_worst_answers_come_first_and_absent_scores_are_no_scores():
    data = build(candidates=(Candidate("large", unscored=("unparsable",) * 5), Candidate("small", 1.0)))
    low = worst_answers(data, overview(data), 6)
    assert len(low) == 6
    assert low["value"].is_monotonic_increasing and low["value"].notna().all()
    known = data.grades[(data.grades["judge"] == "strict") & (data.grades["status"] == "scored")]
    assert low["value"].iloc[0] >= known["score"].min()


def test_the_style_sheet_reaches_nothing_else_of_the_notebook():
    style = re.sub(r"/\*.*?\*/", "", asset("notebook.css"), flags=re.DOTALL)
    selectors = [one.strip() for block in re.findall(r"([^{}]+)\{", style) for one in block.split(",")]
    assert selectors
    assert [one for one in selectors if not one.startswith(".markscheme")] == []
    assert "url(" not in style and "@import" not in style


def mixed(name: str, ink: str) -> str:
    """A colour of the style sheet where the notebook writes in ``ink``."""
    found = re.search(rf"--{name}: color-mix\(in srgb, (#\w+) (\d+)%, currentColor\)", asset("notebook.css"))
    assert found, name
    share = int(found[2]) / 100
    pairs = ((int(found[1][i : i + 2], 16), int(ink[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize(("ink", "ground"), [("#000000", "#ffffff"), ("#e0e0e0", "#111111"), ("#cccccc", "#1f1f1f")])
@pytest.mark.parametrize("name", ["good", "bad", "warn", "accent"])
def test_marked_words_can_be_read_in_light_and_dark_notebooks(name, ink, ground):
    assert contrast(mixed(name, ink), ground) >= 4.5


@pytest.mark.browser
@pytest.mark.parametrize(("ink", "ground"), [("rgb(0, 0, 0)", "#fff"), ("rgb(220, 220, 220)", "#111")])
def test_chromium_shows_a_run_in_the_notebooks_own_colours(tmp_path, ink: str, ground: str):
    if shutil.which("chromium") is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    path, troubles = tmp_path / "cell.html", []
    html = run_html(overview(hostile_run()))
    outside = '<p id="outside">mine</p><table><tr><td id="cell">mine</td></tr></table>'
    path.write_text(f'<body style="color: {ink}; background: {ground}">{outside}{html}</body>', encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda request: troubles.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        colour = "element => getComputedStyle(element).color"
        assert page.locator(".markscheme tbody td").first.evaluate(colour) == ink
        assert page.locator("#cell").evaluate("e => getComputedStyle(e).borderBottomWidth") == "0px"
        assert page.locator(".markscheme svg .name").first.evaluate("e => getComputedStyle(e).fill") == ink
        assert page.evaluate("window.pwned") is None
        browser.close()
    assert troubles == []


def test_a_cell_with_a_mark_is_escaped_too():
    assert "&lt;b&gt;" in table(["x"], [[Mark("<b>", "warn")]])
