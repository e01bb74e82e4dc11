"""`markscheme review serve`: begin a review or go on with it, and open its page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import typer

from ..commands import emit
from ..references import opened
from .beginning import Asked, begin_or_resume
from .output import ServedReview
from .rubrics import rubric_of


def serve(reference: str, workspace: str, asked: Asked, port: int, adjudicate: bool, json: bool) -> None:
    """Serve until Ctrl-C, then say how far everybody is. With ``json`` the address goes to standard error."""
    done = served(reference, workspace, asked, port, adjudicate, partial(typer.echo, err=json))
    if json:
        emit(done)
        return
    for one in done.raters:
        typer.echo(f"{one.rater}: {one.rated} of {one.of} rated")


def served(
    reference: str, workspace: str | Path, asked: Asked, port: int, adjudicate: bool, say: Callable[[str], None]
) -> ServedReview:
    """Serve until Ctrl-C; how far everybody is then. With ``adjudicate`` the items that raters dispute, once more.

    ``say`` is given the address.
    """
    from .outcome import disputed
    from .server import Serving, serve_review

    store = opened(workspace)
    try:
        review = begin_or_resume(store, reference, asked)
        serving = Serving(port, 2, disputed(store, review)) if adjudicate else Serving(port)
        progress = serve_review(store, review, rubric_of(store, review), serving, say)
        return ServedReview(review=review.name, run=review.run, round=serving.round, raters=progress)
    finally:
        store.close()
