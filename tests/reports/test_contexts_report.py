"""Answers from retrieved passages: what the report says of them, and that it says nothing where there are none."""

import json

import numpy as np
import pytest
from markscheme.reports.html import render_html
from markscheme.reports.markdown import render_markdown
from markscheme.reports.report import build_report
from synthetic import HOSTILE, Candidate, build

RETRIEVER = {"index": "exact", "embedder": {"model": "hashed/512"}, "chunker": "recursive", "size": 800, "overlap": 80}


def relevant(i):
    return {f"doc-{i}": 2, f"helps-{i}": 1}


def rag(contexts=(0, 1, 3, 9), found=lambda i, k: i % 2 == 0, rank=lambda i: 0, better=0.5, **changes):
    """A run of one model with several numbers of contexts; question i's document is found where ``found`` says."""
    candidates = tuple(
        Candidate(f"mini-ctx{k}", 1.0 + (better if k else 0.0), usd=0.001 * (k + 1), model="openai/mini")
        for k in contexts
    )
    data = build(**{"n": 40, "clusters": None, "candidates": candidates, "relevant": relevant, **changes})
    for entry, k in zip(data.info.config["candidates"], contexts, strict=True):
        entry |= {"contexts": k, "retriever": RETRIEVER}
    numbers = data.answers["sample_id"].str[2:].astype(int)
    ks = data.answers["candidate"].str.rpartition("-ctx")[2].astype(int)
    data.answers["retrieved"] = [
        json.dumps(passages(i, k, rank(i) if found(i, k) else None)) for i, k in zip(numbers, ks, strict=True)
    ]
    data.answers["prompt_tokens"] = 50.0 + 200 * ks
    return data


def passages(i, k, at):
    documents = [f"other-{i}-{j}" for j in range(k)]
    if at is not None and k:
        documents[min(at, k - 1)] = f"doc-{i}"
    return [{"id": f"{d}#0-800", "text": "x" * 800, "score": 1.0} for d in documents]


def lower_where_missed(data):
    """Composite grades of 0 where the document was not retrieved."""
    missed = {
        (s, c)
        for s, c, r in zip(*(data.answers[n] for n in ("sample_id", "candidate", "retrieved")), strict=True)
        if f'"doc-{int(s[2:])}#' not in r
    }
    places = zip(data.grades["sample_id"], data.grades["candidate"], strict=True)
    data.grades["score"] = [0.0 if place in missed else 3.0 for place in places]
    return data


def test_a_run_without_retrieved_passages_has_no_such_section():
    report = build_report(build())
    assert report.contexts is None
    assert "Answers by retrieved passages" not in render_html(report) + render_markdown(report)


def test_each_number_of_contexts_stands_with_quality_tokens_dollars_and_the_retrievers_measures():
    rows = build_report(rag()).contexts.rows
    assert [(row.contexts, row.family, row.passages, row.prompt_tokens) for row in rows] == [
        (0, "mini", 0, 50),
        (1, "mini", 1, 250),
        (3, "mini", 3, 650),
        (9, "mini", 9, 1850),
    ]
    assert [row.context_tokens for row in rows] == [0, 200, 600, 1800]
    assert rows[0].recall.value is None  # nothing was retrieved: not a recall of zero
    assert [row.hit.value for row in rows[1:]] == [0.5, 0.5, 0.5]
    assert [row.recall.value for row in rows[1:]] == [0.25, 0.25, 0.25]  # one of two relevant documents, half the time
    assert rows[1].ndcg.value == pytest.approx(0.5)  # the best document first, where it was found
    assert rows[2].ndcg.value == pytest.approx(0.5 * 2 / (2 + 1 / np.log2(3)))
    assert rows[3].usd_per_1000.value > 5 * rows[0].usd_per_1000.value
    assert all(row.quality.low < row.quality.value < row.quality.high for row in rows)


def test_the_gain_over_no_context_is_paired_and_divided_by_the_number_of_contexts():
    data = rag(measures=("exact_match", "refusal", "recall@5"))
    gains = build_report(data).contexts.gains
    assert [(g.measure, g.contexts) for g in gains] == [(m, k) for m in ("composite", "exact_match") for k in (1, 3, 9)]
    values = data.scores[data.scores["measure"] == "exact_match"].pivot(
        index="sample_id", columns="candidate", values="value"
    )
    nine = next(g for g in gains if g.measure == "exact_match" and g.contexts == 9)
    difference = values["mini-ctx9"] - values["mini-ctx0"]
    half = 2.0227 * difference.std() / 40**0.5
    assert nine.total.value == pytest.approx(difference.mean())
    assert (nine.total.low, nine.total.high) == pytest.approx(
        (difference.mean() - half, difference.mean() + half), abs=1e-3
    )
    assert nine.each.value == pytest.approx(nine.total.value / 9)
    assert nine.each.high == pytest.approx(nine.total.high / 9)


