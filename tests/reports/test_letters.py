"""Letters, ranks and marks: what a leaderboard says about who can be told apart."""

from itertools import combinations

import numpy as np
import pytest
from markscheme.reports.letters import compact_letters, rank_ranges, rank_words
from markscheme.reports.marks import marks


def test_letters_of_piephos_kind_of_example():
    """a differs from c and d, b from d alone: three overlapping groups."""
    found = compact_letters("abcd", [("a", "c"), ("a", "d"), ("b", "d")])
    assert found == {"a": "a", "b": "ab", "c": "bc", "d": "c"}


def test_all_alike_share_one_letter_and_all_apart_share_none():
    assert compact_letters("abc", []) == {"a": "a", "b": "a", "c": "a"}
    assert compact_letters("abc", list(combinations("abc", 2))) == {"a": "a", "b": "b", "c": "c"}


@pytest.mark.parametrize("seed", range(40))
def test_two_share_a_letter_if_and_only_if_they_cannot_be_told_apart(seed):
    """Whatever the pattern, transitive or not, and with no letter that another one holds whole."""
    rng = np.random.default_rng(seed)
    names = [f"c{i}" for i in range(2 + seed % 8)]
    pairs = list(combinations(names, 2))
    apart = {pair for pair in pairs if rng.random() < (0.2, 0.5, 0.8)[seed % 3]}
    found = compact_letters(names, [pair if rng.random() < 0.5 else pair[::-1] for pair in sorted(apart)])
    assert all(found.values())
    for pair in pairs:
        assert bool(set(found[pair[0]]) & set(found[pair[1]])) == (pair not in apart)
    groups = [{name for name in names if letter in found[name]} for letter in sorted(set("".join(found.values())))]
    assert not any(a <= b for a in groups for b in groups if a is not b)


def test_letters_run_from_the_best_row_down():
    found = compact_letters(["x", "y", "z"], [("z", "x"), ("z", "y")])
    assert found == {"x": "a", "y": "a", "z": "b"}


def test_ranks_leave_room_for_those_who_cannot_be_told_apart():
    ranks = rank_ranges("abcd", [("a", "c"), ("a", "d"), ("b", "d")])
    assert ranks == {"a": (1, 2), "b": (1, 3), "c": (2, 4), "d": (3, 4)}
    assert [rank_words(ranks[name]) for name in "ad"] == ["1–2", "3–4"]
    assert rank_words((2, 2)) == "2"


def test_the_best_and_the_second_are_marked_and_equals_alike():
    assert marks([1.0, 3.0, 2.0, None]) == ("", "best", "second", "")
    assert marks([1.0, 3.0, 2.0], lowest=True) == ("best", "", "second")
    assert marks([3.0, 3.0, 2.0, 1.0]) == ("best", "best", "", "")
    assert marks([3.0, 2.0, 2.0]) == ("best", "second", "second")


@pytest.mark.parametrize("values", [[], [None, None], [2.0], [2.0, 2.0], [None, 1.0]])
def test_where_nothing_differs_nothing_is_marked(values):
    assert set(marks(values)) <= {""}
