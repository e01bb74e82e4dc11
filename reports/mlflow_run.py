"""A run in MLflow: a run of its own with the report, and below it one for every candidate. Needs the extra ``mlflow``.

Logged again, the same MLflow runs are brought up to date: they are found by the tag ``markscheme.run``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..harness.errors import InputError
from ..harness.keys import digest
from ..harness.store.frames import RunData
from ..harness.tracking import open_client, reason, scrubbed
from . import mlflow_numbers as numbers
from .cells import Scores
from .operations import candidate_costs

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

TABLE = "answers.json"
SUMMARY = "summary.json"
EXAM = "exam.json"
_PARAMS = "markscheme.params"
"""The tag with the hash of what we logged as parameters, which MLflow lets nobody change."""
_PARAMS_AT_ONCE, _METRICS_AT_ONCE = 100, 1000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a run is in MLflow: ids of its run there and of one a candidate. ``left_out`` says what is not there."""

    experiment: str
    run: str
    candidates: tuple[str, ...]
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What one MLflow run is to hold."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    began: float
    ended: float | None


def log_run(data: RunData, scores: Scores, pages: Sequence[Path], uri: str, experiment: str = "") -> Logged:
    """Log a run to the tracking server or store at ``uri``, ``default`` being MLflow's own setting.

    ``pages`` are the report's files. ``experiment`` is that of the exam's name by default. Raises MissingExtra, or
    InputError where MLflow refuses the address or does not answer.
    """
    client = open_client(uri)
    from mlflow.exceptions import MlflowException

    name = experiment or str(data.info.config.get("name") or data.info.exam)
    try:
        found = client.get_experiment_by_name(name)
        folder = found.experiment_id if found else client.create_experiment(name)
        return _log(client, folder, name, data, scores, pages)
    except (MlflowException, OSError) as error:
        raise InputError(
            f"MLflow at {scrubbed(uri, uri)}: {reason(error, uri)}: check the address and that the server runs; "
            f"the run is kept: markscheme report {data.info.id} --mlflow … logs it"
        ) from error


def _log(
    client: MlflowClient, folder: str, experiment: str, data: RunData, scores: Scores, pages: Sequence[Path]
) -> Logged:
    parent = _put(client, folder, _of_run(data, scores))
    for page in pages:
        client.log_artifact(parent, str(page))
    client.log_dict(parent, dict(data.info.config), EXAM)
    _put_table(client, parent, numbers.summary_table(scores), SUMMARY)
    views = scores.candidates
    samples = numbers.chosen_samples(list(data.samples["sample_id"]), max((v.trials for v in views), default=1))
    children = []
    for sheet in _of_candidates(data, scores, parent):
        child = _put(client, folder, sheet)
        _put_table(client, child, numbers.answers_table(data, scores, sheet.name, samples), TABLE)
        children.append(child)
    _forget_others(client, folder, data.info.id, {parent, *children})
    n = len(data.samples)
    left = "" if len(samples) == n else f"the answers to {len(samples):,} of {n:,} samples, drawn by their ids' hashes"
    return Logged(experiment, parent, tuple(children), left)


def _of_run(data: RunData, scores: Scores) -> _Sheet:
    costs = candidate_costs(data, scores)
    paid = [cost.paid_usd for cost in costs if cost.paid_usd is not None]
    ok = int((data.answers["status"] == "ok").sum())
    metrics = {"answers/ok": float(ok), "answers/failed": float(len(data.answers) - ok)}
    metrics |= {"paid_usd": sum(paid)} if len(paid) == len(costs) else {}
    tags = {**numbers.tags_of_run(data), "markscheme": "run"}
    name = data.info.name or data.info.id
    return _Sheet(name, tags, numbers.params_of_run(data.info.config), metrics, *_times(data))


def _of_candidates(data: RunData, scores: Scores, parent: str) -> Iterator[_Sheet]:
    for cost in candidate_costs(data, scores):
        statuses = data.answers.loc[data.answers["candidate"] == cost.candidate, "status"]
        ok = int((statuses == "ok").sum())
        tags = {**numbers.tags_of_run(data), "markscheme": "candidate", "markscheme.candidate": cost.candidate}
        yield _Sheet(
            cost.candidate,
            {**tags, "mlflow.parentRunId": parent},
            numbers.params_of_candidate(data.info.config, cost.candidate),
            numbers.metrics(scores, cost, {"ok": ok, "failed": len(statuses) - ok}),
            *_times(data),
        )


def _times(data: RunData) -> tuple[float, float | None]:
    return data.info.created_at, data.info.finished_at


def _put(client: MlflowClient, folder: str, sheet: _Sheet) -> str:
    """Make the MLflow run hold the sheet, and return its id."""
    run = _found(client, folder, sheet)
    known = run.data.metrics if run else {}
    if run is None:
        began = int(sheet.began * 1000)
        run = client.create_run(folder, start_time=began, tags={"mlflow.runName": sheet.name, **sheet.tags})
    identifier: str = run.info.run_id
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    news = {name: value for name, value in sheet.metrics.items() if known.get(name) != value}
    params = [] if run.data.tags.get(_PARAMS) == _hash(sheet) else [Param(*one) for one in sheet.params.items()]
    for some in _batches(params, _PARAMS_AT_ONCE):
        client.log_batch(identifier, params=some)
    tags = {**sheet.tags, _PARAMS: _hash(sheet)}
    client.log_batch(identifier, tags=[RunTag(*one) for one in tags.items()])
    for many in _batches([Metric(name, value, now, 0) for name, value in news.items()], _METRICS_AT_ONCE):
        client.log_batch(identifier, metrics=many)
    if sheet.ended is not None:
        client.set_terminated(identifier, end_time=int(sheet.ended * 1000))
    return identifier


def _found(client: MlflowClient, folder: str, sheet: _Sheet) -> MlflowRun | None:
    """The MLflow run of an earlier time. One with other parameters is put into MLflow's bin: nobody can change them."""
    kept = None
    for run in _ours(client, folder, sheet.tags["markscheme.run"]):
        same = all(run.data.tags.get(name, "") == sheet.tags.get(name, "") for name in _PLACE)
        if same and kept is None and run.data.tags.get(_PARAMS, _hash(sheet)) == _hash(sheet):
            kept = run
        elif same:
            client.delete_run(run.info.run_id)
    return kept


_PLACE = ("markscheme", "markscheme.candidate")


def _forget_others(client: MlflowClient, folder: str, run: str, kept: set[str]) -> None:
    """Candidates that are no longer in the exam go into MLflow's bin."""
    for other in _ours(client, folder, run):
        if other.info.run_id not in kept:
            client.delete_run(other.info.run_id)


def _ours(client: MlflowClient, folder: str, run: str) -> list[MlflowRun]:
    found: list[MlflowRun] = []
    token: str | None = None
    while True:
        page = client.search_runs([folder], f"tags.`markscheme.run` = '{run}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _put_table(client: MlflowClient, run: str, table: pd.DataFrame, file: str) -> None:
    """`log_table` adds to a table that is there: from the second time on the file is written anew, in its form."""
    if any(one.path == file for one in client.list_artifacts(run)):
        client.log_text(run, table.to_json(orient="split", index=False, force_ascii=False), file)
    else:
        client.log_table(run, table, file)


def _hash(sheet: _Sheet) -> str:
    return digest(dict(sheet.params))


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
