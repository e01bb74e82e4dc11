"""The real server of the tests: streams with usage, obeys a JSON schema, takes long prompts, is repeatable."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

pytestmark = pytest.mark.server
VERDICT = {
    "type": "object",
    "properties": {"reasoning": {"type": "string"}, "score": {"type": "integer", "enum": [0, 1, 2, 3]}},
    "required": ["reasoning", "score"],
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {"correctness": VERDICT, "readability": VERDICT},
    "required": ["correctness", "readability"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "grading", "strict": True, "schema": SCHEMA}}


def ask(server, prompt, system="", **more):
    """One chat completion; returns the body, or the list of decoded events of a stream."""
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": prompt})
    body = {"model": server.model, "messages": messages, "temperature": 0, "max_tokens": 256, **more}

    async def post():
        async with aiohttp.ClientSession() as session, session.post(f"{server.url}/chat/completions", json=body) as got:
            assert got.status == 200, await got.text()
            if not more.get("stream"):
                return await got.json()
            return [line.decode()[6:].strip() async for line in got.content if line.startswith(b"data: ")]

    return asyncio.run(post())


def said(reply):
    return reply["choices"][0]["message"]["content"]


@pytest.mark.parametrize("count", range(4))
def test_it_counts_what_is_good(tiny_server, count):
    assert said(ask(tiny_server, "grade: " + "good " * count + "the answer is missing")) == f"Score: {count}"


def test_a_stream_ends_with_usage_on_a_chunk_without_choices(tiny_server):
    *events, done = ask(
        tiny_server, "grade: good good answer is wrong", stream=True, stream_options={"include_usage": True}
    )
    chunks = [json.loads(event) for event in events]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert (text, done) == ("Score: 2", "[DONE]")
    assert len([chunk for chunk in chunks if chunk["choices"]]) > 3
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 5
    assert chunks[-1]["model"] == tiny_server.model


@pytest.mark.parametrize("count", range(4))
def test_a_json_schema_forces_a_verdict_whose_score_is_the_count(tiny_server, count):
    reply = ask(tiny_server, "grade: the answer is good" + " good" * (count - 1), response_format=FORMAT)
    if count == 0:
        reply = ask(tiny_server, "grade: the answer is wrong", response_format=FORMAT)
    verdict = json.loads(said(reply))
    assert {name: grade["score"] for name, grade in verdict.items()} == {"correctness": count, "readability": count}


def test_a_prompt_as_long_as_a_rubric_gets_a_whole_verdict(tiny_server):
    corpus = Path(__file__).parents[1] / "datasets" / "docs_qa" / "corpus"
    pages = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(corpus.glob("*.md")))
    for length in (2_000, 8_000, 16_000):
        question = "Question: What is kappa?\nAnswer: It is the agreement beyond chance."
        reply = ask(tiny_server, question, "You are a judge.\n" + pages[:length], response_format=FORMAT)
        assert reply["choices"][0]["finish_reason"] == "stop", said(reply)
        assert set(json.loads(said(reply))) == {"correctness", "readability"}


def test_the_same_request_gets_the_same_words(tiny_server):
    replies = {said(ask(tiny_server, "What does nDCG measure, and why?")) for _ in range(3)}
    assert len(replies) == 1


def test_it_listens_on_loopback_alone_and_ends_with_its_standard_input():
    script = Path(__file__).parent / "servers" / "llamacpp.py"
    with subprocess.Popen(
        [sys.executable, script, "--port", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            started = json.loads(process.stdout.readline())
            assert started["url"].startswith("http://127.0.0.1:")
            assert started["pid"] == process.pid
            process.stdin.close()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
