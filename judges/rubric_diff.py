"""What has changed from one rubric to another, and whether verdicts or composites can differ because of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Literal

from .pairwise_file import OUTCOMES, PairExample
from .pairwise_rubric import PairwiseRubric
from .rubric import Criterion, Example, Level, Rubric

Touches = Literal["names", "composites", "few_shot", "verdicts"]
"""What a change can reach: nothing but names, composites alone, verdicts of few-shot judges, all verdicts."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. ``before`` is ``None`` for what was added, ``after`` for what was removed."""

    where: str
    touches: Touches
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RubricDiff:
    """All changes, in the order of a rubric file."""

    changes: tuple[Change, ...]

    @property
    def zero_shot(self) -> bool:
        """Whether verdicts without worked examples can differ."""
        return any(change.touches == "verdicts" for change in self.changes)

    @property
    def few_shot(self) -> bool:
        """Whether verdicts with worked examples can differ."""
        return any(change.touches in ("verdicts", "few_shot") for change in self.changes)

    @property
    def composites(self) -> bool:
        """Whether equal verdicts can have another composite."""
        return any(change.touches == "composites" for change in self.changes)


def rubric_diff(before: Rubric, after: Rubric) -> RubricDiff:
    """Compare by meaning: layout, comments and the order of levels are no difference."""
    return RubricDiff((*_whole(before, after), *_criteria(before, after)))


def pairwise_diff(before: PairwiseRubric, after: PairwiseRubric) -> RubricDiff:
    """The same for rubrics that compare two answers; examples are counted outcome by outcome."""
    was, now = ({c.name: c.description for c in rubric.considerations} for rubric in (before, after))
    changes = [*_common(before, after)]
    for name in dict.fromkeys((*was, *now)):
        changes += _changed(f"consideration {name}", "verdicts", was.get(name), now.get(name))
    changes += _order("considerations", was, now)
    for outcome in OUTCOMES:
        old, new = ([e for e in rubric.examples if e.winner == outcome] for rubric in (before, after))
        for number, (one, other) in enumerate(zip_longest(old, new), 1):
            shown = [_told(example) if example else None for example in (one, other)]
            changes += _changed(f"{outcome}, example {number}", "few_shot", *shown)
    return RubricDiff(tuple(changes))


def _told(example: PairExample) -> str:
    return " | ".join(text for name, text in example.model_dump().items() if text and name != "winner")


def _common(before: Rubric | PairwiseRubric, after: Rubric | PairwiseRubric) -> Iterator[Change]:
    yield from _changed("name", "names", before.name, after.name)
    yield from _changed("version", "names", before.version, after.version)
    yield from _changed("description", "verdicts", before.description, after.description)
    was, now = _sights(before), _sights(after)
    for name in dict.fromkeys((*was, *now)):
        yield from _changed(f"sees {name}", "verdicts", was.get(name), now.get(name))
    yield from _changed("on_empty", "verdicts", before.on_empty, after.on_empty)


def _whole(before: Rubric, after: Rubric) -> Iterator[Change]:
    yield from _common(before, after)
    scales = ["{} to {}".format(*rubric.scale) for rubric in (before, after)]
    yield from _changed("scale", "verdicts", *scales)
    renormalise = [str(rubric.renormalise).lower() for rubric in (before, after)]
    yield from _changed("renormalise", "composites", *renormalise)
    yield from _categories(before, after)


def _categories(before: Rubric, after: Rubric) -> Iterator[Change]:
    was, now = ({c.code: f"{c.name}: {c.description}" for c in rubric.categories} for rubric in (before, after))
    aliases = [{c.code: ", ".join(c.aliases) for c in rubric.categories} for rubric in (before, after)]
    for code in dict.fromkeys((*was, *now)):
        yield from _changed(f"category {code}", "verdicts", was.get(code), now.get(code))
        if code in was and code in now:
            yield from _changed(f"category {code}, aliases", "verdicts", *(names[code] for names in aliases))
    yield from _order("categories", was, now)


def _sights(rubric: Rubric | PairwiseRubric) -> dict[str, str]:
    return {name: "where there is one" if name in rubric.optional else "always" for name in rubric.sees}


def _criteria(before: Rubric, after: Rubric) -> Iterator[Change]:
    was, now = {c.name: c for c in before.criteria}, {c.name: c for c in after.criteria}
    for name in dict.fromkeys((*was, *now)):
        where = f"criterion {name}"
        if name in was and name in now:
            yield from _criterion(where, was[name], now[name])
        else:
            old, new = (each[name].description if name in each else None for each in (was, now))
            yield from _changed(where, "verdicts", old, new)
    yield from _order("criteria", was, now)


def _order(things: str, was: Iterable[str], now: Iterable[str]) -> Iterator[Change]:
    """Whether what both have stands in another order."""
    old, new = list(was), list(now)
    shared = [", ".join(name for name in each if name in old and name in new) for each in (old, new)]
    yield from _changed(f"order of the {things}", "verdicts", *shared)


def _criterion(where: str, before: Criterion, after: Criterion) -> Iterator[Change]:
    yield from _changed(f"{where}, weight", "composites", f"{before.weight:g}", f"{after.weight:g}")
    yield from _changed(f"{where}, description", "verdicts", before.description, after.description)
    was = {level.score: level for level in before.levels}
    now = {level.score: level for level in after.levels}
    for score in sorted({*was, *now}):
        at = f"{where}, level {score}"
        if score in was and score in now:
            yield from _changed(f"{at}, description", "verdicts", was[score].description, now[score].description)
            yield from _examples(at, was[score], now[score])
        else:
            old, new = (each[score].description if score in each else None for each in (was, now))
            yield from _changed(at, "verdicts", old, new)


def _examples(where: str, before: Level, after: Level) -> Iterator[Change]:
    for number, (old, new) in enumerate(zip_longest(before.examples, after.examples), 1):
        at = f"{where}, example {number}"
        if old is None or new is None or (old.question != new.question and old.answer != new.answer):
            answers = [example.answer if example else None for example in (old, new)]  # another example stands here
            yield from _changed(at, "few_shot", *answers)
            continue
        texts = _texts(new)
        for name, text in _texts(old).items():
            yield from _changed(f"{at}, {name}", "few_shot", text, texts[name])


def _texts(example: Example) -> Mapping[str, str]:
    return {name: text if isinstance(text, str) else ", ".join(text) for name, text in asdict(example).items()}


def _changed(where: str, touches: Touches, before: str | None, after: str | None) -> Iterator[Change]:
    if before != after:
        yield Change(where, touches, before, after)
