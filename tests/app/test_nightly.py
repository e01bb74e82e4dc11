"""The example of a nightly job: its own commands stop at a planted regression, and at nothing else."""

import os
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NIGHTLY = ROOT / "examples" / "nightly"


@pytest.fixture
def job(desk, monkeypatch):
    """Runs the commands of job.yml for a night; the exit code of the first that does not end with 0, else 0."""
    for name in ("assistant.py", "exam.yaml", "gate.yaml", "job.yml"):
        shutil.copy(NIGHTLY / name, desk.folder)
    steps = yaml.safe_load((NIGHTLY / "job.yml").read_text())["jobs"]["gate"]["steps"]
    commands = [shlex.split(step["run"]) for step in steps if step.get("run", "").startswith("markscheme")]

    def night(number, *, replace=None):
        monkeypatch.setenv("NIGHT", str(number))
        if replace:
            path = desk.folder / "exam.yaml"
            path.write_text(path.read_text().replace(*replace))
        for words in commands:
            if words[1] == "compare":
                monkeypatch.setenv("NIGHT", f"{number}b")  # the second run is another draw
            given = [word.replace("$GITHUB_STEP_SUMMARY", "summary.md") for word in words[1:]]
            night.code, night.out, night.err = desk.command(*given)
            if night.code:
                break
        return night.code

    night.folder, night.commands = desk.folder, commands
    sys.modules.pop("assistant", None)
    yield night
    sys.modules.pop("assistant", None)


def test_the_guide_shows_the_files_of_the_example():
    page = (ROOT / "docs" / "guide" / "gate.md").read_text()
    for name in ("assistant.py", "exam.yaml", "gate.yaml", "job.yml"):
        assert f"`{name}`:" in page
        assert (NIGHTLY / name).read_text() in page


def first_lines(job):
    return (job.folder / "summary.md").read_text().splitlines()[0]


@pytest.mark.slow
def test_noise_does_not_stop_the_job_and_a_planted_regression_ends_it_with_1(job):
    assert [words[:2] for words in job.commands] == [["markscheme", "run"], ["markscheme", "compare"]]
    assert job(1) == 2
    assert "run the exam with --fresh before a change and after it" in job.err
    for number in (2, 3, 4, 5):
        assert job(number) in (0, 4), job.out
    assert first_lines(job) == "**Gate: PASS (2 lines: 2 pass)**"
    assert job(6, replace=("assistant:answer", "assistant:answer_in_a_hurry")) == 1
    assert first_lines(job) == "**Gate: REGRESSION (2 lines: 2 regression)**"
    cases = list(ElementTree.parse(job.folder / "junit.xml").getroot().iter("testcase"))
    assert [case.find("failure").get("type") for case in cases] == ["regression", "regression"]


@pytest.mark.slow
def test_the_rehearsal_ends_with_1():
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(NIGHTLY / "rehearse.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "without a change: exit code 0" in done.stdout
    assert "with a regression: exit code 1" in done.stdout
