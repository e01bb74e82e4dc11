"""`mlflow:models:/name/version` (or ``@alias``, or ``latest``): a model of MLflow's registry, loaded into this process.

The registry is MLflow's own setting (MLFLOW_TRACKING_URI, MLFLOW_REGISTRY_URI). Loading a model runs its code.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..exam_mlflow import PREFIX
from ..keys import digest
from ..records import Failure, Reply, Sample
from ..text import plain
from ..tracking import need_mlflow, reason
from .app import TIMEOUT_S, AppCandidate
from .base import Caller
from .python_app import PythonApp, in_thread, named_inputs
from .templates import last_question

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

    from ..exam import CandidateSpec

_ALIASES = {"inputs": "question", "prompt": "question", "text": "question"}
"""Further names of columns, and which of `named_inputs` they are given."""
_IN_A_MAPPING = ("question", "context")
_WITHOUT_SIGNATURE = ("question", "context", "messages")


@dataclass(frozen=True, slots=True)
class Registered:
    """A model that an alias or ``latest`` stands for now: ``uri`` names its version, ``digest`` what was logged."""

    uri: str
    digest: str


def mlflow_candidate(spec: CandidateSpec, *, caller: Caller, slot: int) -> AppCandidate:
    """The candidate that ``spec.model`` names; its version is looked up now, it is loaded when it is asked first.

    Raises MissingExtra, or InputError where the registry does not answer or has no such model.
    """
    written = spec.model.removeprefix(PREFIX)
    found = registered(written)
    version = digest([found.digest, dict(spec.params), *([spec.version] if spec.version else [])])
    app = MlflowModel(found, version, spec.params, spec.timeout_s or TIMEOUT_S)
    notes = () if found.uri == written else (f"candidate {spec.name!r}: {written} is {found.uri} now",)
    return AppCandidate(spec.name, PREFIX + found.uri, app, caller, slot, notes)


def registered(uri: str) -> Registered:
    """What ``models:/…`` stands for in the registry now."""
    need_mlflow(f"the candidate {PREFIX}{uri}")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from mlflow.models import get_model_info

    try:
        fixed = _fixed(MlflowClient(), uri)
        info = get_model_info(fixed)
    except (MlflowException, OSError, ImportError) as error:
        raise InputError(
            f"{PREFIX}{uri}: {reason(error)}: check the name and the version, and that MLFLOW_TRACKING_URI names the "
            "registry that has it"
        ) from error
    return Registered(fixed, digest([info.model_uuid, info.run_id, str(info.utc_time_created)]))


def _fixed(client: Any, uri: str) -> str:
    """The address with a version instead of an alias or ``latest``."""
    name, at, alias = uri.removeprefix("models:/").partition("@")
    if at:
        return f"models:/{name}/{client.get_model_version_by_alias(name, alias).version}"
    name, slash, version = name.rpartition("/")
    if slash and version == "latest":
        found = [int(one.version) for one in client.search_model_versions(f"name = '{name}'")]
        if not found:
            raise InputError(
                f"{PREFIX}{uri}: the registry has no version of {name!r}; register one, or correct the name"
            )
        return f"models:/{name}/{max(found)}"
    return uri


class MlflowModel:
    """An `App`: one model, loaded once, that predicts in threads as under MLflow's own server."""

    def __init__(self, found: Registered, version: str, params: Mapping[str, Any], timeout_s: float) -> None:
        self._found = found
        self._params = dict(params)
        self._python = PythonApp(PREFIX + found.uri, version, self._predicted, timeout_s)
        self._model: PyFuncModel | None = None
        self._loading = asyncio.Lock()

    @property
    def identity(self) -> str:
        """The model by its version, whatever the exam calls it."""
        return self._python.identity

    @property
    def version(self) -> str:
        """Hash of what was logged, and of the exam's ``params``."""
        return self._python.version

    def input(self, sample: Sample, turn: int) -> Any:
        """As that of an application in Python."""
        return self._python.input(sample, turn)

    async def ask(self, sample: Sample, given: Any) -> Reply | Failure:
        """The model's prediction. Loading it counts into nobody's latency. Raises InputError where it cannot be loaded,
        since then no answer can be had."""
        async with self._loading:
            if self._model is None:
                self._model = await in_thread(partial(_loaded, self._found.uri))
        reply = await self._python.ask(sample, given)
        return replace(reply, served_model=self._found.uri) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Let the model go."""
        self._model = None

    async def _predicted(self, sample: Sample) -> Any:
        model = self._model
        assert model is not None
        params = self._params or None
        return said(await in_thread(lambda: model.predict(given_of(model, sample), params=params)))


def _loaded(uri: str) -> PyFuncModel:
    from mlflow.pyfunc import load_model

    try:
        return load_model(uri)
    except Exception as error:
        raise InputError(
            f"{PREFIX}{uri} cannot be loaded: {type(error).__name__}: {reason(error)}: install what it needs; "
            f"mlflow.pyfunc.get_model_dependencies({uri!r}) lists that"
        ) from error


def given_of(model: PyFuncModel, sample: Sample) -> Any:
    """What the model's signature asks for: a chat, one text or mapping, or a row of named columns; without a
    signature a row with ``question``, ``context`` and ``messages``."""
    import pandas as pd

    metadata: Any = model.metadata
    schema = metadata.get_input_schema()
    if schema is not None and not schema.has_input_names():
        return [_unnamed(schema.inputs[0].type, sample)]
    columns = {column.name: column for column in schema.inputs} if schema is not None else {}
    for chat in ("messages", "input"):  # of a ChatModel, of a ResponsesAgent
        if chat in columns and "Array" in str(columns[chat].type):
            return {chat: _chat(sample)}
    return pd.DataFrame([_row(tuple(columns) or _WITHOUT_SIGNATURE, sample)])


def _unnamed(kind: Any, sample: Sample) -> Any:
    """For ``list[str]`` the question; for a list of mappings, or of a pydantic model, one with its fields."""
    if hasattr(kind, "properties"):
        return _row(tuple(field.name for field in kind.properties), sample)
    return _row(_IN_A_MAPPING, sample) if str(kind).startswith("Map") else last_question(sample)


def _row(names: tuple[str, ...], sample: Sample) -> dict[str, Any]:
    known = named_inputs(sample, tuple(dict.fromkeys(_ALIASES.get(name, name) for name in names)))
    return {name: known[_ALIASES.get(name, name)] for name in names if _ALIASES.get(name, name) in known}


def _chat(sample: Sample) -> list[dict[str, Any]]:
    asked = [{"role": "user", "content": plain(sample.question)}] if sample.question else []
    history = [{"role": m.get("role"), "content": plain(m.get("content") or "")} for m in sample.messages]
    return [*history, *asked]


def said(value: Any) -> Any:
    """What a model predicted for one row, in a shape that an application may return."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a DataFrame
        rows = value.to_dict("records")
        value = rows[0] if len(rows) == 1 else rows
        return next(iter(value.values())) if isinstance(value, Mapping) and len(value) == 1 else value
    if hasattr(value, "tolist"):  # numpy, pandas
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        return said(value[0])
    if isinstance(value, Mapping):
        return _of_chat(value)
    return value


def _of_chat(value: Mapping[str, Any]) -> Any:
    """The message of a chat completion, the text of a response; any other mapping as it is."""
    choices, output = value.get("choices"), value.get("output")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        message = choices[0].get("message")
        return {**message, "usage": value.get("usage")} if isinstance(message, Mapping) else value
    if isinstance(output, list):
        parts = [part for item in output if item.get("type") == "message" for part in item.get("content") or ()]
        text = "".join(str(part["text"]) for part in parts if re.fullmatch("(output_)?text", str(part.get("type"))))
        return {"text": text, "usage": value.get("usage")}
    return value
