"""The gate's section of the comparison's page."""

from gating import comparison, difference, spec
from markscheme.reports.regression.gate import gated
from markscheme.reports.regression.gate_html import gate_section


def test_the_section_shows_the_worst_line_first_and_escapes_names():
    lines = [difference(0.0, 0.2, 400), difference(-0.5, candidate="<b onload=x>")]
    page = gate_section(gated(comparison(*lines), spec(confirm=False)))
    assert "<h2>Gate: REGRESSION (2 lines: 1 regression, 1 pass)</h2>" in page
    assert page.index("&lt;b onload=x&gt;, composite by strict") < page.index("mini, composite by strict")
    assert "<b " not in page
    assert 'class="left worse">REGRESSION' in page


def test_a_note_that_the_page_has_already_is_not_said_twice():
    result = gated(comparison(difference(), shared=3), spec())
    assert result.notes[0] in gate_section(result)
    assert result.notes[0] not in gate_section(result, result.notes)
