"""What is asked of an MLflow server or store: traces, page by page, and what was said of them."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError, MissingExtra
from .failures import detail_of
from .found import Found, FoundLabel, FoundScore, Place

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Assessment, FeedbackValue, Trace

_REFERENCES = ("expected_response", "expected_output", "expected_answer", "ground_truth", "reference")
_PAGE = 100
_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")
_HIDDEN = r"\1:***@"


def client_of(uri: str) -> MlflowClient:
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
        raise InputError(f"--tracking-uri: {without_password(error)}") from error


def traces_of(
    client: MlflowClient, experiment: str, run_id: str | None, start_ms: int | None = None
) -> Iterator[Trace]:
    """All traces of a run, or of an experiment. What names the experiment was renamed in MLflow 3.5."""
    names = inspect.signature(client.search_traces).parameters
    where: dict[str, Any] = {"locations" if "locations" in names else "experiment_ids": [experiment]}
    if start_ms is not None:
        where["filter_string"] = f"timestamp_ms >= {start_ms}"
    token: str | None = None
    while True:
        page = client.search_traces(run_id=run_id, max_results=_PAGE, page_token=token, **where)
        yield from page
        token = page.token
        if not token:
            return


def without_password(error: Exception) -> str:
    """The first line of an error, which may quote the address of a store."""
    return _PASSWORD.sub(_HIDDEN, detail_of(error))


def valid_assessments(trace: Trace) -> list[Assessment]:
    """What scorers and people said of a trace, as far as nobody took it back."""
    return [one for one in trace.info.assessments or () if getattr(one, "valid", None) is not False]


def expected_of(assessments: list[Assessment]) -> dict[str, Any]:
    """What a question expects, by name."""
    return {one.name: one.expectation.value for one in assessments if one.expectation is not None}


def reference_of(expected: Mapping[str, Any]) -> str:
    """The expectation that is the right answer; "" where there is none."""
    return next((expected[name] for name in _REFERENCES if isinstance(expected.get(name), str)), "")


def take_feedback(assessments: list[Assessment], place: Place, found: Found) -> None:
    """What was said of an answer."""
    for one in assessments:
        if one.feedback is not None:
            _take_feedback(place, one, one.feedback, found)


def _take_feedback(place: Place, one: Assessment, feedback: FeedbackValue, found: Found) -> None:
    """A person's is a label of the criterion that it names, any other a grade of a judge of that name."""
    if one.source.source_type == "HUMAN":
        found.add_label(FoundLabel(place, one.name, str(one.source.source_id or "human"), feedback.value))
        return
    error = feedback.error
    why = detail_of(error.error_message or error.error_code) if error else ""
    found.add_score(FoundScore(place, one.name, one.name, feedback.value, str(one.rationale or ""), why))
