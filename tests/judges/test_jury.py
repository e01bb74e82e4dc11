"""Juries: what several scores come to, when there is none, and which answers are graded again."""

import asyncio
import json
from random import Random

import numpy as np
import pytest
from markscheme.harness.exam import exam_from_dict
from markscheme.harness.models.scripted import ScriptedModel
from markscheme.harness.records import Answer, Call, Grade, Said, Sample, Scored, Unscored
from markscheme.harness.repeating import repeats_of
from markscheme.harness.statistics.repeats import decompose
from markscheme.judges.judge import RubricJudge, Settings
from markscheme.judges.jury import Jury, aggregated, together, verdict
from markscheme.judges.rubric import load_rubric


def scored(**scores):
    return {name: Scored(score, f"{name} says so") for name, score in scores.items()}


@pytest.mark.parametrize(
    ("how", "scores", "expected"),
    [
        ("mean", [0, 3, 3], 2.0),
        ("median", [0, 3, 3], 3.0),
        ("median", [1, 2], 1.5),
        ("majority", [0, 0, 3], 0.0),
        ("majority", [0, 3, 3, 0, 0], 0.0),
        ("majority", [0, 2, 3], 2.0),  # no level leads: the lower median
        ("majority", [0, 0, 3, 3], 0.0),
        ("majority", [0, 0, 1, 3, 3], 1.0),
        ("majority", [2], 2.0),
    ],
)
def test_scores_are_aggregated(how, scores, expected):
    assert aggregated(scores, how) == expected


def test_a_jury_says_what_each_member_gave_and_why():
    outcome = together(scored(a=3, b=2, c=2), "median")
    assert outcome.score == 2
    assert outcome.reasoning == "Median of 3 members.\na gave 3: a says so\nb gave 2: b says so\nc gave 2: c says so"


def test_long_reasons_are_cut_and_put_on_one_line():
    outcome = together({"a": Scored(1, "x\n" * 500), "b": Scored(1)}, "mean")
    first, second = outcome.reasoning.splitlines()[1:]
    assert len(first) < 220 and first.endswith("…") and second == "b gave 1"


def test_a_member_without_a_score_is_left_out_where_most_have_one():
    outcome = together({**scored(a=3, b=1), "c": Unscored("unparsable", "no verdict")}, "mean")
    assert outcome.score == 2
    assert outcome.reasoning.startswith("Mean of 2 of 3 members.")
    assert "c gave no score, unparsable: no verdict" in outcome.reasoning


def test_without_a_majority_of_scores_there_is_none():
    outcome = together({**scored(a=3), "b": Unscored("refused", "no")}, "median")
    assert outcome == Unscored("refused", "1 of 2 members gave no score (b refused: no)")


def test_not_applicable_is_only_what_all_the_others_say():
    gone = Unscored("not_applicable", "no passages")
    assert together({**scored(a=3), "b": gone, "c": gone}, "median").status == "not_applicable"
    mixed = together({"a": gone, "b": gone, "c": Unscored("unparsable", "?")}, "median")
    assert mixed.status == "unparsable"


def grade(judge, criterion, score, turn=0, calls=()):
    return Grade("r", "s", "cand", 0, judge, criterion, Scored(score), 0, turn, calls, f"{judge}-print")


def test_a_jury_judges_every_criterion_and_turn_and_points_at_all_calls_once():
    by_member = {
        "a": [grade("a", "x", 1, 1, ("k1",)), grade("a", "x", 3, 2, ("k2",))],
        "b": [grade("b", "x", 3, 1, ("k3",)), grade("b", "x", 3, 2, ("k1",))],
    }
    found = verdict(Jury("panel", ("a", "b"), "mean"), by_member)
    assert [(g.judge, g.turn, g.outcome.score, g.calls) for g in found] == [
        ("panel", 1, 2.0, ("k1", "k3")),
        ("panel", 2, 3.0, ("k2", "k1")),
    ]


def test_a_changed_grade_of_a_member_changes_the_fingerprint():
    jury = Jury("panel", ("a", "b"), "mean")
    one, same, other = (
        verdict(jury, {"a": [grade("a", "x", 1)], "b": [grade("b", "x", score)]})[0] for score in (2, 2, 3)
    )
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_a_share_of_the_samples_is_repeated_by_id_alone():
    ids = [f"q-{i}" for i in range(2000)]
    fifth = {one for one in ids if repeats_of(one, 3, 0.2) == 3}
    assert 330 < len(fifth) < 470
    assert fifth < {one for one in ids if repeats_of(one, 3, 0.5) == 3}
    assert {repeats_of(one, 3, 0.2) for one in ids} == {1, 3}
    assert {repeats_of(one, 3, 1.0) for one in ids} == {3}


def exam(tmp_path, *judges, members=("a", "b"), **panel):
    (tmp_path / "s.jsonl").write_text('{"id": "1", "question": "?"}\n')
    given = [
        {"name": "a", "model": "openai/m", "rubric": "docs_qa"},
        {"name": "b", "model": "openai/n", "rubric": "docs_qa"},
        *judges,
        {"name": "panel", "members": list(members), **panel},
    ]
    data = {"dataset": "s.jsonl", "candidates": [{"name": "c", "model": "baseline/lead"}], "judges": given}
    return exam_from_dict(data, tmp_path, "exam")


