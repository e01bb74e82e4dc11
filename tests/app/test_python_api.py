"""The commands as functions: none is missing, and each does and returns what its command does and prints."""

from __future__ import annotations

import asyncio
import csv
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import markscheme as ms
import pandas as pd
import pytest
import typer
from markscheme.app.cli.main import app
from markscheme.harness.errors import InputError

FUNCTIONS = {
    "run": ["run", "plan"],
    "generate": ["generate"],
    "grade": ["grade"],
    "report": ["report"],
    "init": ["init"],
    "demo": ["demo"],
    "doctor": ["doctor"],
    "compare": ["compare", "gate", "over_time"],
    "small-large": ["small_large"],
    "gate plan": ["gate_plan"],
    "history": ["history"],
    "bundle write": ["bundle"],
    "bundle merge": ["merge"],
    "cache stats": ["cache_stats"],
    "cache prune": ["cache_prune"],
    "cache export": ["cache_export"],
    "cache import": ["cache_import"],
    "export answers": ["export"],
    "export grades": ["export"],
    "export preferences": ["export"],
    "export finetune": ["export_finetune"],
    "store runs": ["runs"],
    "store purge": ["purge"],
    "dataset synthesize": ["synthesize"],
    "dataset accept": ["accept"],
    "retrieve": ["retrieve"],
    "serve-bench": ["serve_bench", "serve_plan"],
    "judge align": ["align"],
    "judge anchors": ["anchors"],
    "judge correct": ["correct"],
    "judge lab": ["lab", "lab_plan"],
    "judge probe": ["probe", "probe_plan"],
    "rubric show": ["rubric_show", "rubric_list"],
    "rubric diff": ["rubric_diff"],
    "rubric schema": ["rubric_schema"],
    "review serve": ["review_serve"],
    "review export": ["review_export"],
    "review import": ["review_import"],
    "review result": ["review_result"],
    "review plan": ["review_plan"],
    "import labels": ["import_labels"],
    "import csv": ["import_csv"],
    "import inspect": ["import_inspect"],
    "import promptfoo": ["import_promptfoo"],
    "import lm-eval": ["import_lm_eval"],
    "import mlflow": ["import_mlflow"],
    "import otel": ["import_otel"],
    "import load": ["import_load"],
    "import feedback": ["import_feedback"],
    "feedback": ["feedback"],
}
"""Command -> the functions of `markscheme` that do the same: a new command needs one (app/api)."""
OF_PYTHON_ALONE = {"Run", "ScriptedModel", "__version__", "cached", "load_exam", "mlflow_scorer", "open_run"}


def commands(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name


def test_every_command_has_a_function_and_every_function_a_command():
    assert sorted(commands(typer.main.get_command(app))) == sorted(FUNCTIONS)
    named = {name for names in FUNCTIONS.values() for name in names}
    assert named | OF_PYTHON_ALONE == set(ms.__all__)


def test_every_function_says_what_it_does_takes_and_returns():
    for name in sorted(set(ms.__all__) - {"__version__"}):
        one = getattr(ms, name)
        assert inspect.getdoc(one), name
        if inspect.isfunction(one):
            signature = inspect.signature(one)
            assert signature.return_annotation is not inspect.Signature.empty, name
            assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values()), name


@pytest.fixture
def words(desk) -> Any:
    """Baselines on ten questions, by the embedded judge, as a mapping: no model, no network."""
    rows = [
        {
            "id": f"s{n}",
            "question": f"How long is bridge {n}?",
            "context": f"The bridge is {n + 11} metres long. It was built in Delft, because the river is wide there.",
            "reference": f"It is {n + 11} metres long. It was built in Delft, because the river is wide there.",
        }
        for n in range(10)
    ]
    desk.write_samples(rows)
    desk.exam["candidates"] = [
        {"name": "lead", "model": "baseline/lead"},
        {"name": "all", "model": "baseline/verbatim"},
    ]
    desk.exam["judges"] = [{"name": "words", "model": "embedded", "rubric": "docs_qa"}]
    desk.save()
    return desk


