"""Which samples, candidates and judges of two runs are compared: by content, and never silently fewer than all."""

import numpy as np
import pytest
from markscheme.harness.errors import InputError
from markscheme.reports.regression.compare import Options, compared
from markscheme.reports.regression.pairing import match_samples
from regressions import run, the

LEVELS = [0, 1, 2, 3, 1, 2, 0, 3, 2, 1]


def pair(new=LEVELS, old=LEVELS, **changes):
    return run("new", {"mini": new}, **changes), run("old", {"mini": old})


def test_samples_are_the_same_by_content_whatever_their_ids_and_order():
    new = run("new", {"mini": [0, 1, 2, 3]}, contents=["a", "b", "c", "d"], ids=["1", "2", "3", "4"])
    old = run("old", {"mini": [3, 2, 1, 0]}, contents=["d", "c", "b", "a"], ids=["1", "2", "3", "4"])
    found = the(compared(new, [old]))
    assert (found.estimate.value, found.ties) == (0.0, 4)


def test_the_same_id_with_other_content_is_another_sample():
    new, old = pair(contents=["other", *(f"c{i}" for i in range(1, 10))])
    with pytest.raises(InputError, match=r"1 same id, other content \(q0\); compare what both have with --intersec"):
        compared(new, [old])
    found = compared(new, [old], Options(intersection=True))
    assert found.pairing.n == the(found).estimate.n == 9
    assert found.pairing.left_out == {"same id, other content": 1}


def test_samples_of_one_side_are_named_by_side_and_counted_on_the_intersection():
    new = run("new", {"mini": LEVELS}, contents=[f"c{i}" for i in range(10)])
    old = run(
        "old", {"mini": LEVELS[:8]}, contents=[f"c{i}" for i in range(3, 11)], ids=[f"q{i}" for i in range(3, 11)]
    )
    with pytest.raises(InputError, match=r"3 only in the new run \(q0, q1, q2\); 1 only in the baseline \(q10\)"):
        compared(new, [old])
    found = compared(new, [old], Options(intersection=True))
    assert found.pairing.n == 7
    assert found.pairing.left_out == {"only in the new run": 3, "only in the baseline": 1}


def test_runs_without_a_common_sample_cannot_be_compared_at_all():
    new, old = pair(contents=[f"x{i}" for i in range(10)])
    with pytest.raises(InputError, match="no sample in common"):
        compared(new, [old], Options(intersection=True))


def test_samples_of_equal_content_are_paired_by_id_first_and_then_by_order():
    new = run("new", {"mini": LEVELS[:4]}, contents=["a", "a", "a", "b"], ids=["x", "y", "z", "b"])
    old = run("old", {"mini": LEVELS[:4]}, contents=["a", "b", "a", "a"], ids=["u", "b", "y", "v"])
    found = match_samples(new, [old])
    assert found.new.tolist() == [0, 1, 2, 3]
    assert found.old[0].tolist() == [0, 2, 3, 1]


def test_a_sample_counts_where_every_run_of_the_pool_has_it():
    new, first = pair()
    second = run("old-2", {"mini": LEVELS[:6]})
    found = compared(new, [first, second], Options(intersection=True))
    assert (found.pairing.n, found.pairing.left_out) == (6, {"only in the new run": 4})


def test_another_rubric_is_refused_by_name_or_left_out():
    new, old = pair(judge={"rubric": {"name": "docs_qa", "sha256": "ffff" * 16, "scale": [0, 3]}})
    with pytest.raises(InputError, match=r"'strict' has another rubric \(docs_qa ffffffff…; baseline docs_qa b71e"):
        compared(new, [old])
    found = compared(new, [old], Options(intersection=True))
    assert not [one for one in found.differences if one.subject.source]
    assert any("the judge strict has another rubric" in note for note in found.pairing.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "openai/gpt-4o-mini"}, r"model \('openai/gpt-4o-mini'; baseline 'openai/gpt-4o'\)"),
        ({"shots": 3}, r"shots \(3; baseline 1\)"),
        ({"params": {"temperature": 1}}, "params"),
    ],
)
def test_another_judge_of_the_same_name_is_refused_with_what_differs(change, words):
    new, old = pair(judge=change)
    with pytest.raises(InputError, match=f"the judge 'strict' has another {words}"):
        compared(new, [old])


