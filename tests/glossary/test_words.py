from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary.show import math, text, words


@pytest.mark.parametrize(
    ("signs", "written"),
    [
        ("θ_t − η ∇L", "theta_t - eta gradient L"),  # noqa: RUF001
        ("√(v) + ε", "sqrt(v) + epsilon"),
        ("ΔW ∈ Σ", "DeltaW in Sigma"),
        ("λ ≤ 2", "lambda <= 2"),
        ("naïve café", "naive cafe"),
        ("m̂", "m_hat"),
    ],
)
def test_signs_become_the_words_that_one_says(signs: str, written: str) -> None:
    assert words.fitting(signs, "ascii") == written


@given(st.text(), st.sampled_from(["ascii", "cp1252", "latin-1", "utf-8"]))
def test_what_fits_is_left_alone_and_all_fits(said: str, encoding: str) -> None:
    if encoding == "utf-8":
        said = said.encode("utf-8", "ignore").decode()
    fitted = words.fitting(said, encoding)
    fitted.encode(encoding)
    assert words.fitting(fitted, encoding) == fitted


def test_no_formula_of_the_glossary_needs_a_question_mark() -> None:
    for term in glossary.terms():
        if term.formula:
            drawn = math.text(term.formula.latex)
            assert "?" not in words.fitting(drawn, "ascii"), term.id


def test_a_wide_formula_is_wrapped_after_its_signs_became_words() -> None:
    for line in text.plain(glossary.term("adam"), 60, "cp1252").splitlines():
        assert len(line) <= 60


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_without_greek_gets_words(encoding: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "glossary", "show", "adam"],
        env={"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    ).stdout.decode(encoding)
    assert "theta" in shown
    assert "?_t" not in shown
