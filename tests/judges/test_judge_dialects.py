"""The rubric judge over real HTTP, against servers that can do less and less of what it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from markscheme.harness.exam import JudgeSpec
from markscheme.harness.keys import call_key
from markscheme.harness.models.base import ChatModel
from markscheme.harness.models.catalog import open_model
from markscheme.harness.records import (
    Answer,
    Call,
    Draw,
    Failure,
    Grade,
    Reply,
    Request,
    Said,
    Sample,
    Scored,
    Unscored,
)
from markscheme.judges.judge import build_judge
from markscheme.judges.rubric import load_rubric

from tests.servers.mock_openai import MockServer, mock_server

IN_TEXT = {
    "good": '{"correctness": {"reasoning": "r", "score": 3}, "comprehensiveness": 3, "readability": "3"}',
    "bad": "Nothing in it is right.\ncorrectness: 0\ncomprehensiveness: 0\nreadability: 0",
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with mock_server() as running:
        yield running


class Live:
    """A caller that sends everything."""

    run, salt = "r", ""

    async def complete(self, model: ChatModel, request: Request, draw: Draw) -> Call:
        outcome = await model.complete(request)
        return Call(call_key(model.identity, request, draw), "r", "judge", "j", model.name, outcome)

    async def perform(self, key: str, model: str, work: Callable[[], Awaitable[Reply | Failure]]) -> Call:
        raise AssertionError("a judge asks models only")


def graded(server: MockServer, numbers: range = range(6), **config: Any) -> list[list[Grade]]:
    """Grade some samples; the mock knows by their tag which ones its candidates get right."""
    server.configure({"judge_models": ".", "correct_rate": 0.5, **config})
    spec = JudgeSpec(name="strict", model="openai-compatible/judge-1", rubric="docs_qa", base_url=server.url)

    async def run() -> list[list[Grade]]:
        model = open_model(spec.model, base_url=spec.base_url)
        judge = build_judge(spec, load_rubric("docs_qa", 1), model, Live())
        samples = [Sample(f"s{n}", f"What? [[Q{n}]]", context=("c",), reference="r") for n in numbers]
        try:
            return [await judge.grade(s, Answer("r", s.id, "c", 0, Said("An answer."))) for s in samples]
        finally:
            await model.close()

    return asyncio.run(run())


def scores(grades: list[list[Grade]]) -> list[set[float]]:
    return [{g.outcome.score for g in group if isinstance(g.outcome, Scored)} for group in grades]


@pytest.fixture(scope="module")
def expected(server: MockServer) -> list[set[float]]:
    """What the mock says through a JSON schema: all 3 or all 0."""
    found = scores(graded(server))
    assert {frozenset(f) for f in found} == {frozenset({3}), frozenset({0})}
    return found


@pytest.mark.parametrize(
    ("dialects", "wasted"),
    [
        ([], 0),
        (["no_json_schema"], 1),
        (["no_json_schema", "no_tool_choice"], 1),
        (["no_json_schema", "no_tools"], 2),
        (["no_temperature", "no_max_tokens"], 0),
        (["reasoning_content"], 0),
        (["think_tags"], 0),
    ],
)
def test_every_dialect_gives_the_same_scores_and_each_rung_is_tried_once(
    server: MockServer, expected: list[set[float]], dialects: list[str], wasted: int
) -> None:
    # The mock refuses tools only where they are asked for, and says the verdict in text where it can do neither.
    say = {"judge": IN_TEXT} if "no_tools" in dialects else {}
    grades = graded(server, dialects=dialects, say=say)
    assert scores(grades) == expected
    assert [len(group[0].calls) - 1 for group in grades] == [wasted, 0, 0, 0, 0, 0]


def test_a_truncated_verdict_is_read_with_twice_the_limit(server: MockServer, expected: list[set[float]]) -> None:
    assert scores(graded(server, min_tokens={"judge": 1500})) == expected


def test_a_verdict_that_stays_truncated_is_counted_as_such(server: MockServer) -> None:
    [group] = graded(server, range(1), dialects=["truncated_verdicts"])
    assert {g.outcome.status for g in group if isinstance(g.outcome, Unscored)} == {"truncated"}


@pytest.mark.parametrize("dialect", ["content_filter", "refusal", "content_filter_400"])
def test_the_providers_own_signal_is_a_refusal(server: MockServer, dialect: str) -> None:
    [group] = graded(server, range(1), dialects=[dialect])
    assert {g.outcome.status for g in group if isinstance(g.outcome, Unscored)} == {"refused"}


def test_content_that_is_no_verdict_is_unparsable_after_two_draws(server: MockServer) -> None:
    [group] = graded(server, range(1), errors={"badcontent": 1})
    assert {g.outcome.status for g in group if isinstance(g.outcome, Unscored)} == {"unparsable"}
    assert len(group[0].calls) == 2
