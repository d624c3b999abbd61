"""The checks, by code. The docstring of a check is the message of its code.

A check of a shape takes a record; every other takes a term and the catalog of all
terms. Each yields ``(path, value)`` for what breaks its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from glossary.read.checks import (
    claims,
    formulas,
    links,
    names,
    references,
    relations,
    shape,
)

Finding = tuple[str, object]
Check = Callable[..., Iterator[Finding]]
Record = dict[str, Any]

SHAPE: dict[str, Check] = {
    "E001": shape.unreadable_file,
    "E002": shape.unknown_key,
    "E003": shape.missing_key,
    "E004": shape.wrong_type,
    "E005": shape.empty_value,
    "E006": shape.control_character,
}
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
    "E201": relations.target_missing,
    "E202": relations.target_itself,
    "E203": relations.kind_unknown,
    "E204": relations.broader_cycle,
    "E205": relations.related_and_broader,
    "W201": relations.stated_twice,
    "E301": references.without_id,
    "E302": references.arxiv_form,
    "E303": references.doi_form,
    "E304": references.year_range,
    "W301": references.year_differs,
    "W302": references.none_given,
    "E401": formulas.outside_grammar,
    "E402": formulas.name_without_symbol,
    "E403": formulas.latex_outside_subset,
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
LINKS: dict[str, Check] = {
    "E602": links.object_missing,
    "E603": links.demo_missing,
    "W601": links.package_missing,
}
PLUGINS: dict[str, Check] = {
    "E701": links.plugin_missing,
    "E702": links.plugin_empty,
}
