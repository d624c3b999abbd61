"""Where a text mentions terms, so that readers can go there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from glossary.model import Term

_WORDS = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text.

    Args:
        text: The stretch.
        term: Id of the term that it mentions; or empty.
    """

    text: str
    term: str = ""


class Mentions:
    """The names of some terms, as they stand in running text.

    Args:
        terms: What may be mentioned.

    Example:
        >>> import glossary
        >>> mentions = Mentions(glossary.terms())
        >>> [p.term for p in mentions.pieces("Adam needs a learning rate.") if p.term]
        ['adam', 'learning-rate']
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._term_of: dict[str, str] = {}
        acronyms: list[str] = []
        names: list[str] = []
        for term in terms:
            for acronym in term.acronyms:
                if self._term_of.setdefault(acronym, term.id) == term.id:
                    acronyms.append(acronym)
            for name in (term.name, *term.aliases):
                if self._term_of.setdefault(_plain(name), term.id) == term.id:
                    names.append(name)
        # The longest first: "learning rate schedule" is not a "learning rate".
        # Acronyms keep their case, or "do" would be DO, dropout.
        self._pattern = re.compile(
            rf"(?<![\w-])(?:(?P<name>(?i:{_any_of(names)}))"
            rf"|(?P<short>{_any_of(acronyms)}))"
            r"(?:e?s)?(?!\w|-\w)"
        )

    def pieces(self, text: str, but: Iterable[str] = ()) -> Iterator[Piece]:
        """A text, cut where it mentions a term for the first time.

        Args:
            text: Running text.
            but: Ids of terms that are no news, such as the one that is described.
        """
        known = set(but)
        start = 0
        for match in self._pattern.finditer(text):
            label = match["short"] or _plain(match["name"])
            term = self._term_of[label]
            if term in known:
                continue
            known.add(term)
            yield Piece(text[start : match.start()])
            yield Piece(match[0], term)
            start = match.end()
        yield Piece(text[start:])


def _any_of(labels: Iterable[str]) -> str:
    ordered = sorted(labels, key=len, reverse=True)
    words = [map(re.escape, _WORDS.split(label)) for label in ordered]
    return "|".join(map(r"[\s-]".join, words)) or "(?!)"


def _plain(name: str) -> str:
    """Names are written with hyphens and blanks, as the sentence has it."""
    return " ".join(_WORDS.split(name.lower()))