def test_without_a_candidate_that_shows_nothing_there_are_no_gains():
    assert build_report(rag(contexts=(1, 3))).contexts.gains == ()


def test_quality_is_split_by_whether_the_document_that_answers_was_retrieved():
    split = build_report(lower_where_missed(rag(contexts=(3,), found=lambda i, k: i < 30))).contexts.splits[0]
    assert (split.found.n, split.found.value, split.missed.n, split.missed.value) == (30, 3.0, 10, 0.0)
    assert split.lost == 1.0  # all that was lost was lost there


def test_a_document_that_only_helps_does_not_count_as_retrieved():
    data = rag(contexts=(3,), relevant=lambda i: {f"best-{i}": 2, f"doc-{i}": 1}, found=lambda i, k: True)
    split = build_report(data).contexts.splits[0]
    assert (split.found.n, split.missed.n) == (0, 40)


def test_quality_by_the_third_where_the_relevant_passage_stood():
    data = rag(contexts=(1, 3, 9), found=lambda i, k: True, rank=lambda i: i % 9)
    groups = build_report(data).contexts.places
    assert groups.labels == ("first", "middle", "last")
    assert [name for name, _ in groups.rows] == ["mini-ctx3", "mini-ctx9"]  # one passage has no place among others
    assert [e.n for e in dict(groups.rows)["mini-ctx9"]] == [15, 13, 12]
    assert [e.n for e in dict(groups.rows)["mini-ctx3"]] == [5, 5, 30]


def test_quality_by_length_of_the_context_counts_a_question_once_a_bucket():
    groups = build_report(rag(contexts=(0, 1, 3, 4, 9))).contexts.lengths
    assert groups.labels == ("up to 250", "501–1,000", "1,001–2,000")  # 200, 600 and 800, 1,800 tokens
    assert [(name, [e.n for e in found]) for name, found in groups.rows] == [("mini", [40, 40, 40])]


def test_questions_without_relevant_documents_show_quality_only():
    found = build_report(rag(relevant=lambda i: {})).contexts
    assert found.splits == () and found.places.rows == ()
    assert all(row.recall.value is None for row in found.rows)
    assert found.gains and found.lengths.rows


def test_a_failed_answer_counts_neither_as_retrieved_nor_as_missed():
    data = rag(contexts=(3,))
    data.answers.loc[:9, ["status", "owner", "retrieved"]] = ["timeout", "candidate", "[]"]
    split = build_report(data).contexts.splits[0]
    assert split.found.n + split.missed.n == 30


def test_passages_of_an_application_count_by_the_ids_of_documents():
    data = rag(contexts=(3,))
    data.info.config["candidates"][0] |= {"contexts": None, "retriever": None}
    data.answers["retrieved"] = data.answers["retrieved"].str.replace("#0-800", "")
    row = build_report(data).contexts.rows[0]
    assert (row.contexts, row.hit.value) == (None, 0.5)


def test_passages_without_ids_leave_the_retriever_unmeasured():
    data = rag(contexts=(3,))
    data.answers["retrieved"] = [
        json.dumps([{**p, "id": ""} for p in json.loads(text)]) for text in data.answers["retrieved"]
    ]
    found = build_report(data).contexts
    assert found.rows[0].hit.value is None and found.splits == ()


def test_retrievers_measures_are_never_what_candidates_are_ranked_by():
    report = build_report(rag(judges=(), measures=("recall@5", "token_f1")))
    assert report.quality == "token_f1"


def test_the_set_up_names_the_retriever_and_the_number_of_contexts():
    data = rag(contexts=(3,))
    items = dict(next(entry for entry in build_report(data).setup if entry.title.startswith("Candidate")).items)
    assert items["retriever"] == "index exact, embedder hashed/512, chunks recursive 800/80"
    assert items["contexts"] == "3"


def test_the_page_shows_tables_and_figures_and_trusts_no_name():
    data = rag()
    data.answers["candidate"] = data.answers["candidate"].str.replace("mini", HOSTILE[0])
    for table in (data.grades, data.calls):
        table.loc[:, "candidate" if "candidate" in table else "who"] = table[
            "candidate" if "candidate" in table else "who"
        ].str.replace("mini", HOSTILE[0])
    for entry in data.info.config["candidates"]:
        entry["name"] = entry["name"].replace("mini", HOSTILE[0])
    report = build_report(data)
    page, text = render_html(report), render_markdown(report)
    for heading in ("Answers by retrieved passages", "What each passage adds", "Did the retriever or the model fail?"):
        assert heading in page and heading.replace("?", "") in text
    assert page.count('class="curve curve0"') == 3
    assert "<script>window" not in page and "<img src=x" not in page
    assert "<img" not in text.replace("\\<", "")
