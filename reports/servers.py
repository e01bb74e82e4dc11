"""Servers that a run started: what their start and their time took, as lines of their own beside the candidates'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from ..harness.serving.records import ServerUse
from . import words
from .markdown_tables import escape, table

TITLE = "Servers that were started"


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One start of a server. Seconds and USD are ``None`` where nobody knows them: no price per GPU hour was declared,
    it was never ready, or the run was killed before it could note the end. ``startup_usd`` is part of ``usd``."""

    name: str
    model: str
    gpus: str
    startup_s: float | None
    held_s: float | None
    startup_usd: float | None
    usd: float | None


def server_lines(uses: Sequence[ServerUse]) -> tuple[ServerLine, ...]:
    """One line for each start, in their order."""
    return tuple(_line(use) for use in uses)


def _line(use: ServerUse) -> ServerLine:
    held_s = None if use.stopped_at is None else use.stopped_at - use.started_at
    share = use.startup_s / held_s if use.startup_s is not None and held_s else None
    usd = use.cost_usd
    return ServerLine(
        name=use.name,
        model=use.command[2] if len(use.command) > 2 else "",
        gpus=", ".join(map(str, use.gpus)) or "any",
        startup_s=use.startup_s,
        held_s=held_s,
        startup_usd=None if usd is None or share is None else usd * share,
        usd=usd,
    )


def server_words(lines: Sequence[ServerLine]) -> str:
    """What the table says, in a sentence or two."""
    known = [line.startup_s for line in lines if line.startup_s is not None]
    failed = len(lines) - len(known)
    took = f"Until they answered, {words.seconds(sum(known))} s went by in all. " if known else ""
    never = f"{failed} of {len(lines)} never answered. " if failed else ""
    return (
        f"{took}{never}Held is from the start of a server to its end, idle moments included; USD are GPU hours at the "
        "declared price, and are not part of the candidates' costs."
    )


def servers_markdown(lines: Sequence[ServerLine]) -> Iterator[str]:
    """Title, words and table; nothing where no server was started."""
    if not lines:
        return
    yield f"## {TITLE}"
    yield server_words(lines)
    titles = ["Server", "Model", "GPUs", "Start-up s", "Held s", "Start-up USD", "USD in all"]
    rows = [
        [
            escape(line.name),
            escape(line.model),
            line.gpus,
            words.seconds(line.startup_s),
            words.seconds(line.held_s),
            words.usd(line.startup_usd),
            words.usd(line.usd),
        ]
        for line in lines
    ]
    yield table(titles, rows)


def servers_section(lines: Sequence[ServerLine], templates: Environment, source: str) -> Markup:
    """The same as HTML, by the template ``source``."""
    if not lines:
        return Markup("")
    page = templates.from_string(source).render(title=TITLE, lines=lines, words=server_words(lines))
    return Markup(page)  # noqa: S704 - rendered with autoescape
