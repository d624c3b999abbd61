from __future__ import annotations

import doctest
import subprocess
import sys

import pytest

import glossary

NAMES = [
    "AmbiguousTerm",
    "Claim",
    "Formula",
    "FormulaError",
    "Glossary",
    "GlossaryError",
    "InvalidTerms",
    "Link",
    "Match",
    "NoPath",
    "PluginWarning",
    "Problem",
    "Reference",
    "Relation",
    "Symbol",
    "Term",
    "UnknownTerm",
    "path",
    "search",
    "term",
    "terms",
]


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_public_names_are_these_and_no_others() -> None:
    assert glossary.__all__ == NAMES == sorted(NAMES)
    assert dir(glossary) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_can_be_reached(name: str) -> None:
    assert getattr(glossary, name).__module__ == "glossary"


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_such"):
        glossary.nothing_such  # noqa: B018


@pytest.mark.parametrize("name", [n for n in NAMES if n[0].isupper()])
def test_examples_of_public_classes_run(name: str) -> None:
    # Classes that call themselves glossary.X escape the collection by module.
    item = getattr(glossary, name)
    for test in doctest.DocTestFinder().find(item, name, module=False):
        assert doctest.DocTestRunner().run(test).failed == 0


def test_importing_and_asking_loads_neither_numpy_nor_keras() -> None:
    loaded = run(
        "import sys, glossary; glossary.term('warmup'); glossary.search('step size');"
        "str(glossary.term('adam'));"
        "print([m for m in ('keras', 'keras_lr', 'numpy', 'rich') if m in sys.modules])"
    )
    assert loaded == "[]"


def test_importing_alone_reads_no_term_and_no_data_class() -> None:
    loaded = run(
        "import sys, glossary;"
        "print([m for m in ('dataclasses', 'tomllib', 'glossary.read.load') "
        "if m in sys.modules])"
    )
    assert loaded == "[]"
