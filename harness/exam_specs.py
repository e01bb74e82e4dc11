"""The sections of an exam file, one model each. Field names are the words that users write."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator

from .errors import InputError
from .exam_juries import OF_MEMBERS, Share, check_jury, seat
from .exam_mlflow import OR_SCORER, as_scorer, check_mlflow_candidate, check_mlflow_judge
from .exam_ragas import OR_METRIC, check_ragas
from .exam_safety import JSON, ParserSpec, check_guard
from .exam_sheets import existing_sheet
from .exam_types import (
    EMBEDDED,
    Contexts,
    Count,
    EndpointName,
    File,
    ModelName,
    Name,
    OrNothing,
    Params,
    SampleField,
    Seconds,
    Section,
    Url,
    Usd,
    Variable,
    absolute,
    base_of,
    packaged_or_path,
    safe_name,
)
from .pinned import unpinned
from .retrieval.spec import EmbedderSpec, RetrieverSpec
from .serving.launch_spec import LaunchSpec, check_launch
from .yaml_file import mistake

if TYPE_CHECKING:
    from .models.endpoints import Endpoint

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class DatasetSpec(Section):
    """``docs_qa`` (packaged), a path, or a section. ``columns`` maps our fields to the file's: {question: prompt}."""

    path: Annotated[Path, packaged_or_path("datasets")] = Field(description="a packaged name, or a path")
    columns: Annotated[dict[SampleField, str], OrNothing] = Field(default_factory=dict)
    format: Literal["bfcl", "xlam"] | None = None
    answers: File | None = None
    limit: Count | None = None
    seed: Annotated[int, Field(strict=True, ge=0)] = 0

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        if value is None:
            raise mistake("an empty value is wrong: wanted a packaged name or a path")
        return {"path": value} if isinstance(value, str | Path) else value

    @model_validator(mode="after")
    def _one_form(self) -> DatasetSpec:
        if self.answers is not None and self.format != "bfcl":
            raise mistake("has no effect without format: bfcl, whose right calls are in a file of their own", "answers")
        if self.format is not None and self.columns:
            raise mistake(f"has no effect beside format: {self.format}, which says what is in which column", "columns")
        return self

    @property
    def name(self) -> str:
        """The file's name without its suffix, or the folder's."""
        return self.path.name if self.path.is_dir() else self.path.stem


def _no_json_text(body: Any) -> Any:
    """A text would be sent as a JSON string: one that holds JSON itself is not what its author means."""
    if isinstance(body, str) and re.match(r"\s*(\[|\{(?![{%#]))", body):
        raise mistake("is a text that holds JSON; write it without the quotes around it: its strings are templates")
    return body


class HttpRequest(Section):
    """What an `http:` candidate is sent. Strings of ``body`` are Jinja templates; headers may hold ``${VARIABLES}``."""

    body: Annotated[Any, AfterValidator(_no_json_text)] = Field(
        description="the JSON to send, like {question: '{{ question }}'}"
    )
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    method: Literal["POST", "PUT", "PATCH", "GET"] = "POST"


class HttpResponse(Section):
    """Where an `http:` candidate's reply holds what: JSONPaths."""

    text: str = Field(description="a JSONPath like $.answer")
    contexts: str | None = None
    tool_calls: str | None = None
    usage: str | None = None


class CandidateSettings(Section):
    """What a candidate and a matrix of candidates have in common."""

    base_url: Url | None = None
    api_key_env: Variable | None = None
    system: File | None = None
    stream: bool = True
    trials: Count = 1
    tool_choice: Literal["auto", "required", "none"] | None = None
    version: str | None = None
    timeout_s: Seconds | None = None
    request: HttpRequest | None = None
    response: HttpResponse | None = None
    retriever: RetrieverSpec | None = Field(
        default=None, description="passages found by it take the place of the samples' own context"
    )
    contexts: Contexts = Field(default=None, description="how many passages are shown; a list makes a candidate each")
    launch: LaunchSpec | None = None
    usd_per_gpu_hour: Usd | None = None
    memory_gb: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = None

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the exam's folder."""
        self._base = _folder_of(context)

    @property
    def base(self) -> Path:
        """The exam's folder: where modules and files of this candidate are looked for."""
        return self._base


def _folder_of(context: Any) -> Path:
    folder = context.get("base") if isinstance(context, Mapping) else None
    return absolute(Path(folder or "."))


