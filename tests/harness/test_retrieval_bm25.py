"""BM25 against its formula, written out, and the order of equal scores."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.retrieval.bm25 import Bm25Index, best, words

TEXTS = [
    "The judge reads the answer, and the judge grades it.",
    "A rubric has levels.",
    "The retriever reads nothing; the index does.",
    "levels levels levels",
]


def formula(question, texts, k1, b):
    """Robertson & Zaragoza 2009, one chunk and one word at a time."""
    said = [words(text) for text in texts]
    average = sum(map(len, said)) / len(said)
    scores = []
    for chunk in said:
        score = 0.0
        for word in words(question):
            having = sum(word in other for other in said)
            tf = chunk.count(word)
            idf = math.log(1 + (len(said) - having + 0.5) / (having + 0.5))
            score += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(chunk) / average)) if tf else 0
        scores.append(score)
    return scores


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.9, 0.4), (2.0, 0.0)])
@pytest.mark.parametrize("question", ["who reads the answer?", "levels of the rubric", "judge judge index"])
def test_scores_are_those_of_the_formula(question, k1, b):
    places, scores = Bm25Index.build(TEXTS, k1, b).search(question, 10)
    expected = formula(question, TEXTS, k1, b)
    assert scores.tolist() == pytest.approx([expected[place] for place in places], rel=1e-5)
    assert set(places.tolist()) == {place for place, score in enumerate(expected) if score > 0}
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)


def test_what_shares_no_word_is_not_returned():
    index = Bm25Index.build(TEXTS)
    assert index.search("zebra", 5)[0].tolist() == []
    assert index.search("rubric zebra", 5)[0].tolist() == [1]


def test_words_are_lower_case_and_compatibility_forms_are_one():
    assert words("The ＪＵＤＧＥ's ﬁle, №1") == ["the", "judge", "s", "file", "no1"]


def test_what_was_saved_answers_the_same(tmp_path):
    built = Bm25Index.build(TEXTS)
    built.save(tmp_path)
    loaded = Bm25Index.load(tmp_path)
    for question in ("the judge", "levels"):
        for one, other in zip(built.search(question, 3), loaded.search(question, 3), strict=True):
            assert one.tolist() == other.tolist()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(1, 45))
def test_the_best_are_those_of_a_full_stable_sort(values, k):
    scores = np.array(values, dtype=np.float32)
    order = sorted(range(len(values)), key=lambda place: -values[place])
    assert best(scores, k)[0].tolist() == order[:k]
    assert best(scores, k, floor=0.0)[0].tolist() == [place for place in order if values[place] > 0][:k]
