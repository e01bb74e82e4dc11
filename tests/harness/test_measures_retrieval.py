"""Golden values are trec_eval's (built from its source), or pytrec_eval's at run time."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markscheme.harness.errors import DataError, ExamError, InputError
from markscheme.harness.exam import exam_from_dict
from markscheme.harness.measures import parse
from markscheme.harness.measures.retrieval import RetrievalMeasure, dedupe, evaluate, parse_retrieval
from markscheme.harness.records import Answer, Retrieved, Said, Sample
from markscheme.harness.scoring import _rows

MEASURES = "P@{k} recall@{k} nDCG@{k} MRR@{k} RR AP AP@{k} hit@{k} R-precision unjudged@{k}"


def values(ranking, relevant, names):
    grades = relevant if isinstance(relevant, dict) else dict.fromkeys(relevant, 1)
    measures = [parse_retrieval(name) for name in names.split()]
    return evaluate({"q": grades}, {"q": list(ranking)}, measures).values[0].tolist()


@pytest.mark.parametrize("name", MEASURES.format(k=7).split())
def test_a_name_prints_as_it_is_written_and_is_read_in_any_case(name):
    assert str(parse_retrieval(name)) == name
    assert parse_retrieval(name.upper()) == parse_retrieval(name) == parse(name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nDCG", "'nDCG' needs a cutoff, as in nDCG@10"),
        ("P@", "'' is not a whole number of 1 or more, as in P@10"),
        ("P@0", "P@0: a cutoff is a whole number of 1 or more"),
        ("P@-1", "'-1' is not a whole number"),
        ("P@1.5", "'1.5' is not a whole number"),
        ("P@" + "9" * 5000, "is not a whole number"),
        ("RR@10", "RR has no cutoff; write MRR@k"),
        ("R-precision@5", "R-precision has no cutoff"),
        ("MAP", "no retrieval measure 'MAP'; write AP"),
        ("map_cut_10", "write AP@10"),
        ("precision_at_3", "write P@3"),
        ("hit_rate@5", "write hit@5"),
        ("ndcg_cut_20", "write nDCG@20"),
        ("F@5", "there are P@k, recall@k, nDCG@k, MRR@k, RR, AP, AP@k, hit@k, R-precision, unjudged@k"),
    ],
)
def test_a_name_that_cannot_be_says_what_to_write(name, says):
    with pytest.raises(InputError) as caught:
        parse(name)
    assert says in str(caught.value)


def test_other_unknown_measures_stay_what_they_are():
    with pytest.raises(InputError, match="there is no measure 'token_f2'"):
        parse("token_f2")
    with pytest.raises(InputError, match="there is no measure"):
        parse("regex('a@b'")


def test_golden_values_of_the_edge_cases():
    assert values("a", "abcde", "P@5 recall@5 nDCG@5") == pytest.approx([0.2, 0.2, 0.33916], abs=1e-5)
    assert values("xab", "abc", "P@3 recall@3 nDCG@3 AP RR") == pytest.approx(
        [2 / 3, 2 / 3, 0.530721, 0.388889, 0.5], abs=1e-6
    )
    assert values("ab", "abcd", "P@2 recall@2 nDCG@2") == [1.0, 0.5, 1.0]
    assert values("", "ab", "P@5 recall@5 nDCG@5 AP RR hit@5 R-precision unjudged@5") == [0.0] * 8
    assert values("bxa", {"a": 2, "b": 1, "c": 3}, "nDCG@3") == pytest.approx([0.420004], abs=1e-6)


def test_a_document_that_is_returned_twice_is_an_error_until_it_is_deduplicated():
    with pytest.raises(DataError, match=r"query 'q': the document 'a' is returned at rank 1 and again at rank 2"):
        values("aaa", "ab", "P@3")
    names = "P@3 recall@3 nDCG@3"
    assert values(dedupe("aaa"), "ab", names) == pytest.approx([1 / 3, 0.5, 0.613147], abs=1e-6)


def test_questions_without_an_answer_stand_apart_and_enter_no_mean():
    judgments = {"q": {"a": 1}, "judged": {"a": 0}, "bare": {}, "unrun": {}}
    p, unjudged = parse_retrieval("P@1"), parse_retrieval("unjudged@2")
    found = evaluate(judgments, {"q": ["a"], "judged": ["a", "x"], "bare": []}, [p, unjudged])
    assert found.queries == ("q", "judged", "bare", "unrun")
    assert found.no_answer == ("judged", "bare", "unrun")
    assert found.means() == {p: 1.0, unjudged: 0.0}
    assert math.isnan(found.values[1, 0])
    assert found.values[1, 1] == 0.5
    assert found.returned_nothing == ("bare",)
    assert found.correctly_empty == pytest.approx(1 / 3)


def test_a_query_without_a_ranking_is_scored_zero_and_counted_and_one_without_judgments_left_out():
    measure = parse_retrieval("P@1")
    found = evaluate({"a": {"x": 1}, "b": {"x": 1}}, {"a": ["x"], "c": ["x"]}, [measure])
    assert (found.missing, found.unknown) == (("b",), ("c",))
    assert found.column(measure).tolist() == [1.0, 0.0]
    assert found.means() == {measure: 0.5}


def test_without_any_answerable_query_there_is_no_mean():
    measure = parse_retrieval("AP")
    assert evaluate({}, {}, [measure]).means() == {measure: None}
    assert evaluate({"q": {}}, {"q": ["a"]}, [measure]).means() == {measure: None}
    assert evaluate({"q": {"a": 1}}, {}, [measure]).correctly_empty is None


def test_a_negative_grade_means_not_judged_and_gains_nothing():
    assert values("abc", {"a": -1, "b": 2, "c": 0}, "P@3 nDCG@3 unjudged@3") == pytest.approx(
        [1 / 3, 0.63093, 1 / 3], abs=1e-5
    )


def test_every_measure_is_in_the_order_that_was_asked_for():
    names = MEASURES.format(k=3)
    together = values("xabyc", "abd", names)
    assert together == [values("xabyc", "abd", name)[0] for name in names.split()]


def test_a_query_scores_the_same_alone_and_among_others_empty_ones_included():
    judgments = {"a": {"x": 1, "y": 3}, "b": {}, "c": {"x": 2}, "d": {"z": 0}, "e": {"z": 1, "x": 1}}
    rankings = {"a": ["y", "z", "x"], "b": ["x"], "c": [], "d": [], "e": ["x", "q", "z"]}
    measures = [parse_retrieval(name) for name in MEASURES.format(k=2).split()]
    together = evaluate(judgments, rankings, measures).values
    alone = [evaluate({q: judgments[q]}, {q: rankings[q]}, measures).values[0] for q in judgments]
    assert np.array_equal(together, np.array(alone), equal_nan=True)


DOCUMENTS = [f"d{i}" for i in range(12)]
JUDGMENTS = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(-2, 4), min_size=1)
RANKING = st.lists(st.sampled_from(DOCUMENTS), unique=True, min_size=1)
QUERIES = st.lists(st.tuples(JUDGMENTS, RANKING), min_size=1, max_size=6)


@settings(deadline=None, max_examples=300)
@given(QUERIES, st.integers(1, 15))
def test_random_runs_score_as_pytrec_eval_scores_them(queries, k):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    judgments = {str(i): judged for i, (judged, _) in enumerate(queries)}
    rankings = {str(i): ranking for i, (_, ranking) in enumerate(queries)}
    names = {
        f"P@{k}": f"P_{k}",
        f"recall@{k}": f"recall_{k}",
        f"nDCG@{k}": f"ndcg_cut_{k}",
        f"AP@{k}": f"map_cut_{k}",
        f"hit@{k}": f"success_{k}",
        "RR": "recip_rank",
        "AP": "map",
        "R-precision": "Rprec",
    }
    # pytrec_eval indexes its table of levels by the highest grade, which must not be negative
    theirs = {q: {**judged, "unseen": 0} for q, judged in judgments.items()}
    oracle = pytrec_eval.RelevanceEvaluator(theirs, {name.replace(f"_{k}", f".{k}") for name in names.values()})
    scores = {q: {d: float(-rank) for rank, d in enumerate(ranking)} for q, ranking in rankings.items()}
    expected = oracle.evaluate(scores)
    found = evaluate(judgments, rankings, [parse_retrieval(name) for name in names])
    for row, query in enumerate(found.queries):
        oracle_row = [expected[query][name] for name in names.values()]
        if query in found.no_answer:
            assert oracle_row == [0.0] * len(names)
        else:
            assert found.values[row].tolist() == pytest.approx(oracle_row, abs=1e-6)


@given(JUDGMENTS, RANKING, st.integers(1, 15))
def test_mrr_is_rr_of_the_ranking_cut_at_k(judged, ranking, k):
    assert str(values(ranking, judged, f"MRR@{k}")) == str(values(ranking[:k], judged, "RR"))


def passages(*ids):
    return Said("…", retrieved=tuple(Retrieved("text", passage) for passage in ids))


def test_an_answers_passages_are_scored_at_document_level():
    sample = Sample("s", "?", relevant={"a": 1, "b": 1})
    assert parse("recall@5").score(sample, passages("x", "a", "a")) == (0.5, "")
    assert parse("RR").score(sample, passages("x", "a", "a")) == (0.5, "")
    assert parse("P@2").score(sample, passages("a", "a", "b")) == (1.0, "")
    assert parse("recall@5").score(sample, passages()) == (0.0, "")


def test_what_cannot_be_scored_has_no_value_and_says_why():
    sample = Sample("s", "?", relevant={"a": 1})
    assert parse("P@1").score(Sample("s", "?", relevant={"a": 0}), passages("a"))[0] is None
    assert parse("P@1").score(sample, passages("")) == (None, "a retrieved passage has no id")


def test_other_passages_under_the_same_words_are_scored_anew():
    sample, measure = Sample("s", "?", relevant={"a": 1}), parse("P@1")
    rows = [next(_rows(Answer("r", "s", "c", 0, passages(i)), sample, [measure], {})) for i in ("a", "b")]
    assert [row["value"] for row in rows] == [1.0, 0.0]
    assert rows[0]["fingerprint"] != rows[1]["fingerprint"]


def exam(tmp_path, **candidate):
    data = {"dataset": "docs_qa", "measures": ["nDCG@10"], "candidates": [{"name": "c", **candidate}]}
    return exam_from_dict(data, tmp_path, "e")


def test_an_exam_measures_retrieval_only_where_a_candidate_may_retrieve(tmp_path):
    with pytest.raises(ExamError, match=r"measures\[0\]: 'nDCG@10' measures what a candidate's retriever returned"):
        exam(tmp_path, model="baseline/lead")
    assert exam(tmp_path, model="python:my_app:answer").measures == ("nDCG@10",)


def test_reading_names_loads_no_numpy():
    code = "import sys; from markscheme.harness.measures import parse; parse('nDCG@10'); print('numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.home())
    assert ran.stdout.strip() == "False"


def test_measures_are_values():
    assert RetrievalMeasure("P", 5) == parse_retrieval("P@5")
    assert len({RetrievalMeasure("P", 5), parse_retrieval("p@5")}) == 1
    assert np.isfinite(values("ab", "a", "P@5")).all()


GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "retrieval-measures.md"


def edge_cases():
    rows = [line.strip("|").split("|") for line in GUIDE.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    return [[cell.strip() for cell in row] for row in rows if len(row) == 3][2:]


@pytest.mark.parametrize(("returned", "relevant", "scores"), edge_cases())
def test_the_edge_cases_of_the_guide_are_as_it_says(returned, relevant, scores):
    names, _, deduplicated = returned.partition(" with ")
    ranking = [] if names == "nothing" else names.split(", ")
    ranking = list(dedupe(ranking)) if deduplicated else ranking
    pairs = [] if relevant == "nothing" else [item.partition(": ")[::2] for item in relevant.split(", ")]
    grades = {document: int(grade or 1) for document, grade in pairs}
    if scores.startswith("an error"):
        with pytest.raises(DataError):
            evaluate({"q": grades}, {"q": ranking}, [])
    elif scores.startswith("in no mean"):
        found = evaluate({"q": grades}, {"q": ranking}, [parse_retrieval("RR")])
        assert found.means()[parse_retrieval("RR")] is None
        assert found.correctly_empty == float("not correctly" not in scores)
    else:
        said = [score.split() for score in scores.split(", ")]
        found = values(ranking, grades, " ".join(name for name, _ in said))
        assert [f"{value:.4f}" for value in found] == [value for _, value in said]
