"""Which probes are put to a judge, what they ask and what that costs, before anybody is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...harness.dispatch.budget import worst_case
from ...harness.errors import InputError
from ...harness.probing import Power, Probe
from ...harness.records import Answer, Sample, Usage
from ...judges.base import Judge
from ...judges.probes import attacks, drift, family, format, perturbation, position, retest, verbosity
from ...judges.probes.base import Item
from ..plan import ASSUMED_VERDICT_TOKENS

if TYPE_CHECKING:
    from ...harness.prices import PriceBook
    from ...harness.store.frames import RunData
    from ...judges.rubric import Rubric

NAMES: Mapping[str, str] = {
    module.CODE: module.NAME for module in (format, retest, position, verbosity, perturbation, attacks, family, drift)
}
"""Every probe, in the order in which they are run and shown."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the operator chose. ``n`` takes the place of every probe's own size."""

    probes: tuple[str, ...] = ()
    n: int | None = None
    anchors: int | None = None
    seed: int = 0
    families: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for probe in self.probes:
            if probe not in NAMES:
                known = ", ".join(f"{code} ({name})" for code, name in NAMES.items())
                raise InputError(f"--probes {probe!r}: there are {known}")
        for option, value in (("--n", self.n), ("--anchors", self.anchors)):
            if value is not None and value < 2:
                raise InputError(f"{option} {value}: must be 2 or more; no interval comes from fewer")

    def asks_for(self, code: str) -> bool:
        """Whether this probe is to be run."""
        return not self.probes or code in self.probes

    def size(self, wanted: int) -> int:
        """How many items a probe that wants ``wanted`` is given."""
        return self.n or wanted


@dataclass(frozen=True, slots=True)
class Planned:
    """A probe before it is run: ``calls`` at most, what is recorded already costing nothing. ``usd`` is ``None`` where
    no price is known. ``why`` says why it is not run."""

    code: str
    items: tuple[Item, ...] = ()
    n: int = 0
    wanted: int = 0
    power: Power | None = None
    calls: int = 0
    usd: float | None = 0.0
    why: str = ""
    ready: tuple[Probe, ...] = ()
    """What needs no call is known already."""


@dataclass(frozen=True)
class Subject:
    """The judge on trial and what there is to try it on. ``families`` by candidate, ``own`` the judge's; '' unknown."""

    judge: Judge
    samples: Sequence[Sample]
    answers: Sequence[Answer]
    data: RunData
    prices: PriceBook
    families: Mapping[str, str]
    own: str

    @property
    def rubric(self) -> Rubric:
        """What it grades by."""
        return self.judge.rubric


def plan_probes(subject: Subject, choice: Choice, watch: drift.Watch, date: str) -> list[Planned]:
    """One entry for each probe that is asked for, in their order."""
    makers: dict[str, Callable[[], Planned]] = {
        format.CODE: lambda: _known(format.CODE, [format.assess(subject.judge.name, subject.data.grades)]),
        retest.CODE: lambda: _retest(subject, choice),
        position.CODE: lambda: _known(position.CODE, positions(subject.judge.name, subject.data)),
        verbosity.CODE: lambda: _verbosity(subject, choice),
        perturbation.CODE: lambda: _perturbation(subject, choice),
        attacks.CODE: lambda: _attacks(subject, choice),
        family.CODE: lambda: _known(family.CODE, [_family(subject)]),
        drift.CODE: lambda: _drift(subject, choice, watch, date),
    }
    return [make() for code, make in makers.items() if choice.asks_for(code)]


def positions(judge: str, data: RunData) -> list[Probe]:
    """One probe a pairwise judge of the run; where there is none, one that says so of ``judge``."""
    return [position.assess(rater, data.preferences) for rater in position.raters(data.preferences) or [judge]]


def _known(code: str, probes: Sequence[Probe]) -> Planned:
    first = probes[0]
    n = first.power.n if first.power else 0
    return Planned(code, (), n, n, first.power, why=first.why, ready=tuple(probes))


def _family(subject: Subject) -> Probe:
    data, name = subject.data, subject.judge.name
    return family.assess(name, data.grades, data.labels, subject.rubric, subject.families, subject.own)


def _retest(subject: Subject, choice: Choice) -> Planned:
    n = choice.size(retest.WANTED)
    items = retest.design(subject.samples, subject.answers, n, choice.seed)
    return _priced(subject, retest.CODE, items, n, retest.power(items, n))


def _verbosity(subject: Subject, choice: Choice) -> Planned:
    n = choice.size(verbosity.WANTED)
    items = verbosity.design(subject.samples, subject.answers, n, choice.seed)
    return _priced(subject, verbosity.CODE, items, n, verbosity.power(sum(not item.base for item in items), n))


def _perturbation(subject: Subject, choice: Choice) -> Planned:
    n = choice.size(perturbation.WANTED)
    if why := perturbation.why_not(subject.rubric, subject.samples):
        return Planned(perturbation.CODE, wanted=n, why=why)
    items = perturbation.design(subject.samples, n, choice.seed)
    return _priced(subject, perturbation.CODE, items, n, perturbation.power(items, n))


def _attacks(subject: Subject, choice: Choice) -> Planned:
    n = choice.size(attacks.wanted(subject.rubric))
    if why := attacks.why_not(subject.rubric, subject.samples):
        return Planned(attacks.CODE, wanted=n, why=why)
    items = attacks.design(subject.samples, subject.rubric, n, choice.seed)
    return _priced(subject, attacks.CODE, items, n, attacks.power(attacks.where_of(items), n, subject.rubric))


def _drift(subject: Subject, choice: Choice, watch: drift.Watch, date: str) -> Planned:
    n = choice.anchors or choice.size(drift.WANTED)
    items = drift.design(watch, subject.samples, date)
    return _priced(subject, drift.CODE, items, n, drift.power(len(items), n))


def _priced(subject: Subject, code: str, items: Sequence[Item], wanted: int, power: Power) -> Planned:
    if not items:
        return Planned(code, wanted=wanted, power=power, why="the run has no answer that it could use")
    # What has no salt is the run's own grading: its reply is recorded.
    requests = [r for item in items if item.salt for r in subject.judge.previews(item.sample, item.answer)]
    model = subject.judge.models[0].name if subject.judge.models else ""
    costs = [
        subject.prices.cost_usd(model, Usage(worst_case(request).prompt_tokens // 4, ASSUMED_VERDICT_TOKENS))
        for request in requests
    ]
    usd = None if None in costs else sum(cost for cost in costs if cost is not None)
    return Planned(code, tuple(items), power.n, wanted, power, len(requests), usd)


def probe_codes(text: str) -> tuple[str, ...]:
    """``P2,p6,drift`` as codes, in the order of `NAMES`; unknown words stay for `Choice` to refuse."""
    by_name = {name.casefold(): code for code, name in NAMES.items()}
    words = [word.strip() for word in text.split(",") if word.strip()]
    codes = [by_name.get(word.casefold(), word.upper() if word.upper() in NAMES else word) for word in words]
    return tuple(sorted(dict.fromkeys(codes), key=lambda code: [*NAMES, code].index(code)))


def families(pairs: Sequence[str]) -> dict[str, str]:
    """``NAME=FAMILY`` words as a mapping. Raises InputError for a word of another form."""
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name.strip() and sign and value.strip()):
            raise InputError(f"--family {pair!r}: wanted NAME=FAMILY, like mini=openai")
        found[name.strip()] = value.strip().casefold()
    return found
