"""Group 5: claims."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glossary.read.checks.names import SLUG
from glossary.verdict import COMPARISONS, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glossary.model import Term
    from glossary.read.checks import Finding
    from glossary.read.validate import Catalog

_DEMO = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def id_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Claim id is not the id of its term, a slash, and words joined by hyphens."""
    for number, claim in enumerate(term.claims):
        owner, _, slug = claim.id.partition("/")
        if owner != term.id or not SLUG.fullmatch(slug):
            yield f"claims[{number}].id", claim.id


def duplicate_id(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Claim id is already taken."""
    for number, claim in enumerate(term.claims):
        if catalog.claims[claim.id] > 1:
            yield f"claims[{number}].id", claim.id


def comparison_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Comparison is none of <, <=, >, >=, between."""
    for number, claim in enumerate(term.claims):
        if claim.comparison not in COMPARISONS:
            yield f"claims[{number}].comparison", claim.comparison


def threshold_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Threshold is not one number, or for `between` two numbers in rising order."""
    for number, claim in enumerate(term.claims):
        given = claim.threshold
        if isinstance(given, tuple):
            fits = claim.comparison == "between" and _rising_pair(given)
        else:
            fits = claim.comparison != "between"
        if not fits:
            yield f"claims[{number}].threshold", given


def expected_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Expected outcome is none of held, failed, inconclusive."""
    for number, claim in enumerate(term.claims):
        if claim.expected not in OUTCOMES:
            yield f"claims[{number}].expected", claim.expected


def reference_missing(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Reference of the claim is not among the references of its term."""
    known = {reference.id for reference in term.references}
    for number, claim in enumerate(term.claims):
        if claim.reference and claim.reference not in known:
            yield f"claims[{number}].reference", claim.reference


def demo_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Demo is not of the form package.module:function."""
    for number, claim in enumerate(term.claims):
        if claim.demo and not _DEMO.fullmatch(claim.demo):
            yield f"claims[{number}].demo", claim.demo


def contested_without_reference(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Contested claim has no reference."""
    for number, claim in enumerate(term.claims):
        if claim.contested and not claim.reference:
            yield f"claims[{number}].reference", claim.reference


def without_demo(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Claim has no demo, so nothing tells whether it holds."""
    for number, claim in enumerate(term.claims):
        if not claim.demo:
            yield f"claims[{number}].demo", claim.demo


def _rising_pair(given: tuple[float, ...]) -> bool:
    return len(given) == 2 and given[0] < given[1]
