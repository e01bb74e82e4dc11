"""`markscheme judge probe`: put the probes to a judge, write the page, print what came of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError, Unfinished
from ...harness.exam import Exam, JudgeSpec, load_exam
from ...harness.probing import Probe, Probing
from ...harness.records import Grade, Reply
from ...judges.base import Judge
from ...judges.probes import attacks, distribution, drift, family, length, perturbation, position, retest, verbosity
from ...judges.probes.base import Graded
from ..loops import run_anywhere
from ..progress import line, showing
from ..session import price_book
from ..telling import resume_command
from .anchors import read_watch, watch_file, with_night, write_watch
from .labels import refresh_labels
from .probe_plan import NAMES, Choice, Planned, Subject, plan_probes
from .probing_output import plan_text, print_probing, to_output, to_plan_output
from .workshop import Task, Workshop, workshop


@dataclass(frozen=True, slots=True)
class Where:
    """Which run, whose judge, and whether only to plan. ``judge`` '' is the first that grades single answers."""

    workspace: str
    run: str = ""
    judge: str = ""
    plan: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Ears:
    """Who is told: ``note`` what to know, ``planned`` the run, the judge and its probes before anything is asked."""

    note: Callable[[str], None]
    planned: Callable[[str, str, Sequence[Planned]], None]


def probe(exam_file: Path, where: Where, choice: Choice, json: bool) -> int:
    """The exit code: 1 where a probe failed."""

    def note(text: str) -> None:
        typer.echo(f"note: {text}", err=True)

    def planned(run: str, judge: str, probes: Sequence[Planned]) -> None:
        if json and where.plan:
            typer.echo(to_plan_output(run, judge, probes).model_dump_json())
        elif not json and where.plan and not probes:
            typer.echo(f"judge {judge}: its preferences in the run are read, nobody is asked")
        elif not json and (where.plan or not where.quiet) and probes:
            typer.echo(plan_text(judge, probes), err=not where.plan)

    tally = Tally()
    try:
        done = probed(load_exam(exam_file), where, choice, tally, Ears(note, planned))
    except Unfinished as stop:
        typer.echo(line(tally), err=True)
        raise type(stop)(f"{stop}\n  continue with: {resume_command()}") from stop
    if done is None:
        return 0
    made, page = done
    if json:
        typer.echo(to_output(made, str(page)).model_dump_json())
    else:
        print_probing(made, str(page), sys.stdout)
    return int(made.verdict == "fail")


def probed(exam: Exam, where: Where, choice: Choice, tally: Tally, ears: Ears) -> tuple[Probing, Path] | None:
    """Put the probes and write the page; ``None`` where only a plan was asked for.

    Raises Unfinished where it is stopped: what was paid for is kept.
    """
    spec = _judge_spec(exam, where.judge)
    _check_families(exam, spec, choice)
    return run_anywhere(lambda: _probe(exam, spec, where, choice, tally, ears))


def _check_families(exam: Exam, spec: JudgeSpec, choice: Choice) -> None:
    names = [spec.name, *(candidate.name for candidate in exam.candidates)]
    for name in choice.families:
        if name not in names:
            raise InputError(f"--family {name!r}: neither the judge nor a candidate; there are {', '.join(names)}")


def today() -> str:
    """The date of this night, UTC."""
    return datetime.now(UTC).date().isoformat()


def _judge_spec(exam: Exam, name: str) -> JudgeSpec:
    named = {spec.name: spec for spec in exam.judges}
    if not named:
        raise InputError(f"{exam.path}: has no judges to probe")
    if name and name not in named:
        raise InputError(f"--judge {name!r}: {exam.path} has {', '.join(map(repr, named))}")
    if name:
        return named[name]
    alone = [spec for spec in exam.judges if not spec.members]
    order = sorted(alone, key=lambda spec: (spec.mode == "pairwise", spec.model == "embedded"))
    return order[0]


async def _probe(
    exam: Exam, spec: JudgeSpec, where: Where, choice: Choice, tally: Tally, ears: Ears
) -> tuple[Probing, Path] | None:
    opened = workshop(exam, where.workspace, "probe", tally, ears.note, reference=where.run, offline=where.plan)
    async with opened as shop:
        for text in refresh_labels(shop.store, shop.run):
            ears.note(text)
        if len(exam.judges) > 1 and not where.judge:
            ears.note(f"probing {spec.name!r}; --judge names another")
        made = await _put(shop, spec, where, choice, tally, ears)
        return None if made is None else (made, _write(shop, made, _page_name(exam, spec)))


async def _put(
    shop: Workshop, spec: JudgeSpec, where: Where, choice: Choice, tally: Tally, ears: Ears
) -> Probing | None:
    """Everything that was found; ``None`` where only a plan was asked for."""
    from ...harness.store.load import load

    data = load(shop.store, shop.run)
    if spec.mode == "pairwise":
        ears.planned(shop.run.id, spec.name, ())
        if where.plan:
            return None
        return _made(shop, spec, [position.assess(spec.name, data.preferences)], tally)
    judge = shop.judge(spec)
    families = {c.name: choice.families.get(c.name, family.family_of(c.model)) for c in shop.exam.candidates}
    own = choice.families.get(spec.name, family.family_of(spec.model))
    prices = price_book(shop.exam)
    subject = Subject(judge, shop.dataset.samples, shop.answers(), data, prices, families, own)
    file = watch_file(_folder(shop), spec.name, judge.rubric, spec.shots)
    watch = read_watch(file) or _new_watch(spec, subject, choice)
    planned = plan_probes(subject, choice, watch, today())
    ears.planned(shop.run.id, spec.name, planned)
    if where.plan:
        return None
    graded = await _grade(shop, spec, planned, where.quiet)
    probes: list[Probe] = []
    for entry in planned:
        if entry.code == drift.CODE and not entry.why:
            probes.append(_drift(shop, entry, subject, graded, watch, file))
        else:
            probes += _assessed(entry, subject, graded)
    return _made(shop, spec, probes, tally, subject)


async def _grade(shop: Workshop, spec: JudgeSpec, planned: Sequence[Planned], quiet: bool) -> Graded:
    """All items of all probes; a judge for each salt, so that each draws replies of its own."""
    judges: dict[str, Judge] = {}
    tasks = []
    for entry in planned:
        for item in entry.items:
            judge = judges.get(item.salt) or judges.setdefault(item.salt, shop.judge(spec, salt=item.salt))
            tasks.append(Task(item.key, judge, item.sample, item.answer))
    async with showing(shop.dispatcher.tally, quiet):
        return await shop.grade(tasks)


def _assessed(entry: Planned, subject: Subject, graded: Graded) -> tuple[Probe, ...]:
    name = subject.judge.name
    if entry.ready or entry.why:
        return entry.ready or (Probe(entry.code, NAMES[entry.code], name, power=entry.power, why=entry.why),)
    module = {m.CODE: m for m in (retest, verbosity, perturbation, attacks)}[entry.code]
    found = module.assess(name, entry.items, graded, subject.rubric, entry.wanted)
    return (length.with_slope(found, subject.data, subject.rubric) if entry.code == verbosity.CODE else found,)


def _new_watch(spec: JudgeSpec, subject: Subject, choice: Choice) -> drift.Watch:
    n = choice.anchors or choice.size(drift.WANTED)
    return drift.Watch(spec.name, spec.model, drift.anchors(subject.samples, subject.answers, n, choice.seed))


def _drift(shop: Workshop, entry: Planned, subject: Subject, graded: Graded, watch: drift.Watch, file: Path) -> Probe:
    served = _served(shop, (graded[item.key] for item in entry.items))
    kept = with_night(watch, drift.night(today(), watch, entry.items, graded, served))
    write_watch(file, kept)
    return drift.assess(subject.judge.name, kept, subject.rubric, len(watch.anchors))


def _served(shop: Workshop, graded: Iterable[Sequence[Grade]]) -> Counter[str]:
    """How many replies each model gave, as the provider names it."""
    keys = {key for grades in graded for grade in grades for key in grade.calls}
    replies = [call.outcome for call in shop.store.find_calls(keys, shop.run.id).values()]
    return Counter(reply.served_model for reply in replies if isinstance(reply, Reply) and reply.served_model)


def _made(
    shop: Workshop, spec: JudgeSpec, probes: Sequence[Probe], tally: Tally, subject: Subject | None = None
) -> Probing:
    spreads = distribution.spreads(spec.name, subject.data.grades, subject.rubric) if subject else ()
    return Probing(
        shop.run.id,
        shop.exam.name,
        spec.name,
        today(),
        tuple(probes),
        spreads,
        {"live": tally.live, "reused": tally.reused},
        None if tally.unpriced else tally.spent_usd,
    )


def _folder(shop: Workshop) -> Path:
    return shop.store.folder or Path.cwd() / ".markscheme"


def _page_name(exam: Exam, spec: JudgeSpec) -> str:
    return "probe" if len(exam.judges) == 1 else f"probe-{spec.name}"


def _write(shop: Workshop, made: Probing, name: str) -> Path:
    from ...reports.judging.probes_html import render_probing
    from ...reports.judging.probes_markdown import probing_markdown

    folder = _folder(shop) / "reports" / shop.run.id / "judge"
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.html"
    page.write_text(render_probing(made), encoding="utf-8")
    page.with_suffix(".md").write_text(probing_markdown(made), encoding="utf-8")
    return page
