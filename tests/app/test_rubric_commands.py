"""`markscheme rubric …`: the prompt that it shows is the one that judges send, the diff says what can differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from markscheme.app.rubrics import Calls, Wanted, shown_rubric
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Answer, Retrieved, Said, Sample
from markscheme.judges.judge import RubricJudge, Settings
from markscheme.judges.pairwise_prompt import PairPrompt
from markscheme.judges.pairwise_rubric import load_pairwise_rubric
from markscheme.judges.rubric import load_rubric, packaged_rubrics
from markscheme.judges.rubric_schema import rubric_json_schema

SAMPLE = {"id": "b", "question": "Who paid?", "context": ["The town paid."], "reference": "The town."}
ROWS = [{"id": "a", "question": "Why?", "answer": "So."}, {**SAMPLE, "answer": "The king paid."}]


@dataclass
class NoCalls:
    """A caller for previews, which call nothing."""

    salt: str = ""


def write(folder: Path, **changes: Any) -> str:
    packaged = Path(__file__).parents[2] / "rubrics" / "docs_qa.yaml"
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(packaged.read_text()), **changes}, sort_keys=False))
    return str(path)


def edited(folder: Path, old: str, new: str) -> str:
    path = Path(write(folder))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return str(path)


@pytest.mark.parametrize("calls", ["one", "per_criterion"])
@pytest.mark.parametrize("shots", [0, 1])
@pytest.mark.parametrize("name", packaged_rubrics())
def test_what_is_shown_is_what_a_judge_sends(tmp_path: Path, name: str, shots: int, calls: Calls) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    shown, _ = shown_rubric(name, Wanted(shots, calls, str(tmp_path / "rows.jsonl"), "b"))
    judge = RubricJudge("j", load_rubric(name, shots), ScriptedModel([]), NoCalls(), Settings(shots, calls=calls))  # type: ignore[arg-type]
    said = Said("The king paid.", retrieved=(Retrieved("The town paid."),))
    sample = Sample("b", "Who paid?", context=("The town paid.",), reference="The town.")
    sent = judge.previews(sample, Answer("run", "b", "c", 0, said))
    assert [call.messages for call in shown.calls] == [list(request.messages) for request in sent]
    assert [call.verdict for call in shown.calls] == [request.schema for request in sent]


def test_show_prints_the_messages_word_for_word(desk: Any) -> None:
    code, out, err = desk.command("rubric", "show", "docs_qa", "--shots", "1")
    assert (code, err) == (0, "")
    shown, _ = shown_rubric("docs_qa", Wanted(1))
    [call] = shown.calls
    assert out == "".join(f"[{message['role']}]\n{message['content']}\n" for message in call.messages)
    assert out.count("Example of ") == 12
    assert "(the question)" in out and "(the reference answer)" in out and "(the answer)" in out


def test_zero_shots_show_no_example(desk: Any) -> None:
    _, out, _ = desk.command("rubric", "show", "docs_qa", "--shots", "0")
    assert "- 3: Everything it says about the question is right." in out
    assert "Example of " not in out


def test_a_call_per_criterion_is_shown_one_by_one(desk: Any) -> None:
    _, out, _ = desk.command("rubric", "show", "docs_qa", "--calls", "per_criterion")
    heads = [line for line in out.splitlines() if line.startswith("--- ")]
    assert heads == [
        "--- call 1 of 3: correctness",
        "--- call 2 of 3: comprehensiveness",
        "--- call 3 of 3: readability",
    ]
    assert out.count("[system]\n") == out.count("[user]\n") == 3


def test_show_takes_a_question_and_its_answer_from_a_file(desk: Any) -> None:
    desk.write_samples(ROWS)
    words = ("rubric", "show", "docs_qa", "--shots", "0", "--sample", "samples.jsonl")
    assert "\nSo.\n" in desk.command(*words)[1]
    assert "\nThe king paid.\n" in desk.command(*words, "--id", "b")[1]
    code, _, err = desk.command("rubric", "show", "docs_qa", "--id", "b")
    assert (code, "--id 'b': names a row of --sample FILE" in err) == (2, True)
    code, _, err = desk.command(*words, "--id", "c")
    assert code == 2
    assert "--id 'c': samples.jsonl has no such row; the first is 'a'" in err


def test_a_sample_file_that_is_not_there_is_an_error(desk: Any) -> None:
    code, _, err = desk.command("rubric", "show", "docs_qa", "--sample", "nowhere.jsonl")
    assert code == 2
    assert "--sample path: 'nowhere.jsonl': there is no such file" in err


def test_a_question_with_an_image_shows_its_words(desk: Any) -> None:
    (desk.folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image", "path": "a.png"}]
    desk.write_samples([{"id": "a", "question": parts, "answer": "A dot."}])
    _, out, err = desk.command("rubric", "show", "answer_relevance", "--sample", "samples.jsonl")
    assert "What is this?\n[image 1]" in out, err
    assert "A dot." in out


def test_show_without_a_name_lists_the_packaged_rubrics(desk: Any) -> None:
    code, out, _ = desk.command("rubric", "show")
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    assert code == 0
    every = [*packaged_rubrics(), *packaged_rubrics("pairwise")]
    assert [name for name, _, _ in lines] == every
    assert ["pairwise", "pair", "correctness, completeness, clarity"] in lines
    assert ["docs_qa_0_10", "0–10", "correctness 60%, comprehensiveness 20%, readability 20%"] in lines
    listed = json.loads(desk.command("rubric", "show", "--json")[1])["rubrics"]
    assert [line["name"] for line in listed] == every


def test_a_pairwise_rubric_is_shown_with_both_answers(desk: Any) -> None:
    code, out, err = desk.command("rubric", "show", "pairwise", "--shots", "0")
    assert (code, err) == (0, "")
    assert "\n(the answer)\n</answer_1-" in out and "\n(the other answer)\n</answer_2-" in out
    shown, _ = shown_rubric("pairwise", Wanted(1))
    system = str(PairPrompt(load_pairwise_rubric("pairwise", 1), 1).system["content"])
    assert [call.messages[0]["content"] for call in shown.calls] == [system]
    code, _, err = desk.command("rubric", "show", "pairwise", "--calls", "per_criterion")
    assert code == 2 and "in one call; leave it out" in err


def test_missing_examples_of_an_own_rubric_are_noted_and_those_of_a_packaged_one_refused(desk: Any) -> None:
    desk.save()
    code, out, err = desk.command("rubric", "show", "rubric.yaml")
    assert code == 0
    assert "[system]" in out
    assert "note: rubric.yaml:" in err and "level 0 has no example" in err
    code, out, err = desk.command("rubric", "show", "docs_qa", "--shots", "2")
    assert (code, out) == (2, "")
    assert "level 0 has only 1; few-shot judging needs 2 per level (or set shots: 1)" in err


def test_show_as_json_holds_messages_and_the_hash(desk: Any) -> None:
    shown = json.loads(desk.command("rubric", "show", "faithfulness", "--json")[1])
    assert shown["sha256"] == load_rubric("faithfulness", 1).sha256
    assert [message["role"] for message in shown["calls"][0]["messages"]] == ["system", "user"]
    assert list(shown["calls"][0]["verdict"]["properties"]) == ["faithfulness"]


def diff(desk: Any, *names: str) -> list[str]:
    code, out, err = desk.command("rubric", "diff", *names)
    assert (code, err) == (0, "")
    return out.splitlines()


def test_a_rubric_and_itself_differ_in_nothing(desk: Any) -> None:
    assert diff(desk, "docs_qa", write(desk.folder)) == [
        "Verdicts stand: a judge is shown the same words and follows the same rules."
    ]


def test_a_changed_weight_reaches_composites_only(desk: Any) -> None:
    text = edited(desk.folder, "weight: 0.6", "weight: 0.7")
    Path(text).write_text(Path(text).read_text().replace("weight: 0.2", "weight: 0.1", 1))
    assert diff(desk, "docs_qa", text) == [
        "criterion correctness, weight: 0.6 → 0.7",
        "criterion comprehensiveness, weight: 0.2 → 0.1",
        "Verdicts stand: a judge is shown the same words and follows the same rules.",
        "Composites can differ for the same verdicts.",
        "Both are 'docs_qa', version '1': raise the version, to tell their results apart.",
    ]


def test_a_changed_example_reaches_few_shot_judges_only(desk: Any) -> None:
    changed = edited(desk.folder, "averaged over all requests of a run.", "averaged.")
    lines = diff(desk, "docs_qa", changed)
    assert lines[0] == "criterion correctness, level 0, example 1, answer:"
    assert lines[1].startswith("  - ROUGE-N recall") and lines[1].endswith("averaged over all requests of a run.")
    assert lines[2].startswith("  + ROUGE-N recall") and lines[2].endswith("averaged.")
    assert lines[3] == "Verdicts of few-shot judges can differ; those of zero-shot judges stand."


def test_a_changed_word_with_a_new_version_needs_no_advice(desk: Any) -> None:
    lines = diff(desk, "docs_qa", write(desk.folder, version=2, on_empty="judge"))
    assert lines == [
        "version: 1 → 2",
        "on_empty: lowest → judge",
        "Verdicts can differ, zero-shot and few-shot.",
    ]


def test_the_diff_as_json_says_what_it_reaches(desk: Any) -> None:
    code, out, _ = desk.command("rubric", "diff", "docs_qa_0_4", "docs_qa_1_5", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["zero_shot"], found["few_shot"], found["composites"]) == (True, True, False)
    assert {"where": "scale", "touches": "verdicts", "before": "0 to 4", "after": "1 to 5"} in found["changes"]


def test_pairwise_rubrics_are_compared_with_their_own_kind(desk: Any) -> None:
    assert diff(desk, "pairwise", "pairwise")[-1].startswith("Verdicts stand")
    code, _, err = desk.command("rubric", "diff", "docs_qa", "pairwise")
    assert code == 2
    assert "docs_qa is a pointwise rubric and pairwise a pairwise one: name two of a kind" in err


def test_a_broken_rubric_is_no_party_to_a_diff(desk: Any) -> None:
    code, _, err = desk.command("rubric", "diff", "docs_qa", edited(desk.folder, "weight: 0.6", "weight: 0.5"))
    assert code == 2
    assert "the weights sum to 0.9" in err


def test_schema_prints_the_one_of_the_reference(desk: Any) -> None:
    code, out, _ = desk.command("rubric", "schema")
    assert code == 0
    assert json.loads(out) == rubric_json_schema()
    assert out == (Path(__file__).parents[2] / "docs" / "reference" / "rubric.schema.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        (lambda rubric: rubric["criteria"][0].update(weight=0.25), 0),
        (lambda rubric: rubric["criteria"][0].update(description="Is the code word there?"), 10),
    ],
)
def test_a_run_asks_again_only_where_the_diff_says_that_verdicts_can_differ(desk: Any, change: Any, calls: int) -> None:
    second = {**desk.rubric["criteria"][0], "name": "form", "weight": 0.5}
    desk.rubric["criteria"] = [{**second, "name": "correctness"}, second]
    desk.run()
    (desk.folder / "old.yaml").write_bytes((desk.folder / "rubric.yaml").read_bytes())
    change(desk.rubric)
    second["weight"] = 1 - desk.rubric["criteria"][0]["weight"]
    again = desk.run()
    said = json.loads(desk.command("rubric", "diff", "old.yaml", "rubric.yaml", "--json")[1])
    assert again["calls"]["live"] == calls
    assert said["zero_shot"] is (calls > 0)
