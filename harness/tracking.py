"""MLflow, found and opened: a tracking server or store, without its chatter. Needs the extra ``mlflow``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import InputError, MissingExtra

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFAULT = "default"
"""Stands for MLflow's own setting: MLFLOW_TRACKING_URI, or ``sqlite:///mlflow.db`` in the current folder."""
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # without a bound it tries an address where nobody listens for minutes
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # what is printed there is ours
}


def need_mlflow(needed_for: str, ours: bool = True) -> None:
    """Import MLflow, which reads its settings when it is imported; in a process of the user's own they are not
    ``ours``. Raises MissingExtra without it."""
    for name, value in _QUIET.items() if ours else ():
        os.environ.setdefault(name, value)
    try:
        import mlflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra("mlflow", needed_for) from error


def open_client(uri: str) -> MlflowClient:
    """A client of the server or store at ``uri``. Raises MissingExtra, InputError where MLflow refuses it."""
    need_mlflow("--mlflow")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return MlflowClient(tracking_uri=None if uri == DEFAULT else uri)
    except ModuleNotFoundError as error:  # of the driver of a database
        raise MissingExtra("mlflow", f"--mlflow {scrubbed(uri, uri)} wants {error.name}, and") from error
    except MlflowException as error:
        raise InputError(f"--mlflow {scrubbed(uri, uri)!r}: {reason(error, uri)}") from error
    except SQLAlchemyError as error:  # of a database that was left half made, or holds something else
        remedy = "it is no database of MLflow, or a broken one: name another, or remove it"
        raise InputError(f"--mlflow {scrubbed(uri, uri)!r}: {reason(error, uri)}; {remedy}") from error


def reason(error: Exception, uri: str = "") -> str:
    """The first line of what MLflow says, without the password of ``uri``."""
    lines = str(error).strip().splitlines()
    return scrubbed(lines[0] if lines else type(error).__name__, uri)


def scrubbed(text: str, uri: str) -> str:
    """``text`` without the password of ``uri``."""
    password = urlsplit(uri).password
    return text.replace(f":{password}@", ":***@") if password else text
