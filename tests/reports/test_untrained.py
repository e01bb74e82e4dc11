"""Samples that a model was trained on are refused, by id and by content."""

import re

import pytest
from markscheme.harness.errors import InputError
from markscheme.reports.serving.untrained import Learned, untrained
from regressions import run

DATA = run("r", {"tuned": [1.0] * 5, "large": [2.0] * 5})


def test_that_nothing_was_trained_on_is_said_with_numbers():
    lines = [Learned("train.jsonl:1", "other", "c77"), Learned("validation.jsonl:1", "more", "")]
    assert untrained(DATA, lines, "tuning") == "none of 5 samples was trained on (2 lines of tuning)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Learned("train.jsonl:12", "q3", "edited since"), "'q3' (train.jsonl:12)"),
        (Learned("validation.jsonl:4", "renamed", "c3"), "'q3' (validation.jsonl:4, there 'renamed')"),
    ],
    ids=["same id", "same content"],
)
def test_a_sample_that_was_trained_on_is_refused(line, said):
    message = (
        f"--trained-on 'tuning': 1 of 5 samples of run r was trained on: {said}. Run the exam on what was held out"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        untrained(DATA, [Learned("train.jsonl:1", "other"), line], "tuning")


def test_of_many_only_the_first_are_named():
    lines = [Learned(f"train.jsonl:{i + 1}", f"q{i}") for i in range(5)]
    with pytest.raises(InputError, match=r"'q0' \(train.jsonl:1\); .*'q2' \(train.jsonl:3\) and 2 more\. "):
        untrained(DATA, lines, "tuning")


def test_an_unknown_content_is_nobodys():
    assert untrained(DATA, [Learned("train.jsonl:1", "other", "")], "tuning")
