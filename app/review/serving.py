"""`markscheme review serve`: begin a review or go on with it, and open its page."""

from __future__ import annotations

from functools import partial

import typer

from ..commands import emit
from ..references import opened
from .beginning import Asked, begin_or_resume
from .output import ServedReview
from .rubrics import rubric_of


def serve(reference: str, workspace: str, asked: Asked, port: int, adjudicate: bool, json: bool) -> None:
    """Serve until Ctrl-C, then say how far everybody is. With ``adjudicate`` the items that raters dispute, once more.

    With ``json`` the address goes to standard error.
    """
    from .outcome import disputed
    from .server import Serving, serve_review

    store = opened(workspace)
    try:
        review = begin_or_resume(store, reference, asked)
        serving = Serving(port, 2, disputed(store, review)) if adjudicate else Serving(port)
        progress = serve_review(store, review, rubric_of(store, review), serving, partial(typer.echo, err=json))
    finally:
        store.close()
    if json:
        emit(ServedReview(review=review.name, run=review.run, round=serving.round, raters=progress))
        return
    for one in progress:
        typer.echo(f"{one.rater}: {one.rated} of {one.of} rated")
