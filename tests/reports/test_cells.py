"""Measurements and cells: every expected value has a row, and what is missing has an owner."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from markscheme.harness.store.frames import MEASUREMENT_COLUMNS
from markscheme.reports.cells import score, summary
from markscheme.reports.measurements import OPERATIONS, measurements
from synthetic import Candidate, Judge, build


def composite(data, candidate="large", judge="strict"):
    return score(data).cells[candidate, judge, "composite"]


def replaced(data, **tables):
    return dataclasses.replace(data, **tables)


def grades_of(data, rows):
    """Replace the grades of ``data`` by (sample, criterion, turn, repeat, status, score)."""
    columns = data.grades.columns
    full = [
        (s, "", "large", 0, "strict", c, turn, repeat, status, v, "", "", "[]", "[]")
        for s, c, turn, repeat, status, v in rows
    ]
    return replaced(data, grades=pd.DataFrame(full, columns=columns))


def test_every_expected_value_has_a_row_with_the_columns_of_the_contract():
    data = build(n=7, measures=("exact_match",), candidates=(Candidate("a"), Candidate("b", trials=2)))
    table = measurements(data)
    assert tuple(table.columns) == MEASUREMENT_COLUMNS
    assert len(table) == 7 * 3 * (4 + 1 + len(OPERATIONS))
    assert (table["value"].isna() == (table["why"] != "")).all()


def test_a_missing_value_says_whose_fault_it_is_in_every_measure():
    failures = ("timeout", "rate_limited", "never")
    data = build(n=8, candidates=(Candidate("a", failures=failures, unscored=("unparsable",)),), measures=("token_f1",))
    table = measurements(data).set_index(["measure", "sample_id"])["why"]
    assert list(table["composite"][:5]) == [
        "candidate: timeout", "ours: rate_limited", "ours: not answered", "judge: unparsable", "",
    ]  # fmt: skip
    assert list(table["token_f1"][:4]) == ["candidate: timeout", "ours: rate_limited", "ours: not answered", ""]
    assert list(table["e2e_s"][:4]) == ["candidate: timeout", "ours: rate_limited", "ours: not answered", ""]


def test_reused_replies_and_unknown_prices_are_missing_never_zero():
    data = build(n=6, candidates=(Candidate("a", reused=4, usd=None),))
    table = measurements(data).set_index("measure")
    assert list(table.loc["e2e_s", "why"]) == ["", "", "reused", "reused", "reused", "reused"]
    assert table.loc["cost_usd", "value"].isna().all()
    assert set(table.loc["cost_usd", "why"]) == {"price unknown"}


def test_composite_is_the_weighted_mean_of_one_answer_after_repeats_then_turns():
    data = build(n=1, candidates=(Candidate("large"),))
    rows = [("q-0000", "comprehensiveness", 0, 0, "scored", 3.0), ("q-0000", "readability", 0, 0, "scored", 1.0)]
    turns = [(1, 0, 3.0), (1, 1, 1.0), (2, 0, 0.0)]  # turn 1: mean 2, turn 2: 0, so 1; pooled it would be 4/3
    rows += [("q-0000", "correctness", turn, repeat, "scored", v) for turn, repeat, v in turns]
    cell = composite(grades_of(data, rows))
    assert cell.mean == pytest.approx(0.6 * 1 + 0.2 * 3 + 0.2 * 1)


def test_a_turn_without_a_readable_verdict_leaves_the_answer_without_a_value():
    data = build(n=1, candidates=(Candidate("large"),), judges=(Judge(criteria=(("depth", 1.0),)),))
    first = ("q-0000", "depth", 1, 0, "scored", 3.0)

    def cell(*second):
        return score(grades_of(data, [first, *(("q-0000", "depth", 2, *rest) for rest in second)])).cells[
            "large", "strict", "depth"
        ]

    assert cell((0, "unparsable", np.nan)).mean is None
    assert cell((0, "unparsable", np.nan)).missing == {"judge: unparsable": 1}
    assert cell((0, "unparsable", np.nan), (1, "scored", 1.0)).mean == 2.0
    assert cell((0, "not_applicable", np.nan), (1, "error", np.nan)).missing == {"judge: error": 1}
    assert cell((0, "not_applicable", np.nan)).mean == 3.0


@pytest.mark.parametrize(("renormalise", "expected"), [(False, None), (True, (0.6 * 3 + 0.2 * 1) / 0.8)])
def test_composite_lets_a_criterion_drop_out_only_when_not_applicable_and_allowed(renormalise, expected):
    data = build(n=1, candidates=(Candidate("large"),), judges=(Judge(renormalise=renormalise),))
    rows = [("q-0000", c, 0, 0, "scored", v) for c, v in (("correctness", 3.0), ("readability", 1.0))]
    cell = composite(grades_of(data, [*rows, ("q-0000", "comprehensiveness", 0, 0, "not_applicable", np.nan)]))
    assert cell.mean == (pytest.approx(expected) if expected else None)
    unreadable = composite(grades_of(data, [*rows, ("q-0000", "comprehensiveness", 0, 0, "unparsable", np.nan)]))
    assert unreadable.mean is None
    assert unreadable.missing == {"judge: unparsable": 1}


def test_trials_are_averaged_within_a_sample_so_that_n_counts_samples():
    one = build(n=30, clusters=None, candidates=(Candidate("large", trials=4),))
    cell = composite(one)
    assert (cell.estimate.n, cell.n_expected) == (30, 120)
    assert cell.estimate.method == "t, df 29"


def test_own_failures_leave_the_mean_and_stand_beside_it_at_the_lowest_level():
    data = build(n=20, candidates=(Candidate("large", failures=("timeout", "truncated", "rate_limited")),))
    cell = composite(data)
    assert cell.estimate.n == 17
    assert cell.missing == {"candidate: timeout": 1, "candidate: truncated": 1, "ours: rate_limited": 1}
    assert cell.worst == pytest.approx(cell.mean * 17 / 19)
    assert composite(build(n=20, candidates=(Candidate("large", failures=("network",)),))).worst is None


def test_lowest_level_is_that_of_the_rubric_not_zero():
    data = build(n=20, candidates=(Candidate("large", failures=("timeout",)),), judges=(Judge(scale=(1, 5)),))
    cell = composite(data)
    assert cell.worst == pytest.approx((cell.mean * 19 + 1) / 20)


@pytest.mark.parametrize(("unreadable", "bounded"), [(1, False), (2, True)])
def test_above_one_percent_unreadable_verdicts_show_bounds(unreadable, bounded):
    data = build(n=120, candidates=(Candidate("large", unscored=("unparsable",) * unreadable),))
    cell = composite(data)
    assert (cell.bounds is not None) is bounded
    if bounded:
        assert cell.bounds == pytest.approx((cell.mean * 118 / 120, (cell.mean * 118 + 6) / 120))


def test_unreadable_repeats_widen_the_bounds_of_an_answer_that_has_a_value():
    data = build(n=2, candidates=(Candidate("large"),), judges=(Judge(criteria=(("depth", 1.0),)),))
    rows = [("q-0000", "depth", 0, 0, "scored", 2.0), ("q-0000", "depth", 0, 1, "unparsable", np.nan)]
    cell = score(grades_of(data, [*rows, ("q-0001", "depth", 0, 0, "scored", 3.0)])).cells["large", "strict", "depth"]
    assert (cell.mean, cell.missing) == (2.5, {})
    assert cell.bounds == ((2 / 2 + 3) / 2, ((2 + 3) / 2 + 3) / 2)


def test_bounds_of_a_composite_move_the_unreadable_criterion_only():
    data = build(n=1, candidates=(Candidate("large"),))
    rows = [("q-0000", c, 0, 0, "scored", 2.0) for c in ("correctness", "comprehensiveness")]
    cell = composite(grades_of(data, [*rows, ("q-0000", "readability", 0, 0, "unparsable", np.nan)]))
    assert cell.mean is None
    assert cell.bounds == pytest.approx((0.8 * 2, 0.8 * 2 + 0.2 * 3))


def test_transport_errors_and_not_applicable_are_not_unreadable():
    data = build(n=20, candidates=(Candidate("large", unscored=("error",) * 3 + ("not_applicable",) * 3),))
    assert composite(data).bounds is None


def test_clusters_reach_the_interval():
    data = build(n=40, clusters=20)
    assert "CR3 over 20 clusters" in composite(data).estimate.method
    assert composite(build(n=40, clusters=None)).estimate.method == "t, df 39"


def test_yes_no_measures_get_wilson_and_graded_ones_t():
    cells = score(build(n=40, clusters=None, measures=("exact_match", "token_f1", "python:m:f"))).cells
    assert cells["large", "", "exact_match"].estimate.method == "Wilson"
    assert cells["large", "", "token_f1"].estimate.method == "t, df 39"
    assert cells["large", "", "python:m:f"].estimate.method == "t, df 39"


def test_binary_rubric_gets_wilson():
    judge = Judge(scale=(0, 1), criteria=(("pass", 1.0),))
    cell = score(build(n=40, clusters=None, judges=(judge,))).cells["large", "strict", "pass"]
    assert cell.estimate.method == "Wilson"


def test_summary_has_the_composite_first_and_no_operations():
    data = build(measures=("exact_match",))
    table = summary(data)
    assert list(table.columns) == "candidate judge measure n mean low high method missing judge_only correction".split()
    assert list(table["measure"][:5]) == ["composite", "correctness", "comprehensiveness", "readability", "exact_match"]
    assert (table["low"] < table["mean"]).all()
    assert (table["mean"] < table["high"]).all()


def test_a_rubric_of_one_criterion_has_no_composite():
    table = summary(build(judges=(Judge(criteria=(("faithfulness", 1.0),)),)))
    assert list(table["measure"].unique()) == ["faithfulness"]


def test_a_run_that_answered_nothing_has_cells_without_a_mean():
    data = build(n=5, candidates=(Candidate("large", failures=("never",) * 5),))
    cell = composite(data)
    assert (cell.mean, cell.estimate.low, cell.missing) == (None, None, {"ours: not answered": 5})


def test_config_may_be_empty():
    data = build(n=5)
    bare = replaced(data, info=dataclasses.replace(data.info, config={}))
    cells = score(bare).cells
    assert cells["large", "strict", "composite"].mean is not None
    assert cells["large", "strict", "composite"].worst is None