class CandidateSpec(CandidateSettings):
    """One candidate. ``name`` defaults to the model."""

    name: Name
    model: ModelName = Field(description="provider/model, like openai/gpt-4o-mini, or baseline/extractive")
    prompt: File | None = None
    params: Params = Field(default_factory=dict)
    adapter: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, value: Any) -> Any:
        return _named_after_model(value)

    @model_validator(mode="after")
    def _consistent(self) -> CandidateSpec:
        if self.model == EMBEDDED:
            raise mistake("'embedded' is a judge; a candidate without a model is e.g. baseline/extractive", "model")
        _refuse_idle_settings(self)
        check_mlflow_candidate(self)
        check_launch(self)
        if self.model.startswith("replay/"):
            existing_sheet(self.model.removeprefix("replay/"), self.base)
        if self.retriever is None and self.contexts not in (None, 0):
            what = "needs a retriever: beside it, like retriever: bm25; only 0 (no context) goes without"
            raise mistake(what, "contexts")
        return self

    @property
    def shown(self) -> int | None:
        """How many retrieved passages it is shown; ``None`` for one that sees the samples' own context."""
        if isinstance(self.contexts, tuple):
            return max(self.contexts)
        return self.retriever.k if self.contexts is None and self.retriever is not None else self.contexts

    def by_contexts(self) -> tuple[CandidateSpec, ...]:
        """A candidate for each number of a list of contexts, named after it; else itself."""
        if not isinstance(self.contexts, tuple):
            return (self,)
        return tuple(
            self.model_copy(update={"name": contexts_name(self.name, k), "contexts": k}) for k in self.contexts
        )


def contexts_name(name: str, contexts: int) -> str:
    """What the candidate ``name`` is called with so many contexts."""
    return f"{name}-ctx{contexts}"


def _named_after_model(value: Any) -> Any:
    """Raw data with a name. Without a model to take it from, the model is what is missing, and not the name too."""
    if isinstance(value, Mapping) and value.get("name") is None:
        return {**value, "name": safe_name(str(value.get("model") or ""))}
    return value


def _refuse_idle_settings(spec: CandidateSpec) -> None:
    """Raise for settings that this kind of candidate would silently ignore, or cannot do without."""
    kind = re.split(r"[/:]", spec.model, maxsplit=1)[0]
    if kind == "http":
        for name, form in (("request", "request: {body: …}"), ("response", "response: {text: $.answer}")):
            if getattr(spec, name) is None:
                raise mistake(f"an http: candidate needs {form}", name)
        idle = ["prompt", "system", "base_url", "retriever", "contexts", "tool_choice"]
    elif kind in ("python", "replay", "mlflow"):
        idle = ["prompt", "system", "base_url", "request", "response", "retriever", "contexts", "tool_choice"]
    elif kind == "baseline":
        idle = ["prompt", "system", "base_url", "request", "response", "usd_per_gpu_hour", "tool_choice"]
    else:
        idle = ["request", "response"]
    for name in idle:
        if getattr(spec, name) is not None:
            raise mistake(f"has no effect on the candidate {spec.model!r}; remove it", name)


class JudgeSpec(Section):
    """One judge. ``params`` hold our temperature of 0.1 unless the exam sets its own."""

    name: Name
    model: Annotated[ModelName, OF_MEMBERS] = Field(description="provider/model, like openai/gpt-4o, or embedded")
    rubric: Annotated[str | Path, packaged_or_path("rubrics"), OR_METRIC, OR_SCORER, OF_MEMBERS] = Field(
        description="rubric: and a packaged name, a path or ragas/<metric>"
    )
    shots: Annotated[int, Field(strict=True, ge=0)] = 1
    params: Params = Field(default_factory=lambda: {"temperature": 0.1})
    base_url: Url | None = None
    api_key_env: Variable | None = None
    repeats: Count = 1
    repeat_share: Share = 1.0
    calls: Literal["one", "per_criterion"] = "one"
    turns: Literal["each", "conversation"] = "conversation"
    timeout_s: Seconds | None = None
    stream: bool = False
    mode: Literal["pointwise", "pairwise"] = "pointwise"
    against: str | None = None
    pinned: File | None = None
    members: tuple[Name, ...] = ()
    aggregate: Literal["median", "mean", "majority"] = "median"
    embedder: EmbedderSpec | None = None
    parser: ParserSpec = JSON
    launch: LaunchSpec | None = None
    adapter: str | None = None
    usd_per_gpu_hour: Usd | None = None

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the exam's folder."""
        self._base = _folder_of(context)

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, value: Any, info: ValidationInfo) -> Any:
        return _named_after_model(as_scorer(unpinned(seat(value), base_of(info))))

    @model_validator(mode="after")
    def _one_mode(self) -> JudgeSpec:
        if self.mode == "pointwise" and self.against is not None:
            raise mistake(f"{self.against!r} has no effect without mode: pairwise; write both, or neither", "against")
        if self.mode == "pairwise":
            _refuse_pairwise_settings(self)
        check_jury(self)
        check_ragas(self)
        check_mlflow_judge(self)
        check_guard(self)
        check_launch(self)
        return self

    @property
    def base(self) -> Path:
        """The exam's folder: where the module of a scorer is looked for."""
        return self._base

    @property
    def params_set_by_user(self) -> frozenset[str]:
        """Names of the parameters that the exam sets itself; the others are ours to drop."""
        return frozenset(self.params) if "params" in self.model_fields_set else frozenset()


