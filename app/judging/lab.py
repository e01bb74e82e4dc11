"""`markscheme judge lab`: stored answers graded by many judges, and the cheapest that is good enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError
from ...harness.exam import Exam
from ...harness.labels import example_key
from ...harness.labwork import Lab
from ...harness.records import Answer, Said, Sample
from ...harness.store.frames import RunData
from ...harness.store.load import load
from ...judges.lab import design, experiments
from ...judges.lab.design import Variant
from ...judges.lab.halves import held_out
from ...judges.lab.labelled import COMPOSITE, Labelled, Place, labelled_answers, scores_of
from ...judges.lab.trial import MEASURES, OF_COMPOSITES, Aim, Trial, ceiling, held_trial
from ...judges.lab.worked import agreed, with_examples
from ...judges.rubric import load_rubric
from ..reporting import report_folder
from ..session import worked_examples
from .lab_grading import Bench, Graded, graded_by, priced
from .labels import attach, read_labels_of
from .workshop import Workshop, workshop

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRESET = "strong-to-cheap"
EXPERIMENTS = (1, 2, 3, 4)
FEW_CLUSTERS = 30
"""Held-out clusters below which bounds at 95 % were too high in up to 7 % of simulated runs."""


@dataclass(frozen=True, slots=True)
class LabOptions:
    """How to try. ``judges`` and ``scales`` are names and rubrics, all of them and the packaged family where empty."""

    threshold: float = 0.6
    measure: str = "kappa_quadratic"
    criterion: str = COMPOSITE
    judges: tuple[str, ...] = ()
    experiments: tuple[int, ...] = EXPERIMENTS
    scales: tuple[str | Path, ...] = ()
    preset: str = ""
    seed: int = 0
    run: str = ""

    def __post_init__(self) -> None:
        known = OF_COMPOSITES if self.criterion == COMPOSITE else MEASURES
        if self.measure not in known:
            of = "of composites" if self.criterion == COMPOSITE else "of a criterion"
            raise InputError(f"--measure {self.measure!r}: a threshold {of} is set on one of {', '.join(known)}")
        if not 0 < self.threshold < 1:
            raise InputError(f"--threshold {self.threshold:g}: must lie between 0 and 1")
        if self.preset not in ("", PRESET):
            raise InputError(f"--preset {self.preset!r}: there is {PRESET}")
        if self.preset and len(self.judges) < 2:
            raise InputError("--preset strong-to-cheap: name the strong judge first, then the cheap ones: --judges a,b")
        if wrong := [number for number in self.experiments if number not in EXPERIMENTS]:
            raise InputError(f"--experiments {wrong[0]}: there are 1, 2, 3 and 4")


@dataclass(frozen=True)
class Outcome:
    """What the lab found, and the configuration that it recommends, if any."""

    lab: Lab
    chosen: Variant | None
    folder: Path


@dataclass(frozen=True)
class Prepared:
    """What is graded by what; ``held`` (n,) are the labelled answers that are held out."""

    labelled: Labelled
    held: NDArray[np.bool_]
    variants: list[Variant]
    samples: Mapping[str, Sample]
    answers: Mapping[Place, Answer]
    notes: list[str]


async def perform(exam: Exam, workspace: str, options: LabOptions, tally: Tally, say: Callable[[str], None]) -> Outcome:
    """Grade what is not graded yet, and weigh it. Raises Unfinished where it is stopped; what was paid is kept."""
    async with workshop(exam, workspace, "lab", tally, say, reference=options.run) as shop:
        prepared = prepare(shop, options)
        for note in prepared.notes:
            say(note)
        folder = report_folder(shop.store, shop.run.id) / "judge"
        bench = Bench(shop, prepared.samples, prepared.answers, options.seed)
        graded = await graded_by(bench, prepared.variants, prepared.labelled, options.experiments)
        selection, variants = ~prepared.held, prepared.variants
        if options.preset:
            taught, used = _taught(prepared, graded, selection, folder)
            selection &= ~_of_samples(prepared.labelled, used)
            variants = [*variants, *taught]
            graded |= await graded_by(bench, taught, prepared.labelled, ())
        trial = Trial(prepared.labelled, selection, prepared.held, _aim(options))
        return _weighed(shop, prepared, variants, graded, trial, options)


def prepare(shop: Workshop, options: LabOptions) -> Prepared:
    """Labels, configurations and answers. Raises InputError where there is nothing to try, or nobody labelled it."""
    notes = []
    for spec, file in read_labels_of(shop.exam):
        if note := attach(shop.store, shop.run, spec, file).note():
            notes.append(note)
    chosen = design.chosen_judges(shop.exam.judges, options.judges)
    variants = design.variants(chosen, _experiments(options), options.scales)
    data = load(shop.store, shop.run)
    labelled = labelled_answers(data, variants[0].rubric)
    notes += _designs(data, labelled)
    _check_criterion(options.criterion, labelled)
    samples = {sample.id: sample for sample in shop.dataset.samples}
    answers = {(a.sample_id, a.candidate, a.trial): a for a in shop.answers()}
    known = _usable(labelled, variants, samples, answers)
    if dropped := int((~known).sum()):
        notes.append(f"{dropped} labelled answers are left out: gone from the data, or a worked example of a rubric")
    labelled = labelled.taken(known)
    if not labelled.places:
        raise InputError(f"run {shop.run.id}: no labelled answer is left to try judges on")
    notes += dict.fromkeys(warning for variant in variants for warning in variant.rubric.warnings)
    held = held_out(labelled.clusters, options.seed)
    if (clusters := len(set(labelled.clusters[held]))) < FEW_CLUSTERS:
        few = f"only {clusters} clusters are held out"
        notes.append(f"{few}: with fewer than {FEW_CLUSTERS}, lower bounds are a little too high")
    return Prepared(labelled, held, variants, samples, answers, notes)


def _designs(data: RunData, labelled: Labelled) -> list[str]:
    """A note for each set whose answers were not drawn at random."""
    words = {"chosen": "were picked on purpose", "unknown": "were drawn nobody knows how"}
    found = sorted(set(zip(data.labels["label_set"], data.labels["design"], strict=True)))
    return [
        f"labels {name}: the answers {words[how]}; what is found holds for answers like these"
        for name, how in found
        if name in labelled.sets and how in words
    ]


def _experiments(options: LabOptions) -> set[int]:
    """The preset needs zero-shot grades of the strong judge."""
    return {*options.experiments, *([2] if options.preset else [])}


def _check_criterion(criterion: str, labelled: Labelled) -> None:
    import numpy as np

    if criterion != COMPOSITE and criterion not in labelled.criteria:
        raise InputError(f"--criterion {criterion!r}: there are {', '.join((COMPOSITE, *labelled.criteria))}")
    if np.isnan(labelled.people(criterion)).all():
        found = [name for name in labelled.criteria if not np.isnan(labelled.people(name)).all()]
        raise InputError(
            f"--criterion {criterion!r}: nobody labelled all that it needs; there are labels of {', '.join(found)}"
        )


def _usable(
    labelled: Labelled, variants: Sequence[Variant], samples: Mapping[str, Sample], answers: Mapping[Place, Answer]
) -> NDArray[np.bool_]:
    """Which labelled answers (n,) are there and no worked example of any rubric."""
    import numpy as np

    shown = {key for v in variants for key in worked_examples(v.rubric, v.configuration.shots)}

    def usable(place: Place) -> bool:
        if place not in answers or place[0] not in samples:
            return False
        said, question = answers[place].outcome, samples[place[0]].question
        texts = [said.text if isinstance(said, Said) else "", question if isinstance(question, str) else ""]
        return not shown & {example_key(text) for text in texts}

    return np.array([usable(place) for place in labelled.places], dtype=bool)


def _aim(options: LabOptions) -> Aim:
    return Aim(options.measure, options.criterion, options.threshold)


def _of_samples(labelled: Labelled, ids: set[str]) -> NDArray[np.bool_]:
    import numpy as np

    return np.array([sample_id in ids for sample_id, _, _ in labelled.places])


def _taught(
    prepared: Prepared, graded: Mapping[str, Graded], allowed: NDArray[np.bool_], folder: Path
) -> tuple[list[Variant], set[str]]:
    """The judges after the first with examples that the first gave on the half that selects, and whose these are."""
    strong = prepared.variants[0].configuration.judge
    teacher = next(v for v in prepared.variants if v.configuration.judge == strong and not v.configuration.shots)
    found = agreed(scores_of(graded[teacher.name].grades, prepared.labelled), prepared.labelled, allowed)
    data, used = with_examples(teacher.rubric, found, prepared.samples, prepared.answers, graded[teacher.name].grades)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"taught-by-{strong.replace('/', '-')}.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=118), encoding="utf-8")
    rubric = load_rubric(path, 1)
    pupils = [v.spec for v in prepared.variants if not v.configuration.varied and v.configuration.judge != strong]
    return [design.derived(spec, rubric, path, strong) for spec in pupils if spec.model != "embedded"], used


def _weighed(
    shop: Workshop,
    prepared: Prepared,
    variants: Sequence[Variant],
    graded: Mapping[str, Graded],
    trial: Trial,
    options: LabOptions,
) -> Outcome:
    import numpy as np

    labelled = trial.labelled
    sheets = [graded[variant.name].sheet(variant.configuration, labelled) for variant in variants]
    prices = priced(shop.store, [graded[variant.name].grades for variant in variants])
    tried, advice, chosen = held_trial(trial, sheets, prices)
    lab = Lab(
        run=shop.run.id,
        exam=shop.exam.path.name,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        measure=options.measure,
        criterion=options.criterion,
        threshold=options.threshold,
        seed=options.seed,
        label_sets=labelled.sets,
        annotators=int((~np.isnan(labelled.humans).all(axis=(0, 2))).sum()),
        labelled=len(labelled.places),
        selection_n=trial.selection_n,
        held_out_n=trial.held_out_n,
        held_out_clusters=trial.held_out_clusters,
        tried=tuple(tried),
        tested=len(chosen.tested),
        advice=advice,
        experiments=options.experiments,
        ceiling=ceiling(labelled, trial.aim),
        notes=tuple(prepared.notes),
    )
    lab = _experimented(lab, variants, sheets, labelled)
    best = next((variant for variant in variants if variant.name == advice.configuration), None)
    return Outcome(lab, best, report_folder(shop.store, shop.run.id) / "judge")


def _experimented(
    lab: Lab, variants: Sequence[Variant], sheets: Sequence[experiments.Sheet], labelled: Labelled
) -> Lab:
    """With the numbers of the experiments that were asked for."""
    by_judge: dict[str, dict[str, experiments.Sheet]] = {}
    for variant, sheet in zip(variants, sheets, strict=True):
        by_judge.setdefault(variant.configuration.judge, {})[variant.configuration.varied] = sheet
    for own in by_judge.values():
        lab = _of_judge(lab, own, labelled)
    return lab


def _of_judge(lab: Lab, own: Mapping[str, experiments.Sheet], labelled: Labelled) -> Lab:
    base = own[""]
    if 1 in lab.experiments:
        lab = replace(lab, alignment=(*lab.alignment, *experiments.alignment(base, labelled)))
    if 2 in lab.experiments and (other := own.get("zero-shot") or own.get("few-shot")):
        zero, few = (other, base) if base.configuration.shots else (base, other)
        lab = replace(lab, shots=(*lab.shots, *experiments.shots(zero, few, labelled)))
    if 3 in lab.experiments:
        scales = [sheet for varied, sheet in own.items() if varied.startswith("scale ")]
        if scales:
            lab = replace(lab, scales=(*lab.scales, *experiments.scales(base, scales, labelled)))
        if called := own.get("one call") or own.get("a call per criterion"):
            one, each = (base, called) if base.configuration.calls == "one" else (called, base)
            lab = replace(lab, calls=(*lab.calls, experiments.calls(one, each, labelled)))
    if 4 in lab.experiments:
        lab = replace(lab, transfer=(*lab.transfer, *experiments.transfer(base, labelled, lab.criterion)))
    return lab
