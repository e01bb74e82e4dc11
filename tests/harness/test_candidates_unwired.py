"""Candidates without a wire: sheets of answers made elsewhere, and baselines."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from markscheme.harness.candidates.baselines import BASELINES, NULL_ANSWER
from markscheme.harness.candidates.build import build_candidate, candidate_notes
from markscheme.harness.errors import DataError, InputError
from markscheme.harness.exam import CandidateSpec
from markscheme.harness.records import Call, Failed, Failure, Reply, Retrieved, Said, Sample, Usage

ONE = Sample("1", "What is kappa?", context=("Kappa measures agreement. Rivers are wet.", "The sky is blue."))
TWO = Sample("2", "What is alpha?", context=("Alpha is reliability.",))


class Caller:
    """Performs at once; counts."""

    run, salt = "run", ""

    def __init__(self, offline: bool = False) -> None:
        self.offline = offline
        self.calls: list[Call] = []

    async def perform(self, key, model, work):
        outcome = Failure("not_recorded", "offline") if self.offline else await work()
        self.calls.append(Call(key, self.run, "candidate", "c", model, outcome))
        return self.calls[-1]


def build(model: str, name: str = "c", caller: Caller | None = None):
    spec = CandidateSpec(name=name, model=model)
    return build_candidate(spec, open_model=lambda _: pytest.fail("no model"), caller=caller or Caller(), slot=0)


def outcome(candidate, sample, trial=0):
    return asyncio.run(candidate.answer(sample, trial)).outcome


@pytest.fixture
def sheet(tmp_path: Path):
    def write(*rows: dict | str, name: str = "sheet.jsonl") -> str:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return f"replay/{tmp_path / name}"

    return write


def test_a_sheet_is_replayed_without_a_call(sheet):
    caller = Caller()
    candidate = build(sheet({"sample_id": "1", "answer": "Agreement."}, {"sample_id": 2, "answer": ""}), caller=caller)
    answer = asyncio.run(candidate.answer(ONE, 0))
    assert (answer.outcome, answer.calls, answer.origin) == (Said("Agreement."), (), "live")
    assert outcome(candidate, TWO) == Said("")
    assert caller.calls == []


def test_a_sample_without_an_answer_is_not_recorded_and_ours(sheet):
    candidate = build(sheet({"id": "1", "text": "x"}, {"id": "3", "text": None}))
    assert outcome(candidate, TWO) == Failed(
        "not_recorded", "ours", "the sheet sheet.jsonl has no answer for sample '2'"
    )
    assert outcome(candidate, replace(TWO, id="3")).kind == "not_recorded"
    assert "trial 1" in outcome(candidate, ONE, trial=1).detail


def test_answers_to_samples_of_another_exam_are_counted(sheet):
    candidate = build(sheet({"id": "1", "answer": "x"}, {"id": "8", "answer": "y"}, {"id": "9", "answer": "z"}))
    (note,) = candidate_notes(candidate, [ONE, TWO])
    assert "sheet.jsonl also answers samples that are not in this exam, 2: 8, 9" in note
    assert candidate_notes(build(sheet({"id": "1", "answer": "x"})), [ONE]) == ()


def test_trials_are_told_apart(sheet):
    candidate = build(sheet({"id": "1", "answer": "x", "trial": 0}, {"id": "1", "answer": "y", "trial": 1}))
    assert [outcome(candidate, ONE, trial).text for trial in (0, 1)] == ["x", "y"]
    assert candidate.fingerprint(ONE, 0) != candidate.fingerprint(ONE, 1)


def test_a_sheet_of_several_candidates_is_read_for_the_one_of_this_name(sheet):
    rows = [{"id": "1", "candidate": name, "answer": name} for name in ("a", "b")]
    assert outcome(build(sheet(*rows), name="b"), ONE).text == "b"
    with pytest.raises(DataError, match="holds answers of a, b but none of 'c'"):
        build(sheet(*rows))
    assert outcome(build(sheet(rows[0])), ONE).text == "a"


def test_retrieved_passages_come_along_from_jsonl_and_csv(sheet):
    passages = [{"text": "p", "id": "d1", "score": 0.5}, "q"]
    wanted = (Retrieved("p", "d1", 0.5), Retrieved("q"))
    assert outcome(build(sheet({"id": "1", "answer": "x", "contexts": passages})), ONE).retrieved == wanted
    cell = json.dumps(passages).replace('"', '""')
    csv = sheet("id,answer,retrieved", f'1,x,"{cell}"', "2,y,[1] one passage", name="s.csv")
    assert outcome(build(csv), ONE).retrieved == wanted
    assert outcome(build(csv), TWO).retrieved == (Retrieved("[1] one passage"),)


def test_a_stated_latency_becomes_one_recorded_call(sheet):
    caller = Caller()
    stated = {"e2e_s": 1.5, "ttft_s": "0.2", "prompt_tokens": 10, "completion_tokens": 3}
    candidate = build(sheet({"id": "1", "answer": "x", **stated}), caller=caller)
    answer = asyncio.run(candidate.answer(ONE, 0))
    (call,) = caller.calls
    assert isinstance(call.outcome, Reply)
    assert (call.outcome.timing.e2e_s, call.outcome.timing.ttft_s) == (1.5, 0.2)
    assert call.outcome.usage == Usage(10, 3)
    assert answer.calls == (call.key,)


def test_a_stated_latency_is_recorded_in_each_run_anew(sheet):
    model, keys = sheet({"id": "1", "answer": "x", "e2e_s": 1.5}), set()
    for run in ("one", "two"):
        caller = Caller()
        caller.run = run
        asyncio.run(build(model, caller=caller).answer(ONE, 0))
        keys.add(caller.calls[0].key)
    assert len(keys) == 2


def test_the_answers_to_turns_come_along(sheet):
    candidate = build(sheet({"id": "1", "answer": "b", "turns": ["a", "b"]}))
    assert outcome(candidate, ONE) == Said("b", turns=("a", "b"))


def test_a_stated_latency_does_not_stand_in_the_way_offline(sheet):
    candidate = build(sheet({"id": "1", "answer": "x", "e2e_s": 1.5}), caller=Caller(offline=True))
    answer = asyncio.run(candidate.answer(ONE, 0))
    assert (answer.outcome, answer.calls) == (Said("x"), ())


def test_a_packaged_sheet_is_replayed_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(build("replay/docs_qa/planted/full.jsonl").entries) == 40


def test_a_failed_answer_is_replayed_as_failed(sheet):
    row = {"id": "1", "answer": "par", "status": "truncated", "detail": "cut"}
    assert outcome(build(sheet(row)), ONE) == Failed("truncated", "candidate", "cut", "par")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [{"id": "1", "answer": "x"}, {"id": "1", "answer": "y"}],
            "sheet.jsonl:2 sample_id: '1', trial 0, is answered in",
        ),
        ([{"answer": "x"}], "sheet.jsonl:1: no sample_id (or id)"),
        ([{"id": "1", "said": "x"}], "sheet.jsonl:1: no column 'answer'"),
        ([{"id": "1", "answer": 3}], "sheet.jsonl:1 answer: 3 is int; wanted text"),
        ([{"id": "1", "answer": "x", "e2e_s": "fast"}], "sheet.jsonl:1 e2e_s: 'fast' is not a number"),
        ([{"id": "1", "answer": "x", "trial": -1}], "sheet.jsonl:1 trial: -1 is not a number of 0 or more"),
        ([{"id": "1", "answer": "x", "contexts": [3]}], "sheet.jsonl:1: a retrieved passage is int"),
        ([{"id": "1", "answer": "x", "turns": "a"}], "sheet.jsonl:1 turns: 'a' is not a list"),
        ([{"id": "1", "answer": "x", "status": "odd"}], "sheet.jsonl:1 status: 'odd' is none of ok, bad_request"),
    ],
)
def test_a_mistaken_row_is_named_by_its_line(sheet, rows, says):
    with pytest.raises(DataError) as caught:
        build(sheet(*rows))
    assert says in str(caught.value)


def test_an_answer_that_changes_in_the_sheet_changes_the_fingerprint(sheet):
    before = build(sheet({"id": "1", "answer": "x"})).fingerprint(ONE, 0)
    assert build(sheet({"id": "1", "answer": "x"}, name="moved.jsonl")).fingerprint(ONE, 0) == before
    assert build(sheet({"id": "1", "answer": "y"})).fingerprint(ONE, 0) != before


def test_extractive_takes_the_sentences_that_share_most_with_the_question_in_their_order():
    context = (
        "Rivers are wet. Alpha is not kappa.",
        "The sky is blue. Cohen's kappa measures agreement beyond chance.",
    )
    sample = Sample("1", "What does Cohen's kappa measure?", context=context)
    assert outcome(build("baseline/extractive"), sample) == Said(
        "Alpha is not kappa. Cohen's kappa measures agreement beyond chance."
    )


def test_extractive_without_a_shared_word_takes_the_first_sentence():
    assert outcome(build("baseline/extractive"), Sample("1", "Why?", context=("One. Two.",))) == Said("One.")


def test_lead_stops_at_the_first_sentence_end_past_fifty_words():
    sentences = [f"Sentence {n} has exactly six words." for n in range(20)]
    text = outcome(build("baseline/lead"), Sample("1", "?", context=(" ".join(sentences),))).text
    assert text == " ".join(sentences[:9])


def test_verbatim_pastes_and_refuse_refuses():
    assert outcome(build("baseline/verbatim"), ONE) == Said("\n\n".join(ONE.context))
    assert outcome(build("baseline/refuse"), ONE) == Said(NULL_ANSWER)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_without_context_gives_the_null_answer(name):
    assert outcome(build(f"baseline/{name}"), Sample("1", "?", context=(" ",))) == Said(NULL_ANSWER)


def test_a_baseline_answers_each_turn():
    sample = Sample("1", turns=("What is kappa?", "What about rivers?"), context=ONE.context)
    said = outcome(build("baseline/extractive"), sample)
    assert (
        said.turns == ("Kappa measures agreement. Rivers are wet. The sky is blue.", "Rivers are wet.")
        or len(said.turns) == 2
    )
    assert said.text == said.turns[-1]


def test_a_baseline_is_keyed_by_what_it_sees():
    candidate = build("baseline/extractive")
    first = candidate.fingerprint(ONE, 0)
    assert candidate.fingerprint(replace(ONE, id="x", reference="r", sha256="s"), 3) == first
    assert candidate.fingerprint(replace(ONE, question="Why?"), 0) != first
    assert candidate.fingerprint(replace(ONE, context=("Other.",)), 0) != first
    assert build("baseline/lead").fingerprint(ONE, 0) != first


def test_an_unknown_baseline_lists_those_that_exist():
    with pytest.raises(InputError, match="baseline/extractive, baseline/lead, baseline/verbatim, baseline/refuse"):
        build("baseline/best")
