"""Group 3: published sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from glossary.model import Reference, Term
from glossary.read.catalog import Catalog
from glossary.read.finding import Finding, in_each

# New form (since 2007-04), which tells year and month, or the old form.
_ARXIV = re.compile(r"\d{2}(0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}")
_DOI = re.compile(r"10\.\d{4,9}/[!-~]+")
_URL = re.compile(r"https://[!-~]+")
_FIRST_YEAR = 1600
_LAST_YEAR = 2100
# A preprint comes before its publication or after it, by a year or two.
_YEARS_APART = 2


def without_id(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Reference has neither an arXiv id nor a DOI, an ISBN or a url."""
    for number, reference in enumerate(term.references):
        if not reference.id:
            yield Finding(f"references[{number}]", reference.title)


def arxiv_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """The arXiv id is not of the form 1412.6980 or math.GT/0309136, without version."""
    return _ids(term, "arxiv", _ARXIV)


def doi_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """DOI is not of the form 10.1038/323533a0, without address."""
    return _ids(term, "doi", _DOI)


def isbn_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """ISBN has not ten or thirteen digits, of which the last one checks the others."""

    def breaks(reference: Reference) -> bool:
        return bool(reference.isbn) and not _checks(reference.isbn.replace("-", ""))

    return _references(term, "isbn", breaks)


def url_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Address does not begin with https://, or has a blank in it."""
    return _ids(term, "url", _URL)


def year_range(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Year of the reference is not between 1600 and 2100."""
    return _references(
        term, "year", lambda work: not _FIRST_YEAR <= work.year <= _LAST_YEAR
    )


def year_differs(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Year is more than two years from the one that the arXiv id tells."""

    def breaks(reference: Reference) -> bool:
        new_form = re.match(r"(\d{2})\d{2}\.", reference.arxiv)
        first = 2000 + int(new_form.group(1)) if new_form else reference.year
        return abs(reference.year - first) > _YEARS_APART

    return _references(term, "year", breaks)


def none_given(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Term has no reference."""
    if not term.references:
        yield Finding("references", None)


def _references(
    term: Term, field: str, breaks: Callable[[Reference], bool]
) -> Iterator[Finding]:
    return in_each("references", term.references, field, breaks)


def _ids(term: Term, field: str, form: re.Pattern[str]) -> Iterator[Finding]:
    """Ids that are not of their form, with the part that is, if there is one."""

    def breaks(reference: Reference) -> bool:
        written = getattr(reference, field)
        return bool(written) and not form.fullmatch(written)

    for finding in _references(term, field, breaks):
        inner = form.search(str(finding.value))
        hint = f"Did you mean {inner.group()!r}?" if inner else ""
        yield finding._replace(hint=hint)


def _checks(isbn: str) -> bool:
    """Whether the last digit is the one that the standard (ISO 2108) computes.

    Of ten digits the sum weighted by 10 to 1 is a multiple of 11, where X is 10; of
    thirteen the sum weighted by 1 and 3 in turn is a multiple of 10.
    """
    if re.fullmatch(r"[0-9]{9}[0-9X]", isbn):
        digits = [10 if digit == "X" else int(digit) for digit in isbn]
        weighted = [
            weight * digit
            for weight, digit in zip(range(10, 0, -1), digits, strict=True)
        ]
        return sum(weighted) % 11 == 0
    if re.fullmatch(r"97[89][0-9]{10}", isbn):
        digits = [int(digit) for digit in isbn]
        return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0
    return False
