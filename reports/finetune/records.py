"""What the choice of training data works on: the answers with all that is known of them, and what the user wants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ...harness.errors import InputError
from ...harness.records import Message, Said
from ...harness.store.asked import Asked
from ..exam import JudgeView

Format = Literal["openai", "fireworks", "nemo"]
FORMATS: tuple[Format, ...] = get_args(Format)
Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = get_args(Side)
SCORE, LABEL, TAG = "score", "label", "tag:"
"""What answers may be counted into classes by."""
SHARES = (0.8, 0.1, 0.1)
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Options:
    """What is wanted. ``judge`` or ``measure`` names whose score counts; without either it is the leading judge's.

    ``agreement`` is the largest range of the judges' scores, as a share of their scale. ``class_of`` is `score`,
    `label` or `tag:NAME`. ``pair_margin`` is in units of the score; ``None`` stands for a third of its scale.
    """

    format: Format = "openai"
    candidates: tuple[str, ...] = ()
    judge: str = ""
    measure: str = ""
    min_score: float | None = None
    agreement: float | None = None
    unsafe: bool = False
    """Whether unsafe answers are kept."""
    refusals: bool = False
    """Whether refusals are kept."""
    per_class: int | None = None
    class_of: str = ""
    pairs: bool = False
    pair_margin: float | None = None
    shares: tuple[float, float, float] = SHARES
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choice(self)
        _check_numbers(self)


def _check_choice(of: Options) -> None:
    if of.format not in FORMATS:
        raise InputError(f"--format {of.format!r}: there are {', '.join(FORMATS)}")
    if of.judge and of.measure:
        raise InputError(f"--judge {of.judge!r} and --measure {of.measure!r}: one of the two says whose score counts")
    tagged = of.class_of.startswith(TAG) and of.class_of.strip() != TAG
    if of.class_of and of.class_of not in (SCORE, LABEL) and not tagged:
        raise InputError(f"--class-of {of.class_of!r}: write score, label, or tag:NAME")
    if bool(of.class_of) != (of.per_class is not None):
        raise InputError("--per-class N and --class-of go together: at most N answers of each class")
    if of.pair_margin is not None and not of.pairs:
        raise InputError(f"--pair-margin {of.pair_margin:g}: is only for --pairs")


def _check_numbers(of: Options) -> None:
    written = ",".join(f"{share:g}" for share in of.shares)
    if min(of.shares) < 0:
        raise InputError(f"--shares {written}: a part is below 0; write 0 for a split that shall have nothing")
    if not abs(sum(of.shares) - 1) <= _TOLERANCE:
        raise InputError(f"--shares {written}: train, validation and test are parts of 1, and make {sum(of.shares):g}")
    if of.shares[0] <= 0:
        raise InputError(f"--shares {written}: leaves nothing to train on")
    if of.min_score is not None and not math.isfinite(of.min_score):
        raise InputError(f"--min-score {of.min_score}: is not a number")
    if of.per_class is not None and of.per_class < 1:
        raise InputError(f"--per-class {of.per_class}: at least 1")
    if of.agreement is not None and not 0 <= of.agreement <= 1:
        raise InputError(f"--agreement {of.agreement:g}: a share of the judges' scale, from 0 to 1")
    if of.pair_margin is not None and not of.pair_margin > 0:
        raise InputError(f"--pair-margin {of.pair_margin:g}: above 0, in units of the score")


@dataclass(frozen=True, slots=True)
class Source:
    """Whose score counts in a run: a ``judge``'s, or a ``measure``'s; ``scale`` where its values have two ends."""

    name: str
    judge: JudgeView | None
    measure: str
    scale: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Graded:
    """What is known of one answer. ``score`` is what counts: people's where they scored, else the ``own`` score of the
    source; ``None`` where there is none. ``spread`` is the range of the judges who share the rubric, as a share of its
    scale. ``grades`` are by judge and criterion, ``labels`` people's means by criterion."""

    score: float | None = None
    own: float | None = None
    labelled: bool = False
    spread: float | None = None
    unsafe: bool = False
    grades: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages before the answer. ``given`` of those of the assistant the candidate did not write."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    given: int = 0
    recorded: bool = True
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """One answer that may be learned from. ``group`` is its cluster's name, once near duplicates have joined."""

    run: str
    asked: Asked
    prompt: Prompt
    graded: Graded
    group: str = ""

    @property
    def said(self) -> Said | None:
        """The answer, ``None`` for a failed one."""
        outcome = self.asked.answer.outcome
        return outcome if isinstance(outcome, Said) else None

    @property
    def place(self) -> tuple[str, str, str, int]:
        """Run, sample, candidate, trial."""
        answer = self.asked.answer
        return self.run, answer.sample_id, answer.candidate, answer.trial


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt, of which one is better ``by`` a score, or in the words of a rater."""

    chosen: Example
    rejected: Example
    by: str
