"""`markscheme review …`: people grade answers, or choose between two, without knowing whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .exams import Folder, Json, Workspace

review = typer.Typer(name="review", help="Let people grade answers, blind.", no_args_is_help=True)

Run = Annotated[str, typer.Argument(help="Id, name, or `latest`; of a review that is begun, its own.")]
Name = Annotated[
    str, typer.Option("--name", help="Of the review; the run's latest by default, else a new one.", show_default=False)
]
Raters = Annotated[list[str] | None, typer.Option("--rater", help="Who rates; for each of them.", show_default=False)]
Mode = Annotated[
    Literal["grade", "pairs"] | None,
    typer.Option(help="Grade answers by a rubric (default), or choose between two.", show_default=False),
]
Rubric = Annotated[str, typer.Option(help="A packaged name or a file; else that of --judge.", show_default=False)]
Judge = Annotated[str, typer.Option(help="Whose rubric; needed where judges differ.", show_default=False)]
Count = Annotated[int | None, typer.Option("--n", min=1, help="Items to draw (100).", show_default=False)]
Design = Annotated[
    Literal["random", "candidate", "score", "disagreement"] | None,
    typer.Option(help="Drawn at random (default), or in strata by one of the others.", show_default=False),
]
Overlap = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, help="Share of the items that all raters get (0.3).", show_default=False),
]
Attention = Annotated[
    int | None, typer.Option(min=0, help="Items that show who does not read (0).", show_default=False)
]
Seed = Annotated[int | None, typer.Option(help="Of the draw and of every order (0).", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    review.command("serve")(serve)
    review.command("export")(export)
    review.command("import")(import_)
    review.command("result")(result)
    review.command("plan")(plan)
    app.add_typer(review)


def serve(
    run: Run = "latest",
    name: Name = "",
    rater: Raters = None,
    mode: Mode = None,
    rubric: Rubric = "",
    judge: Judge = "",
    n: Count = None,
    design: Design = None,
    overlap: Overlap = None,
    attention: Attention = None,
    seed: Seed = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 0,
    adjudicate: Annotated[bool, typer.Option("--adjudicate", help="A second pass over the worst disputes.")] = False,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Grade in the browser, on this machine only. The first command that names a review begins it."""
    from ..review.beginning import Asked
    from ..review.serving import serve

    asked = Asked(name, tuple(rater or ()), mode, rubric, judge, n, design, overlap, attention, seed)
    serve(run, workspace, asked, port, adjudicate, json)


def export(
    run: Run = "latest",
    name: Name = "",
    rater: Raters = None,
    mode: Mode = None,
    rubric: Rubric = "",
    judge: Judge = "",
    n: Count = None,
    design: Design = None,
    overlap: Overlap = None,
    attention: Attention = None,
    seed: Seed = None,
    xlsx: Annotated[bool, typer.Option("--xlsx/--csv", help="Workbooks, or plain CSV.")] = True,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the sheets.")] = Path(),
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write a blind sheet for each rater. The first command that names a review begins it."""
    from ..review.beginning import Asked
    from ..review.exporting import export

    asked = Asked(name, tuple(rater or ()), mode, rubric, judge, n, design, overlap, attention, seed)
    export(run, workspace, asked, "xlsx" if xlsx else "csv", output, json)


def import_(
    files: Annotated[list[Path], typer.Argument(help="Sheets that were filled in.", show_default=False)],
    name: Annotated[str, typer.Option(help="Refuse sheets of another review.", show_default=False)] = "",
    partial: Annotated[bool, typer.Option("--partial", help="Keep the right rows of a file with wrong ones.")] = False,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take filled-in sheets back. Of a file with a wrong cell nothing is kept, unless --partial."""
    from ..review.importing import import_sheets

    raise typer.Exit(import_sheets(files, workspace, name, partial, json))


def result(
    name: Annotated[str, typer.Argument(help="Of the review, or `latest`.")] = "latest",
    output: Folder = None,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """What people say of the candidates, how far they agree with each other and with the judges."""
    from ..review.outcome import show_outcome

    show_outcome(name, workspace, output, json)


def plan(
    run: Run = "latest",
    judge: Annotated[str, typer.Option(help="Whose scores; needed where several scored.", show_default=False)] = "",
    width: Annotated[float, typer.Option(help="Full width of the 95 % interval that is wanted.")] = 0.2,
    raters: Annotated[int, typer.Option(min=1, help="How many people rate.")] = 2,
    overlap: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the items that all of them get.")] = 0.3,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """How many answers people must rate for an interval of a wanted width."""
    from ..review.planning import Wanted, plan

    plan(run, workspace, judge, Wanted(width, raters, overlap), json)
