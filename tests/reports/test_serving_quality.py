"""Quality for an operating point comes from a graded run, by candidate and number of contexts."""

import dataclasses

import pytest
from markscheme.reports.serving.quality import quality_of
from synthetic import Candidate, Judge, build

STRICT = (Judge("strict"),)


def run(*contexts, judges=STRICT):
    names = ["mini" if k is None else f"mini-ctx{k}" for k in contexts]
    data = build(
        n=20, candidates=tuple(Candidate(n, 2.0 + i / 4, 0.5, 0.001) for i, n in enumerate(names)), judges=judges
    )
    described = [
        {**one, "contexts": k, "retriever": {"kind": "bm25"}} if k is not None else one
        for one, k in zip(data.info.config["candidates"], contexts, strict=True)
    ]
    info = dataclasses.replace(data.info, config={**data.info.config, "candidates": described})
    return dataclasses.replace(data, info=info)


def test_a_list_of_contexts_is_found_under_the_candidates_own_name():
    found = quality_of(run(0, 5))
    assert found["mini", 0] == found["mini-ctx0", None] == found["mini-ctx0", 0]
    assert found["mini", 5].value > found["mini", 0].value
    assert ("mini", None) not in found


def test_a_candidate_without_a_retriever_has_no_number_of_contexts():
    found = quality_of(run(None))
    assert set(found) == {("mini", None)}
    assert found["mini", None].value == pytest.approx(2.0, abs=0.5)
    assert found["mini", None].low is not None


def test_without_a_judge_nothing_says_how_good_answers_are():
    assert quality_of(run(None, judges=())) == {}
