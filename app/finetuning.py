"""`markscheme export finetune`: the runs are read, the choice is made, its files are written into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import BaseModel

from ..harness.errors import InputError
from .commands import emit
from .references import opened_run

if TYPE_CHECKING:
    from ..harness.store.reviews import Reviews
    from ..reports.finetune.card import Card
    from ..reports.finetune.choice import Part
    from ..reports.finetune.pairs import Verdict
    from ..reports.finetune.records import Options

_PART = ".part"
"""After the name of a file that is being written."""


class FinetuneOutput(BaseModel):
    """`markscheme export finetune`: how many lines and pairs each file has, and what the filters took out."""

    folder: str
    answers: int
    lines: dict[str, int]
    pairs: dict[str, int]
    test_samples: int
    removed: dict[str, int]
    classes: dict[str, dict[str, int]]
    notes: list[str]


def export(runs: Sequence[str], options: Options, output: Path, workspace: str, json: bool) -> None:
    """Write the folder, and say what is in it."""
    done = exported(runs, options, output, workspace)
    if json:
        emit(done)
    else:
        _say(done)


def exported(runs: Sequence[str], options: Options, output: Path, workspace: str | Path) -> FinetuneOutput:
    """Write the folder. Raises InputError where it holds something else already."""
    from .. import __version__
    from ..reports.finetune.choice import choose
    from ..reports.finetune.files import files_of

    choice = choose([_read(run, options, workspace) for run in dict.fromkeys(runs)], options)
    files, card = files_of(choice, __version__)
    _write(output, files)
    return _output(output, card)


def read_shares(text: str) -> tuple[float, float, float]:
    """Three numbers with commas between them. Raises InputError."""
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--shares {text!r}: three numbers that make 1, like 0.8,0.1,0.1") from None
    return train, validation, test


def _read(run: str, options: Options, workspace: str | Path) -> Part:
    from ..harness.store.asked import asked
    from ..harness.store.load import load
    from ..harness.store.reviews import Reviews
    from ..reports.finetune.choice import part_of
    from .judging.labels import refresh_labels

    with opened_run(run, workspace) as (store, found):
        refresh_labels(store, found)
        data = load(store, found, words=False)
        samples = store.read_samples(found.id)
        part = part_of(data, asked(store, found, samples), samples, options)
        return replace(part, verdicts=(*part.verdicts, *_preferred(Reviews(store), part)))


def _preferred(reviews: Reviews, part: Part) -> Iterator[Verdict]:
    """What people said of pairs of the run's answers."""
    from ..reports.finetune.pairs import verdicts_of_people

    hashes = {one.place[1:]: one.asked.sha256 for one in part.examples}
    for review in reviews.of_run(part.data.info.id):
        if review.mode == "pairs":
            yield from verdicts_of_people(review, reviews.items(review), reviews.ratings(review), hashes)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """What stands there already must be the same: an export never mixes with another."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--output {folder}: is a file; name a folder")
    there = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
    for path in there:
        name = path.relative_to(folder).as_posix()
        if name.removesuffix(_PART) in files and name.endswith(_PART):
            continue  # an export of ours was killed here
        if files.get(name) != path.read_bytes():
            raise InputError(
                f"--output {folder}: holds {name} already, which is not of this export; name another folder, or remove "
                "this one"
            )
    for name, content in files.items():  # the card is the last of them
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}{_PART}")
        part.write_bytes(content)
        part.replace(path)


def _output(folder: Path, card: Card) -> FinetuneOutput:
    learned = [one for one in card.splits if one.name != "test"]
    return FinetuneOutput(
        folder=str(folder),
        answers=card.answers,
        lines={one.name: one.lines for one in learned},
        pairs={one.name: one.pairs for one in learned},
        test_samples=sum(one.samples for one in card.splits if one.name == "test"),
        removed={one.name: one.removed for one in card.filters if one.removed},
        classes={one.name: {"had": one.had, "taken": one.taken} for one in card.classes},
        notes=card.notes,
    )


def _say(done: FinetuneOutput) -> None:
    for name, lines in done.lines.items():
        pairs = f", {done.pairs[name]} pairs" if any(done.pairs.values()) else ""
        typer.echo(f"{name}: {lines} lines{pairs}")
    typer.echo(f"test: {done.test_samples} samples")
    for name, count in done.removed.items():
        typer.echo(f"  taken out, {name}: {count} of {done.answers}")
    for name, counts in done.classes.items():
        typer.echo(f"  class {name}: {counts['taken']} of {counts['had']}")
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"{Path(done.folder) / 'card.md'}")
