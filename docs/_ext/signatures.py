"""Signatures of the reference, cut to what tells a schedule from the others.

Five arguments are those of all schedules. They are explained once, at
:class:`keras_lr.Schedule`; in the signature of each they would be most of what is read.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from sphinx.pycode import ModuleAnalyzer

import glossary
import keras_lr
from keras_lr.arguments import DEFAULTS

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SHARED = "**common"
#: Modules whose overloads say what an argument makes of the result, as the text does.
_OVERLOADED = ("keras_lr.finder.search",)
_HIDDEN = inspect.Parameter.empty
#: How Sphinx writes an alias that stands in a union.
_ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")


def shortened(schedule: type) -> str:
    """The signature of a schedule, with the shared arguments as one.

    Args:
        schedule: A class of schedules.

    Returns:
        Such as ``(max_lr=None, *, min_lr=0.0, **common)``.

    Example:
        >>> shortened(keras_lr.LinearDecay)
        '(max_lr=None, *, min_lr=0.0, decay=None, **common)'
    """
    signature = inspect.signature(schedule)
    own = [
        parameter.replace(annotation=_HIDDEN)
        for name, parameter in signature.parameters.items()
        if name not in DEFAULTS
    ]
    shared = inspect.Parameter("common", inspect.Parameter.VAR_KEYWORD)
    return str(inspect.Signature([*own, shared]))


@cache
def _terms_by_name() -> dict[str, list[glossary.Term]]:
    """The terms that name a class or function of ours, by that name."""
    by_name: dict[str, list[glossary.Term]] = {}
    for term in glossary.terms():
        for name in term.api:
            by_name.setdefault(name, []).append(term)
    return by_name


def _one_signature(app: Sphinx) -> None:
    """Show a function that is overloaded by the one signature that it has."""
    for module in _OVERLOADED:
        analyzer = ModuleAnalyzer.for_module(module)
        analyzer.analyze()
        analyzer.overloads.clear()


def _signature(
    app: Sphinx,
    kind: str,
    name: str,
    documented: Any,
    options: Any,
    signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    is_schedule = kind == "class" and issubclass(documented, keras_lr.Schedule)
    return (shortened(documented), returns) if is_schedule else None


def _docstring(
    app: Sphinx, kind: str, name: str, documented: Any, options: Any, lines: list[str]
) -> None:
    """Name the terms of the glossary that a class or function belongs to."""
    links = [
        f":doc:`{term.name} </glossary/{term.id}>`"
        for term in _terms_by_name().get(name, [])
    ]
    if links:
        lines += ["", f"In the glossary: {', '.join(links)}.", ""]


def _plain_property(
    app: Sphinx, kind: str, name: str, documented: Any, options: Any, lines: list[str]
) -> None:
    """Have the first sentence of a property stay one, with a colon or without."""
    # Napoleon takes what stands before a colon in the first line for its type. An empty
    # comment is a first line without one.
    if kind in ("property", "attribute"):
        lines[:0] = ["..", ""]


def _types(app: Sphinx, *_: Any) -> None:
    """Call an alias by its name, before Sphinx sets the types beside the arguments."""
    for types in app.env.current_document.autodoc_annotations.values():
        for name, written in types.items():
            types[name] = _ALIAS.sub(r"\1", written)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have autodoc ask here."""
    app.connect("builder-inited", _one_signature)
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-process-docstring", _plain_property, priority=100)
    app.connect("object-description-transform", _types, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
