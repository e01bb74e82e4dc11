"""The review page: one document, its style sheet and its scripts, which may load and run nothing else.

The page holds nothing of the review; what models wrote arrives as JSON and becomes text nodes only.
"""

from __future__ import annotations

from importlib.resources import files

from ...reports.html import source_hash

_SCRIPTS = ("review_markdown.js", "review.js")


def render_page() -> tuple[str, str]:
    """The page and its content security policy, which names the style sheet and the script by their hashes."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style, script = _asset("review.css"), "".join(map(_asset, _SCRIPTS))
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_asset("review.html.j2"))
    page = template.render(style=Markup(style), script=Markup(script))  # noqa: S704 - our own files
    return page, _policy(style, script)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{source_hash(style)}'; script-src '{source_hash(script)}'; "
        "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _asset(name: str) -> str:
    """A file of the templates folder, read through the package so that it works from a wheel."""
    package = __package__.partition(".")[0]
    return (files(package) / "app" / "templates" / name).read_text(encoding="utf-8")