def labelled(desk) -> Path:
    """Two people's scores of all answers, the same as the judge's but for some."""
    grades = ms.open_run().grades
    path = desk.folder / "labels.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["sample_id", "candidate", "trial", "criterion", "score", "annotator"])
        for who in ("ann", "bob"):
            for i, row in enumerate(grades.itertuples()):
                score = row.score if i % 5 else 3 - row.score
                out.writerow([row.sample_id, row.candidate, row.trial, row.criterion, int(score), who])
    return path


def test_generate_then_grade_then_report_are_the_three_steps_of_run(desk):
    path = desk.save()
    asked = ms.plan(path)
    assert (asked.samples, asked.calls) == (10, 20)
    answered = ms.generate(path)
    assert (len(answered.answers), len(answered.grades)) == (10, 0)
    graded = ms.grade(path)
    assert graded.id == answered.id
    assert len(graded.grades) == 10
    assert ms.run(path).id == graded.id
    page = ms.report(graded, desk.folder / "bare", texts=False)
    assert "Which code word?" in graded.report().with_suffix(".md").read_text() + str(graded.samples["question"][0])
    assert "Which code word?" not in page.read_text()


def test_a_runs_tables_are_files_frames_and_gone_when_purged(words):
    run = ms.run("exam.yaml", name="first")
    listed = ms.runs()
    assert listed[["id", "name", "finished"]].to_dict("records") == [{"id": run.id, "name": "first", "finished": True}]
    assert listed["created_at"].dt.tz is not None
    assert ms.export("answers", "out/answers.csv", format="csv") == 20
    assert pd.read_csv("out/answers.csv")["text"].notna().all()
    assert set(run.measurements["measure"]) >= {"composite", "correctness"}
    assert ms.purge("first") == 0  # baselines call nobody
    assert set(ms.open_run("first").answers["text"]) == {""}


def test_a_run_is_opened_from_a_bundle_and_knows_its_tables(words):
    run = ms.run("exam.yaml")
    made = ms.bundle(run.id, "run.mks")
    assert made.rows["answers"] == 20
    elsewhere = ms.open_run("run.mks", "no-such-workspace")
    assert repr(elsewhere) == f"Run({run.id!r}, bundle='run.mks')"
    pd.testing.assert_frame_equal(elsewhere.summary(), run.summary())
    assert "20" in elsewhere.report("pages").with_suffix(".md").read_text()
    assert ms.merge(["run.mks"], "joined").sources[0].runs_added == [run.id]
    assert ms.open_run("latest", "joined").id == run.id


def test_runs_are_compared_and_gated(words):
    ms.run("exam.yaml", name="old")
    words.exam["candidates"][0]["model"] = "baseline/refuse"
    words.save()
    new = ms.run("exam.yaml", name="new", fresh=True)
    found = new.compare("old", candidates=["lead"])
    worse = {d.subject.measure: d.estimate.value for d in found.differences}
    assert worse["composite"] < 0
    assert "lead is worse" in repr(found)
    Path("gate.yaml").write_text(
        "baseline: {run: old}\ncandidates: [lead]\nconfirm: false\nmeasures: [{measure: composite, margin: 0.1}]\n"
    )
    gate = ms.gate("new", "gate.yaml")
    assert (gate.result.verdict, gate.result.exit_code) == ("regression", 1)
    assert repr(gate).startswith("Gate: REGRESSION")
    plan = ms.gate_plan("gate.yaml", sd=0.5, n=100)
    assert [line.noise.n for line in plan.lines] == [100]
    nights = ms.history("exam.yaml")
    assert len(nights.nights) == 2
    small = ms.small_large("old", small="lead", large="all", margin=3.0)
    assert small.verdict == "as good"


