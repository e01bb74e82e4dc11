"""An exam as plain JSON, kept with its run: what made the numbers. Never a key, a header's value or a key command."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from .exam_labels import packaged_labels
from .exam_mlflow import is_mlflow, is_mlflow_rubric
from .exam_ragas import is_ragas
from .exam_safety import described_parser, is_guard
from .exam_sheets import packaged_sheets, sheet_file
from .exam_types import packaged_files
from .pinned import load_pinned

if TYPE_CHECKING:
    from .exam import Exam
    from .exam_labels import LabelSpec
    from .exam_specs import CandidateSpec, DatasetSpec, EndpointSpec, JudgeSpec
    from .retrieval.spec import EmbedderSpec


def describe(exam: Exam) -> dict[str, Any]:
    """Plain JSON of ``exam``: texts of prompts with their SHA-256, paths relative to the exam's folder."""
    folder = exam.path.parent
    models = [*(spec.model for spec in exam.candidates), *(spec.model for spec in exam.judges)]
    models += [spec.embedder.model for spec in exam.judges if spec.embedder is not None]
    used = {model.partition("/")[0] for model in models}
    described: dict[str, Any] = {
        "name": exam.name,
        "dataset": {
            "name": exam.dataset.name,
            "path": _relative(exam.dataset.path, folder),
            "columns": exam.dataset.columns,
            "limit": exam.dataset.limit,
            "seed": exam.dataset.seed,
            **_form(exam.dataset, folder),
        },
        "candidates": [_candidate(spec, folder) for spec in exam.candidates],
        "judges": [_described(spec, exam, folder) for spec in exam.judges],
        "measures": list(exam.measures),
        "endpoints": [_endpoint(spec) for spec in exam.endpoints if spec.name in used],
        "prices": {name: spec.model_dump(mode="json", exclude_none=True) for name, spec in exam.prices.items()},
        "concurrency": exam.concurrency,
    }
    if exam.baseline is not None:
        described["baseline"] = exam.baseline
    if exam.labels:
        described["labels"] = [_labels(spec, folder) for spec in exam.labels]
    return described


def _form(spec: DatasetSpec, folder: Path) -> dict[str, Any]:
    """Of whose form the data set is, and where its answers are; nothing for one of our own."""
    answers = {} if spec.answers is None else {"answers": _relative(spec.answers, folder)}
    return {} if spec.format is None else {"format": spec.format, **answers}


def _candidate(spec: CandidateSpec, folder: Path) -> dict[str, Any]:
    model = spec.model
    if model.startswith("replay/"):
        model = f"replay/{_sheet(sheet_file(model.removeprefix('replay/'), spec.base), folder)}"
    described: dict[str, Any] = {
        "name": spec.name,
        "model": _without_query(model),
        "params": spec.params,
        "stream": spec.stream,
        "trials": spec.trials,
        **_text("prompt", spec.prompt),
        **_text("system", spec.system),
        "version": spec.version,
        "timeout_s": spec.timeout_s,
        "base_url": _address(spec.base_url),
        **_launch(spec, folder),
        **({} if spec.tool_choice is None else {"tool_choice": spec.tool_choice}),
        **({} if spec.memory_gb is None else {"memory_gb": spec.memory_gb}),
    }
    if spec.request is not None:
        headers = sorted(spec.request.headers)
        described["request"] = {"method": spec.request.method, "body": spec.request.body, "headers": headers}
    if spec.shown is not None:
        described |= {"contexts": spec.shown, "retriever": _retriever(spec, folder)}
    if spec.response is not None:
        described["response"] = spec.response.model_dump(mode="json")
    return described


def _sheet(path: Path, folder: Path) -> str:
    name = next((name for name, packaged in packaged_sheets().items() if packaged == path), None)
    return name or _relative(path, folder)


def _retriever(spec: CandidateSpec, folder: Path) -> dict[str, Any] | None:
    """The retriever as written, paths relative to the exam, addresses without a query."""
    if spec.retriever is None:
        return None
    described = spec.retriever.model_dump(mode="json", exclude_none=True)
    for name in ("corpus", "tokenizer"):
        if (path := getattr(spec.retriever, name)) is not None:
            described[name] = _relative(path, folder)
    if spec.retriever.embedder is not None:
        described["embedder"]["base_url"] = _address(spec.retriever.embedder.base_url)
    return described


def _described(spec: JudgeSpec, exam: Exam, folder: Path) -> dict[str, Any]:
    if not spec.members:
        return _judge(spec, folder)
    members = [_judge(one, folder) for one in exam.judges if one.name in spec.members]
    return {
        "name": spec.name,
        "members": list(spec.members),
        "aggregate": spec.aggregate,
        "rubric": members[0]["rubric"],
        "turns": spec.turns,
        **_repeats(spec),
        "selected_on": sorted({name for member in members for name in member.get("selected_on", ())}),
    }


