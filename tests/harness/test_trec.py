"""Files of TREC and BEIR; trec_eval's own fixtures where MARKSCHEME_PUBLISHED_DATA has them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from markscheme.harness.data import load_dataset
from markscheme.harness.errors import DataError
from markscheme.harness.exam_specs import DatasetSpec
from markscheme.harness.measures.retrieval import evaluate, parse_retrieval
from markscheme.harness.measures.trec import read_qrels, read_run


def written(tmp_path, text, name="file.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_judgments_of_trec_and_of_beir_are_read(tmp_path):
    trec = written(tmp_path, "# a comment\n1 0 d1 1\n\n1 0 d2\t-1\n2  0  d1  0\n")
    assert read_qrels(trec) == {"1": {"d1": 1, "d2": -1}, "2": {"d1": 0}}
    header = "query-id\tcorpus-id\tscore\n"
    assert read_qrels(written(tmp_path, header + "q 1\td 1\t2\r\n")) == {"q 1": {"d 1": 2}}
    assert read_qrels(written(tmp_path, "q\td\t2\n")) == {"q": {"d": 2}}


def test_a_run_is_ordered_by_score_and_its_ranks_are_ignored(tmp_path):
    run = written(tmp_path, "1 Q0 low 1 0.5 me\n1 Q0 high 2 7 me\n2 Q0 x 1 -1e300 me\n2 Q0 y 1 inf me and more\n")
    assert read_run(run) == {"1": ["high", "low"], "2": ["y", "x"]}


def test_of_equal_scores_the_last_id_comes_first_and_equal_is_meant_in_single_precision(tmp_path):
    run = written(tmp_path, "1 Q0 a 1 1.00000001 me\n1 Q0 c 2 1.0 me\n1 Q0 b 3 1.0 me\n1 Q0 z 4 0.9999 me\n")
    assert read_run(run) == {"1": ["c", "b", "a", "z"]}


@pytest.mark.parametrize(
    ("reader", "text", "says"),
    [
        (read_qrels, "1 0 d1 1\n1 0 d1 2\n", ":2: the document 'd1' is judged twice for query '1'"),
        (read_qrels, "1 0 d1\n", ":1: has 3 columns and not 4; a line of judgments is"),
        (read_qrels, "1 0 d1 yes\n", ":1: the grade 'yes' is not a whole number"),
        (read_qrels, "q\td\t1\nq\td\n", ":2: has 2 columns and not 3"),
        (read_qrels, "", "holds no judgments"),
        (read_run, "1 Q0 d 1 1 me\n1 Q0 d 2 0 me\n", ":2: query '1' returns the document 'd' twice"),
        (read_run, "1 Q0 d 1 nan me\n", ":1: the score 'nan' is not a number"),
        (read_run, "1 Q0 d 1 high me\n", ":1: the score 'high' is not a number"),
        (read_run, "1 Q0 d 1 5\n", ":1: has 5 columns; a line of a run is"),
        (read_run, "\n", "holds no results"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(tmp_path, reader, text, says):
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        reader(path)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_a_file_that_is_not_there_or_not_utf8_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone: cannot be read: No such file"):
        read_qrels(tmp_path / "gone")
    (tmp_path / "latin").write_bytes(b"1 0 caf\xe9 1\n")
    with pytest.raises(DataError, match=r"latin:1: is not UTF-8"):
        read_qrels(tmp_path / "latin")


@pytest.fixture
def beir(tmp_path) -> Path:
    folder = tmp_path / "nfcorpus"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"q{i}", "text": f"what is {i}?", "metadata": {"url": "u"}} for i in range(4)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq3\td1\t2\nq1\td2\t0\nq1\td3\t-1\n")
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td1\t1\n")
    return folder


def samples(path):
    return load_dataset(DatasetSpec.model_validate({"path": path})).samples


def test_a_beir_folder_is_a_data_set_of_the_queries_that_its_test_split_judges(beir):
    first, second = samples(beir)
    assert (first.id, first.question, first.relevant, first.metadata) == ("q1", "what is 1?", {"d2": 0}, {"url": "u"})
    assert (second.id, second.relevant) == ("q3", {"d1": 2})


def test_another_split_is_named_by_its_file_and_an_only_one_is_taken(beir):
    assert [sample.id for sample in samples(beir / "qrels" / "dev.tsv")] == ["q0"]
    (beir / "qrels" / "test.tsv").unlink()
    assert [sample.id for sample in samples(beir)] == ["q0"]
    (beir / "qrels" / "train.tsv").write_text("q2\td1\t1\n")
    with pytest.raises(
        DataError, match=r"has dev\.tsv, train\.tsv and no test\.tsv; name the judgments.*qrels/dev\.tsv"
    ):
        samples(beir)


def test_a_judged_query_that_is_not_there_is_an_error(beir):
    (beir / "qrels" / "test.tsv").write_text("q1\td\t1\nq9\td\t1\n")
    with pytest.raises(DataError, match=r"1 judged queries, like 'q9', are not in queries\.jsonl"):
        samples(beir)


def test_a_mistake_in_a_beir_query_has_the_line_of_queries_jsonl(beir):
    (beir / "queries.jsonl").write_text('{"_id": "q1", "text": "a"}\n{"_id": "q3", "text": ""}\n')
    with pytest.raises(DataError, match=r"queries\.jsonl:2 question"):
        samples(beir)


NAMES = {
    "map": "AP",
    "recip_rank": "RR",
    "Rprec": "R-precision",
    "P_": "P@",
    "recall_": "recall@",
    "map_cut_": "AP@",
    "ndcg_cut_": "nDCG@",
    "success_": "hit@",
    "unj_": "unjudged@",
}


def published() -> Path:
    folder = Path(os.environ.get("MARKSCHEME_PUBLISHED_DATA", "")) / "trec_eval_fixtures"
    if not (folder / "out.test").is_file():
        pytest.skip("MARKSCHEME_PUBLISHED_DATA names no folder with trec_eval_fixtures")
    return folder


def printed(file: Path) -> dict[tuple[str, str], str]:
    """Our name and the query of each value that we measure, as trec_eval printed it."""
    found = {}
    for line in file.read_text().splitlines():
        theirs, query, value = line.split()
        stem = theirs.rstrip("0123456789")
        if stem in NAMES:
            found[NAMES[stem] + theirs.removeprefix(stem), query] = value
    return found


@pytest.mark.published
@pytest.mark.parametrize(
    ("output", "qrels", "run", "cut", "level"),
    [
        ("out.test", "qrels.test", "results.test", None, 1),
        ("out.test.a", "qrels.test", "results.test", None, 1),
        ("out.test.aq", "qrels.test", "results.test", None, 1),
        ("out.test.aqc", "qrels.test", "results.trunc", None, 1),
        ("out.test.aqcM", "qrels.test", "results.trunc", 100, 1),
        ("out.test.aql", "qrels.rel_level", "results.test", None, 2),
        ("out.test.meas_params", "qrels.test", "results.test", None, 1),
    ],
)
def test_trec_evals_own_fixtures_are_met_to_the_printed_digits(output, qrels, run, cut, level):
    """Flags of the file names: -c scores missing queries, -M cuts the rankings, -l counts grades from 2 as relevant."""
    folder = published()
    expected = printed(folder / output)
    if level > 1:  # the level is for counting only: nDCG's gains stay, so they are compared with the grades below
        expected = {key: value for key, value in expected.items() if not key[0].startswith("nDCG")}
    judgments = {
        query: {document: grade if grade >= level else min(grade, 0) for document, grade in grades.items()}
        for query, grades in read_qrels(folder / qrels).items()
    }
    rankings = {query: ranking[:cut] for query, ranking in read_run(folder / run).items()}
    measures = [parse_retrieval(name) for name in dict.fromkeys(name for name, _ in expected)]
    found = evaluate(judgments, rankings, measures)
    ours = {(str(m), q): found.values[i, j] for i, q in enumerate(found.queries) for j, m in enumerate(measures)}
    ours |= {(str(measure), "all"): mean for measure, mean in found.means().items()}
    assert len(expected) >= (12 if output == "out.test" else 8)
    assert {key: f"{ours[key]:.4f}" for key in expected} == expected


@pytest.mark.published
def test_graded_gains_are_trec_evals():
    folder = published()
    expected = {key: value for key, value in printed(folder / "out.test.aql").items() if key[0].startswith("nDCG")}
    measures = [parse_retrieval(name) for name in dict.fromkeys(name for name, _ in expected)]
    found = evaluate(read_qrels(folder / "qrels.rel_level"), read_run(folder / "results.test"), measures)
    ours = {(str(m), q): found.values[i, j] for i, q in enumerate(found.queries) for j, m in enumerate(measures)}
    ours |= {(str(measure), "all"): mean for measure, mean in found.means().items()}
    assert len(expected) == 36
    assert {key: f"{ours[key]:.4f}" for key in expected} == expected
