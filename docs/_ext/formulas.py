"""Formulas as MathML, set while the site is built: a page needs no script for them.

The LaTeX is read by `glossary.latex`, as that of the terms is, so that one formula
looks alike in a docstring and in the glossary. What lies outside that subset is a
warning with its place, and a build with warnings fails.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

from glossary.latex import UnknownLatex, parse
from glossary.show import math

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LOGGER = logging.getLogger(__name__)
#: LaTeX has several spellings of one thing; the subset has one.
_SPELLINGS = {
    r"\tfrac12": r"\frac{1}{2}",
    r"\tfrac": r"\frac",
    r"\dots": r"\ldots",
    r"\|": r"\lVert ",
}
#: An index of several letters is a word, not a product.
_WORD_AS_INDEX = re.compile(r"_\{([A-Za-z]{2,})\}")


def in_subset(latex: str) -> str:
    r"""A formula in the spellings that `glossary.latex` reads.

    Example:
        >>> in_subset(r"\tfrac12 \eta_{max}")
        '\\frac{1}{2} \\eta_{\\mathrm{max}}'
    """
    for spelling, other in _SPELLINGS.items():
        latex = latex.replace(spelling, other)
    return _WORD_AS_INDEX.sub(r"_{\\mathrm{\1}}", latex)


def mathml(node: nodes.Element, display: str) -> str:
    """The ``math`` element of a formula.

    Args:
        node: A ``math`` or ``math_block`` node.
        display: ``"inline"`` or ``"block"``.

    Returns:
        MathML; the LaTeX as code, and a warning, where the formula cannot be read.
    """
    latex = in_subset(node.astext())
    try:
        parse(latex)
    except UnknownLatex as unknown:
        _LOGGER.warning(
            "`glossary.latex` cannot read the formula %r: %s",
            latex,
            unknown,
            location=node,
        )
    return math.mathml(latex, display)


def _visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{mathml(node, "inline")}</span>')
    raise nodes.SkipNode


def _visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node, "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Let the HTML builder set formulas so."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(_visit_inline, None),
        block_renderers=(_visit_block, None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