def _repeats(spec: JudgeSpec) -> dict[str, Any]:
    return {"repeats": spec.repeats, **({} if spec.repeat_share == 1 else {"repeat_share": spec.repeat_share})}


def _judge(spec: JudgeSpec, folder: Path) -> dict[str, Any]:
    return {
        "name": spec.name,
        "model": spec.model,
        "rubric": _rubric(spec.rubric, folder),
        **({} if _wordless(spec) else {"shots": spec.shots, "calls": spec.calls}),
        **described_parser(spec),
        "params": spec.params,
        **_repeats(spec),
        "turns": spec.turns,
        "base_url": _address(spec.base_url),
        **({} if spec.embedder is None else {"embedder": _embedder(spec.embedder)}),
        **({"mode": spec.mode, "against": spec.against} if spec.mode == "pairwise" else {}),
        **_pinned(spec, folder),
        **_launch(spec, folder),
    }


def _wordless(spec: JudgeSpec) -> bool:
    """Whether the prompt is not of our words."""
    return is_ragas(spec.rubric) or is_mlflow(spec.model) or is_guard(spec)


def _launch(spec: CandidateSpec | JudgeSpec, folder: Path) -> dict[str, Any]:
    """How its server is started, adapters relative to the exam, and what a GPU costs; nothing where nobody said."""
    described: dict[str, Any] = {}
    if spec.launch is not None:
        described["launch"] = spec.launch.model_dump(mode="json")
        adapters = spec.launch.adapters.items()
        described["launch"]["adapters"] = {
            name: _relative(Path(where), folder) if Path(where).is_absolute() else where for name, where in adapters
        }
        described["adapter"] = spec.adapter
    if spec.usd_per_gpu_hour is not None:
        described["usd_per_gpu_hour"] = spec.usd_per_gpu_hour
    return described


def _rubric(rubric: str | Path, folder: Path) -> dict[str, Any]:
    """Name, file and its hash; a metric of ragas and a scorer of MLflow have no file."""
    if is_ragas(rubric) or is_mlflow_rubric(rubric):
        return {"name": rubric}
    file = rubric if isinstance(rubric, Path) else packaged_files("rubrics")[rubric]
    return {"name": file.stem, "path": _relative(file, folder), "sha256": _sha256(file)}


def _embedder(spec: EmbedderSpec) -> dict[str, Any]:
    """The embedder as written, its address without a query."""
    described = spec.model_dump(mode="json", exclude_none=True)
    if spec.base_url is not None:
        described["base_url"] = _address(spec.base_url)
    return described


def _pinned(spec: JudgeSpec, folder: Path) -> dict[str, Any]:
    """Of a pinned judge its file, and the label sets that chose it: they should not also correct its scores."""
    if spec.pinned is None:
        return {}
    return {"pinned": _relative(spec.pinned, folder), "selected_on": list(load_pinned(spec.pinned).selected_on)}


def _labels(spec: LabelSpec, folder: Path) -> dict[str, Any]:
    """How the labels were made, and which file they are: it is read again for every report."""
    described = spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    name = next((name for name, path in packaged_labels().items() if path == spec.path), None)
    return {**described, "path": name or _relative(spec.path, folder), "sha256": _sha256(spec.path)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _endpoint(spec: EndpointSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "base_url": _address(spec.base_url),
        "headers": sorted(spec.headers),
        "limits": spec.limits.model_dump(mode="json", exclude_none=True),
        "timeout_s": spec.timeout_s,
    }


def _text(name: str, path: Path | None) -> Mapping[str, str | None]:
    """A file's text, and its hash: of a prompt, that is what matters."""
    if path is None:
        return {name: None, f"{name}_sha256": None}
    content = path.read_bytes()
    return {name: content.decode("utf-8", "replace"), f"{name}_sha256": hashlib.sha256(content).hexdigest()}


def _address(url: str | None) -> str | None:
    """Scheme, host and path: a query may hold a key."""
    if url is None:
        return None
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _without_query(model: str) -> str:
    return model.partition("?")[0] if model.startswith("http:") else model


def _relative(path: Path, folder: Path) -> str:
    """Relative to the exam where it lies near it, packaged files by name: the same on every machine."""
    package = Path(__file__).parent.parent
    for parent in ("datasets", "rubrics"):
        if path.parent == package / parent:
            return path.stem if path.suffix == ".yaml" else path.name
    return Path(os.path.relpath(path, folder)).as_posix()
