"""Group 1: ids, names and the other spellings of a term."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glossary.find import fold
from glossary.find.labels import OWN_NAMES, label_keys, labels
from glossary.model import LEVELS, Term
from glossary.read.catalog import Catalog
from glossary.read.finding import Finding, did_you_mean, texts

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
#: What `glossary new` writes where an author is to write.
TO_WRITE = "TODO"


def duplicate_id(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Id is already taken."""
    if catalog.times[term.id] > 1:
        yield Finding("id", term.id)


def label_is_a_name(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Alias, acronym or misspelling is the name of another term."""
    for path, kind, text in _other_labels(term):
        owners = _owners(kind, text, term, catalog)
        if owners.keys() & {"name", "id"}:
            yield Finding(path, text, _told(owners))


def name_is_taken(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Name is already the name, alias or acronym of another term."""
    owners = _owners("name", term.name, term, catalog)
    if owners.keys() & set(OWN_NAMES):
        yield Finding("name", term.name, _told(owners))


def id_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Id is not made of lower-case words and digits joined by hyphens."""
    return _slug("id", term.id)


def level_unknown(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Level is not beginner, intermediate or advanced."""
    if term.level not in LEVELS:
        yield Finding("level", term.level, did_you_mean(term.level, LEVELS))


def category_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Category is not made of lower-case words and digits joined by hyphens."""
    return _slug("category", term.category)


def label_without_letters(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Name, alias, acronym or misspelling has no letter or digit."""
    for path, _, text in (("name", "name", term.name), *_other_labels(term)):
        if not fold.words(text):
            yield Finding(path, text)


def shared_label(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Alias or acronym also belongs to another term, so that it is ambiguous."""
    for path, kind, text in _other_labels(term):
        owners = _owners(kind, text, term, catalog)
        shared = owners.keys() & {"alias", "acronym", "misspelling"}
        if kind != "misspelling" and shared and not owners.keys() & {"name", "id"}:
            yield Finding(path, text, _told(owners))


def repeated_label(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Alias, acronym or misspelling folds to another spelling of the same term."""
    seen = set(label_keys("name", term.name))
    for path, kind, text in _other_labels(term):
        keys = label_keys(kind, text)
        if keys[0] in seen:
            yield Finding(path, text)
        seen.update(keys)


def summary_form(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """One-sentence definition is not one sentence that ends with a full stop."""
    inner = re.search(r"[.!?]\s+[A-Z]", term.summary)
    if inner or not term.summary.endswith("."):
        yield Finding("summary", term.summary)


def still_to_write(term: Term, catalog: Catalog) -> Iterator[Finding]:
    """Text is still to be written."""
    for path, text in texts(term):
        if TO_WRITE in text:
            yield Finding(path, text, word=TO_WRITE)


def _slug(path: str, text: str) -> Iterator[Finding]:
    if not SLUG.fullmatch(text):
        slug = "-".join(re.findall(r"[a-z0-9]+", text.lower()))
        yield Finding(path, text, f"Did you mean {slug!r}?" if slug else "")


def _other_labels(term: Term) -> Iterator[tuple[str, str, str]]:
    kinds = {"alias": "aliases", "acronym": "acronyms", "misspelling": "misspellings"}
    count = dict.fromkeys(kinds, 0)
    for kind, text in labels(term):
        if kind in kinds:
            yield f"{kinds[kind]}[{count[kind]}]", kind, text
            count[kind] += 1


def _owners(kind: str, text: str, term: Term, catalog: Catalog) -> dict[str, str]:
    """As what (name, alias, ...) others own the key of this label, and which term."""
    return {
        label.kind: catalog.terms[label.number].id
        for key in label_keys(kind, text)
        for label in catalog.labels.get(key, ())
        if catalog.terms[label.number].id != term.id
    }


def _told(owners: dict[str, str]) -> str:
    ids = " and ".join(repr(id) for id in dict.fromkeys(owners.values()))
    return f"It belongs to {ids}."
