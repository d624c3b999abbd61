"""A page for each term of the glossary, and a list of them, made of the data.

Headings are those of Sphinx, which lists them and searches them. What stands below them
is set by the templates of the glossary's own pages, with its figures and its formulas.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from pages import write_pages

import glossary
from glossary import Claim, Evidence, Term
from glossary.find.fold import key
from glossary.measure import recorded, svg
from glossary.read import load
from glossary.show import html, markdown
from glossary.show.html import Setting
from glossary.show.mentions import Mentions

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Where the pages are written, below the pages' folder.
FOLDER = "glossary"
_HERE = Path(__file__).parent


class TermPages:
    """The pages of some terms.

    Args:
        terms: What they show.

    Example:
        >>> pages = TermPages([glossary.term("Adam")])
        >>> pages.of(glossary.term("Adam")).splitlines()[5]
        '# Adam'
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = terms
        self._folders = load.packages()

    @cached_property
    def _evidence(self) -> dict[str, Evidence | None]:
        """What was recorded, by the id of the claim."""
        claims = [claim for term in self._terms for claim in term.claims]
        return {claim.id: claim.recorded for claim in claims}

    @cached_property
    def _setting(self) -> Setting:
        return Setting(
            pages=frozenset(term.id for term in self._terms),
            mentions=Mentions(self._terms),
            evidence=lambda claim: self._evidence[claim.id],
            figure=self._figure,
        )

    def _figure(self, claim: Claim) -> tuple[str, ...]:
        drawn = recorded.recorded_figure(claim.id, self._folders)
        return svg.parts(drawn or "")

    def of(self, term: Term) -> str:
        """The page of a term, as Markdown with HTML in it.

        Args:
            term: One of the terms.
        """
        template = html.environment().from_string(
            (_HERE / "term.md.jinja").read_text("utf-8")
        )
        return template.render(
            term=term,
            setting=self._setting,
            name=Markup(markdown.escaped(term.name)),
            description=Markup(json.dumps(term.summary, ensure_ascii=False)),
            roles=[Markup(role(name)) for name in term.api],
        )

    def index(self) -> str:
        """The list of the terms, by category."""
        ordered = sorted(self._terms, key=lambda term: (term.category, key(term.name)))
        lines = ["# All terms", "", f"{len(ordered)} terms, each with its claims.", ""]
        for category, terms in groupby(ordered, lambda term: term.category):
            heading = category.replace("-", " ")
            lines += [f"## {heading[0].upper()}{heading[1:]}", ""]
            for term in terms:
                name = markdown.escaped(term.name)
                said = markdown.escaped(term.summary)
                lines.append(f"- [{name}]({term.id}.md): {said}")
            lines.append("")
        by_name = sorted(self._terms, key=lambda term: key(term.name))
        lines += ["```{toctree}", ":hidden:", "", *(t.id for t in by_name), "```", ""]
        return "\n".join(lines)


def role(name: str) -> str:
    """A name of an interface, with a link where it is documented here or by Keras.

    Example:
        >>> role("keras_lr.OneCycle")
        '{py:obj}`keras_lr.OneCycle`'
        >>> role("sklearn.decomposition.PCA")
        '`sklearn.decomposition.PCA`'
    """
    if name.startswith("keras_lr."):
        return f"{{py:obj}}`{name}`"
    address = html.api_address(name)
    return f"[`{name}`]({address})" if address else f"`{name}`"


def _write(app: Sphinx) -> None:
    terms = glossary.terms()
    pages = TermPages(terms)
    written = {f"{term.id}.md": pages.of(term) for term in terms}
    write_pages(Path(app.srcdir) / FOLDER, {"index.md": pages.index(), **written})


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before any are looked for."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
