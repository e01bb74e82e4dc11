"""`markscheme import …`: what was made elsewhere, taken in. A command a kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exams import Folder, Json, Workspace

Files = Annotated[list[Path], typer.Argument(help="Several become one run, side by side.", show_default=False)]
Scale = Annotated[
    list[str] | None, typer.Option(help="A judge's lowest and highest score: 0,3 or NAME=1,5.", show_default=False)
]
Columns = Annotated[
    str, typer.Option(help="Which of theirs is which of ours: reference=gold,context=page.", show_default=False)
]
RunName = Annotated[str, typer.Option(help="A name for the run.", show_default=False)]
Candidate = Annotated[str, typer.Option(help="Who answered, where the file does not say.", show_default=False)]

group = typer.Typer(name="import", help="Take in answers, grades and labels made elsewhere.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group.command("labels")(labels)
    group.command("csv")(table)
    group.command("inspect")(inspect)
    group.command("promptfoo")(promptfoo)
    group.command("lm-eval")(lm_eval)
    group.command("mlflow")(mlflow)
    group.command("otel")(otel)
    group.command("load")(load)
    app.add_typer(group)


def labels(
    file: Annotated[
        Path, typer.Argument(help="CSV or JSONL: sample_id, candidate, trial, criterion, score, annotator.")
    ],
    run: Annotated[str, typer.Option(help="Whose answers they score: id, name, or `latest`.")] = "latest",
    design: Annotated[
        str, typer.Option(help="How answers were picked: random, stratified, chosen, unknown.")
    ] = "unknown",
    share: Annotated[
        list[str] | None,
        typer.Option(help="Of a stratum among all answers, as easy=0.7; for each of them.", show_default=False),
    ] = None,
    name: Annotated[str, typer.Option(help="Of the set; else the file's path.", show_default=False)] = "",
    labelled_at: Annotated[str, typer.Option(help="When, as 2026-11-21.", show_default=False)] = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Bind people's scores to the answers of a run, and say which do not hold and why."""
    from ..judging.aligning import import_labels
    from ..judging.labels import spec_of_words

    import_labels(run, workspace, spec_of_words(file, design, share or [], name, labelled_at), json)


def table(
    files: Files,
    columns: Annotated[
        str,
        typer.Option(
            help="ours=theirs: question=prompt,answer=output,score.NAME=grade,label.NAME=human,annotator=who."
        ),
    ] = "",
    judge: Annotated[str, typer.Option(help="Whose the scores are.")] = "imported",
    scale: Scale = None,
    design: Annotated[
        str, typer.Option(help="How the labelled answers were picked: random, chosen, unknown.", show_default=False)
    ] = "",
    candidate: Candidate = "",
    name: RunName = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in a table (CSV, JSONL, Parquet) with a row an answer."""
    from ..importing import columns as names
    from ..importing.tables import KNOWN, TableChoice, read_tables
    from ..importing.taking_in import Into, checked_design, take_in

    choice = TableChoice(names.columns_of(columns, KNOWN, scored=True), judge, candidate)
    into = Into(workspace, name, tuple(scale or ()), design=checked_design(design), json=json)
    take_in(read_tables(files, choice), [str(file) for file in files], into)


def inspect(
    files: Files,
    columns: Columns = "",
    scale: Scale = None,
    name: RunName = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in logs of Inspect (.eval, .json): epochs become trials, scorers judges."""
    from ..importing.inspect_logs import read_inspect
    from ..importing.taking_in import into_of, take_in

    into = into_of(workspace, name, scale, columns, json)
    take_in(read_inspect(files), [str(file) for file in files], into)


def promptfoo(
    files: Files,
    columns: Columns = "",
    scale: Scale = None,
    name: RunName = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in results of promptfoo (.json, .jsonl): providers become candidates, kinds of assertions judges."""
    from ..importing.promptfoo import read_promptfoo
    from ..importing.taking_in import into_of, take_in

    into = into_of(workspace, name, scale, columns, json)
    take_in(read_promptfoo(files), [str(file) for file in files], into)


def lm_eval(
    files: Files,
    columns: Columns = "",
    scale: Scale = None,
    candidate: Candidate = "",
    name: RunName = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in samples of lm-evaluation-harness (samples_*.jsonl): metrics become judges."""
    from ..importing.lm_eval import read_lm_eval
    from ..importing.taking_in import into_of, take_in

    into = into_of(workspace, name, scale, columns, json)
    take_in(read_lm_eval(files, candidate), [str(file) for file in files], into)


def mlflow(
    run_ids: Annotated[
        list[str] | None, typer.Argument(help="Runs of mlflow.genai.evaluate.", show_default=False)
    ] = None,
    experiment: Annotated[
        str, typer.Option(help="Instead of runs: the traces of this experiment.", show_default=False)
    ] = "",
    since: Annotated[str, typer.Option(help="Its traces from then on, as 2026-11-21.", show_default=False)] = "",
    tracking_uri: Annotated[
        str, typer.Option(help="Server or store; MLflow's own setting by default.", show_default=False)
    ] = "",
    columns: Columns = "",
    scale: Scale = None,
    name: RunName = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in MLflow's evaluation runs, or traces of production: scorers become judges, people's feedback labels."""
    from ..importing.mlflow_experiment import read_mlflow_named
    from ..importing.taking_in import into_of, take_in

    into = into_of(workspace, name, scale, columns, json)
    found = read_mlflow_named(run_ids or (), experiment, since, tracking_uri)
    take_in(found, list(run_ids or (experiment,)), into)


def otel(
    files: Annotated[
        list[Path],
        typer.Argument(help="OTLP/JSON or traces of MLflow; a trace may be spread over them.", show_default=False),
    ],
    each: Annotated[
        str, typer.Option(help="What becomes a sample: trace, or inference (a call of a model).")
    ] = "trace",
    candidate_from: Annotated[
        str,
        typer.Option(
            help="Who answered: agent, service, model or attribute:NAME; the first known one.", show_default=False
        ),
    ] = "",
    columns: Columns = "",
    name: RunName = "",
    workspace: Workspace = ".markscheme",
    json: Json = False,
) -> None:
    """Take in traces of production: OpenTelemetry (GenAI conventions, OpenLLMetry, OpenInference) and MLflow."""
    from ..importing.taking_in import into_of, take_in
    from ..importing.traces.reading import TraceChoice, read_traces

    into = into_of(workspace, name, None, columns, json)
    take_in(read_traces(files, TraceChoice(each, candidate_from)), [str(file) for file in files], into)


def load(
    files: Annotated[list[Path], typer.Argument(help="Those of one setting become its repeats.", show_default=False)],
    candidate: Annotated[str, typer.Option(help="Who answered; else as the file says.", show_default=False)] = "",
    users: Annotated[
        int | None,
        typer.Option(min=1, help="How many requests were in flight, where the file does not say.", show_default=False),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the answers there (.jsonl), to be graded.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="A name for the load test.", show_default=False)] = "",
    workspace: Workspace = ".markscheme",
    output: Folder = None,
    json: Json = False,
) -> None:
    """Take in load tests of vLLM (bench serve), guidellm and llmperf, and write the page of `serve-bench` of them."""
    from ..importing.load_tests.found import LoadChoice
    from ..importing.load_tests.taking_in import LoadInto, take_in_loads

    take_in_loads(files, LoadChoice(candidate, users), LoadInto(workspace, name, sheet, output, json))
