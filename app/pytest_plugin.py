"""The pytest plugin (entry point `pytest11`): exams as fixtures, and what a suite prints of them.

Loaded by every pytest of an environment where Markscheme is installed, so it imports nothing of ours before a test
wants an exam. (PYTEST_DONT_REWRITE)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..harness.records import Sample
    from .testing.asking import SingleCandidate, SingleJudge
    from .testing.examined import Examined, ExaminedRun
    from .testing.grades import Grades
    from .testing.marked import Place
    from .testing.shares import Share
    from .testing.single import Answered, Graded
    from .testing.suite import Suite

_SUITE = pytest.StashKey["Suite"]()
_SESSION = pytest.StashKey[str]()
_SENT = "markscheme"
"""Attribute of a report that carries what the test did to the end of the suite."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and their counterparts in the configuration file."""
    group = parser.getgroup("markscheme", "exams of models (markscheme)")
    say = group.addoption
    say("--markscheme-live", action="store_true", help="call models for replies that are not recorded")
    say("--markscheme-budget", type=float, metavar="USD", help="most that all processes of the suite may spend")
    say("--markscheme-workspace", metavar="DIR", help="where replies are recorded (default: .markscheme)")
    choices = ("warn", "skip", "fail")
    say("--markscheme-inconclusive", choices=choices, help="what an inconclusive assertion does (default: warn)")
    parser.addini("markscheme_exam", "the exam of tests that name none, relative to the root", default="")
    parser.addini("markscheme_live", "as --markscheme-live", type="bool", default=False)
    parser.addini("markscheme_budget", "as --markscheme-budget", default="")
    parser.addini("markscheme_workspace", "as --markscheme-workspace, relative to the root", default="")
    parser.addini("markscheme_inconclusive", "as --markscheme-inconclusive", default="")


def pytest_configure(config: pytest.Config) -> None:
    """One name for the suite, which all of its processes know."""
    config.addinivalue_line(
        "markers",
        "exam(path, per_sample=False, strict=False, pass_share=None, candidate=''): the test asserts an exam of "
        "Markscheme; with per_sample it is run once a sample",
    )
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    config.stash[_SESSION] = worker.get("markscheme_session") or uuid.uuid4().hex
    config.pluginmanager.register(_Collector(config), "markscheme-collector")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A process of pytest-xdist is told the name."""
    node.workerinput["markscheme_session"] = node.config.stash[_SESSION]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each sample. Nothing is run: processes that collect apart collect the same."""
    mark = metafunc.definition.get_closest_marker("exam")
    if mark is None or not mark.kwargs.get("per_sample"):
        return
    from .testing.marked import exam_file, marked, places
    from .testing.suite import folders, told_plainly

    here = folders(metafunc.definition.path, metafunc.config.rootpath)
    found = told_plainly(lambda: places(exam_file(marked(mark).path, here), marked(mark)))
    if "markscheme_place" not in metafunc.fixturenames:
        metafunc.fixturenames.append("markscheme_place")
    metafunc.parametrize("markscheme_place", [p for _, p in found], ids=[i for i, _ in found], indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Verdicts of the test travel with its report; a failing one says why below the traceback."""
    suite = item.config.stash.get(_SUITE, None)
    if suite is None:
        return (yield)
    from .testing.reporting import completed, noted

    heard, exams = suite.taken()
    noted(item, heard)
    report = yield
    if sent := completed(report, item, call, heard, exams):
        setattr(report, _SENT, sent)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A sample that does not pass is reported; the share of them is what can fail."""
    sample = getattr(report, _SENT, {}).get("sample")
    if sample is None or sample["strict"] or sample["outcome"] == "passed":
        return None
    return ("below", "b", "BELOW") if sample["outcome"] == "below" else ("no verdict", "n", "NO VERDICT")


class _Collector:
    """Hears the reports of all processes, and speaks at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._sent: list[dict[str, Any]] = []
        self._shares: list[Share] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report brings."""
        if (found := getattr(report, _SENT, None)) is not None:
            self._sent.append(found)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the shares of samples that pass: the suite fails with one that does not."""
        if not self._sent or hasattr(self._config, "workerinput"):
            return
        from .testing.ending import ended

        self._shares = ended(self._sent, session, self._config.stash[_SESSION])

    def pytest_unconfigure(self) -> None:
        """Forget the budget, now that the other processes have ended."""
        live = self._config.getoption("markscheme_live") or self._config.getini("markscheme_live")
        if live and not hasattr(self._config, "workerinput"):
            from .testing.ending import forget_purse

            forget_purse(self._config, self._config.stash[_SESSION])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of what was asserted, and what it took."""
        if not self._sent:
            return
        from .testing.summary import summary

        if text := summary(self._sent, self._shares):
            terminalreporter.section("markscheme")
            terminalreporter.write_line(text)


def _suite(config: pytest.Config) -> Suite:
    """The process's suite, made by the first test that wants it."""
    if _SUITE not in config.stash:
        from .testing.settings import settings_of
        from .testing.suite import Suite, told_plainly

        config.stash[_SUITE] = Suite(told_plainly(lambda: settings_of(config, config.stash[_SESSION])))
    return config.stash[_SUITE]


@pytest.fixture
def exam(request: pytest.FixtureRequest) -> Examined:
    """The exam that the test's marker names, sat once a session: `exam.grades`, `exam.run`, `exam.candidates`."""
    return _suite(request.config).examined(request.node)


@pytest.fixture
def run(exam: Examined) -> ExaminedRun:
    """The exam's run: its tables, and `not_worse_than`."""
    return exam.run


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Callable[..., SingleJudge]:
    """A judge of the exam by itself: `judge("strict").grade(question=…, answer=…, reference=…)`."""
    return _suite(request.config).desk(request.node).judge


@pytest.fixture
def candidate(request: pytest.FixtureRequest) -> Callable[..., SingleCandidate]:
    """A candidate of the exam by itself: `candidate("mini").answer("…").text`."""
    return _suite(request.config).desk(request.node).candidate


@pytest.fixture
def markscheme_place(request: pytest.FixtureRequest) -> Place | None:
    """Which answer a test that is run once a sample is about."""
    place: Place | None = getattr(request, "param", None)
    return place


@pytest.fixture
def sample(markscheme_place: Place | None) -> Sample:
    """The sample, in a test that is run once a sample."""
    return _placed(markscheme_place).sample


@pytest.fixture
def answer(exam: Examined, markscheme_place: Place | None) -> Answered:
    """The candidate's answer to the sample: `answer.text`."""
    return exam.answer(_placed(markscheme_place))


@pytest.fixture
def grades(exam: Examined, markscheme_place: Place | None) -> Grades | Graded:
    """The exam's means to assert; in a test that is run once a sample, the scores of its answer."""
    return exam.grades if markscheme_place is None else exam.graded(markscheme_place)


def _placed(place: Place | None) -> Place:
    if place is None:
        pytest.fail(
            'sample and answer are for tests that are run once a sample: @pytest.mark.exam("…", per_sample=True)',
            pytrace=False,
        )
    return place
