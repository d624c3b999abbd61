"""Which terms have which words: what `glossary.find.search` looks things up in."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import chain, compress, islice
from typing import NamedTuple

from glossary.find import fold as _fold
from glossary.find.spelling import Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from glossary.find.labels import Labels
    from glossary.model import Term

FIELDS = ("name", "alias", "one-sentence definition", "full text")
_LABEL_FIELDS = 2  # of these, how many are labels
_RARE = 2_000  # a word in more terms than this is frequent


class Row(NamedTuple):
    """Which terms have a stem, in rising order, and the best field it stands in."""

    numbers: array[int]
    fields: bytearray

    def field_in(self, number: int) -> int | None:
        """The best field of a term in which the stem stands, if it does."""
        place = bisect_left(self.numbers, number)
        if place < len(self.numbers) and self.numbers[place] == number:
            return self.fields[place]
        return None


class Index:
    """The stems of some terms, and the words that a misspelling may stand for.

    Args:
        terms: What is indexed.
        names: The labels of the same terms.
    """

    def __init__(self, terms: Sequence[Term], names: Labels) -> None:
        self.rows: dict[str, Row] = {}
        # What a misspelled word may stand for: a whole label, or a word of one.
        self.stem_of: dict[str, str] = {}
        for number, term in enumerate(terms):
            for stem, field in _stems(term).items():
                row = self.rows.get(stem)
                if row is None:
                    row = self.rows[stem] = Row(array("L"), bytearray())
                row.numbers.append(number)
                row.fields.append(field)
            for word in _fold.words(" ".join((term.name, *term.aliases))):
                self.stem_of[_fold.singular(word)] = _fold.stem(word)
        self.spelling = Spelling({*names.by_key, *self.stem_of})

    def with_label_words(self, text: str) -> list[int]:
        """Numbers of the terms whose names and aliases hold all words of a text."""
        rows = [self.rows.get(_fold.stem(word)) for word in _fold.words(text)]
        found = [
            {n: at for n, at in zip(*row, strict=True) if at < _LABEL_FIELDS}
            for row in rows
            if row is not None
        ]
        if not found or None in rows:
            return []
        everywhere = set.intersection(*(set(fields) for fields in found))
        # Those with all the words in their name come first.
        return sorted(everywhere, key=lambda n: (max(row[n] for row in found), n))


def candidates(rows: Iterable[Row]) -> set[int]:
    """Numbers of the terms worth scoring: few, whatever the size of the index.

    Every term with a rare word is one. Of those with frequent words only, it is the
    ones that have the two rarest of these, those with the word in a name first.
    """
    ordered = sorted(rows, key=lambda row: len(row.numbers))
    numbers: set[int] = set()
    numbers.update(*(row.numbers for row in ordered if len(row.numbers) <= _RARE))
    frequent = [row for row in ordered if len(row.numbers) > _RARE][:2]
    if frequent:
        shared = set.intersection(*(set(row.numbers) for row in frequent))
        shared = shared or set(frequent[0].numbers)
        best_first = chain.from_iterable(
            compress(frequent[0].numbers, map(field.__eq__, frequent[0].fields))
            for field in range(len(FIELDS))
        )
        numbers.update(islice(filter(shared.__contains__, best_first), _RARE))
    return numbers


def _stems(term: Term) -> dict[str, int]:
    """Each stem of a term, with the best field in which it stands."""
    meanings = (
        [symbol.meaning for symbol in term.formula.symbols] if term.formula else []
    )
    fields: tuple[Iterable[str], ...] = (
        (term.name,),
        (*term.aliases, *term.acronyms),
        (term.summary,),
        (term.definition, term.category, *term.api, *meanings),
    )
    found: dict[str, int] = {}
    for field, texts in enumerate(fields):
        for text in texts:
            for word in _fold.words(text):
                found.setdefault(_fold.stem(word), field)
    return found
