"""`markscheme rubric show` and `schema`: the exact prompt that a rubric becomes, and what editors check files by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import typer

from ..harness.errors import InputError
from ..harness.records import Request, Retrieved, Said, Sample
from ..harness.structured import Form
from ..judges.pairwise_prompt import FORM, PairPrompt
from ..judges.pairwise_rubric import PairwiseRubric, load_pairwise_rubric
from ..judges.prompt import Material, Prompt, materials
from ..judges.rubric import Rubric, load_rubric, packaged_rubrics, rubric_kind
from ..judges.rubric_schema import rubric_json_schema
from .commands import emit
from .rubrics_output import RubricLine, RubricList, ShownCall, ShownRubric, text_of

Calls = Literal["one", "per_criterion"]
_PLACEHOLDER = Sample(
    "placeholder",
    "(the question)",
    context=("(the passages that belong to the question)",),
    reference="(the reference answer)",
)
_SAID = Said("(the answer)", retrieved=(Retrieved("(the passages that the candidate was given)"),))
_OTHER = "(the other answer)"
_ANSWERS = ("answer", "response", "output")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `show` is asked for. ``sample`` is a data set with answers, '' for placeholders; ``id`` one of its rows."""

    shots: int = 1
    calls: Calls = "one"
    sample: str = ""
    id: str = ""


def show(rubric: str, wanted: Wanted, json: bool) -> None:
    """Print the messages that a judge is sent, warnings on standard error."""
    shown, warnings = shown_rubric(rubric, wanted)
    for warning in warnings:
        typer.echo(f"note: {warning}", err=True)
    if json:
        emit(shown)
        return
    for number, call in enumerate(shown.calls, 1):
        if len(shown.calls) > 1:
            typer.echo(f"--- call {number} of {len(shown.calls)}: {', '.join(call.criteria)}")
        for message in call.messages:
            typer.echo(f"[{message['role']}]\n{text_of(message['content'])}")


def list_packaged(json: bool) -> None:
    """Print the packaged rubrics, one a line."""
    found = packaged()
    if json:
        emit(found)
        return
    width = max(len(line.name) for line in found.rubrics)
    for line in found.rubrics:
        scale = "{}–{}".format(*line.scale) if line.scale else "pair"
        weights = (name if share is None else f"{name} {share:.0%}" for name, share in line.criteria.items())
        typer.echo(f"{line.name:{width}}  {scale:4}  {', '.join(weights)}")


def packaged() -> RubricList:
    """The rubrics that come with the package, those of pairwise judges last."""
    pairwise = [_pairwise_line(name) for name in packaged_rubrics("pairwise")]
    return RubricList(rubrics=[*map(_line, packaged_rubrics()), *pairwise])


def schema() -> None:
    """Print the JSON schema of a rubric file."""
    typer.echo(json.dumps(rubric_json_schema(), indent=2, ensure_ascii=False))


def shown_rubric(rubric: str, wanted: Wanted) -> tuple[ShownRubric, Sequence[str]]:
    """The calls that grading one answer takes, and the rubric's warnings. Raises InputError as `load_rubric` does."""
    source, material = source_of(rubric), _material(wanted)
    if rubric_kind(source) == "pairwise":
        return _shown_pairwise(source, wanted, material)
    loaded = load_rubric(source, wanted.shots)
    groups = [(c,) for c in loaded.criteria] if wanted.calls == "per_criterion" else [loaded.criteria]
    prompts = [Prompt(loaded, wanted.shots, group) for group in groups]
    calls = [_call(prompt.request(material, {}, frozenset()), prompt.form) for prompt in prompts]
    return _shown(loaded, wanted, calls), loaded.warnings


def source_of(rubric: str) -> str | Path:
    """A packaged name as it is; what has a separator or a suffix is a file."""
    return Path(rubric).expanduser() if "/" in rubric or Path(rubric).suffix else rubric


def _shown_pairwise(source: str | Path, wanted: Wanted, first: Material) -> tuple[ShownRubric, Sequence[str]]:
    if wanted.calls != "one":
        raise InputError(
            "--calls per_criterion: a pairwise rubric asks which of two answers is better, in one call; leave it out"
        )
    loaded = load_pairwise_rubric(source, wanted.shots)
    pair = (first, replace(first, answer=_OTHER))
    call = _call(PairPrompt(loaded, wanted.shots).request(pair, {}, frozenset()), FORM)
    return _shown(loaded, wanted, [call]), loaded.warnings


def _shown(rubric: Rubric | PairwiseRubric, wanted: Wanted, calls: list[ShownCall]) -> ShownRubric:
    return ShownRubric(name=rubric.name, version=rubric.version, sha256=rubric.sha256, shots=wanted.shots, calls=calls)


def _call(request: Request, form: Form) -> ShownCall:
    return ShownCall(
        criteria=[field.name for field in form.fields],
        messages=[dict(message) for message in request.messages],
        verdict=form.schema(),
    )


def _line(name: str) -> RubricLine:
    rubric = load_rubric(name, 0)
    weights: dict[str, float | None] = {criterion.name: criterion.weight for criterion in rubric.criteria}
    return RubricLine(name=name, scale=rubric.scale, criteria=weights, description=rubric.description)


def _pairwise_line(name: str) -> RubricLine:
    rubric = load_pairwise_rubric(name, 0)
    considered = dict.fromkeys(consideration.name for consideration in rubric.considerations)
    return RubricLine(name=name, scale=None, criteria=considered, description=rubric.description)


def _material(wanted: Wanted) -> Material:
    if wanted.id and not wanted.sample:
        raise InputError(f"--id {wanted.id!r}: names a row of --sample FILE; give the file, too")
    sample, said = _from_file(wanted.sample, wanted.id) if wanted.sample else (_PLACEHOLDER, _SAID)
    return materials(sample, said, "conversation")[0]


def _from_file(path: str, sample_id: str) -> tuple[Sample, Said]:
    """A row's sample and answer. A candidate without a retriever is given the sample's own passages."""
    from ..harness.data import load_dataset
    from ..harness.exam_specs import DatasetSpec
    from ..harness.yaml_file import YamlFile, validate

    where = YamlFile(Path.cwd() / "rubric", {"path": path}, shown="--sample")
    samples = load_dataset(validate(where, DatasetSpec)).samples
    sample = next((each for each in samples if each.id == sample_id), None) if sample_id else samples[0]
    if sample is None:
        raise InputError(f"--id {sample_id!r}: {path} has no such row; the first is {samples[0].id!r}")
    answer = next((str(sample.metadata[name]) for name in _ANSWERS if name in sample.metadata), _SAID.text)
    return sample, Said(answer, retrieved=tuple(Retrieved(text) for text in sample.context))