def test_where_a_judge_is_served_does_not_make_it_another():
    new, old = pair(judge={"base_url": "http://elsewhere:8000/v1"})
    assert the(compared(new, [old])).estimate.n == 10


def test_prompts_that_a_bundle_left_out_are_not_compared():
    new, old = pair(judge={"prompt": "You grade answers."})
    assert the(compared(new, [old])).estimate.n == 10


def test_candidates_of_one_side_are_left_out_and_said():
    new = run("new", {"mini": LEVELS, "fresh": LEVELS})
    old = run("old", {"mini": LEVELS, "gone": LEVELS})
    found = compared(new, [old])
    assert found.pairs == (("mini", "mini"),)
    assert "only the new run has the candidate fresh: left out" in found.pairing.notes
    assert "only the baseline has the candidate gone: left out" in found.pairing.notes


def test_candidates_of_different_names_are_compared_when_asked():
    new, old = run("new", {"a": LEVELS}), run("old", {"b": np.zeros(10)})
    with pytest.raises(InputError, match=r"--candidate NEW=OLD \(new: a; baseline: b\)"):
        compared(new, [old])
    found = compared(new, [old], Options((("a", "b"),)))
    assert the(found, candidate="a").estimate.value == pytest.approx(1.5)


def test_a_run_is_compared_with_itself_only_between_two_candidates():
    both = run("new", {"a": LEVELS, "b": np.zeros(10)})
    with pytest.raises(InputError, match="is its own baseline"):
        compared(both, [both])
    with pytest.raises(InputError, match="name another"):
        compared(both, [both], Options((("a", "a"),)))
    found = compared(both, [both], Options((("a", "b"),)))
    assert the(found, candidate="a").estimate.value == pytest.approx(1.5)
    assert found.pairing.shared_replies == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((("nobody", "mini"),), r"--candidate 'nobody': run new has mini"),
        ((("mini", "nobody"),), r"--candidate 'nobody': the baseline old has mini"),
        ((("mini", "mini"), ("mini", "mini")), "named twice"),
    ],
)
def test_names_of_candidates_are_checked(asked, words):
    new, old = pair()
    with pytest.raises(InputError, match=words):
        compared(new, [old], Options(asked))


def test_a_baseline_named_twice_would_count_twice():
    new, old = pair()
    with pytest.raises(InputError, match="'old' is in the baseline twice"):
        compared(new, [old, old])


def test_shared_replies_are_counted_whoever_paid_for_them():
    new, old = run("new", {"mini": LEVELS}, reply_run="older"), run("old", {"mini": LEVELS}, reply_run="older")
    pairing = compared(new, [old]).pairing
    assert (pairing.shared_replies, pairing.answers) == (10, 10)


def test_fresh_replies_are_not_shared():
    new, old = pair()
    assert compared(new, [old]).pairing.shared_replies == 0


def test_a_reply_of_another_length_is_another_reply():
    new = run("new", {"mini": LEVELS}, reply_run="old", completion_tokens=51.0)
    assert compared(new, [run("old", {"mini": LEVELS})]).pairing.shared_replies == 0


def test_what_makes_no_call_shares_an_answer_when_it_says_the_same_words():
    new = run("new", {"mini": LEVELS}, n_calls=0, text="the same")
    assert compared(new, [run("old", {"mini": LEVELS}, n_calls=0, text="the same")]).pairing.shared_replies == 10
    assert compared(new, [run("old", {"mini": LEVELS}, n_calls=0, text="other")]).pairing.shared_replies == 0


def test_names_and_texts_may_come_as_categories():
    new, old = pair(reply_run="old")
    for data in (new, old):
        for table, names in ((data.answers, ["candidate", "reply_run", "text"]), (data.grades, ["judge", "candidate"])):
            table[names] = table[names].astype("category")
    found = compared(new, [old])
    assert (found.pairing.shared_replies, the(found).estimate.n) == (10, 10)
