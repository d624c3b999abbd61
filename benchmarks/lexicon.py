"""Our terms as a lexicon of wn, in its own format, WN-LMF 1.0; and terms made up.

A term becomes a synset with its definition, its relations and a word for each of its
names, as wordnets have it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from xml.etree import ElementTree

import glossary

#: wn takes a file with exactly these two lines at its head.
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<!DOCTYPE LexicalResource SYSTEM "
    '"http://globalwordnet.github.io/schemas/WN-LMF-1.0.dtd">\n'
)
RELATION = "also"
WORDS = (
    *("adaptive", "batch", "cyclic", "deep", "dense", "gradient", "hidden", "layer"),
    *("loss", "mean", "momentum", "network", "noisy", "norm", "optimizer", "output"),
    *("parameter", "random", "rate", "sparse", "step", "tensor", "update", "weight"),
)


def names_of(term: glossary.Term) -> list[str]:
    """Everything that a term is called, each once."""
    return list(dict.fromkeys([term.name, *term.aliases, *term.acronyms]))


def as_lmf(terms: Sequence[glossary.Term], name: str) -> str:
    """A lexicon of some terms.

    Args:
        terms: Relations to others than these are left out.
        name: Id of the lexicon, lower-case letters.

    Returns:
        The text of an XML file.
    """
    resource = ElementTree.Element("LexicalResource")
    resource.set("xmlns:dc", "http://purl.org/dc/elements/1.1/")
    lexicon = ElementTree.SubElement(
        resource,
        "Lexicon",
        {
            "id": name,
            "label": name,
            "language": "en",
            "email": "nobody@example.org",
            "license": "Apache-2.0",
            "version": "1",
        },
    )
    for term in terms:
        for number, written in enumerate(names_of(term)):
            _add_word(
                lexicon, f"{name}-{term.id}-{number}", written, f"{name}-{term.id}"
            )
    neighbours = neighbours_of(terms)
    for term in terms:
        _add_synset(lexicon, term, name, neighbours[term.id])
    return HEAD + ElementTree.tostring(resource, encoding="unicode") + "\n"


def neighbours_of(terms: Sequence[glossary.Term]) -> dict[str, list[str]]:
    """By id, whom a relation joins to a term, from either side."""
    neighbours: dict[str, list[str]] = {term.id: [] for term in terms}
    for term in terms:
        for relation in term.relations:
            if relation.target in neighbours:
                neighbours[term.id].append(relation.target)
                neighbours[relation.target].append(term.id)
    return {own: list(dict.fromkeys(others)) for own, others in neighbours.items()}


def _add_word(
    lexicon: ElementTree.Element, word: str, written: str, synset: str
) -> None:
    entry = ElementTree.SubElement(lexicon, "LexicalEntry", {"id": word})
    ElementTree.SubElement(
        entry, "Lemma", {"writtenForm": written, "partOfSpeech": "n"}
    )
    ElementTree.SubElement(entry, "Sense", {"id": f"{word}-s", "synset": synset})


def _add_synset(
    lexicon: ElementTree.Element, term: glossary.Term, name: str, others: list[str]
) -> None:
    synset = ElementTree.SubElement(
        lexicon,
        "Synset",
        {"id": f"{name}-{term.id}", "ili": "", "partOfSpeech": "n"},
    )
    ElementTree.SubElement(synset, "Definition").text = term.definition
    for other in others:
        ElementTree.SubElement(
            synset,
            "SynsetRelation",
            {"relType": RELATION, "target": f"{name}-{other}"},
        )


def made_up(count: int, seed: int = 0) -> list[glossary.Term]:
    """Terms whose words are common to many of them, as those of one field are."""
    chance = random.Random(seed)
    terms = []
    for number in range(count):
        text = [" ".join(chance.choices(WORDS, k=words)) for words in (1, 2, 12, 30)]
        others = chance.sample(range(count), k=min(3, count))
        term = glossary.Term(
            id=f"made-up-{number}",
            name=f"{text[0]} layer {number}",
            category="training",
            level="beginner",
            summary=f"A {text[2]}.",
            definition=f"A {text[3]} {number % 1000}.",
            aliases=(f"{text[1]} {number}",),
            relations=tuple(
                glossary.Relation(kind="uses", target=f"made-up-{other}")
                for other in others
                if other != number
            ),
        )
        terms.append(term)
    return terms
