"""The exam on a real model server (llama.cpp) and a real database server (PostgreSQL)."""

import json

import pytest
import yaml

SERVER = pytest.mark.server


@pytest.fixture
def tiny_exam(desk, tiny_server):
    """Six questions on the tiny model, which counts the word `good`; it is its own judge."""
    desk.write_samples(
        [
            {"id": f"s{n}", "question": "grade: " + "good " * n + "answer is wrong", "reference": f"Score: {n}"}
            for n in (0, 1, 2, 3)
        ]
    )
    model = {"model": f"openai-compatible/{tiny_server.model}", "base_url": tiny_server.url}
    (desk.folder / "plain.j2").write_text("{{ question }}")
    desk.exam["candidates"] = [
        {"name": "tiny", **model, "prompt": "plain.j2", "params": {"temperature": 0, "max_tokens": 16}}
    ]
    desk.exam["judges"] = [
        {"name": "tiny-judge", **model, "rubric": "./rubric.yaml", "shots": 0, "params": {"temperature": 0}}
    ]
    desk.exam["measures"] = ["exact_match"]
    desk.exam["concurrency"] = 4
    return desk


@SERVER
def test_a_real_server_is_examined_with_streams_usage_and_schema(tiny_exam):
    result = tiny_exam.run()
    assert result["answers"] == {"ok": 4, "failed": 0}
    assert result["grades"] == {"ok": 4}, "llama.cpp's grammar makes every verdict readable"
    means = {row["measure"]: row["mean"] for row in result["summary"]}
    assert means["exact_match"] == 1.0
    _, out, _ = tiny_exam.command("export", "answers")
    for row in map(json.loads, out.splitlines()):
        assert row["text"] == f"Score: {row['sample_id'][1:]}"
        assert 0 < row["ttft_s"] <= row["e2e_s"]
        assert row["gap_p50_s"] >= 0, "chunks that arrive together have no gap between them"
        assert (row["prompt_tokens"] > 0, row["completion_tokens"] > 0) == (True, True)
        assert row["usage_estimated"] is False
        assert row["served_model"]
    assert tiny_exam.run()["calls"] == {"live": 0, "reused": 0}


@SERVER
def test_a_packaged_rubric_with_its_examples_fits_a_real_judge(tiny_exam):
    tiny_exam.exam["judges"][0] |= {"rubric": "docs_qa", "shots": 1}
    tiny_exam.write_samples([{**row, "context": "Count the word good."} for row in tiny_exam.read_samples()[:2]])
    assert tiny_exam.run()["grades"] == {"ok": 6}


@SERVER
def test_answers_of_a_real_server_are_the_same_streamed_or_not(tiny_exam):
    streamed = tiny_exam.run()
    tiny_exam.exam["candidates"][0]["stream"] = False
    whole = tiny_exam.run("--fresh")
    assert whole["run"] != streamed["run"]
    assert [row["mean"] for row in whole["summary"]] == [row["mean"] for row in streamed["summary"]]


@SERVER
def test_a_workspace_on_postgresql_does_what_a_folder_does(desk, mock, postgres_url):
    where = ["--workspace", postgres_url]
    first = desk.run(*where)
    assert (first["answers"], first["grades"]) == ({"ok": 10, "failed": 0}, {"ok": 10})
    assert desk.run(*where)["calls"] == {"live": 0, "reused": 0}
    assert not (desk.folder / ".markscheme").exists()
    desk.samples(12)
    assert desk.run(*where)["calls"]["live"] == 4
    _, out, _ = desk.command("export", "grades", *where)
    assert len(out.splitlines()) == 12
    code, out, err = desk.command("report", *where, "-o", str(desk.folder / "pages"))
    assert (code, (desk.folder / "pages" / "report.html").exists()) == (0, True), err
    password = postgres_url.split("@")[0].rsplit(":", 1)[-1]
    assert password not in (desk.folder / "pages" / "report.html").read_text() or not password.strip("/")


def test_prices_in_the_exam_become_dollars_in_the_summary_of_costs(desk, mock):
    price = {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}
    desk.exam["prices"] = {"openai-compatible/cand-1": price, "openai-compatible/judge-1": price}
    result = desk.run()
    stats = mock.stats()
    assert result["spent_usd"] == pytest.approx((stats["prompt_tokens"] + 2 * stats["completion_tokens"]) / 1e6)
    exam = yaml.safe_load(desk.save().read_text())
    del exam["prices"]
    desk.exam = exam
    assert desk.run("--fresh")["spent_usd"] is None
