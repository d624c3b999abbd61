from __future__ import annotations

import re
from pathlib import Path

import pytest

import glossary

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.backend
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0])
def test_what_the_readme_shows_runs(block, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(README), "exec"), {"__name__": "readme"})


def test_the_readme_shows_both_packages():
    of_rates, of_words = BLOCKS
    assert "import keras_lr" in of_rates
    assert "import glossary" in of_words


def test_the_readme_is_read_in_two_minutes():
    assert len(TEXT.replace("|", " ").split()) <= 500


def test_the_readme_links_to_what_is_there():
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert len(links) > 5
    for link in links:
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("page", ["README.md", "docs/tour.md"])
def test_terms_and_claims_are_counted_right(page):
    terms = [one for one in glossary.terms() if one.source in ("core", "keras_lr")]
    claims = [claim for term in terms for claim in term.claims]
    beliefs = sum(claim.expected == "failed" for claim in claims)
    text = " ".join((ROOT / page).read_text("utf-8").split())
    assert f"{len(terms)} terms" in text
    assert re.search(rf"{len(claims)} (measured )?claims", text)
    assert re.search(rf"{beliefs} (are believed|of them)", text)
