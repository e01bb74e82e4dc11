"""The card as Markdown, for people."""

from __future__ import annotations

from collections.abc import Iterator

from ..markdown_tables import escape, table
from .card import Card, RunCard


def card_markdown(card: Card) -> str:
    """The whole page."""
    return "\n\n".join(_parts(card)) + "\n"


def _parts(card: Card) -> Iterator[str]:
    yield "# Training data"
    yield (
        f"{card.kept} of {card.answers} answers, in the format of {card.format}, seed {card.seed}, by markscheme "
        f"{card.markscheme}. `lines.jsonl` traces every line to its answer, its grades and its calls."
    )
    if card.notes:
        yield "\n".join(f"- {escape(note)}" for note in card.notes)
    yield from _splits(card)
    yield "## Filters"
    yield table(
        ("filter", "takes out", "answers"), [(f.name, escape(f.meaning), str(f.removed)) for f in card.filters], 2
    )
    if card.rescued:
        yield f"{card.rescued} answers are kept because people score them higher than the judge does."
    if card.classes:
        yield "## Classes"
        yield table(("class", "had", "taken"), [(escape(c.name), str(c.had), str(c.taken)) for c in card.classes])
    yield "## Answers"
    yield table(("candidate", "lines"), [(escape(name), str(count)) for name, count in card.candidates.items()])
    yield "Prompts: " + ", ".join(f"{count} {how}" for how, count in card.prompts.items() if count) + "."
    for run in card.runs:
        yield from _run(run)


def _splits(card: Card) -> Iterator[str]:
    yield "## Splits"
    titles = ("split", "file", "share", "lines", "pairs", "samples", "clusters", "tokens (estimated)")
    rows = [
        (
            one.name,
            f"`{one.file}`",
            f"{one.share:g}",
            *map(str, (one.lines, one.pairs, one.samples, one.clusters)),
            f"{one.tokens}",
        )
        for one in card.splits
    ]
    yield table(titles, rows, left=2)
    yield (
        f"A cluster is on one side, and so are samples that are near duplicates: {card.near_duplicates}. The test "
        "split holds all samples of its clusters, whatever was answered."
    )


def _run(run: RunCard) -> Iterator[str]:
    name = f" ({escape(run.name)})" if run.name else ""
    yield f"## Run {run.run}{name}"
    scored = f"Scores of `{run.scored_by}` count." if run.scored_by else "Nobody scored its answers."
    version = f"@{run.dataset_version}" if run.dataset_version else ""
    yield f"Exam `{run.exam}`, data set {escape(run.dataset)}{version}, fingerprint {run.fingerprint[:12]}. {scored}"
    if run.judges:
        titles = ("judge", "model", "rubric", "fingerprint", "qualified", "answers with labels")
        yield table(
            titles,
            [
                (
                    escape(j.judge),
                    escape(j.model),
                    escape(j.rubric),
                    j.rubric_sha256[:12],
                    escape(j.pinned) or "no",
                    str(j.labelled),
                )
                for j in run.judges
            ],
            left=5,
        )