def _refuse_pairwise_settings(spec: JudgeSpec) -> None:
    """Raise for what a judge of two answers cannot do, or would silently ignore."""
    if spec.model == EMBEDDED:
        raise mistake("'pairwise' needs a judge with a model: the embedded one grades one answer at a time", "mode")
    if spec.calls != "one":
        raise mistake(f"{spec.calls!r} has no effect on a pairwise judge, which gives one verdict; remove it", "calls")
    if spec.repeat_share != 1:
        what = f"{spec.repeat_share!r} has no effect on a pairwise judge, which repeats every pair; remove it"
        raise mistake(what, "repeat_share")
    if spec.turns != "conversation":
        what = f"{spec.turns!r} has no effect on a pairwise judge, which compares whole conversations; remove it"
        raise mistake(what, "turns")


class LimitsSpec(Section):
    """What an endpoint is allowed: calls in flight, requests and tokens per minute."""

    concurrency: Count | None = None
    rpm: Count | None = None
    tpm: Count | None = None


class EndpointSpec(Section):
    """An OpenAI-compatible server under a name of one's own: ``model: <name>/<model>``."""

    name: EndpointName
    base_url: Url = Field(description="an address like http://localhost:8000/v1")
    key_env: Variable | None = None
    key_command: str | None = Field(default=None, repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    limits: LimitsSpec = LimitsSpec()
    timeout_s: Seconds = 120.0
    text_only: bool = False

    @model_validator(mode="after")
    def _one_key(self) -> EndpointSpec:
        if self.key_env and self.key_command:
            raise mistake("stands beside key_env; keep one of the two", "key_command")
        return self

    def to_endpoint(self) -> Endpoint:
        """The endpoint, ``${VARIABLES}`` of its headers filled in. Raises InputError for one that is unset."""
        from .models.base import Limits
        from .models.endpoints import Endpoint

        headers = {name: self._expanded(name, value) for name, value in self.headers.items()}
        limits = Limits(self.limits.concurrency, self.limits.rpm, self.limits.tpm)
        return Endpoint(
            self.name,
            self.base_url,
            self.key_env,
            self.key_command,
            headers,
            limits,
            self.timeout_s,
            self.text_only,
        )

    def _expanded(self, header: str, value: str) -> str:
        def fill(match: re.Match[str]) -> str:
            if match[1] not in os.environ:
                raise InputError(
                    f"endpoint {self.name!r}: the header {header!r} needs the environment variable {match[1]}, "
                    f"which is not set: export {match[1]}=…"
                )
            return os.environ[match[1]]

        return _REFERENCE.sub(fill, value)


class PriceSpec(Section):
    """USD per million tokens, and per request. A kind of input that has no price of its own costs what other does.

    ``batch_discount`` is taken off tokens where it is declared, and nowhere else: we ask nobody's batch API ourselves.
    """

    input_usd_per_million: Usd = 0.0
    output_usd_per_million: Usd = 0.0
    cached_input_usd_per_million: Usd | None = None
    cache_write_usd_per_million: Usd | None = None
    usd_per_request: Usd = 0.0
    batch_discount: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> PriceSpec:
        tokens = {"input_usd_per_million", "output_usd_per_million"} & self.model_fields_set
        if len(tokens) == 1 or (not tokens and "usd_per_request" not in self.model_fields_set):
            raise mistake(
                "write both input_usd_per_million and output_usd_per_million (0 for what is free), or usd_per_request: "
                "a price that is left out would count as 0"
            )
        return self
