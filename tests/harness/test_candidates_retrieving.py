"""Candidates that are shown what a retriever found: the prompt, the keys, what is kept, and the words of the exam."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from markscheme.harness.candidates.base import Prepares
from markscheme.harness.candidates.build import build_candidate
from markscheme.harness.candidates.retrieving import shelves
from markscheme.harness.errors import BugError, ExamError
from markscheme.harness.exam import describe, load_exam
from markscheme.harness.keys import call_key
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Call, Failed, Failure, Retrieved, Said, Sample

ASKED = Sample("1", "What is kappa?", context=("The context of the data set.",), relevant={"kappa": 1})
RETRIEVER = {"index": "bm25", "chunker": "recursive", "size": 400, "overlap": 0}


class Finder:
    """Finds passages named after the question; counts how often it is asked."""

    def __init__(self, word: str = "passage") -> None:
        self.word, self.asked, self.closed = word, [], 0

    async def retrieve(self, question, k):
        self.asked.append((question, k))
        return [Retrieved(f"{self.word} {n} on {question}", f"doc-{n}#0-9", 1.0 / n) for n in range(1, k + 1)]

    async def close(self):
        self.closed += 1


class Caller:
    """Exactly-once in memory."""

    run, salt = "run", ""

    def __init__(self) -> None:
        self.known: dict[str, Call] = {}

    async def complete(self, model, request, draw):
        key = call_key(model.identity, request, draw)
        if key in self.known:
            return replace(self.known[key], reused=True)
        self.known[key] = Call(key, self.run, "candidate", "c", model.name, await model.complete(request))
        return self.known[key]


@pytest.fixture
def exam(tmp_path):
    (tmp_path / "s.jsonl").write_text('{"question": "What?"}\n')

    def write(*candidates, **more):
        path = tmp_path / "exam.yaml"
        path.write_text(yaml.safe_dump({"dataset": "s.jsonl", "candidates": list(candidates), **more}, sort_keys=False))
        return load_exam(path)

    return write


def bench(specs, finder=None, replies=lambda request: "It is agreement.", caller=None):
    """The candidates of ``specs`` over one scripted model and one finder."""
    finder = finder or Finder()
    model = ScriptedModel(replies, name="vllm/m")

    async def open_finder(_):
        return finder

    shelf_of, caller = shelves(specs, open_finder), caller or Caller()
    built = [
        build_candidate(spec, open_model=lambda _: model, caller=caller, slot=0, shelf_of=shelf_of) for spec in specs
    ]
    return built, model, finder


def prepared(candidates, *samples):
    for candidate in candidates:
        asyncio.run(candidate.prepare(samples))
    return candidates


def rag(contexts, **more):
    return {"name": "mini", "model": "vllm/m", "retriever": RETRIEVER, "contexts": contexts, **more}


def test_retrieved_passages_take_the_place_of_the_samples_own_context(exam):
    (candidate,), _, _ = bench(exam(rag(2)).candidates)
    prepared([candidate], ASKED)
    (message,) = candidate.preview(ASKED).messages
    assert message["content"] == (
        "Answer the question from the context.\n\nContext:\n"
        "passage 1 on What is kappa?\n\npassage 2 on What is kappa?\n\nQuestion: What is kappa?"
    )


def test_the_answer_keeps_what_was_shown_with_ids_and_scores(exam):
    (candidate,), _, _ = bench(exam(rag(2)).candidates)
    answer = asyncio.run(candidate.answer(ASKED, 0))
    assert answer.outcome == Said(
        "It is agreement.",
        retrieved=(
            Retrieved("passage 1 on What is kappa?", "doc-1#0-9", 1.0),
            Retrieved("passage 2 on What is kappa?", "doc-2#0-9", 0.5),
        ),
    )


def test_a_failed_answer_stays_a_failure(exam):
    (candidate,), _, _ = bench(exam(rag(2)).candidates, replies=lambda _: Failure("timeout", "60 s"))
    assert isinstance(asyncio.run(candidate.answer(ASKED, 0)).outcome, Failed)


def test_with_contexts_0_there_is_no_context_and_nothing_is_retrieved(exam):
    (candidate,), model, finder = bench(exam(rag(0)).candidates)
    answer = asyncio.run(candidate.answer(ASKED, 0))
    assert finder.asked == [] and answer.outcome.retrieved == ()
    assert model.requests[0].messages[0]["content"] == "What is kappa?"
    (closed_book,), _, _ = bench(exam({"name": "mini", "model": "vllm/m", "contexts": 0}).candidates)
    assert closed_book.fingerprint(ASKED, 0) == candidate.fingerprint(ASKED, 0)


def test_a_list_of_contexts_makes_a_candidate_each_and_one_retrieval_for_all(exam):
    loaded = exam(rag([0, 1, 3, 5, 10]))
    assert [(spec.name, spec.contexts) for spec in loaded.candidates] == [(f"mini-ctx{k}", k) for k in (0, 1, 3, 5, 10)]
    candidates, _, finder = bench(loaded.candidates)
    prepared(candidates, ASKED, replace(ASKED, id="2"))
    assert finder.asked == [("What is kappa?", 10)]
    assert [candidate.preview(ASKED).messages[0]["content"].count("passage") for candidate in candidates] == [
        0, 1, 3, 5, 10,
    ]  # fmt: skip


def test_a_matrix_tries_every_number_of_contexts_with_every_model(exam):
    loaded = exam(matrix={"models": ["vllm/a", "vllm/b"], "retriever": "bm25", "contexts": [0, 3]})
    assert [spec.name for spec in loaded.candidates] == ["a-ctx0", "a-ctx3", "b-ctx0", "b-ctx3"]


def test_without_contexts_the_retrievers_k_counts(exam):
    (spec,) = exam({"model": "vllm/m", "retriever": {**RETRIEVER, "k": 7}}).candidates
    assert (spec.name, spec.shown) == ("vllm/m", 7)


def test_another_retriever_that_finds_the_same_asks_nothing_anew(exam):
    caller = Caller()
    for settings in (RETRIEVER, {**RETRIEVER, "size": 500}):
        (candidate,), model, _ = bench(exam(rag(2, retriever=settings)).candidates, caller=caller)
        asyncio.run(candidate.answer(ASKED, 0))
    assert model.requests == []  # the second one's call was there
    (other,), _, _ = bench(exam(rag(2)).candidates, Finder("another"), caller=caller)
    prepared([other], ASKED)
    prepared([candidate], ASKED)
    assert other.fingerprint(ASKED, 0) != candidate.fingerprint(ASKED, 0)


def test_the_samples_own_context_does_not_enter_the_keys(exam):
    (candidate,), _, _ = bench(exam(rag(2)).candidates)
    prepared([candidate], ASKED)
    assert candidate.fingerprint(ASKED, 0) == candidate.fingerprint(replace(ASKED, context=("x",)), 0)


def test_a_plan_sees_stand_ins_as_long_as_the_chunks(exam):
    (candidate,), _, finder = bench(exam(rag(3)).candidates)
    text = candidate.preview(ASKED).messages[0]["content"]
    assert isinstance(candidate, Prepares) and not candidate.is_prepared(ASKED)
    assert "[passage 3: what the retriever will find]" in text and 1200 < len(text) < 1400
    with pytest.raises(BugError, match="was not prepared"):
        candidate.fingerprint(ASKED, 0)
    assert finder.asked == []


def test_the_first_turn_or_the_last_user_message_is_what_is_looked_up(exam):
    (candidate,), _, finder = bench(exam(rag(1)).candidates)
    turns = Sample("t", turns=("First?", "Second?"))
    history = Sample("h", messages=({"role": "user", "content": "Hello?"},))
    prepared([candidate], turns, history)
    assert finder.asked == [("First?", 1), ("Hello?", 1)]


def test_a_baseline_answers_from_retrieved_passages_too(exam):
    (candidate,), _, _ = bench(
        exam({"name": "v", "model": "baseline/verbatim", "retriever": "bm25", "contexts": 1}).candidates
    )
    assert asyncio.run(candidate.answer(ASKED, 0)).outcome.text == "passage 1 on What is kappa?"


def test_what_a_retriever_raises_is_raised_before_any_answer(exam):
    class Broken(Finder):
        async def retrieve(self, question, k):
            raise LookupError("no index")

    (candidate,), model, _ = bench(exam(rag(1)).candidates, Broken())
    with pytest.raises(LookupError):
        asyncio.run(candidate.prepare([ASKED]))
    assert model.requests == []


def test_closing_a_candidate_closes_the_shared_retriever_once(exam):
    candidates, _, finder = bench(exam(rag([1, 2])).candidates)
    prepared(candidates, ASKED)
    for candidate in candidates:
        asyncio.run(candidate.close())
    assert finder.closed == 1


@pytest.mark.parametrize(
    ("candidate", "says"),
    [
        ({"model": "vllm/m", "contexts": 3}, "contexts: needs a retriever: beside it"),
        (rag([]), "contexts: is an empty list"),
        (rag([1, -1]), "contexts: -1 is not a number of passages"),
        (rag(True), "contexts: True is not a number of passages"),
        (rag([1, 1]), "has a number twice"),
        ({"model": "python:a:b", "retriever": "bm25"}, "has no effect on the candidate 'python:a:b'"),
    ],
)
def test_mistakes_are_named_with_their_place(exam, candidate, says):
    with pytest.raises(ExamError) as caught:
        exam(candidate)
    assert says in str(caught.value) and "exam.yaml:" in str(caught.value)


def test_two_candidates_may_not_end_up_with_one_name(exam):
    with pytest.raises(ExamError, match="'mini-ctx3' is already the name of"):
        exam(rag([1, 3]), {"name": "mini-ctx3", "model": "vllm/other"})


def test_a_run_keeps_how_its_candidates_retrieve(exam, tmp_path):
    (tmp_path / "docs").mkdir()
    loaded = exam(rag([0, 3], retriever={**RETRIEVER, "corpus": "./docs"}))
    kept = describe(loaded)["candidates"]
    assert [entry["contexts"] for entry in kept] == [0, 3]
    assert kept[1]["retriever"]["corpus"] == "docs" and kept[1]["retriever"]["size"] == 400
    assert str(Path(tmp_path)) not in str(kept)
    assert "contexts" not in describe(exam({"model": "vllm/m"}))["candidates"][0]
