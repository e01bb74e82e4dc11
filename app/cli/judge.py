"""`markscheme judge …`: judges on trial. A module per command; `register` adds them."""

from __future__ import annotations

import typer

from .judge_align import align
from .judge_anchors import anchors
from .judge_correct import correct
from .judge_lab import lab
from .judge_probe import probe

judge = typer.Typer(name="judge", help="Qualify a judge, correct its scores, know its biases.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    judge.command("align")(align)
    judge.command("anchors")(anchors)
    judge.command("correct")(correct)
    judge.command("lab")(lab)
    judge.command("probe")(probe)
    app.add_typer(judge)
