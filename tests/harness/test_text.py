from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.candidates.baselines import NULL_ANSWER
from markscheme.harness.text import estimated_tokens, is_refusal, normalise, plain, sentences, words


def squad_normalise(text: str) -> str:
    """The official SQuAD v1.1 evaluation's normalisation, written as there: lower, punctuation, articles, spaces."""
    text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


@given(st.text(alphabet=string.printable))
def test_normalisation_equals_squads_on_ascii(text: str) -> None:
    assert normalise(text) == squad_normalise(text)


def test_typographic_punctuation_is_punctuation() -> None:
    assert normalise("“It’s” – so…") == normalise('"It\'s" - so...') == "its so"


def test_words_keep_order_and_multiplicity() -> None:
    assert words("The cat saw a cat.") == ["cat", "saw", "cat"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Kappa is 0.61. It falls.", ["Kappa is 0.61.", "It falls."]),
        ("See Fig. 3 by Dr. Smith, e.g. Here. End", ["See Fig. 3 by Dr. Smith, e.g. Here.", "End"]),
        ('He said "Yes." Then he left.', ['He said "Yes."', "Then he left."]),
        ("- first\n- second\n\nThird", ["- first", "- second", "Third"]),
        ("the U.S. Army moved", ["the U.S. Army moved"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text())
def test_sentences_lose_no_character_but_space(text: str) -> None:
    kept = "".join(sentences(text))
    assert Counter(re.sub(r"\s", "", kept)) == Counter(re.sub(r"\s", "", text))


def test_tokens_are_estimated_at_four_characters() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_plain_joins_text_parts_and_skips_images() -> None:
    parts = ({"type": "text", "text": "What"}, {"type": "image", "sha256": "0"}, {"type": "text", "text": "is it?"})
    assert plain(parts) == "What\nis it?"
    assert plain("as is") == "as is"


@pytest.mark.parametrize(
    "text",
    [
        NULL_ANSWER,
        "I don't know.",
        "I’m unable to provide that information.",
        "Unfortunately, I can't assist with that request.",
        "As an AI language model, I do not have opinions.",
        "The context does not contain the answer.",
        "There is not enough information to answer the question.",
        "I won't help with that.",
        "That would be against my guidelines.",
        "N/A",
    ],
)
def test_declining_is_a_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris",
        "I cannot stress enough how much kappa depends on prevalence.",
        "I can't help but admire the design: it is a t interval.",
        "I'm sorry to hear that. Restart the server.",
        "A refusal is counted when the model says that it cannot answer.",
        "I cannot give legal advice, but here is how the law reads. " + "It goes on at length. " * 30,
        "The answer is 4. " * 30 + "I cannot answer more.",
    ],
)
def test_answering_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)
