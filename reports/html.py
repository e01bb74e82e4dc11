"""A `Report` as one HTML file: no network, and nothing that a model wrote is ever markup.

Answers travel as deflated JSON in a data block and reach the page through `textContent` only. The policy in the page's
head allows the one style sheet and the one script by their hashes, so that injected markup could not run either.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from . import words
from .boards_html import board_sections, criteria_section
from .context_figures import context_figures
from .figures.bar import bar
from .figures.histogram import histogram
from .figures.latency import latency
from .figures.pareto import pareto
from .juries_html import jury_sections, repeats_section
from .operations import how_timed
from .pairwise_html import pairwise_sections
from .report import Histogram, Report
from .safety_html import safety_section
from .servers import servers_section
from .tools import tools_section

SCRIPTS = (
    "answers_data.js",
    "answers_words.js",
    "answers_list.js",
    "answers_open.js",
    "answers_sides.js",
    "answers.js",
)
"""Files of the page's one script, in order."""
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render_html(report: Report) -> str:
    """The page; the same report gives the same bytes."""
    style, script = asset("report.css") + asset("answers.css"), "".join(map(asset, SCRIPTS))
    templates = environment()
    return templates.from_string(asset("report.html.j2")).render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=policy(style, script),
        answers=packed(report.answers.payload),
        answers_words=report.answers.words,
        browser=Markup(asset("answers.html")),  # noqa: S704 - our own file
        figure=pareto(report.points, report.quality, report.quality_scale),
        boards=board_sections(report.boards, templates, asset("board.html.j2")),
        criteria=criteria_section(report.boards, templates, asset("criteria.html.j2")),
        trust=_trust(report, templates),
        latency=latency([(cost.candidate, cost.spread) for cost in report.costs]),
        timed=how_timed(report.costs),
        contexts=_contexts(report, templates),
        pairwise=pairwise_sections(report.pairwise, templates, asset("pairwise.html.j2")),
        juries=jury_sections(report.juries, templates, asset("juries.html.j2")),
        safety=safety_section(report.safety, templates, asset("safety.html.j2")),
        repeats=repeats_section(report.repeats, templates, asset("repeats.html.j2")),
        servers=servers_section(report.servers, templates, asset("servers.html.j2")),
        tools=tools_section(report.tools, templates, asset("tools.html.j2")),
        histograms=[(judge, _by_candidate(found)) for judge, found in report.histograms],
    )


def _trust(report: Report, templates: Environment) -> Markup:
    """What is known of the judges; nothing where there is none."""
    if not report.trust:
        return Markup("")
    return Markup(templates.from_string(asset("trust.html.j2")).render(found=report.trust))  # noqa: S704 - autoescaped


def _contexts(report: Report, templates: Environment) -> Markup:
    """The sections on retrieved passages; nothing where there are none."""
    found = report.contexts
    if found is None:
        return Markup("")
    page = templates.from_string(asset("contexts.html.j2")).render(contexts=found, figures=context_figures(found))
    return Markup(page)  # noqa: S704 - rendered with autoescape


def embedded_json(value: Any) -> Markup:
    """``value`` as JSON that no browser takes for markup, whatever stands in its texts."""
    text = orjson.dumps(value).decode()
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704 - nothing is left that could open a tag or an entity


def packed(value: Any) -> str:
    """``value`` as JSON, deflated (zlib) and in base64, which has no character of markup."""
    return base64.b64encode(zlib.compress(orjson.dumps(value), 6)).decode()


def policy(style: str, script: str) -> str:
    """The content security policy of a page with this one style sheet and this one script."""
    return (
        f"default-src 'none'; style-src '{source_hash(style)}'; script-src '{source_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def source_hash(text: str) -> str:
    """A style sheet or script of a page as its policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _by_candidate(found: tuple[Histogram, ...]) -> dict[str, list[Histogram]]:
    rows: dict[str, list[Histogram]] = {}
    for entry in found:
        rows.setdefault(entry.candidate, []).append(entry)
    return rows


def environment() -> Environment:
    """Templates that escape what they are given, with the filters of all pages."""
    templates = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    templates.globals.update(bar=bar, histogram=histogram)
    templates.filters.update(
        number=words.number,
        signed=words.signed,
        interval=words.interval,
        seconds=words.seconds,
        usd=words.usd,
        count=words.count,
        percent=words.percent,
        p=words.p_value,
        scale=words.scale_words,
        reason=words.reason,
        design=words.design,
        correction=words.correction,
    )
    return templates


def static_page(name: str, templates: Environment | None = None, /, **given: Any) -> str:
    """The page of the template ``name``, with the style of all pages and its own and without any script.

    ``templates`` is an `environment` to which the page has added what its template calls.
    """
    style = asset("report.css") + asset(f"{name}.css")
    page = (templates or environment()).from_string(asset(f"{name}.html.j2"))
    return page.render(style=Markup(style), policy=policy(style, ""), **given)  # noqa: S704 - our own file


@cache
def asset(name: str) -> str:
    """A file of the templates folder, read through the package so that it works from a wheel."""
    package = __package__.partition(".")[0]
    return (files(package) / "reports" / "templates" / name).read_text(encoding="utf-8")
