"""bundle, bundle merge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from .exams import Json, Workspace

_WRITE = "write"


class _RunFirst(TyperGroup):
    """`bundle RUN` is short for `bundle write RUN`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_WRITE, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    bundle = typer.Typer(
        cls=_RunFirst,
        help="A run as one file, to be read on another machine: markscheme bundle RUN -o FILE.mks",
        no_args_is_help=True,
        subcommand_metavar="RUN -o FILE | merge SOURCE... --into WORKSPACE",
    )
    bundle.command(_WRITE)(write)
    bundle.command()(merge)
    app.add_typer(bundle, name="bundle")


def write(
    run: Annotated[str, typer.Argument(help="Id, name, `latest`, or a bundle (FILE.mks).")] = "latest",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file, like run.mks.", show_default=False)] = ...,  # type: ignore[assignment]
    no_texts: Annotated[
        bool, typer.Option("--no-texts", help="Numbers and hashes only: no question, answer, reasoning or prompt.")
    ] = False,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write a run to one file. `write` may be left out, but for a run that is named like a command."""
    from .. import bundling

    bundling.print_bundle(bundling.bundle(run, output, workspace, texts=not no_texts), json)


def merge(
    sources: Annotated[
        list[str], typer.Argument(help="Bundles, folders of workspaces, or database URLs.", metavar="SOURCE...")
    ],
    into: Annotated[str, typer.Option("--into", help="The workspace to add them to; made if missing.")],
    json: Json = False,
) -> None:
    """Add what bundles and workspaces hold to a workspace. What is there already stays as it is."""
    from .. import bundling

    bundling.print_merge(bundling.merge(sources, into), json)
