"""A review begins with the first command that names it; every later one goes on with it, as it was begun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...harness.errors import InputError
from ...harness.review import drawing
from ...harness.review.records import Item, Mode, Review
from ...harness.store import runs
from ...harness.store.load import load
from ...harness.store.reviews import Reviews
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...judges.rubric import Rubric
from .names import check_name, folded, names_of
from .rubrics import choose, read, scores_of

if TYPE_CHECKING:
    from ...harness.store.frames import RunData

N, OVERLAP = 100, 0.3
"""Unless asked for otherwise: how many items, and the share of them that every rater gets."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A review as a command asks for it. What is '' or ``None`` is not said: a default for a new review, and as it was
    begun for one that goes on. ``design``: random, or strata by candidate, score or disagreement."""

    name: str = ""
    raters: tuple[str, ...] = ()
    mode: Mode | None = None
    rubric: str = ""
    judge: str = ""
    n: int | None = None
    design: drawing.How | None = None
    overlap: float | None = None
    attention: int | None = None
    seed: int | None = None


def begin_or_resume(store: Store, reference: str, asked: Asked) -> Review:
    """The review ``asked`` for, of the run ``reference``: as it stands, or drawn and recorded now.

    Raises InputError where it was begun in another way than asked for, or cannot be begun so.
    """
    reviews = Reviews(store)
    known = _known(store, reviews, reference, asked.name)
    if known is None:
        return _begin(store, reviews, runs.find(store, reference), asked)
    if differences := [*_differences(store, known, reviews.items(known), reference, asked)]:
        lines = (f"{option}: review {known.name!r} was begun with {begun}" for option, begun in differences)
        raise InputError("\n".join([*lines, "leave that out to go on with it, or begin another by another --name"]))
    return known


def _known(store: Store, reviews: Reviews, reference: str, name: str) -> Review | None:
    if not name:
        return next(iter(reviews.of_run(runs.find(store, reference).id)), None)
    every = (review for run in runs.all_runs(store) for review in reviews.of_run(run.id))
    return next((review for review in every if review.name == name), None)


def _begin(store: Store, reviews: Reviews, run: Run, asked: Asked) -> Review:
    mode, raters = asked.mode or "grade", _raters(asked.raters)
    source = choose(store, run, mode, asked.rubric, asked.judge)
    rubric = read(store, source, mode)
    name, how = asked.name or f"review-{run.id}", asked.design or "random"
    data = load(store, run)
    lowest = rubric.scale[0] if isinstance(rubric, Rubric) else 0
    n, seed = N if asked.n is None else asked.n, asked.seed or 0
    wish = drawing.Wish(name, mode, n, how, seed, asked.attention or 0, scoring_judge(data, asked.judge), lowest)
    drawn = drawing.draw(data, wish)
    review = Review(
        name,
        run.id,
        mode,
        source,
        scores_of(rubric),
        raters,
        drawn.design,
        seed,
        OVERLAP if asked.overlap is None else asked.overlap,
        drawn.shares,
        datetime.now(UTC).date().isoformat(),
        rubric.sha256,
        n,
        "" if how == "random" else how,
    )
    reviews.begin(review, drawn.items)
    return review


def scoring_judge(data: RunData, name: str) -> str:
    """The judge of this name; '' stands for the only one that scored."""
    judges = list(dict.fromkeys(data.grades.loc[data.grades["status"] == "scored", "judge"]))
    return name or (str(judges[0]) if len(judges) == 1 else "")


def _raters(names: tuple[str, ...]) -> tuple[str, ...]:
    """Raises InputError for none, for one that is no name, and for two that files could not tell apart."""
    found = names_of(names)
    if not found:
        raise InputError("--rater is missing: a new review needs the names of those who rate, like --rater ann")
    for name in found:
        check_name(name, "--rater ")
    alike = Counter(folded(name) for name in found)
    if twice := next((name for name in found if alike[folded(name)] > 1), None):
        raise InputError(f"--rater {twice!r}: is too like the name of another rater; name everybody once, and unlike")
    return found


def _differences(
    store: Store, review: Review, items: list[Item], reference: str, asked: Asked
) -> Iterator[tuple[str, str]]:
    """The options that say something else than what is recorded, and what that is."""
    if reference != "latest" and (run := runs.find(store, reference).id) != review.run:
        yield f"run {run}", review.run
    run_of = runs.find(store, review.run)
    rubric = choose(store, run_of, review.mode, asked.rubric, asked.judge) if asked.rubric or asked.judge else None
    attention = sum(bool(item.attention) for item in items)
    recorded = (
        ("mode", asked.mode, review.mode),
        ("rubric", rubric, review.rubric),
        ("n", asked.n, review.n),
        ("design", asked.design, review.strata or "random"),
        ("overlap", asked.overlap, review.overlap),
        ("attention", asked.attention, attention),
        ("seed", asked.seed, review.seed),
    )
    for option, wanted, begun in recorded:
        if wanted is not None and wanted != begun:
            yield f"--{option} {wanted}", str(begun)
    for rater in names_of(asked.raters):
        if rater not in review.raters:
            yield f"--rater {rater!r}", ", ".join(review.raters)
