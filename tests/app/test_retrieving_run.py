"""Candidates with a retriever in a whole run: what is asked, what is kept, and what a second run does not ask again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PLANETS = ("Mars", "Venus", "Saturn", "Jupiter", "Neptune", "Mercury", "Uranus", "Pluto")


@pytest.fixture
def rag(desk):
    """Eight questions, a document each, one candidate with 0, 1 and 3 contexts from BM25."""
    (desk.folder / "corpus").mkdir()
    for planet in PLANETS:
        (desk.folder / "corpus" / f"{planet}.md").write_text(f"# {planet}\n\n{planet} has a code word of its own.\n")
    desk.write_samples(
        [
            {
                "id": planet,
                "question": f"[[Q{n}]] Which code word has {planet}?",
                "reference": "x",
                "relevant": [planet],
            }
            for n, planet in enumerate(PLANETS)
        ]
    )
    desk.exam["candidates"][0] |= {"retriever": {"index": "bm25", "chunker": "document"}, "contexts": [0, 1, 3]}
    desk.exam["measures"] = ["recall@3", "hit@1", "contains"]
    return desk


def test_a_list_of_contexts_is_one_line_and_makes_a_leaderboard(rag):
    result = rag.run()
    assert result["answers"] == {"ok": 24, "failed": 0}
    assert result["calls"]["live"] == 24 + 8  # equal answers share one verdict
    means = {(row["candidate"], row["measure"]): row["mean"] for row in result["summary"]}
    assert means["cand-ctx1", "recall@3"] == means["cand-ctx3", "recall@3"] == means["cand-ctx3", "hit@1"] == 1.0
    assert means["cand-ctx0", "recall@3"] is None  # nobody looked: no value, and not 0


def test_the_passages_are_in_the_prompt_and_kept_with_the_answer(rag, mock):
    rag.run()
    code, out, _ = rag.command("export", "answers", "--format", "jsonl")
    assert code == 0
    rows = {(row["sample_id"], row["candidate"]): row for row in map(json.loads, out.splitlines())}
    kept = rows["Mars", "cand-ctx3"]["retrieved"]
    kept = json.loads(kept) if isinstance(kept, str) else kept
    assert kept[0]["id"].startswith("Mars#") and "Mars has a code word" in kept[0]["text"] and len(kept) == 3
    assert not json.loads(rows["Mars", "cand-ctx0"]["retrieved"] or "[]")


def test_a_second_run_retrieves_again_and_pays_for_nothing(rag):
    rag.run()
    assert rag.run()["calls"] == {"live": 0, "reused": 0}


def test_a_changed_document_asks_only_where_it_was_shown(rag):
    rag.exam["candidates"][0]["contexts"] = [0, 1]
    rag.run()
    (rag.folder / "corpus" / "Mars.md").write_text("# Mars\n\nMars has another code word now.\n")
    assert rag.run()["calls"]["live"] == 1  # one answer, of the same words


def test_a_plan_retrieves_nothing_and_knows_what_is_done(rag):
    code, out, _ = rag.command("run", str(rag.save()), "--plan", "--json")
    before = {row["name"]: row["calls"] for row in json.loads(out.splitlines()[-1])["rows"]}
    assert code == 0 and before["cand-ctx3"] == 8 and not (rag.folder / ".markscheme").exists()
    rag.run()
    _, out, _ = rag.command("run", str(rag.save()), "--plan", "--json")
    assert {row["name"]: row["calls"] for row in json.loads(out.splitlines()[-1])["rows"]}["cand-ctx3"] == 0


def test_relevant_documents_that_the_corpus_lacks_are_counted_in_a_note(rag):
    (rag.folder / "corpus" / "Mars.md").unlink()
    _, _, err = rag.command("run", str(rag.save()), "--no-report", "--quiet")
    assert "1 relevant documents are not in the corpus" in err and "'Mars'" in err


def test_a_retriever_without_a_corpus_says_where_one_is_looked_for(rag):
    (rag.folder / "corpus").rename(rag.folder / "elsewhere")
    code, _, err = rag.command("run", str(rag.save()), "--no-report", "--quiet")
    assert code == 2 and "names no corpus" in err and "corpus/" in err


def test_the_report_has_the_sections_on_passages(rag):
    rag.exam["candidates"][0]["contexts"] = [0, 1, 3]
    code, out, err = rag.command("run", str(rag.save()), "--json", "--quiet")
    assert code == 0, err
    page = Path(json.loads(out.splitlines()[-1])["report"]).read_text()
    for heading in ("Answers by retrieved passages", "What each passage adds", "Did the retriever or the model fail?"):
        assert heading in page


def test_embeddings_of_an_endpoint_are_paid_once_for_all_candidates(rag, mock):
    rag.exam["candidates"][0]["retriever"] = {
        "embedder": {"model": "openai-compatible/embed-1", "base_url": rag.url},
        "index": "exact",
        "chunker": "document",
    }
    live = rag.run()["calls"]["live"]
    assert live == 24 + 8 + 2  # one batch of documents, one of questions
    assert rag.run()["calls"]["live"] == 0
