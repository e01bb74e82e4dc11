"""`markscheme compare --gate`: which runs are the baseline, what confirms an alarm, exit codes and files."""

import json
import shutil
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

LINE = {"judge": "judge", "measure": "correctness", "margin": 0.2, "margin_min": 0.1}


@pytest.fixture
def nights(desk):
    """Forty questions; `desk.exam` may be changed between nights."""
    desk.samples(40)
    return desk


def night(desk, *words):
    return desk.run("--fresh", *words)["run"]


def gate(desk, *words, code=0, **changes):
    """What the gate says of the run and baseline in ``words``, options after them."""
    path = desk.folder / "gate.yaml"
    path.write_text(yaml.safe_dump({"exam": "exam.yaml", "measures": [LINE], **changes}))
    found, out, err = desk.command("compare", *words, "--gate", str(path), "--json")
    assert found == code, err + out
    return json.loads(out.splitlines()[-1]) if out else err


def plant(desk, mock):
    """A change of the prompt after which the candidate knows less."""
    desk.exam["candidates"][0]["params"] = {"top_p": 0.9}
    mock.configure({"correct_rate": 0.3})


def test_an_unchanged_model_is_held_against_its_last_three_fresh_runs(nights):
    runs = [night(nights) for _ in range(5)]
    said = gate(nights, "latest")
    assert (said["run"], said["baseline"]) == (runs[4], [runs[3], runs[2], runs[1]])
    assert said["verdict"] == "pass"


def test_a_change_is_held_against_the_configuration_before_it_until_it_has_runs_of_its_own(nights, mock):
    old = [night(nights) for _ in range(3)]
    plant(nights, mock)
    new = []
    for _ in range(3):
        new.append(night(nights))
        said = gate(nights, "latest", code=1)
        assert sorted(said["baseline"]) == sorted(old)
        assert "the baseline is of the configuration before the present one" in said["notes"]
    new.append(night(nights))
    assert sorted(gate(nights, "latest")["baseline"]) == sorted(new[:3])


def test_a_pool_that_is_not_full_says_so(nights):
    first = night(nights)
    night(nights)
    said = gate(nights, "latest")
    assert said["baseline"] == [first]
    assert "the pool holds 1 of the 3 runs that the gate asks for" in said["notes"]


def test_replies_of_the_new_run_are_no_baseline(nights):
    nights.run()
    nights.exam["concurrency"] = 3
    reused = nights.run()["run"]
    assert "is older than" in gate(nights, reused, code=2)
    fresh = night(nights)
    assert gate(nights, fresh)["baseline"] == [reused]


def test_a_run_that_re_used_answers_shares_them_with_its_baseline(nights):
    nights.run()
    again = nights.run("--reuse", "answers")["run"]
    assert "make the new run with --fresh" in gate(nights, again, code=2)


def test_an_alarm_without_a_second_run_ends_with_1_and_says_what_to_do(nights, mock):
    night(nights)
    plant(nights, mock)
    first = night(nights)
    said = gate(nights, first, code=1)
    assert (said["verdict"], said["second"], said["lines"][0]["confirmed"]) == ("alarm", "", None)
    assert "--confirm" in said["lines"][0]["why"]


def test_a_stored_second_run_confirms_an_alarm(nights, mock):
    night(nights)
    plant(nights, mock)
    first, second = night(nights), night(nights)
    said = gate(nights, first, code=1)
    assert (said["verdict"], said["second"], said["lines"][0]["confirmed"]) == ("regression", second, True)


def test_an_alarm_of_the_night_before_confirms_that_of_tonight(nights, mock):
    night(nights)
    plant(nights, mock)
    first, second = night(nights), night(nights)
    said = gate(nights, second, code=1)
    assert (said["verdict"], said["second"]) == ("regression", first)


def test_a_run_of_the_baseline_confirms_nothing(nights, mock):
    for _ in range(3):
        night(nights)
    mock.configure({"correct_rate": 0.3})
    said = gate(nights, night(nights), code=1)
    assert (said["verdict"], said["second"]) == ("alarm", "")


def test_a_second_run_that_knows_the_answers_again_leaves_the_alarm_open(nights, mock):
    night(nights)
    plant(nights, mock)
    first = night(nights)
    mock.configure({})
    second = night(nights)
    said = gate(nights, first, code=4, on_inconclusive="fail")
    assert (said["verdict"], said["second"], said["lines"][0]["confirmed"]) == ("inconclusive", second, False)


