"""Figures: what is drawn, what falls back, and that names cannot become markup."""

import re
from xml.etree import ElementTree

import pytest
from markscheme.harness.records import Estimate
from markscheme.reports.figures.axes import amounts, linear
from markscheme.reports.figures.bar import bar
from markscheme.reports.figures.histogram import histogram
from markscheme.reports.figures.latency import latency
from markscheme.reports.figures.pareto import Point, front, pareto


def point(name, quality, usd, p50=1.0):
    return Point(name, quality, quality - 0.1, quality + 0.1, usd, p50, None if p50 is None else 2 * p50)


def test_front_holds_what_nothing_cheaper_matches():
    points = [point("a", 2.5, 10), point("b", 2.4, 1), point("c", 2.4, 2), point("d", 1.0, 0), point("e", 0.9, 0.5)]
    assert [p.candidate for p in front(points, lambda p: p.usd_per_1000)] == ["d", "b", "a"]


def test_pareto_plots_cost_and_names_those_whose_price_is_unknown():
    figure = pareto([point("a", 2.5, 10.0), point("b", 2.0, 0.0), point("c", 2.0, None)], "composite", (0, 3))
    assert figure.title == "Quality against cost"
    assert "price unknown: c." in figure.words
    tree = ElementTree.fromstring(figure.svg)
    assert len(list(tree.iter("circle"))) == 2


@pytest.mark.parametrize(("usd", "why"), [(None, "No price is known"), (0.0, "cost the same")])
def test_pareto_falls_back_to_latency_and_says_why(usd, why):
    figure = pareto([point("a", 2.5, usd, 5.0), point("b", 2.0, usd, 0.3)], "composite", (0, 3))
    assert figure.title == "Quality against latency"
    assert why in figure.words
    assert figure.svg


def test_pareto_without_cost_and_latency_draws_nothing_and_says_so():
    figure = pareto([point("a", 2.5, None, None), point("b", 2.0, None, None)], "composite", (0, 3))
    assert figure.svg is None
    assert figure.words.startswith("No figure: no price is known")
    assert pareto([], "", None).svg is None


def test_names_are_escaped_in_every_figure():
    name = "</svg><script>x</script>"
    drawn = [
        pareto([point(name, 2.5, 10.0), point("b", 2.0, 1.0)], name, None).svg,
        latency([(name, (0.1, 0.2, 0.3, 0.4, 0.5))]),
        histogram([name, "b"], [1, 2]),
    ]
    for svg in drawn:
        assert "<script" not in svg
        assert ElementTree.fromstring(svg) is not None


def test_labels_of_near_bubbles_do_not_cover_each_other():
    figure = pareto([point(f"name-{i}", 2.0 + i / 1000, 1 + i / 100) for i in range(3)] + [point("z", 1, 9)], "q", None)
    tops = [float(y) for y in re.findall(r'class="name" x="[\d.-]+" y="([\d.-]+)">name', figure.svg)]
    assert min(b - a for a, b in zip(sorted(tops), sorted(tops)[1:], strict=False)) >= 12


def test_bar_spans_the_scale():
    tree = ElementTree.fromstring(bar(Estimate(2.0, 1.5, 2.5, 9, "t"), (1, 3), 3))
    rail, filled = list(tree.iter("rect"))
    assert float(filled.get("width")) == pytest.approx(float(rail.get("width")) / 2, abs=0.1)
    assert "no score" in bar(Estimate(None, None, None, 0, ""), (0, 3), 3)


def test_axes_are_linear_from_zero_for_alike_and_logarithmic_for_wide_amounts():
    assert amounts([1, 3], 0, 100).low == 0
    wide = amounts([0.001, 10], 0, 100)
    assert wide.log
    assert wide.ticks == (0.001, 0.01, 0.1, 1.0, 10.0)
    assert linear(0, 3, 100, 0).at(1.5) == 50


def test_latency_without_a_live_reply_draws_nothing():
    assert latency([("a", ())]) is None
