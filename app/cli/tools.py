"""init, demo, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Quiet, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (init, demo, doctor):
        app.command()(command)
    app.callback()(_version)


def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from ... import __version__

        typer.echo(f"markscheme {__version__}")
        raise typer.Exit


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if missing.")] = Path(),
    json: Json = False,
) -> None:
    """Write a first exam of one's own: exam.yaml, rubric.yaml, five samples. Overwrites nothing."""
    from ..starter import init as write_files

    write_files(folder, json)


def demo(workspace: Workspace = ".markscheme", json: Json = False, quiet: Quiet = False) -> None:
    """Run the packaged exam: real questions, the embedded candidates and judge, no key and no network."""
    from ..commands import options
    from ..commands import run as run_exam
    from ..starter import demo_exam

    run_exam(demo_exam(), options(workspace=workspace), ("generate", "grade"), json, quiet)


def doctor(
    exam: Annotated[Path | None, typer.Argument(help="Check what this exam needs, too.", show_default=False)] = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """What is installed, reachable and priced. Pays for nothing."""
    from ..doctor import main as check

    check(exam, workspace, json)