def test_worst_answers_and_single_samples_come_with_the_judges_reasoning(words):
    run = ms.run("exam.yaml")
    low = run.worst(3, candidate="lead", measure="comprehensiveness")
    assert list(low["candidate"]) == ["lead"] * 3
    assert list(low["value"]) == sorted(low["value"])
    assert low["reasoning"].str.contains("Word counts").all()
    assert set(run.worst(50)["candidate"]) == {"lead", "all"}
    one = run.sample("s3")
    assert (len(one.answers), len(one.grades)) == (2, 6)
    assert "bridge 3" in repr(one)


def test_names_that_a_run_does_not_have_are_refused_with_those_that_it_has(words):
    run = ms.run("exam.yaml")
    for wrong, said in (
        (lambda: run.worst(candidate="nobody"), "no candidate 'nobody'; there are lead, all"),
        (lambda: run.worst(measure="taste"), "no taste of judge ''; there are .*composite of words"),
        (lambda: run.sample("s99"), "no sample 's99'; the first is 's0'"),
        (lambda: run.figure("pie"), "figure 'pie': there are quality, criteria, latency"),
    ):
        with pytest.raises(InputError, match=said):
            wrong()


def test_judges_are_tried_from_python(words):
    run = ms.run("exam.yaml")
    found = ms.align(run, labelled(words))
    assert found.table()["n"].max() == 20
    corrected = ms.correct(run.id, "labels.csv", design="random", width=0.5)
    assert {(row.candidate, row.n_judged) for row in corrected.rows} == {("lead", 10), ("all", 10)}
    assert {row.judge for row in corrected.plan} == {"words"}
    words.exam["labels"] = [{"path": "labels.csv", "design": "random"}]
    words.save()
    planned = ms.probe_plan("exam.yaml", probes=["P1", "P2"])
    assert [row.probe for row in planned.probes] == ["P1", "P2"]
    probed = ms.probe("exam.yaml", probes=["P1"])
    assert (probed.judge, [one.code for one in probed.probes]) == ("words", ["P1"])
    assert probed.page.exists()
    assert len(ms.anchors(run.id, "anchors.jsonl", n=5).samples) == 5


def test_a_lab_recommends_from_python(words):
    ms.run("exam.yaml")
    labelled(words)
    words.exam["labels"] = [{"path": "labels.csv", "design": "random"}]
    words.save()
    assert ms.lab_plan("exam.yaml", experiments=[1]).calls == 0
    with pytest.warns(UserWarning):
        found = ms.lab("exam.yaml", experiments=[1], threshold=0.9)
    assert (found.pinned, found.advice.configuration) == ((), None)
    assert found.page.exists()
    assert "No judge is recommended" in repr(found)


def test_retrievers_are_swept_and_questions_written_from_python(words):
    words.exam["dataset"] = "docs_qa"
    words.exam["retrieval"] = {"embedders": ["hashed/64"], "sizes": [400], "k": [1, 3]}
    words.save()
    found = ms.retrieve("exam.yaml", limit=20)
    assert {row.ranking.configuration.retriever for row in found.rows} == {"bm25", "hashed/64"}
    made = ms.synthesize("docs_qa", "review.jsonl", count=4)
    assert made.questions + sum(made.filtered.values()) == 4
    kept = ms.accept("review.jsonl", "mine.jsonl", undecided="keep")
    assert len(Path("mine.jsonl").read_text().splitlines()) == kept == made.questions


def test_rubrics_are_shown_and_compared_from_python(desk):
    assert "docs_qa" in [line.name for line in ms.rubric_list().rubrics]
    shown = ms.rubric_show("docs_qa", shots=0, calls="per_criterion")
    assert [call.criteria for call in shown.calls] == [["correctness"], ["comprehensiveness"], ["readability"]]
    assert ms.rubric_diff("docs_qa_0_4", "docs_qa_0_10").zero_shot
    assert "criteria" in json.dumps(ms.rubric_schema())


