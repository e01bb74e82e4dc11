"""Windows of time: none of the samples is lost, and each falls into its own."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.harness.errors import DataError, InputError
from markscheme.harness.windows import placed, times_of, unix_time, windows_of


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_time_is_iso_8601_or_unix_seconds_and_utc_without_a_zone():
    assert unix_time("2026-11-21T10:00:00Z") == unix_time("2026-11-21T11:00:00+01:00") == at("2026-11-21T10:00:00")
    assert unix_time("2026-11-21 10:00:00") == unix_time(at("2026-11-21T10:00:00"))
    assert unix_time("1763719200.5") == 1763719200.5
    assert unix_time("2026-11-21") == at("2026-11-21")
    assert unix_time("20261121") == unix_time(20261121) == at("2026-11-21")
    assert unix_time("") is None is unix_time(None)


@pytest.mark.parametrize("wrong", ["yesterday", "nan", -1, 1763719200_000, True, [1]])
def test_what_is_no_time_is_refused_with_its_value(wrong):
    with pytest.raises(ValueError, match="is no time"):
        unix_time(wrong)


def test_calendar_windows_have_no_gaps_and_name_themselves():
    times = [at("2026-01-31T23:59:59"), at("2026-04-01T00:00:00")]
    months = windows_of(times, "month")
    assert [w.label for w in months] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert all(left.end == right.start for left, right in pairwise(months))
    assert placed(months, times) == [0, 3]


def test_weeks_begin_on_monday_and_are_named_as_iso_does():
    weeks = windows_of([at("2027-01-03T12:00:00"), at("2027-01-04T00:00:00")], "week")
    assert [w.label for w in weeks] == ["2026-W53", "2027-W01"]


@pytest.mark.parametrize("wrong", ["fortnight", "1", "0", "-3", "2.5", "1001"])
def test_another_width_is_refused(wrong):
    with pytest.raises(InputError, match="wanted hour, day, week, month"):
        windows_of([0.0, 1.0], wrong)


def test_more_than_a_thousand_windows_are_refused():
    with pytest.raises(InputError, match="choose a wider one"):
        windows_of([0.0, 86400.0 * 2000], "day")


@given(st.lists(st.floats(0, 2e9), min_size=1, max_size=60), st.sampled_from(["month", "2", "3", "7"]))
def test_every_time_falls_into_a_window_that_holds_it(times, width):
    windows = windows_of(times, width)
    for time, place in zip(times, placed(windows, times), strict=True):
        assert windows[place].start <= time < windows[place].end


def test_equal_counts_are_equal_where_times_differ_and_never_part_equal_times():
    assert [w.start for w in windows_of([float(n) for n in range(9)], "3")] == [0.0, 3.0, 6.0]
    assert len(windows_of([5.0] * 9, "3")) == 1


def test_nothing_asked_is_no_window():
    assert windows_of([], "day") == []


def test_a_time_that_is_none_is_refused_with_its_sample():
    with pytest.raises(DataError, match=r"sample 't7' metadata\.asked_at: 'tomorrow' is no time"):
        times_of({"t1": {"asked_at": "2026-09-07"}, "t2": {}, "t7": {"asked_at": "tomorrow"}}, "run-1")
    assert times_of({"t1": {"asked_at": 1788739200}, "t2": {}}, "run-1") == {"t1": 1788739200.0}
