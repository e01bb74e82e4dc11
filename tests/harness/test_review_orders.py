"""Every item reaches whom it should, in an order of each rater's own, either side of a pair first half the time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markscheme.harness.errors import InputError
from markscheme.harness.review.orders import order_for, swapped
from markscheme.harness.review.records import Item, Review


def review_of(raters: int, overlap: float, seed: int = 0) -> Review:
    names = tuple(f"rater{i}" for i in range(raters))
    return Review("first", "run", "grade", "docs_qa", {"c": (0, 1)}, names, "random", seed, overlap)


def items_of(n: int, attention: int = 0) -> list[Item]:
    """``n`` items, and some that try the raters' attention between them."""
    places = [Item(f"id{i}", i, f"s{i}", "mini", "maxi", 0, "x") for i in range(n + attention)]
    tried = range(1, 2 * attention, 2) if 2 * attention <= n else range(attention)
    return [
        Item(i.id, i.position, i.sample_id, i.left, i.right, 0, "x", "", "left" if i.position in tried else "")
        for i in places
    ]


@settings(deadline=None)
@given(
    st.integers(1, 6), st.floats(0, 1), st.integers(0, 60), st.integers(0, 4), st.integers(0, 2**40)
)  # fmt: skip
def test_the_overlap_and_attention_items_go_to_all_and_every_other_item_to_exactly_one(
    raters: int, overlap: float, n: int, attention: int, seed: int
):
    review, items = review_of(raters, overlap, seed), items_of(n, attention)
    orders = {rater: order_for(review, items, rater) for rater in review.raters}
    assert all(len(set(order)) == len(order) for order in orders.values()), "nothing twice"
    counts = [sum(item in order for order in orders.values()) for item in items if not item.attention]
    shared = round(overlap * n)
    assert counts.count(raters) == (shared if raters > 1 else n)
    assert all(count in (1, raters) for count in counts)
    assert all(item in order for item in items if item.attention for order in orders.values())
    sizes = [len(order) for order in orders.values()]
    assert max(sizes) - min(sizes) <= 1


@settings(deadline=None)
@given(st.integers(1, 6), st.floats(0, 1), st.integers(0, 60), st.integers(0, 2**40))
def test_about_half_of_a_raters_pairs_are_shown_the_other_way_round(raters: int, overlap: float, n: int, seed: int):
    review, items = review_of(raters, overlap, seed), items_of(n)
    for rater in review.raters:
        own = order_for(review, items, rater)
        turned = sum(swapped(review, item, rater) for item in own)
        assert abs(2 * turned - len(own)) <= 3


def test_of_two_raters_of_a_pair_each_sees_another_answer_first_and_so_does_an_adjudicator_after_them():
    review, items = review_of(2, 1.0), items_of(10)
    for item in items:
        first, second = (swapped(review, item, rater) for rater in review.raters)
        assert first != second
        assert swapped(review, item, "lead") == first


def test_orders_are_of_the_rater_and_of_the_seed_and_stay():
    review, items = review_of(2, 1.0, 7), items_of(40)
    order = order_for(review, items, "rater0")
    assert order != sorted(order, key=lambda item: item.position)
    assert order != order_for(review, items, "rater1")
    assert order != order_for(review_of(2, 1.0, 8), items, "rater0")
    assert order == order_for(review, list(reversed(items)), "rater0"), "whatever order the items come in"
    assert [item.position for item in order[:6]] == [26, 1, 15, 31, 39, 8], "on every machine the same"


def test_what_is_shown_first_cannot_be_told_from_what_was_shown_first_before():
    review, items = review_of(1, 1.0, 3), items_of(400)
    shown = [swapped(review, item, "rater0") for item in order_for(review, items, "rater0")]
    again = sum(a == b for a, b in pairwise(shown))
    assert 160 < again < 240


def test_a_stranger_has_no_order():
    with pytest.raises(InputError, match="rater 'eve': review 'first' was begun with rater0, rater1"):
        order_for(review_of(2, 1.0), items_of(3), "eve")
