"""`markscheme retrieve`: from an exam file to numbers and a page, again after a kill, and with a paid embedder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"
TOPICS = ("apples", "bridges", "comets", "deserts", "engines", "forests")


@pytest.fixture
def library(desk):
    """Six documents of a topic each, two questions about each, and a sweep over them without any paid call."""
    folder = desk.folder / "corpus"
    folder.mkdir()
    for topic in TOPICS:
        parts = [f"Part {n} is about {topic} and their {word}." for n, word in enumerate(("colour", "age", "price"))]
        (folder / f"{topic}.md").write_text("\n\n".join(parts))
    rows = [
        {"id": f"{topic}-{n}", "question": f"What is the {word} of {topic}?", "relevant": [topic], "cluster": topic}
        for topic in TOPICS
        for n, word in enumerate(("colour", "age"))
    ]
    desk.write_samples(rows)
    desk.exam = {
        "dataset": "./samples.jsonl",
        "retrieval": {"embedders": ["hashed/64"], "index": "exact", "sizes": [60, 200], "k": [1, 2], "tokens": [50]},
    }
    return desk


def retrieve(desk, *words, expect=0):
    """`markscheme retrieve exam.yaml --json`: the JSON object, or standard error where it fails."""
    code, out, err = desk.command("retrieve", str(desk.save()), "--json", *words)
    assert code == expect, err
    return json.loads(out.splitlines()[-1]) if out else {"stderr": err}


def mean(result, configuration, measure, **cut):
    (cell,) = [
        cell
        for cell in result["results"]
        if (cell["configuration"], cell["measure"]) == (configuration, measure)
        and all(cell[name] == value for name, value in cut.items())
    ]
    return cell["mean"]


def test_the_sweep_gives_every_measure_of_every_configuration_at_every_cut(library):
    result = retrieve(library)
    names = [c["name"] for c in result["configurations"]]
    assert names == [f"{r} · recursive {size}" for r in ("bm25", "hashed/64") for size in (60, 200)]
    assert len(result["results"]) == 4 * 3 * 5
    assert (result["questions"], result["no_answer"], result["baseline"]) == (12, 0, "bm25 · recursive 60")
    assert mean(result, "bm25 · recursive 60", "recall", k=1) == 1.0, "the words of each question are in one document"
    assert mean(result, "bm25 · recursive 60", "P", k=2) <= 1.0
    assert result["recommendation"]["tried"] == 4
    assert result["recommendation"]["chosen_on"] + result["recommendation"]["reported_on"] == 12
    assert all(c["index_s"] >= 0 and c["index_bytes"] > 0 and c["query_p50_s"] > 0 for c in result["configurations"])
    assert "<!doctype html>" in Path(result["report"]).read_text()


def test_nothing_is_done_twice_and_another_measure_reads_the_same_rankings(library):
    assert not any(c["reused"] for c in retrieve(library)["configurations"])
    library.exam["retrieval"] |= {"measure": "nDCG", "baseline": "hashed/64", "price_per_1000_tokens": 0.5}
    again = retrieve(library)
    assert all(c["reused"] for c in again["configurations"])
    assert again["measure"] == "nDCG"
    library.exam["retrieval"]["sizes"] = [60, 200, 90]
    assert [c["reused"] for c in retrieve(library)["configurations"]] == [True, True, False] * 2


def test_the_table_names_the_recommended_configuration_and_the_page(library):
    code, out, err = library.command("retrieve", str(library.save()))
    assert code == 0, err
    assert "bm25 · recursive 200" in out
    assert "on questions that did not choose it" in out
    assert "retrieval.html" in out
    assert "4/4 hashed/64 · recursive 200" in err


def test_relevance_for_unknown_documents_is_a_counted_note(library):
    rows = library.read_samples()
    rows[0]["relevant"] = ["apples", "atlantis"]
    library.write_samples(rows)
    result = retrieve(library)
    assert any("'atlantis' (sample 'apples-0')" in note for note in result["notes"])
    assert mean(result, "bm25 · recursive 60", "recall", k=1) == pytest.approx((11 + 0.5) / 12)


def test_questions_that_a_function_fails_on_score_zero_and_are_counted(library):
    (library.folder / "mine_fails.py").write_text(
        "def search(question, k):\n"
        "    if 'comets' in question:\n"
        "        raise ValueError('no comets')\n"
        "    return [question.split()[-1].rstrip('?')]\n"
    )
    library.exam["retrieval"] |= {"functions": ["python:mine_fails:search"], "bm25": False}
    result = retrieve(library)
    assert mean(result, "python:mine_fails:search", "recall", k=1) == pytest.approx(10 / 12)
    assert result["configurations"][-1]["missing"] == 2
    assert any("no ranking for 2 questions, scored 0" in note and "no comets" in note for note in result["notes"])


def test_marked_passages_are_what_recall_counts(library):
    rows = library.read_samples()
    for row in rows:
        topic, number = row["id"].rsplit("-", 1)
        word = ("colour", "age")[int(number)]
        row["passages"] = [{"document": topic, "quote": f"Part {number} is about {topic} and their {word}."}]
    library.write_samples(rows)
    result = retrieve(library)
    assert result["counts"] == "documents and marked passages"
    assert mean(result, "bm25 · recursive 200", "recall", k=1) == 1.0, "the whole document is one chunk"
    (library.folder / "samples.jsonl").write_text(
        (library.folder / "samples.jsonl").read_text().replace('"quote": "Part', '"quote": "Section')
    )
    lost = retrieve(library)
    assert any("12 marked passages are not in their document" in note for note in lost["notes"])
    assert mean(lost, "bm25 · recursive 200", "recall", k=1) == 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"retrieval": None, "candidates": [{"model": "baseline/lead"}]}, "has no section retrieval:"),
        ({"retrieval": {"corpus": "./nowhere"}}, "there is no such file"),
        ({"retrieval": {"corpus": "./empty"}}, "the corpus is empty"),
        ({"retrieval": {"embedders": ["nobody/embed"]}}, "nobody"),
    ],
)
def test_bad_input_is_named_with_its_remedy(library, change, said):
    (library.folder / "empty").mkdir()
    library.exam |= change
    assert said in retrieve(library, expect=2)["stderr"]


def test_running_an_exam_without_candidates_points_to_retrieve(library):
    code, _, err = library.command("run", str(library.save()))
    assert (code, "markscheme retrieve" in err) == (2, True)


def test_a_killed_sweep_goes_on_where_it_stopped(library):
    hold = library.folder / "hold"
    (library.folder / "mine_waits.py").write_text(
        "import pathlib, time\n"
        f"hold = pathlib.Path({str(hold)!r})\n"
        "def search(question):\n"
        "    while hold.exists():\n"
        "        time.sleep(0.01)\n"
        "    return ['apples']\n"
    )
    library.exam["retrieval"]["functions"] = ["python:mine_waits:search"]
    hold.touch()
    kept = library.folder / ".markscheme" / "retrieval" / "sweep"
    words = ["retrieve", str(library.save()), "--quiet"]
    child = subprocess.Popen([sys.executable, "-m", "markscheme.app.cli", *words], cwd=library.folder)
    try:
        deadline = time.monotonic() + 60
        while len(list(kept.glob("*.json"))) < 4 and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.05)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    hold.unlink()
    result = retrieve(library)
    assert [c["reused"] for c in result["configurations"]] == [True] * 4 + [False]


@pytest.fixture
def paid(library, mock):
    library.exam |= {
        "retrieval": {
            "embedders": [{"model": "openai-compatible/embed-1", "base_url": mock.url}],
            "index": "exact",
            "sizes": [60, 200],
            "k": [1, 2],
        },
        "prices": {"openai-compatible/embed-1": {"input_usd_per_million": 2.0, "output_usd_per_million": 0.0}},
    }
    return library


def calls_of(mock):
    return sum(kind["ok"] for kind in mock.stats()["kinds"].values())


def test_embeddings_are_paid_once_priced_and_timed_only_when_live(paid, mock):
    result = retrieve(paid)
    calls = calls_of(mock)
    first, second = result["configurations"][-2:]
    assert calls == 2 + 12, "a batch of chunks for each size, and each question once for both"
    assert first["cost_usd"] == pytest.approx(first["embedding_tokens"] * 2e-6)
    assert (first["query_p50_s"] > 0, second["query_p50_s"]) == (True, None)
    paid.exam["retrieval"]["k"] = [1, 3]
    assert not any(c["reused"] for c in retrieve(paid)["configurations"])
    assert calls_of(mock) == calls


def test_a_sweep_is_no_run_so_the_latest_run_stays_the_exam(paid):
    retrieve(paid)
    _, out, _ = paid.command("store", "runs", "--json")
    assert json.loads(out)["runs"] == []


def test_a_budget_stops_before_the_call_that_could_break_it(paid, mock):
    paid.exam["budget_usd"] = 0.0
    assert "budget" in retrieve(paid, expect=3)["stderr"]
    assert calls_of(mock) == 0


def test_the_example_compares_two_embedders_and_bm25_on_the_packaged_corpus(desk, capsys):
    code, out, err = desk.command("retrieve", str(EXAMPLES / "retrieval_docs_qa.yaml"), "--json", "--quiet")
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert len(result["configurations"]) == 9
    assert {c["retriever"] for c in result["configurations"]} == {"bm25", "hashed/512", "hashed/4096"}
    assert {cell["k"] for cell in result["results"]} == {1, 3, 5, 10, None}
    assert result["questions"] == 88
    assert result["notes"] == ["the largest k tried still pays (10, about 621 tokens): larger ones may, too"]
    written = yaml.safe_load((EXAMPLES / "retrieval_docs_qa.yaml").read_text())
    assert len(written["retrieval"]["sizes"]) == 3
