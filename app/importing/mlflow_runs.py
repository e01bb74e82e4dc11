"""Evaluation runs of MLflow (`mlflow.genai.evaluate`): a trace is an answer, its feedback grades, or a person's labels.

Needs the extra ``mlflow``. Expectations are what a question expects: ``expected_response`` is its reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ...harness.errors import InputError
from ...harness.keys import digest
from .chat import answered, asked
from .failures import detail_of, failure_kind
from .found import Found, FoundAnswer
from .mlflow_client import (
    client_of,
    expected_of,
    reference_of,
    take_feedback,
    traces_of,
    valid_assessments,
    without_password,
)
from .traces.answers import acted
from .traces.mlflow_json import spans_of

if TYPE_CHECKING:
    from mlflow.entities import Trace

_SHORT_ID = 12


def read_mlflow(run_ids: Sequence[str], uri: str) -> Found:
    """Everything of some runs; each is a candidate under its own name.

    Raises MissingExtra, InputError where MLflow does not know a run or it has no traces.
    """
    client = client_of(uri)
    from mlflow.exceptions import MlflowException

    found = Found("mlflow", " + ".join(run_ids))
    trials: Counter[tuple[str, str]] = Counter()
    for run_id in run_ids:
        try:
            run = client.get_run(run_id)
            traces = sorted(traces_of(client, run.info.experiment_id, run_id), key=lambda t: int(t.info.request_time))
        except (MlflowException, OSError) as error:
            raise InputError(f"MLflow, run {run_id!r}: {without_password(error)}") from error
        if not traces:
            raise InputError(
                f"MLflow, run {run_id!r}: it has no traces; only runs of mlflow.genai.evaluate can be taken in"
            )
        candidate = found.candidate(run.info.run_name or run_id)
        for trace in traces:
            _take(trace, candidate, trials, found)
    return found


def _take(trace: Trace, candidate: str, trials: Counter[tuple[str, str]], found: Found) -> None:
    where = f"trace {trace.info.trace_id}"
    inputs = _json(trace.data.request)
    sample_id = digest(inputs)[:_SHORT_ID]
    assessments = valid_assessments(trace)
    expected = expected_of(assessments)
    variables = {**(inputs if isinstance(inputs, dict) else {}), **expected}
    found.add_sample(sample_id, {**asked(inputs, found), "reference": reference_of(expected)}, variables, where)
    place = (sample_id, candidate, trials[sample_id, candidate])
    trials[sample_id, candidate] += 1
    found.add_answer(place, _answer(trace, where, found))
    take_feedback(assessments, place, found)


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
    measured = {name: value for name, value in measured.items() if value is not None}
    calls, retrieved = acted(list(spans_of(trace.to_dict(), where)), found)
    return FoundAnswer(where, text, measured=measured, tool_calls=calls, retrieved=retrieved)


def _json(text: Any) -> Any:
    """What a trace holds as JSON text; text that is none stands for itself."""
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
