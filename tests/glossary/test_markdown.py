from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

import glossary
from glossary.show import markdown
from tests.kit.terms import hostile_term

TERMS = glossary.terms()
DOCUMENT = markdown.document(TERMS)
RENDERER = MarkdownIt("commonmark").use(dollarmath_plugin, double_inline=True)
TOKENS = RENDERER.parse(DOCUMENT)
INLINE = [child for token in TOKENS for child in token.children or ()]


def test_each_term_has_a_heading_and_an_anchor() -> None:
    headings = [
        TOKENS[place + 1].content
        for place, token in enumerate(TOKENS)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    assert headings == [markdown.escaped(term.name) for term in TERMS]
    html = [token.content for token in (*TOKENS, *INLINE) if "html" in token.type]
    anchors = [piece for piece in html if piece.startswith("<a id=")]
    assert len(anchors) == len(TERMS)


def test_every_formula_is_set_as_one() -> None:
    blocks = [token for token in TOKENS if token.type == "math_block"]
    drawn = [term for term in TERMS if term.formula]
    assert len(blocks) == len(drawn)
    inline = [token for token in INLINE if token.type == "math_inline"]
    symbols = [
        symbol
        for term in drawn
        for symbol in term.formula.symbols  # type: ignore[union-attr]
        if symbol.latex or len(symbol.name) == 1
    ]
    assert len(inline) == len(symbols)


def test_relations_and_references_are_links_that_lead_somewhere() -> None:
    links = [str(t.attrs["href"]) for t in INLINE if t.type == "link_open"]
    ids = {f"#{term.id}" for term in TERMS}
    inside = [link for link in links if link.startswith("#")]
    assert set(inside) <= ids
    assert len(inside) == sum(len(t.home.links(t)) for t in TERMS if t.home)
    outside = [link for link in links if not link.startswith("#")]
    assert len(outside) == sum(len(term.references) for term in TERMS)


def test_a_term_alone_links_to_no_place_that_is_not_there() -> None:
    assert "](#" not in markdown.one(glossary.term("adam"))


def test_what_a_term_says_stays_text() -> None:
    shown = RENDERER.render(markdown.one(hostile_term()))
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize("sign", ["<", ">"])
def test_a_comparison_in_a_formula_is_no_tag(sign: str) -> None:
    assert sign not in markdown.formula(f"a {sign} b", display=False)


def test_code_in_a_text_stays_code_and_marks_in_it_stay_text() -> None:
    assert (
        markdown.escaped("call `model.fit(*x)` *now*")
        == r"call `model.fit(*x)` \*now\*"
    )
    assert RENDERER.render(markdown.escaped("a `<b>` b")) == (
        "<p>a <code>&lt;b&gt;</code> b</p>\n"
    )
