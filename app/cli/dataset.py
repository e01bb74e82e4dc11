"""dataset synthesize, dataset accept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Json, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    dataset = typer.Typer(help="Make a data set.", no_args_is_help=True)
    dataset.command("synthesize")(synthesize)
    dataset.command("accept")(accept)
    app.add_typer(dataset, name="dataset")


def synthesize(
    corpus: Annotated[
        str, typer.Argument(help="Documents: a folder, a JSONL file, or a packaged data set.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to review.")] = Path("review.jsonl"),
    model: Annotated[
        str, typer.Option(help="provider/model; without one, questions are made from headings.", show_default=False)
    ] = "",
    base_url: Annotated[str | None, typer.Option(help="The model's endpoint.", show_default=False)] = None,
    api_key_env: Annotated[str | None, typer.Option(help="Variable with its key.", show_default=False)] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Questions to write, all documents alike.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw of passages.")] = 0,
    check: Annotated[bool, typer.Option(help="Let the model check each question in a second call.")] = True,
    budget_usd: Annotated[
        float | None, typer.Option(min=0, help="Stop before more is spent.", show_default=False)
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Calls in flight.")] = 8,
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Write questions, references and sources from documents into a file for review. It is no data set yet."""
    from ..synthesizing import Order, synthesize

    order = Order(corpus, output, model, base_url, api_key_env, count, seed, check, budget_usd, concurrency, workspace)
    synthesize(order, json)


def accept(
    review: Annotated[Path, typer.Argument(help="The reviewed file: keep is true or false in each row.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The data set.")] = Path("samples.jsonl"),
    undecided: Annotated[
        str, typer.Option(help="What to do with rows without a decision: keep or drop.", show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Make samples of the rows that a review kept."""
    from ..synthesizing import accept

    accept(review, output, undecided, json)
