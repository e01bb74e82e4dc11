"""What an invocation works with: the exam, its samples, the workspace and the run that it continues or begins."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..harness.data import Dataset, load_dataset
from ..harness.errors import InputError
from ..harness.exam import Exam, JudgeSpec, describe
from ..harness.exam_mlflow import is_mlflow
from ..harness.exam_ragas import is_ragas
from ..harness.exam_safety import is_guard
from ..harness.keys import digest
from ..harness.labels import example_key
from ..harness.measures import parse
from ..harness.prices import Price, PriceBook
from ..harness.store import runs
from ..harness.store.runs import Run
from ..harness.store.shared_purse import SharedPurse
from ..harness.store.store import Store
from ..judges.pairwise_prompt import PairPrompt
from ..judges.pairwise_rubric import PairwiseRubric, load_pairwise_rubric
from ..judges.prompt import Prompt
from ..judges.rubric import Rubric, load_rubric
from ..judges.safety import check_taxonomies

WORKSPACE = ".markscheme"
RETRYABLE = frozenset(
    {"failed", "unparsable", "truncated", "refused", "timeout", "content_filter", "context_overflow", "candidate_error"}
)

_OF_REPORTS = ("labels", "baseline")
"""What of an exam changes what a report can say, and nothing that is run."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. ``retry`` holds statuses to ask again; ``limit`` takes a seeded random subset; a ``purse`` is money
    that other processes spend, too."""

    workspace: str | Path = WORKSPACE
    fresh: bool = False
    retry: frozenset[str] = frozenset()
    reuse_answers: bool = False
    limit: int | None = None
    seed: int | None = None
    name: str = ""
    offline: bool = False
    report: bool = True
    purse: SharedPurse | None = None

    def __post_init__(self) -> None:
        if unknown := self.retry - RETRYABLE:
            raise InputError(f"--retry {min(unknown)!r}: choose from {', '.join(sorted(RETRYABLE))}")
        if self.fresh and (self.retry or self.reuse_answers):
            raise InputError("--fresh asks everything anew: it cannot be combined with --retry or --reuse")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"--limit {self.limit}: must be 1 or more")


@dataclass(frozen=True)
class Session:
    """An opened exam in an opened workspace, holding the lease of one run. ``pairwise`` has the rubrics of pairwise
    judges, ``rubrics`` those of the others."""

    exam: Exam
    dataset: Dataset
    store: Store
    run: Run
    options: Options
    prices: PriceBook
    rubrics: Mapping[str, Rubric]
    pairwise: Mapping[str, PairwiseRubric]
    notes: list[str] = field(default_factory=list)


def choose_run(store: Store, exam: Exam, options: Options) -> Run:
    """The latest run of the exam, or a new one where there is none or the options ask for one."""
    identity = exam_identity(exam, store)
    if options.reuse_answers:
        known = runs.latest(store, identity)
        if known is None:
            raise InputError(f"--reuse answers: {store.where} has no run of {identity} whose answers could be used")
        return runs.begin_regrade(store, known, versions(), options.name)
    if options.fresh:
        return runs.begin(store, identity, versions(), name=options.name, fresh=True)
    return runs.latest_or_begin(store, identity, versions(), name=options.name)


@contextmanager
def open_session(
    exam: Exam, options: Options, choose: Callable[[Store, Exam, Options], Run] = choose_run
) -> Iterator[Session]:
    """Open the workspace, ``choose`` the run, and keep other processes off it for the length of the block."""
    if not exam.candidates:
        raise InputError(f"{exam.path}: has no candidates to run; its retrieval: is for markscheme retrieve")
    dataset = load_dataset(exam.dataset, limit=options.limit, seed=options.seed)
    rubrics, pairwise = rubrics_of(exam), pairwise_rubrics_of(exam)  # before a run is begun, lest it be with a mistake
    store = Store(options.workspace)
    try:
        run = choose(store, exam, options)
        with store.lease(run.id, "start one of its own with --fresh"):
            session = Session(exam, dataset, store, run, options, price_book(exam), rubrics, pairwise)
            session.notes.extend(dataset.notes)
            session.notes.extend(dict.fromkeys(w for rubric in rubrics.values() for w in rubric.warnings))
            session.notes.extend(dict.fromkeys(w for rubric in pairwise.values() for w in rubric.warnings))
            if options.name and options.name != run.name:
                session.notes.append(f"continues run {run.id}: --name is for a new one (--fresh, --reuse answers)")
            _describe(session)
            yield session
    finally:
        store.close()


def exam_identity(exam: Exam, store: Store) -> str:
    """Which exam this is: its file relative to the workspace's folder, so that a moved project keeps its runs."""
    folder = store.folder
    base = folder.parent if folder else Path.cwd()
    return Path(os.path.relpath(exam.path, base)).as_posix()


def versions() -> dict[str, str]:
    """What made the numbers."""
    from .. import __version__

    return {"markscheme": __version__, "python": platform.python_version()}


