"""The checks, by code. The docstring of a check is the message of its code.

A check takes a term and the catalog of all terms, and yields a `Finding` for what
breaks its rule. The groups 0 and 7 are found while files are read, before there is a
term: of these there are messages only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from glossary.model import Term
from glossary.read.catalog import Catalog
from glossary.read.checks import (
    claims,
    formulas,
    links,
    names,
    references,
    relations,
    shape,
)
from glossary.read.finding import Finding

Check = Callable[[Term, Catalog], Iterator[Finding]]

TERMS: dict[str, Check] = {
    "E101": names.duplicate_id,
    "E102": names.label_is_a_name,
    "E103": names.name_is_taken,
    "E104": names.id_form,
    "E105": names.level_unknown,
    "E106": names.category_form,
    "E107": names.label_without_letters,
    "W101": names.shared_label,
    "W102": names.repeated_label,
    "W103": names.summary_form,
    "W104": names.still_to_write,
    "E201": relations.target_missing,
    "E202": relations.target_itself,
    "E203": relations.kind_unknown,
    "E204": relations.broader_cycle,
    "E205": relations.related_and_broader,
    "E206": relations.see_kind_unknown,
    "E207": relations.see_a_term,
    "W201": relations.stated_twice,
    "E301": references.without_id,
    "E302": references.arxiv_form,
    "E303": references.doi_form,
    "E304": references.year_range,
    "E305": references.isbn_form,
    "E306": references.url_form,
    "W301": references.year_differs,
    "W302": references.none_given,
    "E401": formulas.outside_grammar,
    "E402": formulas.name_without_symbol,
    "E403": formulas.latex_outside_subset,
    "E404": formulas.example_differs,
    "E405": formulas.formula_in_prose,
    "W401": formulas.unused_symbol,
    "E501": claims.id_form,
    "E502": claims.duplicate_id,
    "E503": claims.comparison_unknown,
    "E504": claims.threshold_form,
    "E505": claims.expected_unknown,
    "E506": claims.reference_missing,
    "E507": claims.demo_form,
    "W501": claims.contested_without_reference,
    "W502": claims.without_demo,
    "E601": links.name_form,
}
#: Those that import what API links name.
LINKS: dict[str, Check] = {
    "E602": links.object_missing,
    "E603": links.demo_missing,
    "W601": links.package_missing,
}
MESSAGES: dict[str, str] = {
    **shape.MESSAGES,
    **{code: str(check.__doc__) for code, check in {**TERMS, **LINKS}.items()},
    "E701": "Package of the plug-in cannot be found.",
    "E702": "Folder of the plug-in holds no file of terms.",
    "E703": "Plug-in cannot be read.",
}
