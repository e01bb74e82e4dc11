"""`markscheme export finetune`: from recorded runs to a folder of training data, and the held-out questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import markscheme as ms
import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.store.codec import answer_sha256


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def run(desk):
    """Thirty questions in ten clusters, answered by a model with a system message and by one that refuses."""
    desk.samples(30)
    desk.write_samples([{**row, "cluster": f"c{i // 3}", "tags": ["a"]} for i, row in enumerate(desk.read_samples())])
    (desk.folder / "system.txt").write_text("Answer in one word.")
    desk.exam["candidates"][0]["system"] = "./system.txt"
    desk.exam["candidates"].append({"name": "floor", "model": "baseline/refuse"})
    desk.run()
    return desk


def test_every_line_is_what_was_sent_and_answered_and_its_trace_says_where(run):
    code, out, err = run.command(
        "export", "finetune", "-o", "data", "--min-score", "1", "--pairs", "--seed", "1", "--json"
    )
    assert code == 0, err
    said = json.loads(out.splitlines()[-1])
    answers = {(a.sample_id, a.candidate, a.trial): a for a in ms.open_run().answers.itertuples()}
    trace = rows(run.folder / "data" / "lines.jsonl")
    assert sum(said["lines"].values()) == sum(not one["file"].startswith("pairs") for one in trace) > 10
    assert said["removed"]["refusal"] == 30
    for one in trace:
        line = rows(run.folder / "data" / one["file"])[one["line"] - 1]
        origin = one.get("chosen", one)
        answer = answers[origin["sample_id"], origin["candidate"], origin["trial"]]
        assert answer_sha256(answer.text) == origin["answer_sha256"]
        messages = line["messages"] if "messages" in line else [*line["input"]["messages"], *line["preferred_output"]]
        assert messages[0] == {"role": "system", "content": "Answer in one word."}
        assert messages[-1] == {"role": "assistant", "content": answer.text}
        assert origin["grades"]["judge"]["correctness"] == origin["score"] == 1.0
        assert len(origin["calls"]) == 1


def test_a_second_export_is_the_same_to_the_byte_and_another_is_refused(run):
    ms.export_finetune("one", pairs=True)
    ms.export_finetune("two", pairs=True)
    assert contents(run.folder / "one") == contents(run.folder / "two")
    ms.export_finetune("one", pairs=True)
    with pytest.raises(InputError, match=r"holds .* already, which is not of this export"):
        ms.export_finetune("one", seed=1)
    assert contents(run.folder / "one") == contents(run.folder / "two")


def test_an_export_that_was_killed_is_finished_by_the_next_and_has_no_card_until_then(run, monkeypatch):
    folder, written, replace = run.folder / "one", [], Path.replace

    def killed(part, path):
        written.append(part.name)
        return part if len(written) > 2 else replace(part, path)

    ms.export_finetune("two")
    monkeypatch.setattr(Path, "replace", killed)
    ms.export_finetune("one")
    assert "lines.jsonl.part" in contents(folder)
    assert "card.json" not in contents(folder)
    monkeypatch.setattr(Path, "replace", replace)
    ms.export_finetune("one")
    assert contents(folder) == contents(run.folder / "two")


def test_the_held_out_samples_are_the_data_set_of_an_exam(run):
    done = ms.export_finetune("data", shares=(0.5, 0.0, 0.5))
    learned = {one["cluster"] for one in rows(run.folder / "data" / "lines.jsonl")}
    run.exam["dataset"] = "./data/test"
    run.exam["candidates"] = [{"name": "floor", "model": "baseline/refuse"}]
    sat = run.run()
    held = ms.open_run(sat["run"]).samples
    assert len(held) == done.test_samples > 0
    assert learned.isdisjoint(held["cluster"])
    originals = {row["id"]: row for row in run.read_samples()}
    assert all(originals[row["id"]] == row for row in rows(run.folder / "data" / "test" / "samples.jsonl"))
    assert not (run.folder / "data" / "validation.jsonl").exists()


def test_labels_win_over_the_judge_and_say_so(run):
    grades = ms.open_run().grades
    mine = grades[grades["candidate"] == "cand"]["sample_id"].tolist()
    lines = [f"{name},cand,0,correctness,{int(i > 0)},ann" for i, name in enumerate(mine[:5])]
    (run.folder / "labels.csv").write_text("\n".join(["sample_id,candidate,trial,criterion,score,annotator", *lines]))
    ms.import_labels("labels.csv")
    done = ms.export_finetune("data", min_score=1.0, shares=(1.0, 0.0, 0.0))
    assert done.removed["people disagree"] == 1
    held = {one["sample_id"]: one["labels"] for one in rows(run.folder / "data" / "lines.jsonl")}
    assert mine[0] not in held
    assert held[mine[1]] == {"correctness": 1.0}


def test_what_cannot_be_exported_is_said(run):
    with pytest.raises(InputError, match="no such judge; there is judge"):
        ms.export_finetune("data", judge="strict")
    with pytest.raises(InputError, match="no such measure; there is none"):
        ms.export_finetune("data", measure="exact_match")
    with pytest.raises(InputError, match="no such candidate; there is cand, floor"):
        ms.export_finetune("data", candidates=["large"])
    with pytest.raises(InputError, match=r"none of 60 answers is left.*low score"):
        ms.export_finetune("data", min_score=2)
    assert not (run.folder / "data").exists()
    (run.folder / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        ms.export_finetune("file")
    ms.purge(ms.open_run().id)
    with pytest.raises(InputError, match="its texts are gone"):
        ms.export_finetune("data")


def test_a_score_is_needed_where_nobody_gave_one(desk):
    desk.exam["judges"] = []
    desk.run()
    assert sum(ms.export_finetune("data").lines.values()) > 0
    with pytest.raises(InputError, match="neither a judge nor a measure"):
        ms.export_finetune("other", min_score=1)
