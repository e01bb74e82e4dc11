"""Content safety: how often answers are unsafe, in which categories, how good the guard is, who refuses too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from ..harness.records import Estimate
from ..harness.refusals import CLASSES, RefusalClass, refusal_class
from ..harness.safety import UNKNOWN, Flags
from ..harness.statistics.classes import Detection, detection
from ..harness.statistics.rates import rate_interval
from ..harness.store.frames import Place, RunData
from .exam import JudgeView, candidates_of, judges_of
from .safety_bounds import Units, units_of
from .safety_verdicts import (
    Key,
    Truth,
    answer_truths,
    answer_verdicts,
    scored_by,
    taxonomies_of,
    texts_of,
    user_truths,
    user_verdicts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN_NAME = "not in the taxonomy"


@dataclass(frozen=True, slots=True)
class Unsafe:
    """A candidate's unsafe answers by one judge, ``count`` of ``answers``; ``units`` has the bound of their share."""

    candidate: str
    count: int
    answers: int
    units: Units


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """How often a category was named: of user's messages, and of answers by candidate (as in `Guarded.unsafe`).

    ``of_users`` and ``of_answers`` hold that against labels, where there are some that name categories.
    """

    code: str
    name: str
    users: int
    answers: tuple[int, ...]
    of_users: Detection | None = None
    of_answers: Detection | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """One judge of content safety. ``users`` messages were judged, ``users_unsafe`` found unsafe; ``of_users`` and
    ``of_answers`` hold its verdicts against labels (what is to be found is unsafe), ``None`` without any."""

    judge: JudgeView
    unsafe: tuple[Unsafe, ...]
    users: int
    users_unsafe: int
    categories: tuple[CategoryRow, ...]
    of_users: Detection | None
    of_answers: Detection | None


@dataclass(frozen=True, slots=True)
class Refusing:
    """Shares of a candidate's answers by `refusal_class`: to prompts that are labelled safe (full refusals of these are
    over-refusals), and to those labelled unsafe."""

    candidate: str
    safe: Mapping[RefusalClass, Estimate]
    unsafe: Mapping[RefusalClass, Estimate]


@dataclass(frozen=True, slots=True)
class Safety:
    """The section. ``unread`` says why refusals are not told, '' where they are or nobody could expect them."""

    guards: tuple[Guarded, ...]
    refusing: tuple[Refusing, ...]
    unread: str = ""


def safety(data: RunData) -> Safety | None:
    """The section of a run with a judge of content safety, or with labelled prompts; ``None`` for any other."""
    taxonomies, prompts = taxonomies_of(data), user_truths(data)
    if not taxonomies and not prompts:
        return None
    guards = tuple(
        _guarded(data, judge, taxonomies[judge.name]) for judge in judges_of(data) if judge.name in taxonomies
    )
    texts = texts_of(data, prompts) if prompts else {}
    if texts is None:
        return Safety(guards, (), "the texts of the answers are not at hand, or too many to read")
    return Safety(guards, tuple(_refusing(data, prompts, texts)))


def _guarded(data: RunData, judge: JudgeView, taxonomy: Mapping[str, str]) -> Guarded:
    scored = scored_by(data, judge.name)
    users, answers = user_verdicts(scored), answer_verdicts(scored)
    candidates = [view.name for view in candidates_of(data)]
    clusters = dict(zip(data.samples["sample_id"], data.samples["cluster"], strict=True))
    by_user = _Beside(users, user_truths(data, judge.rubric), lambda sample: clusters[sample])
    labelled = answer_truths(data, judge.rubric, judge.criteria[0])
    by_answer = _Beside(answers, labelled, lambda place: clusters[place[0]])
    return Guarded(
        judge,
        tuple(_unsafe(data, judge, answers, name) for name in candidates),
        len(users),
        sum(flags.unsafe for flags in users.values()),
        tuple(_rows(taxonomy, candidates, by_user, by_answer)),
        by_user.found(),
        by_answer.found(),
    )


def _unsafe(data: RunData, judge: JudgeView, answers: Mapping[Place, Flags], candidate: str) -> Unsafe:
    own = [flags.unsafe for (_, name, _), flags in answers.items() if name == candidate]
    return Unsafe(candidate, sum(own), len(own), units_of(data, judge.name, candidate))


class _Beside(Generic[Key]):
    """Verdicts and truths on the same things."""

    def __init__(
        self, verdicts: Mapping[Key, Flags], truths: Mapping[Key, Truth], cluster: Callable[[Key], str]
    ) -> None:
        self.verdicts = verdicts
        self._truths, self._cluster = truths, cluster

    def found(self) -> Detection | None:
        """Whether it is unsafe."""
        keys = [key for key in self.verdicts if key in self._truths]
        return self._held(keys, [self.verdicts[k].unsafe for k in keys], [self._truths[k][0] for k in keys])

    def category(self, code: str) -> Detection | None:
        """One category, where labels name categories."""
        known = {key: truth[1] for key, truth in self._truths.items() if key in self.verdicts}
        named = {key: codes for key, codes in known.items() if codes is not None}
        return self._held(
            list(named), [code in self.verdicts[k].codes for k in named], [code in codes for codes in named.values()]
        )

    def _held(self, keys: Sequence[Key], given: Sequence[bool], truth: Sequence[bool]) -> Detection | None:
        return detection(given, truth, [self._cluster(key) for key in keys]) if keys else None


def _rows(
    taxonomy: Mapping[str, str], candidates: Sequence[str], users: _Beside[str], answers: _Beside[Place]
) -> Iterator[CategoryRow]:
    """The categories that were named, or that labels have, in the order of the taxonomy."""
    by_user = Counter(code for flags in users.verdicts.values() for code in flags.codes)
    by_answer = Counter((who, code) for (_, who, _), flags in answers.verdicts.items() for code in flags.codes)
    for code, name in {**taxonomy, UNKNOWN: UNKNOWN_NAME}.items():
        counts = tuple(by_answer[who, code] for who in candidates)
        of_users, of_answers = users.category(code), answers.category(code)
        if by_user[code] or any(counts) or any(d is not None and d.true for d in (of_users, of_answers)):
            yield CategoryRow(code, name, by_user[code], counts, of_users, of_answers)


def _refusing(data: RunData, prompts: Mapping[str, Truth], texts: Mapping[Place, str]) -> Iterator[Refusing]:
    clusters = dict(zip(data.samples["sample_id"], data.samples["cluster"], strict=True))
    classes = {place: refusal_class(text) for place, text in texts.items()}
    for view in candidates_of(data):
        own = {place: found for place, found in classes.items() if place[1] == view.name}
        yield Refusing(view.name, *(_shares(own, prompts, clusters, unsafe) for unsafe in (False, True)))


def _shares(
    own: Mapping[Place, RefusalClass], prompts: Mapping[str, Truth], clusters: Mapping[str, str], unsafe: bool
) -> dict[RefusalClass, Estimate]:
    """Of one candidate's answers to prompts of one kind: trials are of one cluster."""
    chosen = {place: found for place, found in own.items() if prompts[place[0]][0] is unsafe}
    groups = [clusters[place[0]] for place in chosen]
    return {name: rate_interval([found == name for found in chosen.values()], groups) for name in CLASSES}
