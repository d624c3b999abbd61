"""Every spelling under which a term is found, and which term that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from glossary.find import fold
from glossary.model import Term

# A name outranks an alias, and both outrank what only leads to a term.
_RANK = {"id": 0, "name": 0, "alias": 1, "acronym": 1, "see": 2, "misspelling": 3}
#: Of these, what a term is called; the others lead to it.
OWN_NAMES = ("id", "name", "alias", "acronym")


class Label(NamedTuple):
    """One spelling of one term."""

    number: int
    kind: str
    text: str


class Labels:
    """The labels of some terms, by folded key.

    Args:
        terms: In the order in which answers are listed.
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self.by_key: defaultdict[str, list[Label]] = defaultdict(list)
        spellings: list[tuple[str, str, Term]] = []
        for number, term in enumerate(terms):
            seen: set[str] = set()
            for kind, text in labels(term):
                keys = label_keys(kind, text)
                spellings.append((text, keys[0], term))
                for key in keys:
                    if key not in seen:
                        seen.add(key)
                        self.by_key[key].append(Label(number, kind, text))
        #: The longest key: no longer name can be one of a term.
        self.longest = max(map(len, self.by_key), default=0)
        # Spelled exactly so, a name that is nobody else's needs no folding.
        self.exact = {
            text: term
            for text, key, term in spellings
            if len(self.by_key[key]) == 1 == len(self.named(key))
        }

    def named(self, key: str) -> list[Label]:
        """The labels of this key that a term is called by, the best kind of them."""
        labels = self.by_key.get(key, ())
        return best([label for label in labels if label.kind != "see"])

    def led_to(self, text: str) -> list[int]:
        """Numbers of the terms that explain a name which has no entry."""
        labels = [
            label for key in fold.keys(text) for label in self.by_key.get(key, ())
        ]
        numbers = [label.number for label in labels if label.kind == "see"]
        return list(dict.fromkeys(numbers))

    def is_name(self, key: str) -> bool:
        """Whether a key is more than a misspelling."""
        return any(label.kind != "misspelling" for label in self.by_key.get(key, ()))

    def find(self, text: str) -> list[int]:
        """Numbers of the terms that this spelling names; several if ambiguous."""
        for key in fold.keys(text):
            labels = self.named(key)
            if labels:
                return [label.number for label in labels]
        return []


def best(labels: Sequence[Label]) -> list[Label]:
    """Those of the highest rank: a name goes before what only leads to a term."""
    highest = min((_RANK[label.kind] for label in labels), default=0)
    return [label for label in labels if _RANK[label.kind] == highest]


def labels(term: Term) -> Iterator[tuple[str, str]]:
    """Kind and text of each label, the best kind first."""
    yield "name", term.name
    yield from (("alias", text) for text in term.aliases)
    yield from (("acronym", text) for text in term.acronyms)
    yield "id", term.id
    yield from (("see", see.name) for see in term.see)
    yield from (("misspelling", text) for text in term.misspellings)


def label_keys(kind: str, text: str) -> tuple[str, ...]:
    """Keys of one label. An acronym keeps its last s: GNS is not the plural of GN."""
    words = fold.words(text)
    if kind == "acronym":
        return ("".join(words),)
    whole = "".join(map(fold.singular, words))
    content = [word for word in words if word not in fold.STOP_WORDS]
    if not content or len(content) == len(words):
        return (whole,)
    return (whole, "".join(map(fold.singular, content)))
