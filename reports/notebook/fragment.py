"""The pieces of a fragment: sentences, tables and figures in one element with a style sheet of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ..headline import Line
from ..html import asset

MOST_ROWS = 30
"""Rows of a table, above which the rest is counted: a notebook keeps its output in its file."""
MOST_LETTERS = 600
"""Of a text in a table."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of HTML that a notebook shows, and the words that stand for it elsewhere."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Mark:
    """The text of a cell that stands out: `best`, `second`, `better`, `worse`, `warn` or `soft`."""

    text: str
    kind: str


Cell = str | Mark


def fragment(*parts: Markup) -> str:
    """One element with everything in it. Its style sheet reaches nothing else of the notebook."""
    style = Markup(asset("notebook.css"))  # noqa: S704 - our own file
    return str(Markup('<div class="markscheme"><style>{}</style>{}</div>').format(style, Markup("").join(parts)))


def title(text: str) -> Markup:
    """What is shown."""
    return Markup('<p class="title">{}</p>').format(text)


def verdict(text: str | Line) -> Markup:
    """The first line."""
    return Markup('<p class="verdict">{}</p>').format(_worded(text))


def notes(texts: Iterable[str | Line], kind: str = "note") -> Markup:
    """A paragraph each; ``kind`` is `note` or `warn`."""
    return Markup("").join(Markup('<p class="{}">{}</p>').format(kind, _worded(text)) for text in texts)


def table(titles: Sequence[str], rows: Iterable[Sequence[Cell]], left: int = 1, wordy: Collection[str] = ()) -> Markup:
    """The first rows, and how many more there are. The first ``left`` columns and those titled as in ``wordy`` hold
    words, the others numbers. Nothing where there is no row.
    """
    found = list(rows)
    if not found:
        return Markup("")
    words = [place < left or name in wordy for place, name in enumerate(titles)]
    head = Markup("").join(_cell("th", text, word) for text, word in zip(titles, words, strict=True))
    body = Markup("").join(_row(row, words) for row in found[:MOST_ROWS])
    more = len(found) - MOST_ROWS
    rest = notes([f"and {more:,} more {'row' if more == 1 else 'rows'}"]) if more > 0 else Markup("")
    whole = Markup('<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}')
    return whole.format(head, body, rest)


def figures(drawn: Iterable[tuple[str, Markup | None]], wide: bool = False) -> Markup:
    """Figures with captions, side by side where there is room; nothing where nothing is drawn."""
    shown = [(words, svg) for words, svg in drawn if svg is not None]
    if not shown:
        return Markup("")
    figure = Markup("<figure><figcaption>{}</figcaption>{}</figure>")
    inside = Markup("").join(figure.format(words, svg) for words, svg in shown)
    return Markup('<div class="{}">{}</div>').format("figures one" if wide else "figures", inside)


def texts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Names and texts, as they were written."""
    entry = Markup("<dt>{}</dt><dd>{}</dd>")
    return Markup("<dl>{}</dl>").format(Markup("").join(entry.format(name, text) for name, text in pairs))


def cut(text: str, most: int = MOST_LETTERS) -> str:
    """The text, or its beginning."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _row(row: Sequence[Cell], words: Sequence[bool]) -> Markup:
    cells = (_cell("td" if i else "th", text, word) for i, (text, word) in enumerate(zip(row, words, strict=True)))
    return Markup("<tr>{}</tr>").format(Markup("").join(cells))


def _cell(tag: str, content: Cell, word: bool) -> Markup:
    kind, text = (content.kind, content.text) if isinstance(content, Mark) else ("", content)
    classes = " ".join(filter(None, (kind, "word" if word else "")))
    attribute = Markup(' class="{}"').format(classes) if classes else Markup("")
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), attribute, cut(text))  # noqa: S704 - td or th


def _worded(text: str | Line) -> Markup:
    if isinstance(text, str):
        return escape(text)
    pieces = (Markup("<b>{}</b>").format(span.text) if span.strong else escape(span.text) for span in text)
    return Markup("").join(pieces)
