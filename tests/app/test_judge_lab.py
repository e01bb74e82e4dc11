"""`markscheme judge lab` on judges whose quality is planted: what it recommends, pins, refuses and pays."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from markscheme.app import workflow
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.pinned import load_pinned
from markscheme.harness.records import Request, Usage
from markscheme.harness.store.store import Store

CRITERIA = ("correctness", "tone")
SAMPLES = 90
NOISE = {"strong": (0.05, 0.05), "cheap": (0.9, 0.12), "poor": (0.9, 0.9)}
"""Chance that a judge misses a level, zero-shot and few-shot."""


def draw(*parts: Any) -> float:
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:8], 16) / 16**8


def criteria(scale: tuple[int, int], examples: bool = True) -> list[dict[str, Any]]:
    def level(name: str, score: int) -> dict[str, Any]:
        shown = {"question": "An example?", "answer": f"Worth {score}.", "reasoning": f"Worked example {name} {score}."}
        return {"score": score, "description": f"{name} {score}", "examples": [shown] if examples else []}

    levels = range(scale[0], scale[1] + 1)
    return [
        {"name": name, "weight": 0.5, "description": f"How {name}?", "levels": [level(name, s) for s in levels]}
        for name in CRITERIA
    ]


@dataclass
class Bench:
    """A desk with 90 questions in 30 documents, two candidates whose answers tell their true scores, and labels."""

    desk: Any
    asked: list[Request] = field(default_factory=list)
    models: list[str] = field(default_factory=list)

    def open_model(self, exam: Any, spec: Any, require_key: bool = True, fleet: Any = None) -> ScriptedModel:
        name = spec.model.partition("/")[2]

        def reply(request: Request) -> str:
            self.asked.append(request)
            self.models.append(name)
            return self.verdict(name, request)

        return ScriptedModel(reply, spec.model, usage=Usage(1000, 100))

    @staticmethod
    def verdict(model: str, request: Request) -> str:
        system, user = (str(message["content"]) for message in request.messages)
        few = "Worked example" in system or "because" in system
        found = re.search(r"(\d)-(\d) answer", user)
        assert found is not None
        assert request.schema is not None
        verdicts = {}
        for index, name in enumerate(CRITERIA):
            if name not in request.schema["properties"]:
                continue
            levels = request.schema["properties"][name]["properties"]["score"]["enum"]
            true = int(found[index + 1])
            if draw(model, few, found.string, name, "missed") < NOISE[model][few]:
                true = int(4 * draw(model, few, found.string, name))
            score = levels[0] + round(true / 3 * (levels[-1] - levels[0]))
            verdicts[name] = {"reasoning": f"because {name} is {true}", "score": score}
        return json.dumps(verdicts)

    def lab(self, *more: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, the JSON object, standard error."""
        words = ("judge", "lab", str(self.desk.save()), "--json", "--quiet", *more)
        code, out, err = self.desk.command(*words)
        return code, json.loads(out.splitlines()[-1]) if out.strip() else {}, err

    def labels(self, share: float = 1.0) -> None:
        rows = [row for row in self.truths() if draw(row[0], "labelled") < share]
        with (self.desk.folder / "labels.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["sample_id", "candidate", "trial", "criterion", "score", "annotator"])
            writer.writerows([s, c, 0, n, t[i], "ann"] for s, c, t in rows for i, n in enumerate(CRITERIA))

    @staticmethod
    def truths() -> list[tuple[str, str, tuple[int, int]]]:
        """Sample, candidate, the two true scores; candidate `a` is better."""
        rng, found = np.random.default_rng(5), []
        for n in range(SAMPLES):
            for candidate, shares in (("a", [0.1, 0.2, 0.3, 0.4]), ("b", [0.35, 0.3, 0.2, 0.15])):
                found.append((f"s{n}", candidate, tuple(int(x) for x in rng.choice(4, p=shares, size=2))))
        return found


@pytest.fixture
def bench(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The exam was run by nobody yet; `graded` runs it."""
    found = Bench(desk)
    monkeypatch.setattr(workflow, "open_model_of", found.open_model)
    desk.write_samples(
        [
            {
                "id": f"s{n}",
                "question": f"Question {n}?",
                "cluster": f"d{n // 3}",
                "tags": [("<img src=x>", "law")[n % 2]],
            }
            for n in range(SAMPLES)
        ]
    )
    for candidate in "ab":
        rows = [
            {"sample_id": s, "answer": f"{t[0]}-{t[1]} answer to {s} by {c}"}
            for s, c, t in found.truths()
            if c == candidate
        ]
        (desk.folder / f"{candidate}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    desk.rubric = {"name": "two", "scale": [0, 3], "sees": ["question"], "criteria": criteria((0, 3))}
    (desk.folder / "fine.yaml").write_text(
        yaml.safe_dump({**desk.rubric, "scale": [0, 6], "criteria": criteria((0, 6))})
    )
    found.labels()
    names = ("strong", "cheap", "poor")
    usd = {"strong": 10.0, "cheap": 0.5, "poor": 0.1}
    desk.exam = {
        "dataset": "./samples.jsonl",
        "candidates": [{"name": name, "model": f"replay/{name}.jsonl"} for name in "ab"],
        "judges": [{"name": name, "model": f"openai/{name}", "rubric": "./rubric.yaml", "shots": 0} for name in names],
        "labels": ["labels.csv"],
        "prices": {
            f"openai/{name}": {"input_usd_per_million": usd[name], "output_usd_per_million": usd[name]}
            for name in names
        },
    }
    return found


def graded(bench: Bench) -> Bench:
    bench.desk.run()
    return bench


def row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["configurations"] if row["name"] == name)


def test_the_cheapest_judge_that_surely_clears_the_threshold_is_recommended_and_pinned(bench: Bench):
    graded(bench)
    code, found, _ = bench.lab("--threshold", "0.6")
    assert code == 0
    # The cheap judge needs worked examples, which make it dearer than itself and far cheaper than the strong one.
    assert found["recommended"] == "cheap, few-shot"
    assert row(found, "cheap")["selection"] < 0.5
    assert row(found, "cheap, few-shot")["lower_bound"] > 0.6
    assert not row(found, "poor, few-shot")["clears"]
    assert (found["labelled"], found["selection_n"], found["held_out_n"]) == (180, 90, 90)
    pinned = load_pinned(bench.desk.folder / "judge.yaml")
    assert (pinned.model, pinned.shots, pinned.selected_on) == ("openai/cheap", 1, ("labels",))
    assert pinned.qualified is not None
    assert pinned.qualified.lower_bound == pytest.approx(row(found, "cheap, few-shot")["lower_bound"], abs=1e-4)
    assert (pinned.qualified.held_out, pinned.qualified.tried) == (90, len(found["configurations"]))


def test_money_is_that_of_the_calls(bench: Bench):
    found = graded(bench).lab()[1]
    # 1,100 tokens a call, one call an answer, or one for each of two criteria.
    assert row(found, "cheap")["usd_per_1000"] == pytest.approx(0.55)
    assert row(found, "cheap, a call per criterion")["usd_per_1000"] == pytest.approx(1.1)
    assert row(found, "strong")["usd_per_1000"] == pytest.approx(11.0)
    assert row(found, "strong")["seconds_per_1000"] >= 0


def test_an_exam_that_names_the_pinned_judge_pays_nothing_for_what_the_lab_had_graded(bench: Bench):
    graded(bench).lab()
    before = len(bench.asked)
    bench.desk.exam["judges"] = [{"pinned": "judge.yaml"}]
    result = bench.desk.run()
    assert len(bench.asked) == before
    assert result["grades"]["ok"] == 2 * 2 * SAMPLES


def test_nothing_is_paid_twice_not_even_after_a_lab_that_was_stopped(bench: Bench):
    graded(bench)
    calls = len(bench.asked)
    bench.desk.exam["budget_usd"] = 0.5  # about 45 calls of the strong judge
    code, _, err = bench.lab()
    assert (code, "budget" in err) == (3, True)
    assert len(bench.asked) > calls
    del bench.desk.exam["budget_usd"]
    planned = bench.lab("--plan")[1]["calls"]
    before = len(bench.asked)
    code, first, _ = bench.lab()
    assert (code, first["calls"]["live"]) == (0, len(bench.asked) - before)
    assert first["calls"]["live"] == planned
    again = bench.lab()[1]
    assert again["calls"]["live"] == 0
    assert again["configurations"] == first["configurations"]


def test_the_plan_calls_nobody_and_knows_what_is_recorded(bench: Bench):
    graded(bench)
    before = len(bench.asked)
    code, plan, _ = bench.lab("--plan", "--judges", "cheap", "--experiments", "1,2")
    assert (code, len(bench.asked)) == (0, before)
    assert [(r["name"], r["calls"], r["recorded"]) for r in plan["rows"]] == [
        ("cheap", 230, 180),
        ("cheap, few-shot", 230, 0),
    ]
    assert plan["usd"] > 0


def test_a_threshold_that_nobody_reaches_is_refused_with_exit_code_1(bench: Bench):
    graded(bench)
    code, found, _ = bench.lab("--threshold", "0.9", "--judges", "cheap,poor", "--experiments", "1")
    assert (code, found["recommended"], found["pinned"]) == (1, None, None)
    assert "no judge reaches 0.9" in found["why"]
    assert not (bench.desk.folder / "judge.yaml").exists()


@pytest.mark.parametrize("output", ["labels.csv", "two.yaml", "exam.yaml", "."])
def test_a_file_that_is_no_pinned_judge_is_never_written_over_and_nothing_is_paid_before(bench: Bench, output: str):
    graded(bench)
    (bench.desk.folder / "two.yaml").write_text("name: [broken")
    path, before = bench.desk.folder / output, len(bench.asked)
    text = path.read_bytes() if path.is_file() else b""
    code, _, err = bench.lab("--output", str(path))
    assert (code, len(bench.asked)) == (2, before)
    assert f"--output {path}: is there already and no pinned judge; name another file" in err
    assert (path.read_bytes() if path.is_file() else b"") == text


def test_a_second_lab_waits_and_only_where_there_is_an_option_fresh_is_it_named(bench: Bench):
    run = graded(bench).desk.run()["run"]
    store = Store(bench.desk.folder / ".markscheme")
    with closing(store), store.lease(f"{run}-lab"), store.lease(run):
        code, _, err = bench.lab()
        assert (code, "wait for it to end" in err, "--fresh" in err) == (2, True, False)
        code, _, err = bench.desk.command("run", str(bench.desk.save()))
        assert (code, "start one of its own with --fresh" in err) == (2, True)


def test_fewer_than_fifty_held_out_labels_recommend_nobody(bench: Bench):
    bench.labels(share=0.4)
    graded(bench)
    code, found, _ = bench.lab("--judges", "strong", "--experiments", "1")
    assert (code, found["recommended"]) == (1, None)
    assert found["held_out_n"] < 50
    assert found["more_labels"] == 2 * (50 - found["held_out_n"])


def test_labels_that_cannot_tell_say_how_many_more_would(bench: Bench):
    graded(bench)
    value = row(bench.lab("--judges", "strong", "--experiments", "1")[1], "strong")["held_out"]
    code, found, _ = bench.lab("--judges", "strong", "--experiments", "1", "--threshold", f"{value - 0.005:.4f}")
    assert code == 1
    assert "the labels cannot tell" in found["why"]
    assert found["more_labels"] > 180


def test_scales_of_files_are_tried_and_mapped_to_that_of_the_labels(bench: Bench):
    found = graded(bench).lab("--scales", "fine.yaml", "--experiments", "3", "--judges", "strong")[1]
    names = [r["name"] for r in found["configurations"]]
    assert names == ["strong", "strong, scale 0-6", "strong, a call per criterion"]
    assert row(found, "strong, scale 0-6")["selection"] > 0.8


def test_a_strong_judge_teaches_a_cheap_one_and_its_examples_are_no_labels(bench: Bench):
    graded(bench)
    words = ("--judges", "strong,cheap", "--preset", "strong-to-cheap", "--experiments", "1", "--threshold", "0.6")
    code, found, _ = bench.lab(*words, "-o", "pins/taught.yaml")
    assert code == 0
    assert row(found, "cheap, taught by strong")["selection"] > 0.6 > row(found, "cheap")["selection"]
    folder = Path(found["report"]).parent
    taught = yaml.safe_load((folder / "taught-by-strong.yaml").read_text())
    examples = [e for c in taught["criteria"] for level in c["levels"] for e in level["examples"]]
    assert len(examples) == 8
    truths = {f"{t[0]}-{t[1]} answer to {s} by {c}": t for s, c, t in bench.truths()}
    for index, criterion in enumerate(taught["criteria"]):
        for level in criterion["levels"]:
            assert truths[level["examples"][0]["answer"]][index] == level["score"]
            assert level["examples"][0]["reasoning"] == f"because {criterion['name']} is {level['score']}"
    lost = {example["question"] for example in examples}
    assert found["selection_n"] == 90 - 2 * len(lost)
    assert found["held_out_n"] == 90


def test_a_taught_judge_is_pinned_with_its_rubric_beside_it(bench: Bench):
    bench.desk.rubric["criteria"] = criteria((0, 3), examples=False)  # few-shot is the teacher's only
    graded(bench)
    words = ("--judges", "strong,cheap", "--preset", "strong-to-cheap", "--experiments", "1", "--threshold", "0.6")
    found = bench.lab(*words, "-o", "pins/taught.yaml")[1]
    assert found["recommended"] == "cheap, taught by strong"
    pinned = load_pinned(bench.desk.folder / "pins" / "taught.yaml")
    assert pinned.rubric == bench.desk.folder / "pins" / "taught.rubric.yaml"
    before = len(bench.asked)
    bench.desk.exam["judges"] = [{"pinned": "pins/taught.yaml"}]
    bench.desk.run()
    assert len(bench.asked) == before


def test_both_pages_tell_the_choice_and_nothing_in_them_is_markup(bench: Bench):
    found = graded(bench).lab("--threshold", "0.6")[1]
    page = Path(found["report"])
    html, markdown = page.read_text(), page.with_suffix(".md").read_text()
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html
    assert "<img" not in markdown.replace("\\<img", "")
    assert html.count("<svg") == 1
    for words in ("cheap, few-shot", "1. Agreement with the labels", "2. Zero-shot", "3. Scales", "4. From one use"):
        assert (words in html) is (words != "3. Scales")  # the exam's own rubric has no other scales
    assert "| cheap, few-shot" in markdown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--measure", "vibes"), "--measure 'vibes'"),
        (("--measure", "ac2"), "a threshold of composites"),
        (("--criterion", "grace"), "--criterion 'grace': there are composite, correctness, tone"),
        (("--judges", "nobody"), "--judges 'nobody': the exam has strong, cheap, poor"),
        (("--threshold", "3"), "must lie between 0 and 1"),
        (("--experiments", "5"), "there are 1, 2, 3 and 4"),
        (("--experiments", "x"), "write numbers"),
        (("--preset", "strong-to-cheap"), "name the strong judge first"),
        (("--preset", "magic"), "there is strong-to-cheap"),
    ],
)
def test_wrong_words_are_refused_before_any_call(bench: Bench, words: tuple[str, ...], said: str):
    graded(bench)
    before = len(bench.asked)
    code, _, err = bench.lab(*words)
    assert (code, len(bench.asked)) == (2, before)
    assert said in err


def test_without_labels_or_a_run_the_lab_says_what_to_do(bench: Bench):
    code, _, err = bench.lab()
    assert (code, "markscheme run exam.yaml" in err) == (2, True)
    del bench.desk.exam["labels"]
    graded(bench)
    code, _, err = bench.lab()
    assert (code, "has no labels on correctness, tone" in err) == (2, True)


def test_the_embedded_judge_is_on_trial_like_any_other_and_costs_nothing(bench: Bench):
    bench.desk.exam["judges"].append({"name": "words", "model": "embedded", "rubric": "./rubric.yaml", "shots": 0})
    graded(bench)
    found = bench.lab("--criterion", "correctness", "--judges", "words", "--experiments", "1")[1]
    assert row(found, "words")["usd_per_1000"] == 0
    assert found["recommended"] is None


def test_notes_say_how_labels_were_drawn_and_that_clusters_are_few(bench: Bench):
    graded(bench)
    code, found, err = bench.lab("--judges", "strong", "--experiments", "1")
    assert code == 0
    for said in ("labels labels: the answers were drawn nobody knows how", "only 15 clusters are held out"):
        assert said in err
        assert said in Path(found["report"]).read_text()
    bench.desk.exam["labels"] = [{"path": "labels.csv", "design": "random"}]
    assert "nobody knows how" not in bench.lab("--judges", "strong", "--experiments", "1")[2]
