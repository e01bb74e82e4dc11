"""What is wrong with function calls: how many answers of each candidate have which kind of fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

from ..harness.measures.tools_faults import KINDS, kinds_in
from ..harness.store.frames import RunData
from . import words
from .exam import candidates_of, measure_family, measures_of
from .markdown_tables import escape, table

if TYPE_CHECKING:
    import pandas as pd

TITLE = "What is wrong with the calls"
ACCURACIES = ("function_name_and_args_accuracy", "function_name_accuracy")
"""Families of measures whose reasons name the faults, the one that says most first."""
UNTOLD = "not told"
MEANINGS = {
    "call in text": "written as words instead of made",
    "not JSON": "the arguments are no JSON object: broken, encoded twice, a list",
    "hallucinated function": "called, and nobody offered it",
    "wrong function": "one that was offered, in the place of the right one",
    "missing call": "a right call that was not made",
    "extra call": "one more than the right ones",
    "hallucinated argument": "the function does not have it",
    "missing argument": "a right call has it",
    "extra argument": "the function has it, a right call leaves it out",
    "wrong type": "text for a number, and the like",
    "wrong value": "of the right type",
    "schema invalid": "the arguments break the function's schema",
    UNTOLD: "the reasons were left out",
}


@dataclass(frozen=True, slots=True)
class Faulty:
    """One candidate: ``n`` measured answers, ``right`` of them, and how many have each kind of fault."""

    candidate: str
    n: int
    right: int
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class ToolFaults:
    """Faults by ``measure``; ``kinds`` are those that occur, the weightiest first."""

    measure: str
    kinds: tuple[str, ...]
    rows: tuple[Faulty, ...]

    def cell(self, row: Faulty, kind: str) -> str:
        """``3 (12 %)`` of the answers; a dash for none."""
        n = row.kinds.get(kind, 0)
        return f"{words.count(n)} ({words.percent(n / row.n)})" if n else words.NONE

    @property
    def words(self) -> str:
        """What the table says, in a sentence or two."""
        return (
            f"By {self.measure}. Counted are answers, each once under every kind of fault that it has, so columns do "
            "not add up. Calls in text are counted whether or not the measure takes them for calls."
        )


def tool_faults(data: RunData) -> ToolFaults | None:
    """The faults that the accuracy of a run names; ``None`` for a run without such a measure."""
    families = {measure_family(name): name for name in reversed(measures_of(data))}
    measure = next((families[family] for family in ACCURACIES if family in families), None)
    if measure is None:
        return None
    known = data.scores[(data.scores["measure"] == measure) & data.scores["value"].notna()]
    rows = tuple(_row(c.name, known[known["candidate"] == c.name]) for c in candidates_of(data))
    occurring = {kind for row in rows for kind in row.kinds}
    return ToolFaults(measure, tuple(kind for kind in (*KINDS, UNTOLD) if kind in occurring), rows)


def _row(candidate: str, known: pd.DataFrame) -> Faulty:
    counts: Counter[str] = Counter()
    alike = Counter(zip(known["value"], known["why"], strict=True))
    for (value, why), n in alike.items():
        counts.update(dict.fromkeys(kinds_in(why) or (() if value else (UNTOLD,)), n))
    return Faulty(candidate, len(known), int((known["value"] == 1).sum()), dict(counts))


def tools_markdown(found: ToolFaults | None) -> Iterator[str]:
    """Title, words and table; nothing for a run without function calls."""
    if found is None:
        return
    yield f"## {TITLE}"
    yield escape(found.words)
    titles = ["", *(escape(row.candidate) for row in found.rows)]
    rows = [
        ["answers", *(words.count(row.n) for row in found.rows)],
        ["all calls right", *(_share(row) for row in found.rows)],
        *([kind, *(found.cell(row, kind) for row in found.rows)] for kind in found.kinds),
    ]
    yield table(titles, rows)


def tools_section(found: ToolFaults | None, templates: Environment, source: str) -> Markup:
    """The same as HTML, by the template ``source``."""
    if found is None:
        return Markup("")
    page: Any = templates.from_string(source).render(title=TITLE, found=found, share=_share, meanings=MEANINGS)
    return Markup(page)  # noqa: S704 - rendered with autoescape


def _share(row: Faulty) -> str:
    return f"{words.count(row.right)} ({words.percent(row.right / row.n)})" if row.n else words.NONE
