"""`markscheme gate plan`: from assumptions before the first run, from runs as soon as there are some."""

import json

import pytest
import yaml

LINE = {"judge": "judge", "measure": "correctness", "margin": 0.1, "margin_min": 0.05}


@pytest.fixture
def plan(desk):
    def planned(*words, code=0, as_json=True, **gate):
        desk.save()
        path = desk.folder / "gate.yaml"
        path.write_text(yaml.safe_dump({"measures": [LINE], **gate}))
        found, out, err = desk.command("gate", "plan", str(path), *words, *(["--json"] if as_json else []))
        assert found == code, err
        if code:
            return err
        return json.loads(out.splitlines()[-1]) if as_json else out

    planned.desk = desk
    return planned


def test_80_samples_pass_a_tenth_in_three_of_ten_nights_and_400_in_eight(plan):
    few = plan("--sd", "0.8", "--n", "80", baseline={"runs": 1})["lines"][0]
    assert few["passes"] == pytest.approx(0.29, abs=0.01)
    assert few["samples_needed"] == 396
    assert few["trials_needed"] == 5
    many = plan("--sd", "0.8", "--n", "400", baseline={"runs": 1})["lines"][0]
    assert many["passes"] == pytest.approx(0.80, abs=0.01)
    assert many["certifiable"] == pytest.approx(0.0995, abs=1e-3)


def test_a_pool_of_three_is_worth_a_third_less_variance(plan):
    one = plan("--sd", "0.8", "--n", "80", baseline={"runs": 1})["lines"][0]
    three = plan("--sd", "0.8", "--n", "80")["lines"][0]
    assert three["sd"] ** 2 == pytest.approx(one["sd"] ** 2 * (1 + 1 / 3) / 2)


def test_one_fixed_baseline_alarms_falsely_in_a_quarter_of_months(plan):
    found = plan("--sd", "0.8", "--n", "80")
    assert found["one_fixed"]["months"] == pytest.approx(0.25, abs=0.03)
    assert found["one_fixed"]["confirmed_months"] < 0.1
    assert plan("--sd", "0.8", "--n", "80", baseline={"run": "release"})["fixed"]


def test_without_a_run_the_samples_are_those_of_the_exam(plan):
    found = plan("--sd", "0.5", exam="exam.yaml")
    assert [(row["candidate"], row["samples"], row["known"]) for row in found["lines"]] == [("cand", 10, "assumed")]


def test_two_runs_tell_the_noise(plan, mock):
    desk = plan.desk
    desk.samples(40)
    runs = [desk.run("--fresh")["run"]]
    mock.configure({"correct_rate": 0.6})
    runs.append(desk.run("--fresh")["run"])
    found = plan(exam="exam.yaml")
    assert found["runs"] == [*reversed(runs)]
    row = found["lines"][0]
    assert (row["known"], row["samples"]) == ("runs", 40)
    answers = [
        desk.command("export", "grades", "--run", run, "--format", "jsonl", "--output", f"{run}.jsonl") for run in runs
    ]
    assert all(code == 0 for code, _, _ in answers)
    scores = [
        [json.loads(line)["score"] for line in (desk.folder / f"{run}.jsonl").read_text().splitlines()] for run in runs
    ]
    changed = sum(a != b for a, b in zip(*scores, strict=True)) / 40
    assert row["sd"] ** 2 == pytest.approx(changed / 2 * 4 / 3)


def test_one_run_with_one_trial_gives_an_upper_limit_and_says_so(plan):
    plan.desk.run("--fresh")
    assert plan()["lines"][0]["known"] == "scores"
    assert "at most: the spread of one run's scores" in plan(as_json=False)


def test_trials_tell_the_noise_of_one_run(plan):
    plan.desk.exam["candidates"][0]["trials"] = 2
    plan.desk.run("--fresh")
    row = plan()["lines"][0]
    assert (row["known"], row["trials"]) == ("trials", 2)


def test_a_model_without_any_noise_passes_everything_and_never_alarms(plan):
    plan.desk.run("--fresh")
    plan.desk.run("--fresh")
    found = plan()
    assert (found["lines"][0]["sd"], found["lines"][0]["passes"]) == (0, 1)
    assert found["false_alarms"]["per_month"] == 0


def test_the_page_says_how_many_samples_the_margin_takes(plan):
    said = plan("--sd", "0.8", "--n", "80", as_json=False)
    assert "the margin 0.10 takes 264 samples, or 4 trials of each answer (now 1)" in said
    assert "an unchanged model passes the margin 0.10 in 38 % of nights" in said


@pytest.mark.parametrize(
    ("words", "gate", "message"),
    [
        ((), {}, "holds no markscheme.db"),
        (("--sd", "much"), {}, "--sd 'much': write a number above 0"),
        (("--sd", "0.8"), {}, "exam: is missing, so the number of samples is unknown; write --n"),
        (("--sd", "x=0.8", "--n", "9"), {}, "--sd 'x': the gate has correctness"),
        (
            ("--sd", "1", "--n", "9"),
            {"measures": [{**LINE, "relative": True}]},
            "is a share of a mean that is not known",
        ),
    ],
)
def test_what_cannot_be_planned_says_what_is_missing(plan, words, gate, message):
    assert message in plan(*words, code=2, **gate)


def test_a_measure_that_the_run_does_not_have_is_named_with_its_line(plan):
    plan.desk.run()
    said = plan(code=2, measures=[{"measure": "correctnes", "margin": 1}])
    assert "gate.yaml:3 measures[0].measure: 'correctnes' was not measured in run" in said
    assert "did you mean 'correctness'" in said
