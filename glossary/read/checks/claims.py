"""Group 5: claims."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from glossary.model import Claim, Term
from glossary.read.catalog import Catalog
from glossary.read.checks.names import SLUG
from glossary.read.finding import Finding, did_you_mean, in_each
from glossary.verdict import COMPARISONS, OUTCOMES

_DEMO = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def id_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Claim id is not the id of its term, a slash, and words joined by hyphens."""

    def breaks(claim: Claim) -> bool:
        owner, _, slug = claim.id.partition("/")
        return owner != (term.id or owner) or not SLUG.fullmatch(slug)

    return _claims(term, "id", breaks)


def duplicate_id(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Claim id is already taken."""
    return _claims(term, "id", lambda claim: catalog.claims[claim.id] > 1)


def comparison_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Comparison is none of <, <=, >, >=, between."""
    return _claims(
        term, "comparison", lambda claim: claim.comparison not in COMPARISONS
    )


def threshold_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Threshold is not one number, or for `between` two numbers in rising order."""

    def breaks(claim: Claim) -> bool:
        given = claim.threshold
        if claim.comparison not in COMPARISONS:
            return False  # which is told by itself
        if claim.comparison != "between":
            return isinstance(given, tuple)
        return not (
            isinstance(given, tuple) and len(given) == 2 and given[0] < given[1]
        )

    return _claims(term, "threshold", breaks)


def expected_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Expected outcome is none of held, failed, inconclusive."""
    return _claims(term, "expected", lambda claim: claim.expected not in OUTCOMES)


def reference_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Reference of the claim is not among the references of its term."""
    known = [reference.id for reference in term.references]
    if all(known):  # one without an id, which is told by itself, may be meant
        unknown = _claims(
            term,
            "reference",
            lambda claim: bool(claim.reference) and claim.reference not in known,
        )
        for finding in unknown:
            hint = did_you_mean(str(finding.value), known)
            yield finding._replace(hint=hint or f"There are: {', '.join(known)}.")


def demo_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Demo is not of the form package.module:function."""
    return _claims(
        term, "demo", lambda claim: bool(claim.demo) and not _DEMO.fullmatch(claim.demo)
    )


def contested_without_reference(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Contested claim has no reference."""
    return _claims(
        term, "reference", lambda claim: claim.contested and not claim.reference
    )


def without_demo(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Claim has no demo, so nothing tells whether it holds."""
    return _claims(term, "demo", lambda claim: not claim.demo)


def _claims(
    term: Term, field: str, breaks: Callable[[Claim], bool]
) -> Iterator[Finding]:
    return in_each("claims", term.claims, field, breaks)