def test_people_grade_on_sheets_and_their_scores_are_read_from_python(words):
    ms.run("exam.yaml")
    drawn = ms.review_export(folder="sheets", raters=["ann"], format="csv", n=4, seed=1, overlap=1.0)
    [sheet] = drawn.sheets
    with Path(sheet.path).open(newline="") as file:
        rows = list(csv.reader(file))
    titles = [name for name in rows[0] if name in ("correctness", "comprehensiveness", "readability")]
    for row in rows[1:]:
        for name in titles:
            row[rows[0].index(name)] = "2"
    with Path(sheet.path).open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert [(one.new, one.wrong) for one in ms.review_import(sheet.path).files] == [(4, [])]
    found = ms.review_result()
    assert {one.estimate.value for one in found.means if one.criterion == "readability"} == {2.0}
    assert found.page.exists()
    assert ms.review_plan(width=0.5).candidates


def test_files_of_other_tools_are_taken_in_from_python(words):
    Path("answers.csv").write_text(
        "question,answer,candidate,score.tone\nWho pays?,They.,mini,2\nHow long?,Two.,mini,1\n"
    )
    made = ms.import_csv("answers.csv", judge="house", scale=(0, 2))
    assert (made.samples, made.judges[0].scale) == (2, (0.0, 2.0))
    files = Path(__file__).parents[1] / "imports"
    assert ms.import_promptfoo(files / "promptfoo" / "results.json").candidates
    run = ms.run("exam.yaml", fresh=True)
    held = ms.import_labels(labelled(words), run=run.id, design="random")
    assert (held.rows, held.attached) == (120, 120)


def test_load_tests_are_planned_and_made_from_python(desk):
    desk.exam["serving"] = {"loads": [{"closed": [1]}], "requests": 4, "repeats": 1, "warm_up": {"requests": 1}}
    path = desk.save()
    assert ms.serve_plan(path, quick=True).requests > 0
    found = ms.serve_bench(path, quick=True)
    assert [cell.setting.level for cell in found.cells] == [1]
    assert "Load test" in repr(found)


def test_replies_are_counted_and_carried_from_python(desk):
    ms.run(desk.save())
    assert ms.cache_stats().total.replies == 20
    assert ms.cache_export("replies.jsonl").written == 20
    assert ms.cache_import("replies.jsonl", workspace="other").imported == 20
    assert ms.cache_prune(model="openai-compatible/cand-1", dry_run=True).kept_for_runs == 10
    with pytest.raises(InputError, match="give the file to write"):
        ms.cache_export()


def test_a_first_exam_is_written_checked_and_the_packaged_one_run(desk):
    paths = ms.init("mine")
    assert [path.name for path in paths] == ["exam.yaml", "rubric.yaml", "samples.jsonl"]
    assert {check.what for check in ms.doctor().checks} >= {"python", "workspace"}
    assert len(ms.demo().answers) == 4 * 88


def test_functions_that_call_models_work_where_a_loop_runs_as_in_a_notebook(desk):
    desk.exam["serving"] = {"loads": [{"closed": [1]}], "requests": 4, "repeats": 1, "warm_up": {"requests": 1}}
    path = desk.save()

    async def cell() -> list[Any]:
        run = ms.run(path)
        return [run, ms.probe(path, probes=["P2"], n=2), ms.serve_bench(path, quick=True), ms.doctor(path)]

    run, probed, load, found = asyncio.run(cell())
    assert len(run.grades) == 10
    assert probed.calls["live"] > 0
    assert load.cells
    assert {"cand (openai-compatible/cand-1)"} <= {check.what for check in found.checks}


def test_what_a_command_would_note_is_a_warning_where_the_function_was_called(desk):
    path = desk.save()
    ms.run(path)
    with pytest.warns(UserWarning, match="--name is for a new one") as of_run:
        ms.run(path, name="late")
    with pytest.warns(UserWarning, match="has no example") as of_rubric:
        ms.rubric_show("./rubric.yaml", shots=1)
    assert {one.filename for one in (*of_run, *of_rubric)} == {__file__}


def test_outputs_are_short_in_a_line_of_text(words):
    made = ms.plan("exam.yaml")
    assert "rows=[3 rows]" in repr(made)
    assert json.loads(made.model_dump_json())["rows"]
    assert len(repr(ms.rubric_show("docs_qa"))) < 300
