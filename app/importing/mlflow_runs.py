"""Evaluation runs of MLflow (`mlflow.genai.evaluate`): a trace is an answer, its feedback grades, or a person's labels.

Needs the extra ``mlflow``. Expectations are what a question expects: ``expected_response`` is its reference.
"""

from __future__ import annotations

import inspect
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ...harness.errors import InputError, MissingExtra
from ...harness.keys import digest
from .chat import answered, asked
from .failures import detail_of, failure_kind
from .found import Found, FoundAnswer, FoundLabel, FoundScore, Place

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Assessment, FeedbackValue, Trace

_REFERENCES = ("expected_response", "expected_output", "expected_answer", "ground_truth", "reference")
_SHORT_ID = 12
_PAGE = 100
_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")
_HIDDEN = r"\1:***@"


def read_mlflow(run_ids: Sequence[str], uri: str) -> Found:
    """Everything of some runs; each is a candidate under its own name.

    Raises MissingExtra, InputError where MLflow does not know a run or it has no traces.
    """
    client = _client(uri)
    from mlflow.exceptions import MlflowException

    found = Found("mlflow", " + ".join(run_ids))
    trials: Counter[tuple[str, str]] = Counter()
    for run_id in run_ids:
        try:
            run = client.get_run(run_id)
            traces = sorted(_traces(client, run.info.experiment_id, run_id), key=lambda t: int(t.info.request_time))
        except (MlflowException, OSError) as error:
            raise InputError(f"MLflow, run {run_id!r}: {_PASSWORD.sub(_HIDDEN, detail_of(error))}") from error
        if not traces:
            raise InputError(
                f"MLflow, run {run_id!r}: it has no traces; only runs of mlflow.genai.evaluate can be taken in"
            )
        candidate = found.candidate(run.info.run_name or run_id)
        for trace in traces:
            _take(trace, candidate, trials, found)
    return found


def _client(uri: str) -> MlflowClient:
    # Read when mlflow is imported. Without a bound it tries an address where nobody listens for minutes.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError as error:
        raise MissingExtra("mlflow", "import mlflow") from error
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient(tracking_uri=uri or None)
    except MlflowException as error:
        raise InputError(f"--tracking-uri: {_PASSWORD.sub(_HIDDEN, detail_of(error))}") from error


def _traces(client: MlflowClient, experiment: str, run_id: str) -> Iterator[Trace]:
    """All of a run's traces. What names the experiment was renamed in MLflow 3.5."""
    names = inspect.signature(client.search_traces).parameters
    where: dict[str, Any] = {"locations" if "locations" in names else "experiment_ids": [experiment]}
    token: str | None = None
    while True:
        page = client.search_traces(run_id=run_id, max_results=_PAGE, page_token=token, **where)
        yield from page
        token = page.token
        if not token:
            return


def _take(trace: Trace, candidate: str, trials: Counter[tuple[str, str]], found: Found) -> None:
    where = f"trace {trace.info.trace_id}"
    inputs = _json(trace.data.request)
    sample_id = digest(inputs)[:_SHORT_ID]
    assessments = [one for one in trace.info.assessments or () if getattr(one, "valid", None) is not False]
    expected = {one.name: one.expectation.value for one in assessments if one.expectation is not None}
    reference = next((expected[name] for name in _REFERENCES if isinstance(expected.get(name), str)), "")
    variables = {**(inputs if isinstance(inputs, dict) else {}), **expected}
    found.add_sample(sample_id, {**asked(inputs, found), "reference": reference}, variables, where)
    place = (sample_id, candidate, trials[sample_id, candidate])
    trials[sample_id, candidate] += 1
    found.add_answer(place, _answer(trace, where, found))
    for one in assessments:
        if one.feedback is not None:
            _take_feedback(place, one, one.feedback, found)


def _answer(trace: Trace, where: str, found: Found) -> FoundAnswer:
    info = trace.info
    output = _json(trace.data.response)
    text = answered(output, found)
    if str(getattr(info.state, "value", info.state)) == "ERROR":
        spans = trace.data.spans
        detail = detail_of((spans[0].status.description if spans else "") or "the application failed")
        kind = failure_kind(detail)
        return FoundAnswer(where, text, "candidate_error" if kind == "server_error" else kind, detail)
    if output is None:
        return FoundAnswer(where, "", "candidate_error", "the trace holds no response")
    usage = getattr(info, "token_usage", None) or {}
    measured = {"prompt_tokens": usage.get("input_tokens"), "completion_tokens": usage.get("output_tokens")}
    if info.execution_duration is not None:
        measured["e2e_s"] = info.execution_duration / 1000
    return FoundAnswer(where, text, measured={name: value for name, value in measured.items() if value is not None})


def _take_feedback(place: Place, one: Assessment, feedback: FeedbackValue, found: Found) -> None:
    """A person's is a label of the criterion that it names, any other a grade of a judge of that name."""
    if one.source.source_type == "HUMAN":
        found.add_label(FoundLabel(place, one.name, str(one.source.source_id or "human"), feedback.value))
        return
    error = feedback.error
    why = detail_of(error.error_message or error.error_code) if error else ""
    found.add_score(FoundScore(place, one.name, one.name, feedback.value, str(one.rationale or ""), why))


def _json(text: Any) -> Any:
    """What a trace holds as JSON text; text that is none stands for itself."""
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
