"""A gate on pass rates near 1, whose baseline is a pool: few losses say little, and must not pass."""

import numpy as np
import pytest
from gating import spec
from markscheme.reports.regression.compare import Options, compared
from markscheme.reports.regression.gate import gain_of, gated
from regressions import run, the

MARGIN = {"judge": "strict", "measure": "correctness", "margin": 0.05}


def against_a_pool(lost, gained=0):
    """60 answers of which some fail now, against three runs of which one failed elsewhere."""
    new, old = np.ones(60), np.ones(60)
    new[:lost] = 0
    old[60 - gained :] = 0
    pool = [run(f"old-{k}", {"mini": old if k == 0 else np.ones(60)}, scale=(0, 1)) for k in range(3)]
    return compared(run("new", {"mini": new}, scale=(0, 1)), pool, Options(worst=0))


@pytest.mark.parametrize(("lost", "gained"), [(1, 0), (1, 2)])
def test_one_loss_among_60_answers_does_not_pass_a_margin_of_5_points(lost, gained):
    line = gated(against_a_pool(lost, gained), spec(MARGIN)).lines[0]
    assert line.verdict == "inconclusive"
    assert line.n_needed > 60


def test_no_loss_among_60_answers_passes_a_margin_of_5_points():
    assert gated(against_a_pool(0), spec(MARGIN)).verdict == "pass"


def test_the_bound_of_a_measure_that_is_better_when_lower_is_of_its_rises():
    failing = [("mini", row) for row in range(3)]
    new = run("new", {"mini": np.ones(60)}, failed=failing)
    pool = [run(f"old-{k}", {"mini": np.ones(60)}, failed=[("mini", 59)] if k == 0 else ()) for k in range(3)]
    gain = gain_of(the(compared(new, pool, Options(worst=0)), "failures"))
    assert gain.value == pytest.approx(-(3 - 1 / 3) / 60)
    assert gain.lower < -0.1