def test_a_jury_has_the_rubric_and_the_common_repeats_of_its_members(tmp_path):
    again = {"name": "c", "model": "openai/o", "rubric": "docs_qa", "repeats": 3, "repeat_share": 0.5, "shots": 0}
    panel = exam(tmp_path, again, {**again, "name": "d", "repeats": 2}, members=("c", "d")).judges[-1]
    assert (panel.rubric, panel.aggregate, panel.repeats, panel.repeat_share) == ("docs_qa", "median", 2, 0.5)


@pytest.mark.parametrize(
    ("judges", "panel", "message"),
    [
        ([], {"members": ("a",)}, "judges[2].members: only 'a': a jury has two members or more"),
        ([], {"members": ()}, "judges[2].members: is empty: a jury has two members or more"),
        ([], {"members": ("a", "a")}, "judges[2].members: 'a' stands there twice"),
        ([], {"members": ("a", "bb")}, "judges[2].members[1]: 'bb' is no judge of this exam; did you mean 'b'?"),
        ([], {"rubric": "docs_qa"}, "judges[2].rubric: has no effect on a jury"),
        ([], {"repeats": 2}, "judges[2].repeats: has no effect on a jury"),
        ([], {"aggregate": "mode"}, "judges[2].aggregate: 'mode'"),
        ([{"name": "j", "members": ["a", "b"]}], {"members": ("a", "j")}, "judges[3].members[1]: 'j' is a jury"),
        ([{"name": "o", "model": "openai/m", "rubric": "faithfulness"}], {"members": ("a", "o")},
         "judges[3].members[1]: 'o' has another rubric than 'a'"),
        ([{"name": "o", "model": "openai/m", "rubric": "docs_qa", "turns": "each"}], {"members": ("a", "o")},
         "judges[3].members[1]: 'o' has other turns than 'a'"),
        ([{"name": "e", "model": "embedded", "rubric": "docs_qa"},
          {"name": "f", "model": "embedded", "rubric": "docs_qa"}], {"members": ("e", "f")},
         "judges[4].members: all members are embedded"),
        ([{"name": "o", "model": "openai/m", "rubric": "docs_qa", "repeat_share": 0.5}], {},
         "judges[2].repeat_share: 0.5 has no effect without repeats"),
        ([{"name": "o", "model": "openai/m", "rubric": "docs_qa", "aggregate": "mean"}], {},
         "judges[2].aggregate: 'mean' has no effect without members"),
    ],
)  # fmt: skip
def test_what_no_jury_can_be_is_refused(tmp_path, judges, panel, message):
    with pytest.raises(Exception, match="judges") as caught:
        exam(tmp_path, *judges, **panel)
    assert message in str(caught.value)


def test_a_pairwise_judge_is_no_member(tmp_path):
    duel = {"name": "duel", "model": "openai/m", "rubric": "pairwise", "mode": "pairwise"}
    with pytest.raises(Exception, match="'duel' compares pairs; members grade one answer at a time"):
        exam(tmp_path, duel, members=("a", "duel"))


class Direct:
    """A caller that asks anew each time."""

    run, salt = "r", ""

    async def complete(self, model, request, draw):
        return Call("k", self.run, "judge", "j", model.name, await model.complete(request))


def fickle(name, chance):
    """A judge that gives what the answer says (0 or 3), and with a ``chance`` the other one."""
    random = Random(name)

    def reply(request):
        deserved = 3 if "GOOD" in str(request.messages[-1]["content"]) else 0
        said = {"reasoning": "so", "score": 3 - deserved if random.random() < chance else deserved}
        return json.dumps(dict.fromkeys(("correctness", "comprehensiveness", "readability"), said))

    return RubricJudge(name, load_rubric("docs_qa", 0), ScriptedModel(reply), Direct(), Settings(shots=0))


def graded(judges, n, repeats):
    """The grades on the first criterion by judge (n, repeats), and those of a jury of the judges."""
    jury = Jury("panel", tuple(judge.name for judge in judges), "median", repeats)

    async def all_of_it():
        found = []
        for i in range(n):
            sample = Sample(f"s{i}", "?", context=("c",), reference="r")
            answer = Answer("r", sample.id, "cand", 0, Said(f"{'GOOD' if i % 2 else 'BAD'} {i}"))
            for repeat in range(repeats):
                by_member = {judge.name: await judge.grade(sample, answer, repeat) for judge in judges}
                found.append({**by_member, "panel": verdict(jury, by_member)})
        return found

    rows = asyncio.run(all_of_it())
    return {
        name: np.array([row[name][0].outcome.score for row in rows]).reshape(n, repeats)
        for name in (*jury.members, "panel")
    }


def test_the_noise_of_a_scripted_model_is_recovered_and_a_jury_has_less_of_it():
    scores = graded([fickle(name, 0.2) for name in "abc"], 200, 4)
    found = {name: decompose(table) for name, table in scores.items()}
    # Two gradings differ with chance 2pq; the variance of one is 9pq. Two of three err with chance 3p^2 - 2p^3.
    for name in "abc":
        assert found[name].pair_flip_rate.value == pytest.approx(0.32, abs=0.05)
        assert found[name].within == pytest.approx(9 * 0.16, rel=0.15)
        assert found[name].flip_rate.value == pytest.approx(1 - 0.8**4 - 0.2**4, abs=0.09)
    wrong = 3 * 0.2**2 - 2 * 0.2**3
    assert found["panel"].within == pytest.approx(9 * wrong * (1 - wrong), rel=0.2)
