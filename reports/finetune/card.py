"""The card of an export: where its lines come from, who scored them, what was taken out, and how it was split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from .choice import Choice, Part
from .filters import LATER, filters
from .near import SHINGLE, SIMILAR
from .pairs import margin_of
from .records import SIDES, Example, Side


class RubricCard(BaseModel):
    """A judge that graded the answers. ``labelled`` of them people scored too; ``pinned`` is the file of a judge that
    was qualified against labels, '' for none."""

    judge: str
    model: str
    rubric: str
    rubric_version: str
    rubric_sha256: str
    scale: tuple[float, float] | None
    pinned: str
    labelled: int


class RunCard(BaseModel):
    """A run whose answers were looked at; ``scored_by`` is the judge or the measure whose score counted."""

    run: str
    exam: str
    name: str
    fingerprint: str
    dataset: str
    dataset_version: str
    candidates: dict[str, str]
    scored_by: str
    judges: list[RubricCard]
    measures: list[str]
    versions: dict[str, str]


class FilterCard(BaseModel):
    """A filter, and how many answers it took out: each answer is counted under the first that holds."""

    name: str
    meaning: str
    removed: int


class ClassCard(BaseModel):
    """A class of answers, after all filters and without the test split."""

    name: str
    had: int
    taken: int


class SplitCard(BaseModel):
    """One side. ``samples`` and ``clusters`` are those of its lines, of the test split all that it holds; ``tokens``
    are estimated, one per four characters."""

    name: Side
    file: str
    share: float
    lines: int
    pairs: int
    samples: int
    clusters: int
    tokens: int


class Card(BaseModel):
    """All there is to know of an export; two exports of the same answers with the same words are the same."""

    markscheme: str
    format: str
    seed: int
    options: dict[str, Any]
    runs: list[RunCard]
    answers: int
    filters: list[FilterCard]
    kept: int
    rescued: int
    candidates: dict[str, int]
    prompts: dict[str, int]
    classes: list[ClassCard]
    splits: list[SplitCard]
    near_duplicates: str
    notes: list[str]


def card_of(choice: Choice, tokens: Mapping[Side, int], version: str) -> Card:
    """``tokens`` are those of the lines of each side."""
    lines = [one for side in SIDES for one in choice.lines.get(side, ())]
    options = choice.options
    return Card(
        markscheme=version,
        format=options.format,
        seed=options.seed,
        options=_options(choice),
        runs=[_run(part) for part in choice.parts],
        answers=choice.answers,
        filters=list(_filters(choice)),
        kept=len(lines),
        rescued=choice.rescued,
        candidates=dict(sorted(Counter(one.asked.answer.candidate for one in lines).items())),
        prompts={
            "as sent": sum(one.prompt.recorded for one in lines),
            "from the sample": sum(not one.prompt.recorded for one in lines),
        },
        classes=[ClassCard(name=name, had=had, taken=taken) for name, (had, taken) in choice.classes.items()],
        splits=[_split(choice, side, tokens.get(side, 0)) for side in SIDES if _share(choice, side)],
        near_duplicates=(
            f"Jaccard similarity of runs of {SHINGLE} words (NFKC, lower case, no punctuation) of {SIMILAR:g} or more"
        ),
        notes=list(_notes(choice, lines)),
    )


def _share(choice: Choice, side: Side) -> float:
    return choice.options.shares[SIDES.index(side)]


def _options(choice: Choice) -> dict[str, Any]:
    of = choice.options
    return {
        "candidate": list(of.candidates),
        "judge": of.judge,
        "measure": of.measure,
        "min_score": of.min_score,
        "agreement": of.agreement,
        "unsafe": "keep" if of.unsafe else "drop",
        "refusals": "keep" if of.refusals else "drop",
        "per_class": of.per_class,
        "class_of": of.class_of,
        "pairs": of.pairs,
        "pair_margin": margin_of(of, choice.parts[0].source) if of.pairs else None,
        "shares": list(of.shares),
    }


def _run(part: Part) -> RunCard:
    info = part.data.info
    dataset: Mapping[str, Any] = info.config.get("dataset") or {}
    described = {entry["name"]: entry for entry in info.config.get("candidates") or ()}
    return RunCard(
        run=info.id,
        exam=info.exam,
        name=info.name,
        fingerprint=info.fingerprint,
        dataset=str(dataset.get("name") or ""),
        dataset_version=str(dataset.get("version") or ""),
        candidates={str(name): str(entry.get("model") or "") for name, entry in described.items()},
        scored_by=part.source.name if part.source else "",
        judges=list(_judges(part)),
        measures=[str(measure) for measure in info.config.get("measures") or ()],
        versions=dict(info.versions),
    )


def _judges(part: Part) -> Iterator[RubricCard]:
    from ..exam import judges_of

    pinned = {entry["name"]: entry.get("pinned") for entry in part.data.info.config.get("judges") or ()}
    for judge in judges_of(part.data):
        labels = part.data.labels
        own = labels[labels["criterion"].isin(judge.criteria)]
        yield RubricCard(
            judge=judge.name,
            model=judge.model,
            rubric=judge.rubric,
            rubric_version=judge.rubric_version,
            rubric_sha256=judge.rubric_sha256,
            scale=judge.scale,
            pinned=str(pinned.get(judge.name) or ""),
            labelled=len(own.drop_duplicates(["sample_id", "candidate", "trial"])),
        )


def _filters(choice: Choice) -> Iterator[FilterCard]:
    asked = [(one.name, one.meaning) for one in filters(choice.options)]
    later = [one for one in LATER if one[0] != "class full" or choice.options.per_class is not None]
    for name, meaning in [*asked, *later]:
        yield FilterCard(name=name, meaning=meaning, removed=choice.removed.get(name, 0))


def _split(choice: Choice, side: Side, tokens: int) -> SplitCard:
    if side == "test":
        clusters = sum(found == "test" for found in choice.sides.values())
        return SplitCard(
            name=side, file="test/samples.jsonl", share=_share(choice, side), lines=len(choice.test), pairs=0,
            samples=len(choice.test), clusters=clusters, tokens=tokens,
        )  # fmt: skip
    lines = choice.lines[side]
    return SplitCard(
        name=side, file=f"{side}.jsonl", share=_share(choice, side), lines=len(lines), pairs=len(choice.pairs[side]),
        samples=len({(one.run, one.asked.sample.id) for one in lines}), clusters=len({one.group for one in lines}),
        tokens=tokens,
    )  # fmt: skip


def _notes(choice: Choice, lines: Sequence[Example]) -> Iterator[str]:
    for side in SIDES:
        held = choice.test if side == "test" else choice.lines[side]
        if _share(choice, side) and not held:
            yield f"no cluster fell into {side}: there are few of them; another --seed or larger --shares may help"
    judged = any(part.source and part.source.judge for part in choice.parts)
    if judged and choice.options.min_score is not None and not any(one.graded.labelled for one in lines):
        yield "no person scored any of these answers: they are as good as the judge says"
    if choice.wordless:
        yield f"{choice.wordless} pairs with calls are left out: nemo's form of a pair has no place for them"
    if any(one.prompt.recorded for one in lines) and not all(one.prompt.recorded for one in lines):
        yield "some prompts are as they were sent, others are made from the sample: no request is recorded for these"
