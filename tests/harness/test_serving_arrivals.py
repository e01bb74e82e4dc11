"""When requests are due: Poisson, constant, recorded; and the cells and their order."""

from __future__ import annotations

import os
from itertools import islice, pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from markscheme.harness.errors import DataError, InputError
from markscheme.harness.exam_specs import CandidateSpec
from markscheme.harness.serving import arrivals
from markscheme.harness.serving.grid import cells, due_times, expected, schedule
from markscheme.harness.serving.records import Setting
from markscheme.harness.serving.spec import ServingSpec
from scipy import stats

AZURE = """\
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:17:03.9799600,4808,10
2023-11-16 18:17:04.0319600,3180,8
2023-11-16 18:17:05.9799600,110,27
"""
CANDIDATE = CandidateSpec(name="cand", model="vllm/cand")


def gaps(times):
    return np.array([b - a for a, b in pairwise(times)])


@pytest.mark.parametrize("rate", [0.5, 4.0, 200.0])
def test_poisson_arrivals_have_exponential_gaps_by_kolmogorov_and_smirnov(rate):
    found = gaps([0.0, *islice(arrivals.poisson(rate, Random(3)), 5000)])
    assert stats.kstest(found, "expon", args=(0, 1 / rate)).pvalue > 0.01
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.04, "gaps do not depend on each other"
    counts = np.histogram(np.cumsum(found), bins=np.arange(0, found.sum(), 1 / rate))[0]
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.1), "as many as in a Poisson process"


def test_gaps_are_not_rescaled_so_that_the_length_of_a_cell_varies_as_it_should():
    ends = np.array([list(islice(arrivals.poisson(2.0, Random(seed)), 100))[-1] for seed in range(400)])
    assert ends.mean() == pytest.approx(50, rel=0.03)
    assert ends.std() == pytest.approx(5, rel=0.15), "the sum of 100 exponential gaps has a spread"


def test_constant_arrivals_are_evenly_spaced_and_begin_at_once():
    assert list(islice(arrivals.constant(8.0), 4)) == [0.0, 0.125, 0.25, 0.375]


def test_a_trace_in_the_format_of_azure_is_replayed_from_its_first_arrival(tmp_path):
    path = tmp_path / "azure.csv"
    path.write_text(AZURE)
    assert list(arrivals.recorded(path)) == pytest.approx([0, 0.052, 2.0])
    assert list(arrivals.recorded(path, speed=4.0)) == pytest.approx([0, 0.013, 0.5])


def test_a_trace_of_seconds_needs_no_other_column(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("at_s\n10\n10\n12.5\n")
    assert list(arrivals.recorded(path)) == [0, 0, 2.5]


def test_a_clock_that_is_put_back_does_not_turn_a_trace_round(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/London")
    path = tmp_path / "autumn.csv"
    path.write_text("TIMESTAMP\n2023-10-29 00:59:59\n2023-10-29 01:00:01\n2023-10-29 02:00:01\n")
    assert list(arrivals.recorded(path)) == [0, 2, 3602]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when,what\n1,2\n", "trace.csv:1: has the columns when, what; a trace needs at_s"),
        ("at_s\n1\nsoon\n", "trace.csv:3 at_s: 'soon' is no time; write seconds, like 12.5"),
        ("at_s\n1\nnan\n", "trace.csv:3 at_s: 'nan' is no time"),
        ("TIMESTAMP\nyesterday\n", "trace.csv:2 TIMESTAMP: 'yesterday' is no time; write a date and time"),
        ("at_s\n2\n1\n", "trace.csv:3 at_s: '1' is before the line above; sort the trace by time"),
        ("at_s\n", "holds no arrival"),
    ],
)
def test_what_is_wrong_with_a_trace_is_named_with_its_line(tmp_path, text, said):
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said.replace("(", r"\(")):
        list(arrivals.recorded(path))


