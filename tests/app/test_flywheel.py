"""The example of the flywheel: the guide shows its files, and the rehearsal goes all the way without a model."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLYWHEEL = ROOT / "examples" / "flywheel"


def test_the_guide_shows_the_files_of_the_example():
    page = (ROOT / "docs" / "guide" / "flywheel.md").read_text()
    for name in ("stand_ins.py", "before.yaml", "after.yaml"):
        assert f"`{name}`:" in page
        assert (FLYWHEEL / name).read_text() in page


@pytest.mark.slow
def test_the_rehearsal_goes_from_the_gap_to_the_share_of_it_that_closed():
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(FLYWHEEL / "rehearse.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "planted-base is worse than planted-large by more than 0.1 points" in said
    assert re.search(r"None of (\d+) samples was trained on \(\d+ lines of tuning\)", said)
    assert re.search(r"\d+ % \[\d+ %, \d+ %\] of the gap to planted-large", said)
    assert done.stdout.endswith("planted: not a measurement of any model\n")
