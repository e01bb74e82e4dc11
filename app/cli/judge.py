"""`markscheme judge …`: judges on trial. A module per command; `register` adds them."""

from __future__ import annotations

import typer

judge = typer.Typer(name="judge", help="Qualify a judge, correct its scores, know its biases.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.add_typer(judge)
