"""Which candidates a load test can be put on: those with a model behind an endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import InputError, Problem
from ..exam_types import is_wired
from ..yaml_file import YamlFile, did_you_mean

if TYPE_CHECKING:
    from ..exam_specs import CandidateSpec
    from .spec import ServingSpec


def family(spec: CandidateSpec) -> str:
    """The candidate's name, without the number of contexts where a list of them made several of it."""
    return spec.name.removesuffix(f"-ctx{spec.contexts}")


def chosen(candidates: Sequence[CandidateSpec], names: Sequence[str]) -> list[CandidateSpec]:
    """The candidates of these names, or all with a wire. Raises InputError for a name that cannot be had."""
    for name in names:
        if what := _why_not(name, candidates):
            raise InputError(what)
    found = _wired(candidates, names)
    if not found:
        raise InputError(
            "no candidate of this exam is a model behind an endpoint, so there is nothing to put a load on: add one, "
            "like model: vllm/NAME"
        )
    return found


def unservable(file: YamlFile, spec: ServingSpec | None, candidates: Sequence[CandidateSpec]) -> Iterator[Problem]:
    """What of the section `serving:` does not go with the exam's candidates."""
    if spec is None:
        return
    yield from _unknown_api(file, spec.cost.api, candidates)
    bad = False
    for position, name in enumerate(spec.candidates):
        if what := _why_not(name, candidates):
            bad = True
            yield file.problem(("serving", "candidates", position), what)
    if bad or spec.contexts is None:
        return
    for one in _wired(candidates, spec.candidates):
        if one.retriever is None:
            what = (
                f"candidate {one.name!r} has no retriever to find passages; write retriever: beside it, leave contexts "
                "out, or name those that have one under serving.candidates"
            )
            yield file.problem(("serving", "contexts"), what)
        elif family(one) != one.name:
            what = f"candidate {family(one)!r} is listed with its contexts already, each is measured; leave this out"
            yield file.problem(("serving", "contexts"), what)
            return


def _wired(candidates: Sequence[CandidateSpec], names: Sequence[str]) -> list[CandidateSpec]:
    """Those of these names, or all, that have a model behind an endpoint."""
    wired = [spec for spec in candidates if is_wired(spec.model)]
    return [spec for spec in wired if not names or {spec.name, family(spec)} & set(names)]


def _unknown_api(file: YamlFile, api: str | None, candidates: Sequence[CandidateSpec]) -> Iterator[Problem]:
    known = list(dict.fromkeys(name for one in candidates for name in (family(one), one.name)))
    if api is not None and api not in known:
        hint = did_you_mean(api, known) or ";"
        what = f"{api!r} is no candidate of this exam{hint} there are {', '.join(known) or 'none'}"
        yield file.problem(("serving", "cost", "api"), what)


def _why_not(name: str, candidates: Sequence[CandidateSpec]) -> str:
    """Why no load can be put on the candidate of this name; '' where it can."""
    named = [spec for spec in candidates if name in (spec.name, family(spec))]
    if not named:
        served = list(dict.fromkeys(family(spec) for spec in candidates if is_wired(spec.model)))
        listed = ", ".join(served) or "none with a model behind an endpoint"
        return f"{name!r} is no candidate of this exam{did_you_mean(name, served) or ';'} there are {listed}"
    if not is_wired(named[0].model):
        return f"{name!r} is {named[0].model!r}, which no endpoint answers: there are no tokens to time; leave it out"
    return ""
