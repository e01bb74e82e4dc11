"""What no single section can see: names that stand for two things, models of providers that nobody declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError, Problem
from .exam_mlflow import is_mlflow
from .exam_specs import CandidateSpec, contexts_name
from .exam_types import EMBEDDED, safe_name
from .pinned import as_written
from .yaml_file import KeyPath, YamlFile, did_you_mean

_ANSWERED_WITHOUT_MODEL = ("baseline", "replay")
MAY_RETRIEVE = ("python:", "http:", "mlflow:", "replay/")


@dataclass(frozen=True, slots=True)
class Entry:
    """A named thing of the file, as far as it could be read."""

    section: str
    at: KeyPath
    name: str
    model: str
    has_base_url: bool


def entries(data: Any, expanded: Iterable[CandidateSpec], base: Path | None = None) -> list[Entry]:
    """Candidates, judges and endpoints of raw data (what is malformed is left out), and those of the matrix.

    Pinned judges have the model of their file, which lies relative to ``base``.
    """
    found = [entry for section in ("candidates", "judges", "endpoints") for entry in _listed(data, section, base)]
    from_matrix = [
        Entry("candidates", ("matrix",), one.name, one.model, one.base_url is not None)
        for spec in expanded
        for one in spec.by_contexts()
    ]
    return found + from_matrix


def _listed(data: Any, section: str, base: Path | None) -> Iterator[Entry]:
    rows = data.get(section) if isinstance(data, Mapping) else None
    for position, written in enumerate(rows if isinstance(rows, list | tuple) else ()):
        if isinstance(written, Mapping):
            row = written if base is None else as_written(written, base)
            model = str(row.get("model") or "")
            name = str(row.get("name") or (safe_name(model) if model else ""))
            contexts = row.get("contexts")
            several = contexts if isinstance(contexts, list | tuple) and name else (None,)
            for k in several:
                full = name if k is None else contexts_name(name, k)
                yield Entry(section, (section, position), full, model, row.get("base_url") is not None)


def lone_pairs(file: YamlFile, found: Iterable[Entry]) -> Iterator[Problem]:
    """Pairwise judges that would have nobody, or nobody of the name given, to compare."""
    names = list(dict.fromkeys(entry.name for entry in found if entry.section == "candidates"))
    listed = file.data.get("judges") if isinstance(file.data, Mapping) else None
    for position, judge in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if not isinstance(judge, Mapping) or judge.get("mode") != "pairwise":
            continue
        against = judge.get("against")
        if len(names) < 2:
            what = "'pairwise' compares candidates, and there is only one; name a second, or take the mode away"
            yield file.problem(("judges", position, "mode"), what)
        elif isinstance(against, str) and against not in names:
            hint = did_you_mean(against, names) or ";"
            what = f"{against!r} is no candidate of this exam{hint} there are {', '.join(names)}"
            yield file.problem(("judges", position, "against"), what)


def unknown_baseline(file: YamlFile, found: Iterable[Entry]) -> Iterator[Problem]:
    """A declared baseline that is nobody, or that is all there is."""
    names = list(dict.fromkeys(entry.name for entry in found if entry.section == "candidates"))
    baseline = file.data.get("baseline") if isinstance(file.data, Mapping) else None
    if not isinstance(baseline, str):
        return
    if baseline not in names:
        hint = did_you_mean(baseline, names) or ";"
        there = ", ".join(names) or "none"
        yield file.problem(("baseline",), f"{baseline!r} is no candidate of this exam{hint} there are {there}")
    elif len(names) < 2:
        what = f"{baseline!r} is the only candidate; name a second to compare with it, or take the baseline away"
        yield file.problem(("baseline",), what)


def providers(found: Iterable[Entry]) -> set[str]:
    """What stands before the slash of the models."""
    return {entry.model.partition("/")[0] for entry in found if "/" in entry.model}


def shared_names(file: YamlFile, found: Iterable[Entry]) -> Iterator[Problem]:
    """A name is one candidate's, one judge's, one endpoint's."""
    first: dict[tuple[str, str], Entry] = {}
    for entry in found:
        before = first.setdefault((entry.section, entry.name), entry)
        if before is not entry and entry.name:
            at = entry.at if entry.at == ("matrix",) else (*entry.at, "name")
            what = f"{entry.name!r} is already the name of {file.where(before.at)}; give each a name: of its own"
            yield file.problem(at, what)


def unknown_measures(file: YamlFile) -> Iterator[Problem]:
    """Measures that cannot be. The user's own code is not loaded for this: it runs when an exam does."""
    names = file.data.get("measures") if isinstance(file.data, Mapping) else None
    if not names or not isinstance(names, list | tuple):
        return
    from .measures import parse
    from .measures.retrieval import RetrievalMeasure

    for position, name in enumerate(names):
        if isinstance(name, str) and not name.startswith("python:"):
            try:
                measure = parse(name, file.path.parent)
            except InputError as error:
                yield file.problem(("measures", position), str(error))
                continue
            if isinstance(measure, RetrievalMeasure) and not _someone_retrieves(file.data):
                what = (
                    f"{name!r} measures what a candidate's retriever returned, and no candidate has one: write "
                    "retriever: under a candidate, or measure retrievers alone with `markscheme retrieve`"
                )
                yield file.problem(("measures", position), what)


def _someone_retrieves(data: Mapping[str, Any]) -> bool:
    """Whether a candidate has a retriever, or is an application or a sheet that may return what it retrieved."""
    listed = data.get("candidates")
    matrix = data.get("matrix")
    sections = [*(listed if isinstance(listed, list | tuple) else ()), matrix]
    return any(
        row.get("retriever") is not None or str(row.get("model") or "").startswith(MAY_RETRIEVE)
        for row in sections
        if isinstance(row, Mapping)
    )


def unknown_providers(file: YamlFile, found: Iterable[Entry], declared: Iterable[str]) -> Iterator[Problem]:
    """Models that could not be opened; ``declared`` are names of endpoints."""
    from .models.catalog import BARE, PACKAGES
    from .models.endpoints import PRESETS

    chat = {*PRESETS, *PACKAGES, BARE, *declared}
    seen = set()
    for entry in found:
        provider, slash, _ = entry.model.partition("/")
        is_candidate = entry.section == "candidates"
        app = is_mlflow(entry.model) or (is_candidate and entry.model.startswith(("python:", "http:")))
        if not slash or entry.model == EMBEDDED or app or (entry.at, entry.model) in seen:
            continue
        seen.add((entry.at, entry.model))
        offered = chat | set(_ANSWERED_WITHOUT_MODEL) if is_candidate else chat
        at = ("matrix", "models") if entry.at == ("matrix",) else (*entry.at, "model")
        if provider not in offered:
            yield file.problem(
                at,
                f"{entry.model!r}: unknown provider {provider!r}{did_you_mean(provider, offered) or '.'} Known are "
                f"{', '.join(sorted(offered))}; declare others under endpoints:, or use {BARE}/<model> with a base_url",
            )
        elif provider == BARE and not entry.has_base_url:
            yield file.problem(at, f"{entry.model!r} needs a base_url beside it, like http://localhost:8000/v1")
