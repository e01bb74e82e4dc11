"""What made a report: dataset, models, prompts, rubrics, versions and hashes, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..harness.store.frames import RunData
from . import words
from .cells import Scores
from .exam import CandidateView, JudgeView, pairwise_judges_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A block of the set-up: ``items`` are label and value, ``texts`` are label and a longer text."""

    title: str
    items: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...] = ()


def setup(data: RunData, scores: Scores) -> tuple[Entry, ...]:
    """Run, dataset, candidates, judges."""
    return (
        _run(data),
        _dataset(data),
        *(_candidate(candidate, data) for candidate in scores.candidates),
        *(_judge(judge, data) for judge in scores.judges),
    )


def pairwise_setup(data: RunData) -> tuple[Entry, ...]:
    """Judges that compare answers."""
    return tuple(_pairwise_judge(judge, data) for judge in pairwise_judges_of(data))


def day(unix: float) -> str:
    """``20 November 2026`` (UTC)."""
    moment = datetime.fromtimestamp(unix, UTC)
    return f"{moment.day} {moment:%B %Y}"


def _run(data: RunData) -> Entry:
    info = data.info
    started = datetime.fromtimestamp(info.created_at, UTC)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(info.versions.items()))
    return _entry(
        "Run",
        ("id", info.id),
        ("exam", info.exam),
        ("made by", str(info.config.get("command") or "")),
        ("started", f"{started:%Y-%m-%d %H:%M} UTC"),
        ("finished", "" if info.finished_at else "no: this report is of what there is so far"),
        ("exam fingerprint", words.short(info.fingerprint)),
        ("versions", versions),
        ("prices of", str(info.config.get("prices_date") or "")),
    )


def _dataset(data: RunData) -> Entry:
    described: Mapping[str, Any] = data.info.config.get("dataset") or {}
    subset = described.get("subset")
    return _entry(
        f"Dataset {described.get('name') or ''}".rstrip(),
        ("version", str(described.get("version") or "")),
        ("questions", f"{len(data.samples):,}"),
        ("subset", f"{subset.get('n')} of {subset.get('of')}, seed {subset.get('seed')}" if subset else ""),
        ("sha256", words.short(str(described.get("sha256") or ""))),
        ("measures", ", ".join(scores_names(data))),
    )


def scores_names(data: RunData) -> list[str]:
    """Measures without a judge as the exam names them."""
    return [str(name) for name in data.info.config.get("measures") or ()]


def _candidate(view: CandidateView, data: RunData) -> Entry:
    calls = _calls(data, "candidate", view.name)
    streaming = "" if view.stream is None or not len(calls) else "yes" if view.stream else "no"
    return _entry(
        f"Candidate {view.name}",
        ("model", view.model),
        ("launched by", view.launch),
        ("replies name", _named(calls["served_model"])),
        ("parameters", _params(view.params)),
        ("tool choice", view.tool_choice),
        ("left out, the model refuses them", _dropped(calls["dropped"])),
        ("trials", str(view.trials) if view.trials > 1 else ""),
        ("streamed", streaming),
        ("retriever", _retriever(view.retriever)),
        ("contexts", "" if view.contexts is None else str(view.contexts)),
        ("prompt sha256", words.short(view.prompt_sha256)),
        texts=(("prompt", view.prompt), ("system message", view.system)),
    )


def _judge(view: JudgeView, data: RunData) -> Entry:
    calls = _calls(data, "judge", view.name)
    rubric = f"{view.rubric} {'v' + view.rubric_version if view.rubric_version else ''}".strip()
    total = sum(view.weights) or 1.0
    criteria = tuple(
        (f"{name}, weight {weight / total:.3g}", description)
        for name, weight, description in zip(view.criteria, view.weights, view.descriptions, strict=True)
    )
    return _entry(
        f"Judge {view.name}",
        ("model", "embedded: no model, compares words" if view.embedded else view.model),
        ("embedder", view.embedder),
        ("launched by", view.launch),
        ("replies name", _named(calls["served_model"])),
        ("parameters", _params(view.params)),
        ("left out, the model refuses them", _dropped(calls["dropped"])),
        ("worked examples per level", "" if view.shots is None or view.embedded else str(view.shots)),
        ("calls per answer", view.calls.replace("_", " ")),
        ("rubric", rubric),
        ("rubric sha256", words.short(view.rubric_sha256)),
        ("scale", words.scale_words(view.scale)),
        *criteria,
        texts=(("system message", view.prompt),),
    )


def _pairwise_judge(view: JudgeView, data: RunData) -> Entry:
    calls = _calls(data, "judge", view.name)
    return _entry(
        f"Judge {view.name}",
        ("mode", "pairwise, both orders" + (f", all against {view.against}" if view.against else "")),
        ("model", view.model),
        ("launched by", view.launch),
        ("replies name", _named(calls["served_model"])),
        ("parameters", _params(view.params)),
        ("left out, the model refuses them", _dropped(calls["dropped"])),
        ("worked examples per outcome", "" if view.shots is None else str(view.shots)),
        ("rubric", f"{view.rubric} {'v' + view.rubric_version if view.rubric_version else ''}".strip()),
        ("rubric sha256", words.short(view.rubric_sha256)),
        texts=(("system message", view.prompt),),
    )


def _entry(title: str, *items: tuple[str, str], texts: tuple[tuple[str, str], ...] = ()) -> Entry:
    return Entry(title, tuple(item for item in items if item[1]), tuple(text for text in texts if text[1]))


def _calls(data: RunData, role: str, who: str) -> Any:
    calls = data.calls
    return calls[(calls["role"] == role) & (calls["who"] == who) & ~calls["superseded"].astype(bool)]


def _named(column: Any) -> str:
    return ", ".join(sorted({str(name) for name in column.dropna().unique() if name}))


def _retriever(given: Mapping[str, Any] | None) -> str:
    """``index exact, embedder hashed/1024, recursive 800/80``; settings that have no say are left out."""
    if not given:
        return ""
    embedder = given.get("embedder") or {}
    named = [f"index {given.get('index')}", f"embedder {embedder['model']}" if embedder.get("model") else ""]
    if not str(given.get("index")).startswith("python:"):
        chunker = str(given.get("chunker"))
        sizes = "" if chunker == "document" else f" {given.get('size')}/{given.get('overlap')}"
        named += [f"chunks {chunker}{sizes}", f"corpus {given['corpus']}" if given.get("corpus") else ""]
    return ", ".join(part for part in named if part)


def _dropped(column: Any) -> str:
    return ", ".join(sorted({name for names in column.dropna().unique() for name in _split(str(names))}))


def _split(names: str) -> Iterator[str]:
    return (name for name in names.strip("[]").replace('"', "").split(",") if name)


def _params(params: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted((params or {}).items()))
