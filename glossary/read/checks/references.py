"""Group 3: published sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.model import Term
    from glossary.read.checks import Finding
    from glossary.read.validate import Catalog

# New form (since 2007-04), which tells year and month, or the old form.
_ARXIV = re.compile(r"\d{2}(0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}")
_DOI = re.compile(r"10\.\d{4,9}/[!-~]+")
_FIRST_YEAR, _LAST_YEAR = 1600, 2100


def without_id(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Reference has neither an arXiv id nor a DOI."""
    for number, reference in enumerate(term.references):
        if not reference.arxiv and not reference.doi:
            yield f"references[{number}]", reference.title


def arxiv_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """The arXiv id is not of the form 1412.6980 or math.GT/0309136, without version."""
    for number, reference in enumerate(term.references):
        if reference.arxiv and not _ARXIV.fullmatch(reference.arxiv):
            yield f"references[{number}].arxiv", reference.arxiv


def doi_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """DOI is not of the form 10.1038/323533a0, without address."""
    for number, reference in enumerate(term.references):
        if reference.doi and not _DOI.fullmatch(reference.doi):
            yield f"references[{number}].doi", reference.doi


def year_range(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Year of the reference is not between 1600 and 2100."""
    for number, reference in enumerate(term.references):
        if not _FIRST_YEAR <= reference.year <= _LAST_YEAR:
            yield f"references[{number}].year", reference.year


def year_differs(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Year of the reference is not the year that its arXiv id tells."""
    for number, reference in enumerate(term.references):
        new_form = re.match(r"(\d{2})\d{2}\.", reference.arxiv)
        if new_form and reference.year != 2000 + int(new_form.group(1)):
            yield f"references[{number}].year", reference.year


def none_given(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Term has no reference."""
    if not term.references:
        yield "references", None
