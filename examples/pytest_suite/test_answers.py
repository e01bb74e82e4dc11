"""Asserts an exam: the exam is sat once, whatever asks for it first. Run it with pytest."""

import pytest

pytestmark = pytest.mark.exam("exam.yaml")


def test_it_is_good_enough(grades):
    assert grades.mean("correctness", candidate="extractive").at_least(1.5)


def test_it_rarely_refuses(grades):
    assert grades.mean("refusal", candidate="extractive").at_most(0.1)


def test_it_is_not_worse_than_the_first_sentences(run):
    assert run.not_worse_than(run, margin=0.1, candidate="extractive=lead")


@pytest.mark.exam("exam.yaml", per_sample=True, candidate="extractive", pass_share=0.75)
def test_each_answer(sample, answer, grades):
    assert grades["correctness"] >= 1
    assert "I do not know" not in answer.text


def test_the_judge_knows_a_wrong_answer(judge):
    graded = judge("strict").grade(
        question="How long is the guarantee?",
        answer="Nobody can say.",
        reference="Two years from delivery.",
        context="The guarantee is two years from delivery.",
    )
    assert graded["correctness"] == 0
