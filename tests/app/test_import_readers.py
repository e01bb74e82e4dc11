"""What readers find in files that the tools themselves wrote, and in the corners of their formats."""

import json
from pathlib import Path

import pytest
from markscheme.app.importing.inspect_logs import read_inspect
from markscheme.app.importing.lm_eval import read_lm_eval
from markscheme.app.importing.promptfoo import read_promptfoo
from markscheme.app.importing.settled import settle
from markscheme.app.importing.words import number_of, words_of
from markscheme.harness.errors import DataError
from markscheme.harness.records import Scored, Unscored

FILES = Path(__file__).parents[1] / "imports"
LM_EVAL = sorted((FILES / "lm_eval" / "parrot").glob("samples_*.jsonl"))


def scores(settled, judge):
    return {g.place: g.outcome.score for g in settled.grades if g.judge == judge and isinstance(g.outcome, Scored)}


@pytest.fixture(params=["capitals.eval", "capitals.json"])
def capitals(request):
    return read_inspect([FILES / "inspect" / request.param])


def test_a_log_of_inspect_has_its_questions_targets_and_epochs(capitals):
    assert set(capitals.samples) == {"france", "italy", "peru", "kenya", "japan", "chad"}
    assert capitals.samples["italy"] == {"question": "What is the capital of Italy?", "reference": "Rome"}
    assert capitals.variables["italy"] == {"continent": "any"}
    assert {place[1:] for place in capitals.answers} == {("mockllm/parrot", 0), ("mockllm/parrot", 1)}
    said = capitals.answers["italy", "mockllm/parrot", 1]
    assert (said.text, said.status) == ("It is Milan", "ok")
    assert said.measured["prompt_tokens"] == 12 and said.measured["completion_tokens"] == 3
    assert said.measured["served_model"] == "mockllm/parrot" and 0 < said.measured["e2e_s"] < 1


def test_a_sample_that_raised_is_a_failed_answer_and_no_zero(capitals):
    failed = capitals.answers["chad", "mockllm/parrot", 0]
    assert (failed.status, failed.detail) == ("server_error", "RuntimeError('Error code: 500 - the server is on fire')")
    assert not any(place[0] == "chad" for place, *_ in capitals.scores)


def test_inspects_letters_are_numbers_and_a_value_that_is_none_is_unreadable(capitals):
    settled = settle(capitals, {})
    judges = {judge.name: judge for judge in settled.judges}
    assert list(judges) == ["match", "style/length", "style/polite", "verdict"]
    assert (judges["match"].scale, judges["style/length"].scale) == ((0, 1), None)
    assert scores(settled, "match")["france", "mockllm/parrot", 0] == 1
    assert scores(settled, "match")["italy", "mockllm/parrot", 0] == 0
    assert "match: read C = 1, I = 0" in capitals.notes
    assert scores(settled, "style/length")["kenya", "mockllm/parrot", 0] == 14
    unread = [g.outcome for g in settled.grades if g.judge == "verdict" and isinstance(g.outcome, Unscored)]
    assert unread == [Unscored("unparsable", "'n/a' is no number")] * 2
    assert capitals.left == {"scores that are no number, kept as unreadable grades": 2}
    assert capitals.examples == {"scores that are no number, kept as unreadable grades": "'n/a'"}


def inspect_log(tmp_path, *samples, **header):
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"eval": {"task": "t", "model": "m"}, **header, "samples": samples}))
    return path


def choice(content, stop="stop"):
    return {"choices": [{"message": {"role": "assistant", "content": content}, "stop_reason": stop}]}


def test_chats_choices_attachments_and_several_targets_of_inspect_become_a_question(tmp_path):
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Hi?"}]}]
    picture = [{"role": "user", "content": [{"type": "text", "text": "Who?"}, {"type": "image", "image": "data:x"}]}]
    found = read_inspect(
        [
            inspect_log(
                tmp_path,
                {"id": 1, "epoch": 1, "input": chat, "target": ["a", "b"], "output": choice("a")},
                {"id": 2, "epoch": 1, "input": "Which?", "choices": ["x", "y"], "target": "B", "output": choice("B")},
                {
                    "id": 3,
                    "epoch": 1,
                    "input": picture,
                    "target": "",
                    "output": choice([{"type": "text", "text": "I"}]),
                },
                {
                    "id": 4,
                    "epoch": 1,
                    "input": "attachment://abc",
                    "attachments": {"abc": "A long one?"},
                    "output": choice("cut", "max_tokens"),
                },
            )
        ]
    )
    assert found.samples["1"] == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}],
        "reference": "a or b",
    }
    assert found.samples["2"]["question"] == "Which?\n\nA) x\nB) y"
    assert (found.samples["3"]["question"], found.answers["3", "m", 0].text) == ("Who?", "I")
    assert found.samples["4"]["question"] == "A long one?"
    assert found.left == {
        "parts of messages that are no text": 1,
        "marks of answers that were cut by a limit, kept as answers since Inspect scored them": 1,
    }


