"""HTML to text with the standard library: what a reader sees, headings marked as Markdown marks them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "object", "title"})
_BLOCKS = frozenset(
    "address article aside blockquote dd details div dl dt fieldset figcaption figure footer form header hr li main "
    "nav ol p pre section summary table tr ul".split()
)
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_SPACES = re.compile(r"[ \t\r\n\f\v]+")


class _Reader(HTMLParser):
    """Collects the text of a page. Unclosed tags, as old pages have them, hide nothing but scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.parts: list[str] = []
        self._unseen: list[str] = []
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag in _HEADINGS:
            self.parts.append("\n\n" + _HEADINGS[tag])
        elif tag == "br":
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag in _BLOCKS:
            self._preformatted += tag == "pre"
            self.parts.append("\n" if tag in ("li", "tr") else "\n\n")
        if tag == "li":
            self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag in _HEADINGS or tag in _BLOCKS:
            self._preformatted -= tag == "pre" and self._preformatted > 0
            self.parts.append("\n" if tag in ("li", "tr") else "\n\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            if self._unseen[-1] == "title":
                self.title += data
        elif self._preformatted:
            self.parts.append(data)
        else:
            self.parts.append(_SPACES.sub(" ", data))


def html_text(page: str) -> tuple[str, str]:
    """(title, text) of a page: blocks end lines, scripts and styles are left out, headings begin with ``#``.

    >>> html_text("<title>T</title><h2>Cost</h2><p>Two &amp; a <b>half</b> dollars.<script>x()</script>")
    ('T', '## Cost\\n\\nTwo & a half dollars.')
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    lines = (line.rstrip() for line in "".join(reader.parts).split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line if line[:4].isspace() else line.lstrip() for line in lines))
    return _SPACES.sub(" ", reader.title).strip(), text.strip()