def price_book(exam: Exam) -> PriceBook:
    """The exam's own prices before the public ones."""
    return PriceBook(
        {
            name: Price(
                _decimal(spec.input_usd_per_million),
                _decimal(spec.output_usd_per_million),
                None if spec.cached_input_usd_per_million is None else _decimal(spec.cached_input_usd_per_million),
                None if spec.cache_write_usd_per_million is None else _decimal(spec.cache_write_usd_per_million),
                _decimal(spec.usd_per_request),
                _decimal(spec.batch_discount or 0.0),
            )
            for name, spec in exam.prices.items()
        }
    )


def system_prompts(rubric: Rubric, spec: JudgeSpec) -> str:
    """The system messages that the judge is sent, in the order of its calls; none for a jury."""
    if spec.members:
        return ""
    groups = [(criterion,) for criterion in rubric.criteria] if spec.calls == "per_criterion" else [()]
    prompts = [Prompt(rubric, spec.shots, group) for group in groups]
    return "\n\n".join(str(prompt.system["content"]) for prompt in prompts)


def _describe(session: Session) -> None:
    """Keep with the run what this invocation runs, and its samples, unless they are there already."""
    describe_imported(session, [judge for judge in session.run.config.get("judges", ()) if "imported" in judge])


def describe_imported(session: Session, imported: Sequence[Mapping[str, Any]]) -> None:
    """The same for a run with judges whose grades were ``imported``: they stand in no exam file. Where the exam has a
    judge of the same name, that one takes its place."""
    config, known = resolved(session), runs.find(session.store, session.run.id)
    own = {judge["name"] for judge in config["judges"]}
    config["judges"] = [*config["judges"], *(judge for judge in imported if judge["name"] not in own)]
    fingerprint = fingerprint_of(config)
    told = all(config.get(name) == known.config.get(name) for name in _OF_REPORTS)
    if fingerprint == known.fingerprint and told:
        return
    if known.config.get("dataset") != config["dataset"]:
        session.store.put_samples(session.run.id, session.dataset.samples)
    runs.describe_run(session.store, session.run, fingerprint, config, versions())


def fingerprint_of(config: Mapping[str, Any]) -> str:
    """Hash of all in a resolved exam that is run."""
    return digest({name: value for name, value in config.items() if name not in _OF_REPORTS})


def _decimal(dollars: float) -> Decimal:
    return Decimal(str(dollars))


def rubrics_of(exam: Exam) -> dict[str, Rubric]:
    """Judge of single answers -> its rubric; named errors for what is wrong with one."""
    found = {spec.name: load_rubric(spec.rubric, spec.shots) for spec in exam.judges if spec.mode == "pointwise"}
    check_taxonomies([spec for spec in exam.judges if spec.name in found], found)
    return found


def pairwise_rubrics_of(exam: Exam) -> dict[str, PairwiseRubric]:
    """Pairwise judge -> its rubric; named errors likewise."""
    judges = [spec for spec in exam.judges if spec.mode == "pairwise"]
    return {spec.name: load_pairwise_rubric(spec.rubric, spec.shots) for spec in judges}


def worked_examples(rubric: Rubric, shots: int) -> list[str]:
    """Questions and answers that the judge is shown with their scores, hashed: what never counts as a label."""
    shown = [example for c in rubric.criteria for level in c.levels for example in level.examples[:shots]]
    return sorted({example_key(text) for e in shown for text in (e.question, e.answer)} - {""})


def resolved(session: Session) -> dict[str, Any]:
    """What `RunInfo.config` holds of the exam."""
    return resolved_exam(session.exam, session.dataset, session.rubrics, session.pairwise)


def resolved_exam(
    exam: Exam, dataset: Dataset, rubrics: Mapping[str, Rubric], pairwise: Mapping[str, PairwiseRubric]
) -> dict[str, Any]:
    """The exam as plain JSON, its dataset by content hash, rubrics and prompts in full."""
    subset = dataset.subset
    config = describe(exam)
    for spec, judge in zip(exam.judges, config["judges"], strict=True):
        if spec.mode == "pairwise":
            compared = pairwise[spec.name]
            judge["rubric"] = {**judge["rubric"], **compared.describe()}
            judge["prompt"] = str(PairPrompt(compared, spec.shots).system["content"])
            continue
        rubric = rubrics[spec.name]
        judge["rubric"] = {**judge["rubric"], **rubric.describe()}
        judge["worked_examples"] = worked_examples(rubric, spec.shots)
        wordless = spec.model == "embedded" or is_ragas(spec.rubric) or is_mlflow(spec.model) or is_guard(spec)
        judge["prompt"] = "" if wordless else system_prompts(rubric, spec)
    return {
        **config,
        "measures": [str(parse(name, exam.path.parent)) for name in exam.measures],
        "dataset": {
            "name": dataset.name,
            "version": dataset.version,
            "sha256": dataset.sha256,
            "n": len(dataset.samples),
            "subset": None if subset is None else {"n": subset.n, "of": subset.of, "seed": subset.seed},
        },
        "command": f"markscheme run {exam.path.name}",
    }