def test_an_answer_of_several_calls_has_the_time_and_the_tokens_of_all(tmp_path):
    sample = {
        "id": 1,
        "epoch": 1,
        "input": "?",
        "messages": [{"role": "assistant"}, {"role": "user"}, {"role": "assistant"}],
        "output": choice("x") | {"time": 1.0, "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}},
        "model_usage": {
            "m": {"input_tokens": 5, "input_tokens_cache_read": 20, "output_tokens": 4, "total_tokens": 29},
            "grader": {"input_tokens": 100, "output_tokens": 9, "total_tokens": 109},
        },
        "working_time": 3.5,
    }
    found = read_inspect([inspect_log(tmp_path, sample)])
    measured = found.answers["1", "m", 0].measured
    assert measured == {"e2e_s": 3.5, "prompt_tokens": 25, "completion_tokens": 4}


def test_scores_that_inspect_left_open_are_counted_and_are_no_zero(tmp_path):
    path = inspect_log(
        tmp_path,
        *(
            {"id": n, "epoch": 1, "input": str(n), "output": choice("x"), "scores": {"s": {"value": value}}}
            for n, value in enumerate([1.0, float("nan"), 0.25])
        ),
    )
    found = read_inspect([path])
    assert scores(settle(found, {}), "s") == {("0", "m", 0): 1.0, ("2", "m", 0): 0.25}
    assert found.left == {"scores that Inspect left open (NaN)": 1}


def test_two_logs_stand_side_by_side_and_two_tasks_keep_their_questions_apart(tmp_path):
    sample = {"id": 1, "epoch": 1, "input": "?", "target": "", "output": choice("x")}
    first, second, third = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    for folder, header in ((first, {"task": "t", "model": "a"}), (second, {"task": "t", "model": "b"})):
        folder.mkdir()
        inspect_log(folder, sample, eval=header)
    assert list(read_inspect([first / "log.json", second / "log.json"]).answers) == [("1", "a", 0), ("1", "b", 0)]
    third.mkdir()
    inspect_log(third, sample | {"input": "!"}, eval={"task": "u", "model": "a"})
    assert set(read_inspect([first / "log.json", third / "log.json"]).samples) == {"t/1", "u/1"}
    inspect_log(second, sample | {"output": choice("y")}, eval={"task": "t", "model": "a"})
    with pytest.raises(DataError, match=r"'a' answered '1' \(trial 0\) otherwise in .*1.log.json"):
        read_inspect([first / "log.json", second / "log.json"])


def test_results_of_promptfoo_have_providers_assertions_seconds_and_dollars():
    found = read_promptfoo([FILES / "promptfoo" / "results.json"])
    settled = settle(found, {})
    assert found.name == "capitals"
    assert found.samples["2"] == {"question": "What is the capital of Italy?"}
    assert found.variables["2"] == {"country": "Italy", "capital": "Rome"}
    said = found.answers["1", "shouting", 0]
    assert said.text == "PARIS" and said.measured["cost_usd"] == 0.0003 and said.measured["prompt_tokens"] == 12
    assert 0 < said.measured["e2e_s"] < 1
    assert [(j.name, j.criteria, j.scale) for j in settled.judges] == [
        ("icontains", ("correct",), (0, 1)),
        ("javascript", ("length",), (0, 1)),
        ("not-contains", ("not-contains",), (0, 1)),
    ]
    assert scores(settled, "javascript")["1", "parrot", 0] == 0.5


def test_a_call_that_failed_under_promptfoo_is_a_failed_answer_though_its_score_says_zero():
    found = read_promptfoo([FILES / "promptfoo" / "results.json"])
    failed = found.answers["5", "parrot", 0]
    assert (failed.status, failed.detail) == ("server_error", "API error: 500 Internal Server Error")
    assert len(settle(found, {}).grades) == 8 * 3


def promptfoo_file(tmp_path, *rows):
    path = tmp_path / "out.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(answer="x", components=(), **more):
    graded = {"score": 1, "componentResults": list(components)}
    prompt = {"raw": "Q?", "label": "Q?"}
    return {"provider": "p", "vars": {"v": 1}, "prompt": prompt, "response": {"output": answer}} | (
        {"gradingResult": graded} | more
    )


def test_a_grader_of_promptfoo_that_failed_gave_no_zero(tmp_path):
    broken = {"score": 0, "reason": "API error", "assertion": {"type": "llm-rubric"}, "metadata": {"graderError": True}}
    good = {"score": 0.5, "reason": "so so", "assertion": {"type": "llm-rubric"}}
    found = read_promptfoo([promptfoo_file(tmp_path, row(components=[broken]), row("y", [good], vars={"v": 2}))])
    outcomes = [grade.outcome for grade in settle(found, {}).grades]
    assert outcomes == [Unscored("error", "API error"), Scored(0.5, "so so")]


def test_repeated_tests_are_trials_several_prompts_candidates_and_cached_answers_have_no_latency(tmp_path):
    other = {"raw": "R?", "label": "R?"}
    cached = {"output": "x", "cached": True, "tokenUsage": {"prompt": 1, "completion": 1}}
    found = read_promptfoo(
        [promptfoo_file(tmp_path, row(), row("y"), row(prompt=other), row(response=cached, latencyMs=1, vars={"v": 2}))]
    )
    assert list(found.answers) == [("1", "p: Q", 0), ("1", "p: Q", 1), ("1", "p: R", 0), ("2", "p: Q", 0)]
    assert found.answers["2", "p: Q", 0].measured == {}
    assert found.left["latencies of answers that promptfoo took from its cache"] == 1


def test_several_assertions_of_a_kind_stay_several_criteria(tmp_path):
    components = [{"score": s, "assertion": {"type": "contains", "value": str(s)}} for s in (1, 0)]
    settled = settle(read_promptfoo([promptfoo_file(tmp_path, row(components=components))]), {})
    assert [(j.name, j.criteria) for j in settled.judges] == [("contains", ("contains", "contains 2"))]


def test_samples_of_lm_eval_have_metrics_by_filter_and_the_chosen_option():
    found = read_lm_eval(LM_EVAL)
    settled = settle(found, {})
    assert found.candidate("i82qcls7") == next(iter(found.answers))[1]
    assert {j.name: j.criteria for j in settled.judges} == {
        "acc": ("acc",),
        "acc_norm": ("acc_norm",),
        "exact_match,strict": ("exact_match",),
        "exact_match,letters": ("exact_match",),
    }
    assert found.answers["capitals/4", "i82qcls7", 0].text == "lol"
    assert scores(settled, "exact_match,strict") == {(f"capitals/{n}", "i82qcls7", 0): float(n == 4) for n in range(5)}
    assert found.samples["capital_choices/1"]["reference"] == "Rome"
    by_likelihood = {n: found.answers[f"capital_choices/{n}", "i82qcls7", 0].text for n in range(5)}
    right = {n: float(by_likelihood[n] == found.samples[f"capital_choices/{n}"]["reference"]) for n in range(5)}
    assert right == {n: scores(settled, "acc")[f"capital_choices/{n}", "i82qcls7", 0] for n in range(5)}


def test_older_samples_of_lm_eval_and_a_model_named_by_hand(tmp_path):
    path = tmp_path / "old.jsonl"
    old = {"doc_id": 0, "doc": {}, "target": ["a", "b"], "arguments": [["Q", {"until": []}]], "resps": [["x", "y"]]}
    path.write_text(json.dumps(old | {"filtered_resps": ["x"], "f1": 0.5, "bleu": ["a", "b"]}) + "\n")
    found = read_lm_eval([path], "mine")
    settled = settle(found, {})
    assert found.samples["0"] == {"question": "Q", "reference": "a or b"}
    assert found.answers["0", "mine", 0].text == "x"
    assert scores(settled, "f1") == {("0", "mine", 0): 0.5}
    assert found.left == {
        "further responses to one request (repeats)": 1,
        "scores by bleu, which gives no number": 1,
    }


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (["C", "I", "P", "N"], [1, 0, 0.5, 0]),
        (["C", "I", "n/a"], [1, 0, None]),
        (["A", "B", "C"], [None, None, None]),
        (["yes", "No", "maybe"], [1, 0, None]),
        ([True, False, 3, "2.5", "1e999", " 4 "], [1, 0, 3, 2.5, None, 4]),
        ([None, "", [1], {"a": 1}, float("inf")], [None] * 5),
    ],
)
def test_words_are_read_as_numbers_only_where_all_letters_belong_together(written, numbers):
    words = words_of(written)
    assert [number_of(value, words) for value in written] == numbers
