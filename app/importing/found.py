"""What a reader finds in the file of another tool: samples, answers, scores and labels as plain rows.

A reader adds them one by one. What cannot be carried over is counted by kind, with one example each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...harness.data_rows import short
from ...harness.errors import DataError
from ...harness.exam_types import safe_name

Place = tuple[str, str, int]
"""Sample id, candidate, trial."""
Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """An answer, or its failure (``status``, ``detail``). ``measured`` are columns of a sheet: seconds, tokens, USD;
    ``tool_calls`` are in OpenAI's form, ``retrieved`` passages ``{"text", "id", "score"}``."""

    where: str
    text: str
    status: str = "ok"
    detail: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    retrieved: tuple[Mapping[str, Any], ...] = ()
    served_model: str = ""

    def row(self) -> dict[str, Any]:
        """The columns of a sheet that say it."""
        made = {"tool_calls": self.tool_calls, "retrieved": self.retrieved, "served_model": self.served_model}
        failed = {} if self.status == "ok" else {"status": self.status, "detail": self.detail}
        return {"answer": self.text, **self.measured, **{name: one for name, one in made.items() if one}, **failed}


@dataclass(frozen=True, slots=True)
class FoundScore:
    """A judge's score as the tool wrote it; ``error`` where the judge itself failed."""

    place: Place
    judge: str
    criterion: str
    value: Any
    reasoning: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FoundLabel:
    """A person's score as the tool wrote it."""

    place: Place
    criterion: str
    annotator: str
    value: Any


@dataclass
class Found:
    """All of it. ``tool`` is the tool's name, ``name`` what was examined; ``left`` counts what stayed behind.

    ``unit_scores`` says that the tool documents its scores as from 0 to 1.
    """

    tool: str
    name: str
    unit_scores: bool = False
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Variables] = field(default_factory=dict)
    answers: dict[Place, FoundAnswer] = field(default_factory=dict)
    scores: dict[tuple[Place, str, str], FoundScore] = field(default_factory=dict)
    labels: dict[tuple[Place, str, str], FoundLabel] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _candidates: dict[str, str] = field(default_factory=dict)

    def candidate(self, model: str) -> str:
        """A model's name as a candidate's: what a name may not hold becomes a hyphen, two stay two."""
        if model not in self._candidates:
            name = safe_name(model)
            taken = set(self._candidates.values())
            numbered = (f"{name} ({n})" for n in range(2, len(taken) + 3))
            self._candidates[model] = name if name not in taken else next(n for n in numbered if n not in taken)
        return self._candidates[model]

    def leave(self, what: str, example: object = "") -> None:
        """Count something that cannot be carried over."""
        self.left[what] += 1
        self.examples.setdefault(what, short(example) if example != "" else "")

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)

    def add_sample(self, sample_id: str, sample: Mapping[str, Any], variables: Variables, where: str) -> None:
        """A question. Raises DataError where its id stands for another one."""
        asked = {name: value for name, value in sample.items() if value not in (None, "", [], {})}
        known = self.samples.setdefault(sample_id, asked)
        if known != asked:
            raise DataError(
                f"{where}: sample {sample_id!r} stands for another question or reference before; "
                "import files of one data set together, and others apart"
            )
        self.variables.setdefault(sample_id, variables)

    def add_answer(self, place: Place, answer: FoundAnswer) -> None:
        """An answer. Raises DataError where another one stands at its place."""
        before = self.answers.setdefault(place, answer)
        if before is not answer and (before.text, before.status) != (answer.text, answer.status):
            sample_id, candidate, trial = place
            raise DataError(
                f"{answer.where}: {candidate!r} answered {sample_id!r} (trial {trial}) otherwise in {before.where}; "
                "import the two apart, or give each draw a trial, or a candidate, of its own"
            )

    def add_score(self, score: FoundScore) -> None:
        """A score; the last one counts where a file repeats it."""
        self.scores[score.place, score.judge, score.criterion] = score

    def add_label(self, label: FoundLabel) -> None:
        """A label; the last one counts where a file repeats it."""
        self.labels[label.place, label.criterion, label.annotator] = label