def test_confirm_makes_the_second_run_only_where_it_alarms(nights, mock):
    night(nights)
    assert gate(nights, night(nights), "--confirm")["second"] == ""
    plant(nights, mock)
    first = night(nights)
    said = gate(nights, first, "--confirm", code=1)
    assert (said["verdict"], said["lines"][0]["confirmed"]) == ("regression", True)
    assert said["second"] not in ("", first)
    assert gate(nights, first, "--confirm", code=1)["second"] == said["second"]
    assert len(json.loads(nights.command("store", "runs", "--json")[1])["runs"]) == 4


def test_confirm_refuses_an_exam_that_has_changed_before_it_calls_anybody(nights, mock):
    night(nights)
    plant(nights, mock)
    first = night(nights)
    nights.exam["candidates"][0]["params"] = {"top_p": 0.1}
    nights.save()
    runs = json.loads(nights.command("store", "runs", "--json")[1])["runs"]
    assert "is not what run" in gate(nights, first, "--confirm", code=2)
    assert json.loads(nights.command("store", "runs", "--json")[1])["runs"] == runs


def test_confirm_keeps_to_the_samples_of_the_run(nights, mock):
    night(nights, "--limit", "30")
    plant(nights, mock)
    first = night(nights, "--limit", "30")
    said = gate(nights, first, "--confirm", code=1)
    assert said["verdict"] == "regression"
    assert said["lines"][0]["samples"] == 30, str(said["comparison"])[:6000]


def test_every_alarm_counts_where_the_gate_does_not_confirm(nights, mock):
    old = night(nights)
    plant(nights, mock)
    said = gate(nights, night(nights), old, code=1, confirm=False)
    assert said["verdict"] == "regression"


def test_the_baseline_of_the_gate_may_be_a_name(nights):
    old = night(nights, "--name", "release")
    for _ in range(3):
        last = night(nights)
    assert gate(nights, last, baseline={"run": "release"})["baseline"] == [old]


def test_files_hold_the_verdict(nights, mock, tmp_path):
    old = night(nights)
    plant(nights, mock)
    words = ("--junit", str(tmp_path / "out" / "junit.xml"), "--summary", str(tmp_path / "out" / "gate.md"))
    gate(nights, night(nights), old, *words, code=1, confirm=False)
    root = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()
    assert root.get("failures") == "1"
    first = (tmp_path / "out" / "gate.md").read_text().splitlines()[0]
    assert first == "**Gate: REGRESSION (1 line: 1 regression)**"


def test_a_person_reads_the_verdict_first(nights):
    old = night(nights)
    new = night(nights)
    path = nights.folder / "gate.yaml"
    path.write_text(yaml.safe_dump({"measures": [LINE]}))
    code, out, _ = nights.command("compare", new, old, "--gate", str(path))
    assert code == 0
    assert out.splitlines()[:2] == ["Gate: PASS (1 line: 1 pass)", f"run {new} against run {old}"]


@pytest.mark.parametrize("option", [("--junit", "x.xml"), ("--summary", "x.md"), ("--confirm",)])
def test_options_of_a_gate_need_one(nights, option):
    code, _, err = nights.command("compare", "latest", "latest", *option)
    assert code == 2
    assert "name its file with --gate" in err


def test_no_baseline_and_no_gate_is_a_mistake(nights):
    code, _, err = nights.command("compare", "latest")
    assert code == 2
    assert "BASELINE is missing" in err


def test_a_measure_that_nobody_took_is_named_with_its_line(nights):
    old, new = night(nights), night(nights)
    err = gate(nights, new, old, code=2, measures=[{"measure": "corectness", "margin": 1}])
    assert "gate.yaml:4 measures[0].measure: 'corectness' was not measured in both runs; did you mean" in err


def test_a_throw_away_machine_gates_bundles_without_a_workspace(nights, mock):
    for name in ("base", "new"):
        run = night(nights)
        assert nights.command("bundle", run, "-o", f"{name}.mks")[0] == 0
        plant(nights, mock)
    shutil.rmtree(nights.folder / ".markscheme")
    assert gate(nights, "new.mks", "base.mks", code=1)["verdict"] == "alarm"
    assert gate(nights, "new.mks", code=1, baseline={"run": "base.mks"})["verdict"] == "alarm"
    assert "holds no markscheme.db" in gate(nights, "new.mks", code=2)
