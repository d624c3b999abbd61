"""Ranked search.

The rule, from the best answer down (each answer says which line it met):

1. The whole question is a label: name or id 1.00, alias 0.97, acronym 0.96,
   misspelling 0.95.
2. The whole question is a slip or two away from a label: 0.80 to 0.94.
3. Otherwise words count, to 0.80 at most. A word counts by its rarity, and by the
   best place where it stands: name 1.0, alias 0.9, one-sentence definition 0.6,
   full text 0.35. A label that the question holds whole counts extra, and so, a
   little, does one that it holds in part. A word that is found nowhere is read as the
   words that are spelled nearly like it or begin with it, at a discount.

Question words ("what is", "how does", "the") do not count. Endings are ignored.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import nlargest
from math import log
from typing import NamedTuple

from glossary.find import fold as _fold
from glossary.find.index import FIELDS, Index, Row, candidates
from glossary.find.labels import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from glossary.find.labels import Label, Labels
    from glossary.model import Term

_WHOLE = {"name": 1.0, "id": 1.0, "alias": 0.97, "acronym": 0.96, "misspelling": 0.95}
_FIELD_WEIGHT = (1.0, 0.9, 0.6, 0.35)  # of name, alias, one sentence, full text
_BEST_BY_WORDS = 0.8
_LABEL_SHARE = 0.3
_PARTLY = 0.8
_LEAST_RARITY = 0.2
_SLIP_DISCOUNT = 0.8
_LONGEST_LABEL = 6  # words
_LONGEST_QUESTION = 40  # words
_FINALISTS = 60  # so many candidates are judged closely


class Found(NamedTuple):
    """One answer, by the number of its term."""

    number: int
    score: float
    reason: str


class _Word(NamedTuple):
    """One word of the question, and where it occurs."""

    told: str
    rarity: float
    rows: list[tuple[Row, float]]  # where it stands, and how far that is trusted
    near_labels: list[tuple[str, float]]  # keys that a slip may have turned into it


class _Place(NamedTuple):
    """Where a term has a word of the question, and what that counts."""

    weight: float
    field: int
    label: str = ""  # told, if the word belongs to a label that the question holds


_NOWHERE = _Place(0.0, 4)


class Search:
    """Answers to questions about some terms.

    Args:
        terms: What is searched.
        names: The labels of the same terms.
    """

    def __init__(self, terms: Sequence[Term], names: Labels) -> None:
        self._terms = terms
        self._names = names
        self.index = Index(terms, names)

    def find(self, question: str, limit: int) -> list[Found]:
        """The best answers, best first; equal ones in the order of the terms."""
        tokens = _fold.content_tokens(question)[:_LONGEST_QUESTION]
        # Where every word is known, a label spelled nearly like them is a coincidence.
        stems = [_fold.stem(_fold.fold(token)) for token in tokens]
        unknown = any(stem not in self.index.rows for stem in stems)
        best: dict[int, Found] = {}
        for found in (
            *self._by_words(tokens),
            *(self._close(question, tokens) if unknown else ()),
            *self._whole(question, tokens),
        ):
            if found.number not in best or found.score >= best[found.number].score:
                best[found.number] = found
        return nlargest(limit, best.values(), key=lambda f: (f.score, -f.number))

    def _whole(self, question: str, tokens: list[str]) -> list[Found]:
        keys = (*_fold.keys(question), *_fold.keys(" ".join(tokens)))
        return [
            Found(label.number, _WHOLE[label.kind], self._told(label))
            for key in keys
            for label in reversed(self._names.by_key.get(key, ()))
        ]

    def _close(self, question: str, tokens: list[str]) -> list[Found]:
        keys = dict.fromkeys((_fold.key(question), _fold.key(" ".join(tokens))))
        return [
            Found(
                label.number,
                0.6 + 0.35 * likeness * _WHOLE[label.kind],
                self._told(label, slip=True),
            )
            for key in keys
            for other, likeness in self.index.spelling.close(key)
            for label in self._names.by_key.get(other, ())
            if other != key
        ]

    def _by_words(self, tokens: list[str]) -> list[Found]:
        words = [self._word(token) for token in tokens]
        inside = self._labels_inside(tokens, words)
        total = sum(word.rarity for word in words)
        scored = [
            (sum(w.rarity * p.weight for w, p in zip(words, at, strict=True)), -n, at)
            for n in candidates(r for w in words for r, _ in w.rows) | inside.keys()
            for at in [_places(n, words, inside.get(n, {}))]
        ]
        stems = {_fold.stem(_fold.fold(token)) for token in tokens}
        return [
            self._judge(-minus, score / total, at, words, stems)
            for score, minus, at in nlargest(_FINALISTS, scored)
        ]

    def _word(self, token: str) -> _Word:
        word = _fold.fold(token)
        stem = _fold.stem(word)
        rows, near = [], []
        if stem in self.index.rows:
            rows = [(self.index.rows[stem], 1.0)]
        else:
            near = self.index.spelling.near(_fold.singular(word))
        rows += [
            (self.index.rows[self.index.stem_of[other]], likeness * _SLIP_DISCOUNT)
            for other, likeness in near
            if other in self.index.stem_of
        ]
        count = max((len(row.numbers) for row, _ in rows), default=1)
        rarity = max(_LEAST_RARITY, log((1 + len(self._terms)) / (0.5 + count)))
        keys = [(k, x * _SLIP_DISCOUNT) for k, x in near if k in self._names.by_key]
        told = f"nearly {token!r}" if near else repr(token)
        return _Word(told, rarity, rows, keys)

    def _labels_inside(
        self, tokens: list[str], words: list[_Word]
    ) -> dict[int, dict[int, _Place]]:
        """For each term, the tokens that belong to one of its labels."""
        inside: defaultdict[int, dict[int, _Place]] = defaultdict(dict)

        def note(key: str, trust: float, places: range) -> None:
            for label in self._names.by_key.get(key, ()):
                field = 0 if label.kind in ("name", "id") else 1
                told = self._told(label, slip=trust < 1)
                place = _Place(_FIELD_WEIGHT[field] * trust, field, told)
                inside[label.number].update(dict.fromkeys(places, place))

        folded = [_fold.fold(token) for token in tokens]
        for number, word in enumerate(words):
            for key, trust in word.near_labels:
                note(key, trust, range(number, number + 1))
        for length in range(1, min(_LONGEST_LABEL, len(folded)) + 1):
            for start in range(len(folded) - length + 1):
                span = folded[start : start + length]
                places = range(start, start + length)
                for way in (str, _fold.singular, _fold.stem):
                    note("".join(map(way, span)), 1.0, places)
        return inside

    def _judge(
        self,
        number: int,
        share: float,
        places: list[_Place],
        words: list[_Word],
        stems: set[str],
    ) -> Found:
        held = [place for place in places if place.label]
        if held:
            extra = sum(place.weight for place in held) / len(places)
            labels_told = dict.fromkeys(place.label for place in held)
            reason = f"the question holds the {' and the '.join(labels_told)}"
        else:
            extra = self._coverage(number, stems) * share * _PARTLY
            reason = _reason(words, places)
        score = _BEST_BY_WORDS * ((1 - _LABEL_SHARE) * share + _LABEL_SHARE * extra)
        return Found(number, round(score, 4), reason)

    def _told(self, label: Label, *, slip: bool = False) -> str:
        """What kind of label it is and how it reads; a misspelling only as written."""
        kind, text = label.kind, label.text
        if slip and kind == "misspelling":
            kind, text = "name", self._terms[label.number].name
        return f"{kind} {text!r}, but for a slip" if slip else f"{kind} {text!r}"

    def _coverage(self, number: int, stems: set[str]) -> float:
        """The largest share of a label's words that the question holds."""
        shares = [0.0]
        for kind, text in labels(self._terms[number]):
            if kind in ("name", "alias"):
                held = {_fold.stem(word) for word in _fold.content_words(text)}
                shares.append(len(held & stems) / (len(held) or 1))
        return max(shares)


def _places(number: int, words: list[_Word], inside: dict[int, _Place]) -> list[_Place]:
    """For each word of the question, the best place where a term has it."""
    found = []
    for at, word in enumerate(words):
        best = inside.get(at, _NOWHERE)
        for row, trust in word.rows:
            field = row.field_in(number)
            weight = 0.0 if field is None else _FIELD_WEIGHT[field] * trust
            if field is not None and weight > best.weight:
                best = _Place(weight, field, best.label)
        found.append(best)
    return found


def _reason(words: list[_Word], places: list[_Place]) -> str:
    parts = []
    for field, name in enumerate(FIELDS):
        here = [
            word.told
            for word, place in zip(words, places, strict=True)
            if place.field == field
        ]
        if here:
            parts.append(f"{', '.join(dict.fromkeys(here))} in the {name}")
    return "; ".join(parts)
