from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary.show import math as _math

FORMULAS = [term.formula.latex for term in glossary.terms() if term.formula]


@pytest.mark.parametrize("latex", FORMULAS)
def test_every_formula_becomes_well_formed_mathml(latex: str) -> None:
    math = ElementTree.fromstring(_math.mathml(latex))
    assert math.tag == "math"
    assert "\\" not in "".join(math.itertext())


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"a + b", "a + b"),
        (r"-a - (-b)", "−a − (−b)"),  # noqa: RUF001
        (r"\eta_t", "η_t"),
        (r"\theta_{t+1}", "θ_(t + 1)"),
        (r"x_i^2", "x_i^2"),
        (r"x^2_i", "x_i^2"),
        (r"\frac{a}{b}", "a / b"),
        (r"\frac{1}{n} \sum_i x_i", "(1 / n) ∑_i x_i"),
        (r"\frac{a + b}{c}", "(a + b) / c"),
        (r"\sqrt{v} + \epsilon", "√v + ε"),
        (r"\sqrt{a b}", "√(a b)"),
        (r"\hat{m}", "m̂"),
        (r"\max(0, z)", "max(0, z)"),
        (r"\mathrm{ReLU}(z)", "ReLU(z)"),
        (r"\left( a \right)", "(a)"),
        (r"\begin{cases} 1 & \text{if } a \\ 0 \end{cases}", "\n  1 if a\n  0"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a = b\nc = d"),
    ],
)
def test_formulas_read_well_as_plain_text(latex: str, text: str) -> None:
    assert _math.text(latex) == text


def test_a_power_and_an_index_are_one_element() -> None:
    math = _math.mathml("g_t^2")
    assert "<msubsup><mi>g</mi><mi>t</mi><mn>2</mn></msubsup>" in math


def test_a_fraction_has_two_parts() -> None:
    assert "<mfrac><mi>a</mi><mi>b</mi></mfrac>" in _math.mathml(r"\frac{a}{b}")


def test_signs_that_html_would_take_for_tags_are_escaped() -> None:
    assert "<mo>&lt;</mo>" in _math.mathml("a < b")
    assert "<script>" not in _math.mathml(r"\text{<script>alert(1)</script>}")


@pytest.mark.parametrize(
    "latex",
    [r"\unknown", r"\frac{a}", "{a", "a}", r"\begin{table}", r"\begin{cases} a", "é@"],
)
def test_what_is_outside_the_subset_is_shown_as_it_is(latex: str) -> None:
    assert not _math.is_drawable(latex)
    assert _math.text(latex) == latex
    assert _math.mathml(latex).startswith("<code>")


def test_deep_nesting_is_outside_the_subset() -> None:
    assert not _math.is_drawable("{" * 5000 + "}" * 5000)


@given(st.text(alphabet=r"ab\{}^_&<>frcsqt 12+-", max_size=40))
def test_any_text_is_drawn_or_shown(latex: str) -> None:
    ElementTree.fromstring(_math.mathml(latex))
    assert isinstance(_math.text(latex), str)


def test_brackets_hold_their_part_together_and_are_tall_only_for_a_fraction() -> None:
    squared = _math.mathml("(a + b)^2")
    flat = '<mo stretchy="false">'
    assert f"<msup><mrow>{flat}(</mo>" in squared
    assert f"{flat})</mo></mrow><mn>2</mn></msup>" in squared
    tall = _math.mathml(r"f(\frac{a}{b})")
    assert "<mrow><mo>(</mo><mfrac>" in tall
    assert _math.mathml("[0, 1").count("<mo>[</mo>") == 1


def test_fractions_in_several_lines_have_the_size_of_a_line() -> None:
    lines = _math.mathml(r"\begin{aligned} a &= \frac{b}{c} \end{aligned}")
    assert 'displaystyle="true"' in lines
