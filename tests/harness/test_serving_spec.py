"""The exam's section serving: what can be said, and what is refused, with file, line and remedy."""

from __future__ import annotations

import pytest
import yaml
from markscheme.harness.errors import ExamError, InputError
from markscheme.harness.exam import load_exam
from markscheme.harness.serving.checks import chosen

CANDIDATES = [
    {"name": "plain", "model": "vllm/plain"},
    {"name": "rag", "model": "vllm/rag", "retriever": {"index": "bm25"}},
    {"name": "floor", "model": "baseline/extractive"},
    {"name": "app", "model": "http:http://localhost:1/ask", "request": {"body": {}}, "response": {"text": "$.a"}},
]


@pytest.fixture
def exam(tmp_path):
    (tmp_path / "samples.jsonl").write_text('{"id": "a", "question": "Why?"}\n')

    def load(serving, candidates=CANDIDATES):
        path = tmp_path / "exam.yaml"
        path.write_text(yaml.safe_dump({"dataset": "./samples.jsonl", "candidates": candidates, "serving": serving}))
        return load_exam(path)

    return load


def test_a_section_says_all_loads_and_lengths(exam):
    spec = exam(
        {
            "loads": [{"closed": [1, 2]}, {"constant": 2.5}, {"poisson": [2, 4]}, {"ramp": 8}],
            "output": 64,
            "requests": 100,
            "warm_up": {"requests": 5, "share": 0.2},
            "slo": {"ttft_s": 0.5},
            "limits": {"ttft_p95_s": 1},
        }
    ).serving
    assert [(load.shape, load.levels) for load in spec.loads] == [
        ("closed", (1, 2)),
        ("constant", (2.5,)),
        ("poisson", (2, 4)),
        ("ramp", (8,)),
    ]
    assert (spec.output_tokens, spec.warm(100), spec.warm(10), spec.most_requests) == (64, 20, 5, 100)


def test_what_is_left_out_is_what_the_methods_ask_for(exam):
    spec = exam({"loads": [{"closed": 1}]}).serving
    assert (spec.repeats, spec.most_requests, spec.prompts, spec.output_tokens) == (3, 200, "fresh", None)
    assert [spec.warm(sent) for sent in (50, 100, 300)] == [10, 10, 30], "10 requests or 10 %, whichever is more"


@pytest.mark.parametrize(
    ("serving", "said"),
    [
        ({}, "serving.loads: is missing; write a list of loads, like"),
        ({"loads": []}, "serving.loads: is an empty list"),
        ({"loads": [{}]}, r"serving.loads\[0\]: has no shape: one of closed, constant, poisson, ramp or trace"),
        ({"loads": [{"closed": 1, "poisson": 2}]}, "has closed and poisson; give each an entry of its own"),
        ({"loads": [{"closed": 1, "speed": 2}]}, r"speed: 2.0 has no effect without a trace"),
        ({"loads": [{"closed": [1, 2, 1]}]}, r"loads\[0\].closed: 1 stands there twice for closed"),
        ({"loads": [{"trace": "gone.csv"}]}, r"loads\[0\].trace: 'gone.csv': there is no such file"),
        ({"loads": [{"closed": [0]}]}, "0 is wrong: wanted at least 1"),
        ({"loads": [{"poisson": -1}]}, "wanted more than 0"),
        ({"loads": [{"closed": 1}], "requests": 9, "duration_s": 5}, "duration_s: 5.0 stands beside requests: 9"),
        ({"loads": [{"closed": 1}], "output": "long"}, "serving.output: 'long' is no length; write natural"),
        ({"loads": [{"closed": 1}], "output": 0}, "serving.output: 0 is no length"),
        (
            {"loads": [{"closed": [1, 64]}], "requests": 100},
            r"loads\[0\].closed: 64 users and 100 requests: 10 of them warm up and 63 cool down; write requests: 138",
        ),
        ({"loads": [{"closed": 1}], "candidates": ["plian"]}, r"'plian' is no candidate of this exam; did you mean"),
        ({"loads": [{"closed": 1}], "candidates": ["floor"]}, "'floor' is 'baseline/extractive', which no endpoint"),
        ({"loads": [{"closed": 1}], "candidates": ["app"]}, "'app' is 'http:.*', which no endpoint answers"),
        ({"loads": [{"closed": 1}], "contexts": [0, 3]}, r"serving.contexts: candidate 'plain' has no retriever"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_line_and_a_remedy(exam, serving, said):
    with pytest.raises(ExamError, match=said) as refused:
        exam(serving)
    assert "exam.yaml:" in str(refused.value)


def test_contexts_are_for_the_candidates_that_retrieve(exam):
    assert exam({"loads": [{"closed": 1}], "contexts": [0, 3], "candidates": ["rag"]}).serving.contexts == (0, 3)


def test_contexts_of_a_candidate_and_of_the_loads_are_not_both_lists(exam):
    several = [{**CANDIDATES[1], "contexts": [0, 3]}]
    with pytest.raises(ExamError, match="'rag' is listed with its contexts already, each is measured; leave this out"):
        exam({"loads": [{"closed": 1}], "contexts": [0, 3]}, several)
    found = exam({"loads": [{"closed": 1}], "candidates": ["rag"]}, several)
    assert [spec.name for spec in chosen(found.candidates, found.serving.candidates)] == ["rag-ctx0", "rag-ctx3"]


def test_all_that_have_a_wire_are_measured_unless_names_are_given(exam):
    found = exam({"loads": [{"closed": 1}]}).candidates
    assert [spec.name for spec in chosen(found, ())] == ["plain", "rag"]
    assert [spec.name for spec in chosen(found, ("rag",))] == ["rag"]
    with pytest.raises(InputError, match="no candidate of this exam is a model behind an endpoint"):
        chosen([spec for spec in found if spec.name == "floor"], ())


def test_quick_measures_each_cell_once_with_enough_requests_for_its_users(exam):
    spec = exam({"loads": [{"closed": [1, 16]}, {"poisson": 4}], "requests": 500, "repeats": 5}).serving.quick()
    assert (spec.repeats, spec.most_requests) == (1, 58)
    assert spec.warm(58) + 2 * 16 < 58
    timed = exam({"loads": [{"poisson": 4}], "duration_s": 60}).serving.quick()
    assert (timed.duration_s, timed.most_requests) == (10.0, None)
