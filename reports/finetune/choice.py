"""From the answers of runs to the lines of each side: filters, repetitions, split, classes, pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...harness.errors import InputError
from ...harness.records import Failed, Sample
from ...harness.store.asked import Asked
from ...harness.store.frames import RunData
from .classes import class_of, drawn
from .filters import CLASS_FULL, HELD_OUT, LATER, READABLE, UNSAFE, filters, sieved, without_repeats
from .pairs import Verdict, by_raters, by_score, has_calls, margin_of, once, verdicts_of
from .prompts import prompt_of
from .records import LABEL, SCORE, Example, Graded, Options, Pair, Side, Source
from .scores import graded, source_of, unsafe_by_note
from .split import groups_of, side_of

LEARNED: tuple[Side, ...] = ("train", "validation")
"""Sides with lines; the third is a data set."""


@dataclass(frozen=True)
class Part:
    """One run: its tables, whose score counts, its answers, its samples, and who was preferred to whom."""

    data: RunData
    source: Source | None
    examples: Sequence[Example]
    samples: Sequence[Sample]
    verdicts: Sequence[Verdict] = ()


@dataclass(frozen=True)
class Choice:
    """What was chosen of ``answers``. ``removed`` counts them by the filter that took them out, ``classes`` has for
    each class how many there were and how many were taken; ``sides`` (groups) and ``test`` cover all samples of the
    runs."""

    parts: Sequence[Part]
    options: Options
    answers: int
    removed: Mapping[str, int]
    classes: Mapping[str, tuple[int, int]]
    lines: Mapping[Side, Sequence[Example]]
    pairs: Mapping[Side, Sequence[Pair]]
    test: Sequence[Sample]
    sides: Mapping[str, Side]
    rescued: int
    """Answers that are kept because people score them higher than the judge."""
    wordless: int = 0
    """Pairs with calls, for which the format has no place."""


def part_of(data: RunData, asked: Iterable[Asked], samples: Sequence[Sample], options: Options) -> Part:
    """The answers of a run with what is known of them. Raises InputError for names that the run does not have, and
    where a score is wanted and nobody gave one."""
    source = source_of(data, options)
    if source is None and (wanted := _wants_scores(options)):
        raise InputError(
            f"{wanted}: run {data.info.id} has neither a judge nor a measure to score by; grade it first "
            "(markscheme grade EXAM.yaml), or leave the option out"
        )
    known = graded(data, source)
    names = set(options.candidates)
    if missing := names - set(data.answers["candidate"]):
        there = ", ".join(data.answers["candidate"].unique())
        raise InputError(f"--candidate {min(missing)!r}: run {data.info.id} has no such candidate; there is {there}")
    examples = []
    for one in asked:
        answer = one.answer
        if isinstance(answer.outcome, Failed) and answer.outcome.kind == "not_recorded":
            continue  # others answered that: a sheet holds only what its candidate was asked
        found = known.get((answer.sample_id, answer.candidate, answer.trial), Graded())
        said = unsafe_by_note(data, answer.sample_id, one.sha256)
        found = found if said is None else replace(found, unsafe=said)
        examples.append(Example(data.info.id, one, prompt_of(one), found))
    return Part(data, source, examples, samples, tuple(verdicts_of(data)))


def _wants_scores(options: Options) -> str:
    if options.min_score is not None:
        return f"--min-score {options.min_score:g}"
    return f"--class-of {options.class_of}" if options.class_of in (SCORE, LABEL) else ""


def choose(parts: Sequence[Part], options: Options) -> Choice:
    """Filter, drop repetitions, split by group, draw from classes, pair. Raises InputError where nothing is left."""
    _check_scales(parts, options)
    samples = [sample for part in parts for sample in part.samples]
    groups = groups_of(samples)
    sides = {group: side_of(group, options.shares, options.seed) for group in sorted(set(groups))}
    everything = _grouped(parts, {(s.id, s.sha256): group for s, group in zip(samples, groups, strict=True)})
    own = [one for one in everything if not options.candidates or one.asked.answer.candidate in options.candidates]
    good, counts = sieved(own, filters(options))
    kept, repeated = without_repeats(good)
    learned = [one for one in kept if sides[one.group] in LEARNED]
    lines, classes = _sampled(learned, parts, options)
    counts.update({**repeated, HELD_OUT: len(kept) - len(learned), CLASS_FULL: len(learned) - len(lines)})
    names = [*(one.name for one in filters(options)), *(name for name, _ in LATER)]
    removed = {name: counts[name] for name in names if counts[name]}
    if not lines:
        raise InputError(_nothing(len(own), removed))
    pairs, wordless = _pairs(parts, everything, good, options) if options.pairs else ([], 0)
    return Choice(
        parts,
        options,
        len(own),
        removed,
        classes,
        {side: [one for one in lines if sides[one.group] == side] for side in LEARNED},
        {side: [one for one in pairs if sides[one.chosen.group] == side] for side in LEARNED},
        _test([s for s, group in zip(samples, groups, strict=True) if sides[group] == "test"]),
        sides,
        _rescued(good, options),
        wordless,
    )


def _grouped(parts: Sequence[Part], groups: Mapping[tuple[str, str], str]) -> list[Example]:
    """All answers, each with the group of its sample."""
    everything = (one for part in parts for one in part.examples)
    return [replace(one, group=groups[one.asked.sample.id, one.asked.sample.sha256]) for one in everything]


def _check_scales(parts: Sequence[Part], options: Options) -> None:
    """One least score cannot be on two scales."""
    scales = {part.source.scale: part.data.info.id for part in parts if part.source is not None}
    if len(scales) > 1 and (options.min_score is not None or options.class_of or options.pairs):
        told = "; ".join(f"{run}: {'unknown' if s is None else f'{s[0]:g} to {s[1]:g}'}" for s, run in scales.items())
        raise InputError(f"the runs are scored on different scales ({told}); name whose scores count, or export each")


def _sampled(
    learned: Sequence[Example], parts: Sequence[Part], options: Options
) -> tuple[list[Example], dict[str, tuple[int, int]]]:
    if options.per_class is None:
        return list(learned), {}
    sources = {part.data.info.id: part.source for part in parts}
    classes = [class_of(one, options, sources[one.run]) for one in learned]
    taken = drawn(learned, classes, options.per_class, options.seed)
    had, took = Counter(classes), Counter(name for name, one in zip(classes, taken, strict=True) if one)
    lines = [one for one, is_taken in zip(learned, taken, strict=True) if is_taken]
    return lines, {name: (had[name], took[name]) for name in sorted(had)}


def _pairs(
    parts: Sequence[Part], everything: Sequence[Example], good: Sequence[Example], options: Options
) -> tuple[list[Pair], int]:
    """Of the readable answers, and how many have no form. An unsafe answer is in none where such are not wanted."""
    by = [one for one in filters(options) if one in READABLE or one.name == UNSAFE]
    readable, _ = sieved(everything, by)
    places = frozenset(one.place for one in good)
    found: list[Pair] = list(by_score(readable, places, margin_of(options, parts[0].source)))
    for part in parts:
        own = {one.place[1:]: one for one in readable if one.run == part.data.info.id}
        found += by_raters(part.verdicts, own, places)
    pairs = once(found)
    fitting = [pair for pair in pairs if options.format != "nemo" or not has_calls(pair)]
    return fitting, len(pairs) - len(fitting)


def _test(samples: Sequence[Sample]) -> list[Sample]:
    """Each sample once; another one of the same name is told apart by its content."""
    found: dict[str, Sample] = {}
    for sample in samples:
        known = found.setdefault(sample.id, sample)
        if known.sha256 != sample.sha256:
            name = f"{sample.id}~{sample.sha256[:8]}"
            found.setdefault(name, replace(sample, id=name))
    return list(found.values())


def _rescued(good: Sequence[Example], options: Options) -> int:
    least = options.min_score
    if least is None:
        return 0
    return sum(one.graded.labelled and one.graded.own is not None and one.graded.own < least - 1e-9 for one in good)


def _nothing(answers: int, removed: Mapping[str, int]) -> str:
    if not answers:
        return "there is no answer to learn from: the run has none; generate some first"
    told = ", ".join(f"{name} {count}" for name, count in removed.items())
    return f"none of {answers} answers is left to learn from; taken out: {told}. What helps: {_remedy(removed)}"


def _remedy(removed: Mapping[str, int]) -> str:
    fixed = {one.name for one in READABLE}
    loose = {name: count for name, count in removed.items() if name not in fixed}
    if not loose:
        return "another run; what failed or cannot be read is no line under any option"
    most = max(loose, key=lambda name: loose[name])
    return "another --seed, or other --shares" if most == HELD_OUT else f"loosen the filter that took most ({most})"
