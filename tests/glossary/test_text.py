from __future__ import annotations

from html.parser import HTMLParser

import pytest

import glossary
from glossary.show import text
from tests.glossary.test_export import HOSTILE, hostile_term

TERMS = glossary.terms()


class Tags(HTMLParser):
    """Which tags are open, whether each is closed, and what they are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)
def test_html_is_closed_and_holds_definition_formula_and_references(
    term: glossary.Term,
) -> None:
    tags = Tags(term._repr_html_())
    assert tags.open == []
    assert {"article", "math", "mi", "table", "a"} <= tags.seen
    assert term.summary in tags.text
    assert len(tags.links) == len(term.references)
    assert all(
        link.startswith(("https://arxiv.org/abs/", "https://doi.org/10."))
        for link in tags.links
    )


def test_html_shows_hostile_text_as_text() -> None:
    tags = Tags(hostile_term()._repr_html_())
    assert tags.open == []
    assert "script" not in tags.seen
    assert HOSTILE.split("\t")[0] in tags.text


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
        "normalizes the inputs of a layer",
        "That explanation is contested",
        "y_i = γ (x_i − μ) / √(σ^2 + ε) + β",  # noqa: RUF001
        "γ (`gamma`): learned scale",  # noqa: RUF001
        "uses: batch size",
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
    from glossary.records import from_record

    assert "Dropout keeps the mean of an output." in str(from_record(record))


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
