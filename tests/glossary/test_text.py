from __future__ import annotations

import pytest

import glossary
from glossary.records import from_record
from glossary.show import text
from tests.kit.terms import hostile_term

TERMS = glossary.terms()


@pytest.mark.parametrize("columns", [24, 40, 72, 100])
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)
def test_plain_text_keeps_to_the_width(term: glossary.Term, columns: int) -> None:
    longest = max(map(len, text.plain(term, columns).split()))
    lines = text.plain(term, columns).splitlines()
    assert max(map(len, lines)) <= max(columns, longest + 6)


def test_plain_text_holds_everything_a_reader_needs() -> None:
    shown = " ".join(text.plain(glossary.term("BN"), 88).split())
    for part in (
        "batch normalization (BN)",
        "architecture; intermediate; also called batch norm",
        "y_i = γ (x_i − μ) / √(σ^2 + ε) + β",  # noqa: RUF001
        "γ (gamma): learned scale",  # noqa: RUF001
        "Worked example: - ",
        "Common mistake: - ",
        "contrasts with: layer normalization",
        "contested",
        "keras.layers.BatchNormalization",
        "Ioffe (2015).",
        "arXiv:1502.03167, sec. 3",
    ):
        assert part in shown


def test_misspellings_are_never_shown() -> None:
    for term in TERMS:
        shown = str(term) + term._repr_html_() + term._repr_markdown_()
        for wrong in term.misspellings:
            assert wrong not in shown.replace(term.name, "").split("\n")


def test_str_is_the_plain_text_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert str(glossary.term("adam")) == text.plain(glossary.term("adam"), 40)


def test_claims_are_shown_by_their_sentence(record: dict) -> None:
    [term] = glossary.Glossary.from_terms([from_record(record)])
    assert "Dropout keeps the mean of an output." in str(term)
    assert str(from_record(record)).startswith("dropout\n\n")  # by itself, in short


def test_markdown_of_a_term_is_what_a_notebook_shows() -> None:
    shown = glossary.term("adam")._repr_markdown_()
    assert shown.startswith("## Adam\n\n*optimization; intermediate;")
    assert "[arXiv:1412.6980](<https://arxiv.org/abs/1412.6980>)" in shown


def test_rich_shows_the_same_words_and_takes_nothing_for_markup() -> None:
    console = pytest.importorskip("rich.console").Console(width=60, no_color=True)
    with console.capture() as capture:
        console.print(glossary.term("adam"))
        console.print(hostile_term())
    shown = capture.get()
    for word in ("adaptive moment estimation", "Relations", "arXiv:1412.6980"):
        assert word in shown
    assert "<script>" in shown
    assert max(map(len, shown.splitlines())) <= 60
