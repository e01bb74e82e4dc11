"""What an experiment of MLflow keeps of production: a trace is a sample of its own, feedback grades or labels.

Needs the extra ``mlflow``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...harness.errors import InputError
from ...harness.windows import unix_time
from .found import Found
from .mlflow_client import (
    client_of,
    expected_of,
    reference_of,
    take_feedback,
    traces_of,
    valid_assessments,
    without_password,
)
from .mlflow_runs import read_mlflow
from .traces.mlflow_json import spans_of
from .traces.reading import TraceChoice, found_in

if TYPE_CHECKING:
    from mlflow.entities import Trace


def read_mlflow_named(run_ids: Sequence[str], experiment: str, since: str, uri: str) -> Found:
    """`read_mlflow` of runs, or `read_experiment`. Raises InputError where both or neither is named."""
    if bool(run_ids) == bool(experiment):
        raise InputError(
            "import mlflow: name runs of mlflow.genai.evaluate, or the --experiment whose traces to take in"
        )
    if since and not experiment:
        raise InputError("--since: goes with --experiment; a run is taken in as a whole")
    return read_experiment(experiment, since, uri) if experiment else read_mlflow(run_ids, uri)


def read_experiment(name: str, since: str, uri: str) -> Found:
    """The traces of an experiment, each a sample of its own, from ``since`` on (ISO 8601 or Unix seconds; "" for all).

    Raises MissingExtra, InputError where MLflow does not know the experiment, DataError where no trace can be graded.
    """
    traces = _all_traces(name, since, uri)
    spans = [span for t in traces for span in spans_of(t.to_dict(), f"trace {t.info.trace_id}")]
    if not spans:
        raise InputError(f"--experiment {name!r}: MLflow keeps no spans of its {len(traces)} traces")
    found = found_in(spans, Found("mlflow", name), TraceChoice())
    places = {place[0]: place for place in found.answers}
    for trace in traces:
        if (place := places.get(trace.info.trace_id)) is not None:
            assessments = valid_assessments(trace)
            if reference := reference_of(expected_of(assessments)):
                found.samples[place[0]]["reference"] = reference
            take_feedback(assessments, place, found)
    return found


def _all_traces(name: str, since: str, uri: str) -> list[Trace]:
    start = _since(since)
    client = client_of(uri)
    from mlflow.exceptions import MlflowException

    try:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            raise InputError(f"--experiment {name!r}: MLflow has no experiment of this name")
        traces = list(traces_of(client, experiment.experiment_id, None, start))
    except (MlflowException, OSError) as error:
        raise InputError(f"--experiment {name!r}: {without_password(error)}") from error
    if not traces:
        raise InputError(f"--experiment {name!r}: it has no traces" + (f" from {since} on" if since else ""))
    return traces


def _since(since: str) -> int | None:
    try:
        seconds = unix_time(since)
    except ValueError as error:
        raise InputError(f"--since: {error}") from None
    return None if seconds is None else int(seconds * 1000)