@pytest.mark.published
def test_the_published_traces_have_their_published_rates():
    folder = os.environ.get("MARKSCHEME_PUBLISHED_DATA")
    if not folder:
        pytest.skip("MARKSCHEME_PUBLISHED_DATA names no folder of published data sets")
    for name, count, rate in (("code", 8819, 2.57), ("conv", 19366, 5.53)):
        times = list(arrivals.recorded(Path(folder) / f"azure_llm_trace_2023/AzureLLMInferenceTrace_{name}.csv"))
        assert len(times) == count
        assert (count - 1) / times[-1] == pytest.approx(rate, abs=0.01)


def serving(**given):
    return ServingSpec.model_validate({"loads": [{"closed": [1, 4]}], "requests": 40, **given})


def test_every_candidate_meets_every_level_at_every_number_of_contexts():
    found = cells(serving(loads=[{"closed": [1, 4]}, {"poisson": 2}], contexts=[0, 3]), [with_retriever()])
    assert [cell.setting.key for cell in found] == [
        f"cand/{load}/ctx{k}" for k in (0, 3) for load in ("closed/1", "closed/4", "poisson/2")
    ]
    assert [cell.candidate.shown for cell in found] == [0, 0, 0, 3, 3, 3]


def with_retriever(**given):
    return CandidateSpec.model_validate({"name": "cand", "model": "vllm/cand", "retriever": {"index": "bm25"}, **given})


def test_a_list_of_contexts_of_a_candidate_makes_cells_of_one_candidate():
    found = cells(serving(loads={"closed": 1}), with_retriever(contexts=(1, 5)).by_contexts())
    assert [cell.setting for cell in found] == [Setting("cand", "closed", 1, 1), Setting("cand", "closed", 1, 5)]


def test_a_trace_is_a_level_of_its_mean_rate_and_as_long_as_the_cell(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("at_s\n0\n1\n2\n4\n100\n")
    cell = cells(serving(loads=[{"trace": str(path)}], requests=4), [CANDIDATE])[0]
    assert (cell.setting.shape, cell.setting.level) == ("trace", 0.75)
    assert list(due_times(cell.pace, "seed")) == [0, 1, 2, 4]
    timed = ServingSpec.model_validate({"loads": [{"trace": str(path), "speed": 2}], "duration_s": 1.5})
    assert list(due_times(cells(timed, [CANDIDATE])[0].pace, "seed")) == [0, 0.5, 1.0]
    with pytest.raises(InputError, match=r"both trace at 0.75 a second"):
        cells(serving(loads=[{"trace": str(path)}] * 2, requests=4), [CANDIDATE])


def test_open_loops_differ_between_repeats_and_not_between_invocations():
    cell = cells(serving(loads=[{"poisson": 5}]), [CANDIDATE])[0]
    first, again, other = (list(due_times(cell.pace, seed)) for seed in ("0/a", "0/a", "1/a"))
    assert first == again != other
    assert len(first) == 40


def test_repeats_are_interleaved_and_shuffled_within():
    found = cells(serving(loads=[{"closed": [1, 2, 3, 4, 5, 6]}]), [CANDIDATE])
    order = schedule(found, 3, seed=1)
    assert [repeat for _, repeat in order] == [0] * 6 + [1] * 6 + [2] * 6
    rounds = [[cell.setting.level for cell, _ in order[at : at + 6]] for at in (0, 6, 12)]
    assert all(sorted(levels) == [1, 2, 3, 4, 5, 6] for levels in rounds)
    assert len({tuple(levels) for levels in rounds}) > 1, "no cell always follows the same other"
    assert schedule(found, 3, seed=1) == order


def test_a_plan_knows_requests_and_seconds_of_each_shape():
    loads = [{"closed": 4}, {"constant": 2}]
    closed, constant = cells(serving(loads=loads), [CANDIDATE])
    assert expected(closed.pace, closed.setting, 3.0) == (40, 30.0)
    assert expected(constant.pace, constant.setting, 3.0) == (40, 22.5)
    timed = ServingSpec.model_validate({"loads": loads, "duration_s": 6.0})
    closed, constant = cells(timed, [CANDIDATE])
    assert expected(closed.pace, closed.setting, 3.0) == (8, 9.0)
    assert expected(constant.pace, constant.setting, 3.0) == (12, 8.5)
