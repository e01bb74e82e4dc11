"""The pages: the same bytes for the same data, one file, and nothing that a model wrote is markup."""

import base64
import hashlib
import json
import os
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markscheme.reports.html import embedded_json, packed, render_html
from markscheme.reports.markdown import escape, render_markdown
from markscheme.reports.report import build_report
from synthetic import HOSTILE, Candidate, Judge, build

GOLDEN = Path(__file__).parent / "golden"


def troubled(**changes):
    candidates = (
        Candidate("large", 2.6, 6.0, 0.0124, "openai/gpt-4o", failures=("rate_limited", "never")),
        Candidate("small", 1.9, 0.3, 0.00054, "vllm/small", failures=("timeout",) * 2, unscored=("unparsable",) * 3),
        Candidate("unpriced", 2.1, 0.4, None, "vllm/other", reused=15),
        Candidate("floor", 1.0, None, 0.0, "baseline/extractive", stream=False),
    )
    judges = (Judge("strict"), Judge("second", "anthropic/claude", usd=None, scale=(1, 5)))
    exam = {"n": 40, "candidates": candidates, "judges": judges, "measures": ("exact_match", "token_f1")}
    return build(**{**exam, **changes})


def compare_with_golden(name, text):
    path = GOLDEN / name
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"set WRITE_GOLDEN=1 to accept the new {name}"


class Outline(HTMLParser):
    """Tags with their classes and the words between them, a line each; not the data, the style and the script."""

    def __init__(self):
        super().__init__()
        self.lines, self.depth, self.silent = [], 0, False

    def handle_starttag(self, tag, attrs):
        kind = "".join(f".{c}" for c in dict(attrs).get("class", "").split())
        self.silent = tag in ("style", "script")
        self.lines.append(f"{'  ' * self.depth}{tag}{kind}")
        self.depth += tag not in ("meta", "input", "br", "path", "rect", "circle")

    def handle_startendtag(self, tag, attrs):
        self.lines.append(f"{'  ' * self.depth}{tag}")

    def handle_endtag(self, tag):
        self.depth -= 1

    def handle_data(self, data):
        if data.strip() and not self.silent:
            self.lines.append(f"{'  ' * self.depth}| {' '.join(data.split())}")


def outline(page):
    parser = Outline()
    parser.feed(page)
    return "\n".join(parser.lines) + "\n"


def test_markdown_is_as_agreed():
    compare_with_golden("report.md", render_markdown(build_report(troubled())))


def test_html_structure_is_as_agreed():
    candidates = (Candidate("large", 2.6, 6.0, 0.0124, failures=("timeout",)), Candidate("floor", 1.0, None, 0.0))
    report = build_report(build(n=10, candidates=candidates, measures=("exact_match",)))
    compare_with_golden("report.outline.txt", outline(render_html(report)))


def test_the_same_data_gives_the_same_bytes():
    pages = [(render_html(r), render_markdown(r)) for r in (build_report(troubled()), build_report(troubled()))]
    assert pages[0] == pages[1]


def test_the_page_allows_its_own_style_and_script_by_hash_and_nothing_else():
    page = render_html(build_report(troubled()))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1].replace("&#39;", "'")
    style, script = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1] for tag in ("style", "script"))
    )
    assert policy == (
        f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
    )


def test_the_page_asks_for_nothing_from_outside():
    page = render_html(build_report(troubled()))
    assert not re.search(r"""\b(?:src|href(?!="#)|action|poster)\s*=|@import|url\(|fetch\(|https?://""", page)
    assert not re.search(r"\sstyle=", page), "the policy blocks style attributes"


def data_of(page):
    block = re.search(r'<script type="application/octet-stream" id="data">(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(zlib.decompress(base64.b64decode(block, validate=True)))


def test_hostile_answers_and_reasonings_stay_in_the_packed_data_and_are_no_markup():
    page = render_html(build_report(troubled(hostile=True)))
    assert page.count("<script") == 2
    assert "onerror='window" not in page
    texts = [answer.get("text", "") for answer in data_of(page)["answers"]]
    assert any(text.startswith(HOSTILE[0]) for text in texts)
    assert any(text.startswith(HOSTILE[1]) for text in texts)


@pytest.mark.parametrize("text", ["</script>", "a\u2028b", "\x00\ud7ff", "<" * 100_000])
def test_packed_data_has_no_character_of_markup_and_reads_back(text):
    found = packed({"text": text})
    assert re.fullmatch("[A-Za-z0-9+/=]+", found)
    assert json.loads(zlib.decompress(base64.b64decode(found))) == {"text": text}


def test_hostile_names_are_escaped_in_both_pages():
    name = "<img src=x onerror=alert(1)>|`*_"
    report = build_report(troubled(candidates=(Candidate(name), Candidate("b"))))
    page = render_html(report)
    assert "<img" not in page
    assert "&lt;img src=x" in page
    text = render_markdown(report)
    assert not re.search(r"(?<!\\)<img", text)
    assert r"\<img src=x onerror=alert(1)\>\|\`\*\_" in text


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "a\u2028b\u2029c", '"&quot;\\', "\x00\ud7ff"])
def test_embedded_json_reads_back_and_cannot_close_its_element(text):
    found = embedded_json({"text": text})
    assert json.loads(found)["text"] == text
    assert not re.search("[<>&\u2028\u2029]", found)


def test_markdown_text_stays_on_one_line_and_is_no_markup():
    assert escape("a|b\n# c *d* <e> `f`") == r"a\|b \# c \*d\* \<e\> \`f\`"


def test_every_exam_renders():
    exams = (
        {"n": 1, "candidates": (Candidate("one"),)},
        {"n": 5, "judges": ()},
        {"n": 5, "judges": (), "measures": ("refusal",)},
        {"n": 5, "judges": (Judge(criteria=(("faithfulness", 1.0),), model="embedded"),)},
        {"n": 5, "candidates": (Candidate("dead", failures=("timeout",) * 5),)},
        {"n": 5, "candidates": (Candidate("unborn", failures=("never",) * 5),)},
        {"n": 5, "candidates": (Candidate("free", usd=0.0, latency_s=None, model="baseline/lead"),)},
        {"n": 5, "config": {"judges": [], "candidates": [], "dataset": None}},
        {"n": 5, "candidates": tuple(Candidate(f"c{i}") for i in range(30))},
    )
    for exam in exams:
        report = build_report(build(**exam))
        assert "<main>" in render_html(report)
        assert render_markdown(report).startswith("# ")
