"""What was made elsewhere, taken in: people's labels, and answers and grades of other tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..session import WORKSPACE
from .running import noted

if TYPE_CHECKING:
    from ...reports.serving.report import ServingReport
    from ..importing.found import Found
    from ..importing.output import ImportOutput
    from ..judging.align_output import ImportedLabels

Files = str | Path | Sequence[str | Path]
Scales = Mapping[str, tuple[float, float]] | tuple[float, float] | None
"""The lowest and the highest score of all judges, or by judge."""


def import_labels(
    file: str | Path,
    *,
    run: str = "latest",
    design: str = "unknown",
    shares: Mapping[str, float] | None = None,
    name: str = "",
    labelled_at: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportedLabels:
    """Bind people's scores (CSV or JSONL: sample_id, candidate, trial, criterion, score, annotator) to a run's answers.

    ``design`` says how the answers were picked: random, stratified, chosen, unknown; ``shares`` how large each stratum
    is. Raises InputError where no label holds.
    """
    from ..judging.aligning import imported
    from ..judging.labels import spec_of_words

    words = [f"{stratum}={share}" for stratum, share in (shares or {}).items()]
    with noted() as say:
        made, note = imported(run, workspace, spec_of_words(Path(file), design, words, name, labelled_at))
        if note:
            say(note)
    return made


def import_csv(
    files: Files,
    *,
    columns: Mapping[str, str] | None = None,
    judge: str = "imported",
    scale: Scales = None,
    design: str = "",
    candidate: str = "",
    name: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportOutput:
    """Take in tables (CSV, JSONL, Parquet) with a row an answer, as one run.

    ``columns`` are ours -> theirs: question, answer, reference, score.NAME, label.NAME, annotator, …; ``judge`` is
    whose the scores are, ``design`` how labelled answers were picked. Raises DataError for what cannot be read.
    """
    from ..importing.columns import columns_of
    from ..importing.tables import KNOWN, TableChoice, read_tables
    from ..importing.taking_in import checked_design

    paths = _paths(files)
    choice = TableChoice(columns_of(_joined(columns), KNOWN, scored=True), judge, candidate)
    return _taken_in(read_tables(paths, choice), paths, name, scale, None, workspace, checked_design(design))


def import_inspect(
    files: Files,
    *,
    columns: Mapping[str, str] | None = None,
    scale: Scales = None,
    name: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportOutput:
    """Take in logs of Inspect (.eval, .json): epochs become trials, scorers judges."""
    from ..importing.inspect_logs import read_inspect

    paths = _paths(files)
    return _taken_in(read_inspect(paths), paths, name, scale, columns, workspace)


def import_promptfoo(
    files: Files,
    *,
    columns: Mapping[str, str] | None = None,
    scale: Scales = None,
    name: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportOutput:
    """Take in results of promptfoo (.json, .jsonl): providers become candidates, kinds of assertions judges."""
    from ..importing.promptfoo import read_promptfoo

    paths = _paths(files)
    return _taken_in(read_promptfoo(paths), paths, name, scale, columns, workspace)


def import_lm_eval(
    files: Files,
    *,
    columns: Mapping[str, str] | None = None,
    scale: Scales = None,
    candidate: str = "",
    name: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportOutput:
    """Take in samples of lm-evaluation-harness (samples_*.jsonl): metrics become judges."""
    from ..importing.lm_eval import read_lm_eval

    paths = _paths(files)
    return _taken_in(read_lm_eval(paths, candidate), paths, name, scale, columns, workspace)


def import_mlflow(
    run_ids: Sequence[str] = (),
    *,
    experiment: str = "",
    since: str = "",
    tracking_uri: str = "",
    columns: Mapping[str, str] | None = None,
    scale: Scales = None,
    name: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportOutput:
    """Take in runs of mlflow.genai.evaluate, or the traces of an ``experiment`` from ``since`` on: scorers become
    judges, people's feedback labels."""
    from ..importing.mlflow_experiment import read_mlflow_named

    found = read_mlflow_named(list(run_ids), experiment, since, tracking_uri)
    return _taken_in(found, list(run_ids) or [experiment], name, scale, columns, workspace)


def import_otel(
    files: Files,
    *,
    each: str = "trace",
    candidate_from: str = "",
    columns: Mapping[str, str] | None = None,
    name: str = "",
    workspace: str | Path = WORKSPACE,
) -> ImportOutput:
    """Take in traces of production: OTLP/JSON with the conventions for generative AI, or traces of MLflow.

    ``each`` says what becomes a sample, `trace` or `inference`; ``candidate_from`` who answered: `agent`, `service`,
    `model` or `attribute:NAME`, by default the first of the three that is known. Raises DataError for what cannot be
    read, and where no trace holds its texts.
    """
    from ..importing.traces.reading import TraceChoice, read_traces

    paths = _paths(files)
    return _taken_in(read_traces(paths, TraceChoice(each, candidate_from)), paths, name, None, columns, workspace)


def import_load(
    files: Files,
    *,
    candidate: str = "",
    users: int | None = None,
    sheet: str | Path | None = None,
    name: str = "",
    output: str | Path | None = None,
    workspace: str | Path = WORKSPACE,
) -> ServingReport:
    """Take in load tests of vLLM (bench serve), guidellm and llmperf, and write their pages; files of one setting
    become its repeats.

    ``users`` is how many requests were in flight where a file does not say; ``sheet`` a file for the answers, to be
    graded. Raises DataError for a file that cannot be read.
    """
    from ..importing.load_tests.found import LoadChoice
    from ..importing.load_tests.taking_in import LoadInto, taken_in_loads

    into = LoadInto(str(workspace), name, _path(sheet), _path(output))
    with noted() as say:
        made, report, _ = taken_in_loads(_paths(files), LoadChoice(candidate, users), into)
        for note in made.notes:
            say(note)
    return report


def _taken_in(
    found: Found,
    sources: Sequence[str | Path],
    name: str,
    scale: Scales,
    columns: Mapping[str, str] | None,
    workspace: str | Path,
    design: str = "",
) -> ImportOutput:
    from ..importing.taking_in import into_of, taken_in

    words = [",".join(f"{end:g}" for end in scale)] if isinstance(scale, tuple) else []
    words += [f"{judge}={low:g},{high:g}" for judge, (low, high) in scale.items()] if isinstance(scale, Mapping) else []
    into = into_of(str(workspace), name, words, _joined(columns), json=False)
    return taken_in(found, [str(source) for source in sources], replace(into, design=design))


def _joined(columns: Mapping[str, str] | None) -> str:
    return ",".join(f"{ours}={theirs}" for ours, theirs in (columns or {}).items())


def _paths(files: Files) -> list[Path]:
    return [Path(one) for one in ([files] if isinstance(files, str | Path) else files)]


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)
