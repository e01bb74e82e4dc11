"""What one process of a suite knows: its settings, the exams that it sat, and the verdicts of the test at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ...harness.dispatch.tally import Tally
from ...harness.errors import InputError, MarkschemeError
from ...harness.exam import Exam, load_exam
from .asking import Desk
from .examined import Examined
from .marked import Marked, Place, exam_file, marked
from .settings import Settings
from .sitting import Sat, sit
from .verdict import Court, Verdict

Made = TypeVar("Made")


@dataclass
class Suite:
    """One process of a suite. Exams are sat once, and so are their failures told."""

    settings: Settings
    sat: dict[Path, Sat] = field(default_factory=dict)
    desks: dict[Path, Desk] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)
    heard: list[Verdict] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    """Exams that were sat since the last report."""

    @property
    def court(self) -> Court:
        """Who hears verdicts."""
        return Court(self.settings.inconclusive, self.heard.append)

    def examined(self, item: pytest.Item) -> Examined:
        """The exam of a test. Whatever stands in its way fails the test with its message alone."""
        here = folders(item.path, self.settings.root)
        path = told_plainly(lambda: self._file(item))
        if path in self.refused:
            pytest.fail(f"exam {path.name} could not be sat: {self.refused[path]}", pytrace=False)
        if path not in self.sat:
            self.sat[path] = self._sit(path)
        return Examined(self.sat[path], self.court, self.settings.workspace, here)

    def _sit(self, path: Path) -> Sat:
        """Whatever goes wrong goes wrong once: no later test tries again, and pays again."""
        tally, problem = Tally(), ""
        try:
            sat = sit(load_exam(path), self.settings, tally)
        except Exception as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            self.refused[path] = f"{first} (said in full by the first test that needed it)"
            if tally.live:
                self.told.append(_took(path.name, "", tally, ()))
            if not isinstance(error, MarkschemeError):
                raise
            problem = f"exam {path.name}: {error}"
        if problem:
            pytest.fail(problem, pytrace=False)
        self.told.append(_took(path.name, sat.data.info.id, tally, sat.notes))
        return sat

    def desk(self, item: pytest.Item) -> Desk:
        """The candidates and judges of a test's exam."""
        path = told_plainly(lambda: self._file(item))
        if path not in self.desks:
            self.desks[path] = Desk(told_plainly(lambda: _loaded(path)), self.settings)
        return self.desks[path]

    def taken(self) -> tuple[list[Verdict], list[dict[str, Any]]]:
        """Verdicts and exams since this was asked last; they are forgotten."""
        heard, told = list(self.heard), list(self.told)
        self.heard.clear()
        self.told.clear()
        for path, desk in self.desks.items():
            if desk.tally.live or desk.tally.reused:
                told.append(_took(f"{path.name}, single calls", "", desk.tally, ()))
                desk.tally = Tally()
        return heard, told

    def _file(self, item: pytest.Item) -> Path:
        found = mark_of(item)
        given = found.path if found is not None else self.settings.exam
        if not given:
            raise InputError(
                'this test names no exam: mark it with @pytest.mark.exam("exams/x.yaml"), or set markscheme_exam in '
                "the configuration of pytest"
            )
        beside = folders(item.path, self.settings.root) if found is not None else (self.settings.root,)
        return exam_file(given, beside).resolve()


def mark_of(item: pytest.Item) -> Marked | None:
    """The marker nearest to the test."""
    mark = item.get_closest_marker("exam")
    return None if mark is None else marked(mark)


def place_of(item: pytest.Item) -> Place | None:
    """The answer that the test is about, where it is run once a sample."""
    found = getattr(item, "callspec", None)
    place = None if found is None else found.params.get("markscheme_place")
    return place if isinstance(place, Place) else None


def folders(path: Path, root: Path) -> tuple[Path, ...]:
    """Where relative paths of a test begin: beside it, then at pytest's root."""
    return (path.parent, root)


def told_plainly(make: Callable[[], Made]) -> Made:
    """What ``make`` makes; a mistake of the operator's fails the test with its message, without a traceback."""
    try:
        return make()
    except MarkschemeError as error:
        problem = str(error)
    pytest.fail(problem, pytrace=False)


def _loaded(path: Path) -> Exam:
    return load_exam(path)


def _took(exam: str, run: str, tally: Tally, notes: tuple[str, ...]) -> dict[str, Any]:
    spent = {"live": tally.live, "reused": tally.reused, "spent_usd": tally.spent_usd, "unpriced": tally.unpriced}
    return {"exam": exam, "run": run, **spent, "notes": list(notes)}
