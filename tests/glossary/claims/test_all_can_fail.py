"""Every claim has its mechanism broken in one of the files ``..._can_fail``."""

import re
from importlib import import_module
from pathlib import Path

import glossary

TESTS = Path(__file__).parents[2]
FILES = [
    path
    for path in TESTS.rglob("test_*_can_fail.py")
    if path.name != Path(__file__).name
]
CLAIMS = {claim.id for term in glossary.terms() for claim in term.claims}


def in_table(path: Path) -> set[str]:
    """Claims in the table of a file: one row a claim, whose id stands first."""
    place = path.relative_to(TESTS.parent).with_suffix("")
    return {claim for claim, *_ in import_module(".".join(place.parts)).BROKEN}


def written(path: Path) -> set[str]:
    """Claims that a file names: what needs Keras is broken in a test of its own."""
    return CLAIMS & set(
        re.findall(r'"([a-z0-9-]+/[a-z0-9-]+)"', path.read_text("utf-8"))
    )


def test_every_claim_is_broken_somewhere() -> None:
    broken = set().union(*map(in_table, FILES), *map(written, FILES))
    assert sorted(CLAIMS - broken) == []


def test_no_table_breaks_a_claim_that_is_gone() -> None:
    assert sorted(set().union(*map(in_table, FILES)) - CLAIMS) == []
