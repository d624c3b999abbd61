"""The engine of pages answers as that of Python does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import glossary
from glossary.find import search
from glossary.find.labels import Labels
from tests.glossary.test_questions import COVERED, UNCOVERED
from tests.kit import chromium

QUESTIONS = [row["question"] for row in (*COVERED, *UNCOVERED)]
ODD = ["", "?!", "ß", "Ünïcode bätch", "the", "x" * 300, "a b c " * 50, "naïve", "L.R."]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Tab]:
    executable = chromium.program()
    if executable is None:
        pytest.skip("no Chromium here")
    profile = tmp_path_factory.mktemp("profile")
    with chromium.running(executable, profile) as browser:
        tab = chromium.Tab(browser)
        yield tab
        tab.close()


def test_both_give_the_same_terms_and_scores(tab: chromium.Tab) -> None:
    terms = glossary.terms()
    engine = search.Search(terms, Labels(terms))
    source = Path(search.__file__).with_name("search.js").read_text("utf-8")
    asked = [*QUESTIONS, *ODD]
    script = f"""(() => {{
        {source}
        const search = createSearch({json.dumps(engine.index())});
        return {json.dumps(asked)}.map((question) => search(question, 3));
    }})()"""
    for question, theirs in zip(asked, tab.value(script), strict=True):
        ours = engine.find(question, 3)
        named = [terms[found.number].id for found in ours]
        assert [found["id"] for found in theirs] == named, question
        scores = [found.score for found in ours]
        # Python rounds what it shows to four places.
        assert [one["score"] for one in theirs] == pytest.approx(scores, abs=1e-4)
