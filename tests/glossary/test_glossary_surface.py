from __future__ import annotations

import doctest
import subprocess
import sys

import pytest

import glossary

ERRORS = [
    "AmbiguousTerm",
    "DemoError",
    "FormulaError",
    "GlossaryError",
    "InvalidTerms",
    "NoPath",
    "PluginWarning",
    "UnknownTerm",
]
DATA = [
    "Claim",
    "Evidence",
    "Example",
    "Formula",
    "Glossary",
    "Link",
    "Match",
    "Problem",
    "Reference",
    "Relation",
    "See",
    "Symbol",
    "Term",
]
FUNCTIONS = ["path", "search", "term", "terms"]
NAMES = sorted([*ERRORS, *DATA, *FUNCTIONS])


def test_the_public_names_are_these_and_no_others() -> None:
    assert glossary.__all__ == NAMES
    for name in NAMES:
        assert getattr(glossary, name).__module__ == "glossary"


def test_all_errors_are_of_one_family_and_all_are_public() -> None:
    family = {glossary.GlossaryError}
    while family != (
        larger := family | {k for c in family for k in c.__subclasses__()}
    ):
        family = larger
    assert {kind.__name__ for kind in family} == {*ERRORS} - {"PluginWarning"}


@pytest.mark.parametrize("name", DATA + ERRORS)
def test_examples_of_public_classes_run(name: str) -> None:
    # Classes that call themselves glossary.X escape the collection by module.
    item = getattr(glossary, name)
    for test in doctest.DocTestFinder().find(item, name, module=False):
        assert doctest.DocTestRunner().run(test).failed == 0


def test_importing_and_asking_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules);"
        "import glossary; glossary.term('warmup'); glossary.search('step size');"
        "str(glossary.term('adam'));"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - sys.stdlib_module_names - {'glossary'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
