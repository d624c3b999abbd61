"""Ranked search: is there an answer to this question, and which term is it?

A question is read once: its words, the labels (names, aliases, acronyms ...) that stand
in it, and what a misspelled word stands for. For each term some features are counted,
all between 0 and 1; their weighted sum is what the term is worth. With "there is no
answer" as one more candidate, worth 0, the chance that there is one is

    covered = 1 - 1 / (1 + sum over terms of exp(worth)),

and the score of a term is covered * exp(worth - the highest worth): the first answer
has the chance that the question is answered at all, and 0.5 is where that is more
likely than not. `WEIGHTS` are fitted to questions with and without an answer by
`benchmarks/search_weights.py` (a multinomial logit: McFadden 1974). `search.js` does
the same for pages, on the tables that `Search.index` writes.

A question that is a label as a whole needs no sum: `WHOLE` has its score.

Rarity of a word: log((N + 1) / (n + 0.5)), N terms of which n have it (the weight of
Robertson and Sparck Jones 1976, 10.1002/asi.4630270302, without relevance data).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

from glossary.find import fold, spelling
from glossary.find.labels import OWN_NAMES, Label, Labels, best
from glossary.find.spelling import Spelling
from glossary.model import Term

#: Score of a question that is a label as a whole.
WHOLE = {
    "name": 1.0,
    "id": 1.0,
    "alias": 0.97,
    "acronym": 0.96,
    "misspelling": 0.95,
    "see": 0.45,  # it is explained there, and is something else
}
#: Where a word can stand in a term; each is a feature, and the best place counts.
FIELDS = {
    "name": "name",
    "alias": "alias",
    "keyword": "keywords",
    "sentence": "one-sentence definition",
    "text": "full text",
}
WEIGHTS = {
    "bias": -8.36,
    "label": 2.93,
    "named": 2.98,
    "squared": 2.76,
    "name": 3.11,
    "alias": 1.78,
    "keyword": 4.48,
    "sentence": 1.67,
    "text": 0.0,  # where else a word stands counts through "words" alone
    "part": 3.96,
    "first": 1.8,
    "words": 5.63,
    "short": -1.2,
    "unknown": -0.68,
    "slips": -1.2,
}
_FIELD_NAMES = tuple(FIELDS)
#: No sum of features is as good as a label; a whole label but for a slip lies between.
HIGHEST = 0.89
LEAST = 0.5
#: From this score on displays say "this is it".
THIS_IS_IT = 0.5
_LONGEST_LABEL = 6  # words
_LONGEST_QUESTION = 40  # words
_MANY_WORDS = 4
_SHORT_QUESTION = 3  # words


@dataclass(frozen=True)
class Found:
    """One answer, by the number of its term."""

    number: int
    score: float
    reason: str


@dataclass(frozen=True)
class Word:
    """One word of a question that says what it is about.

    Args:
        place: Its place among all words of the question.
        told: As it was written.
        singular: The word it stands for, folded.
        rarity: What it counts.
        trust: 1, or less where it was spelled wrong.
        fields: For each term that has it, the best field.
    """

    place: int
    told: str
    singular: str
    rarity: float
    trust: float
    fields: dict[int, int]


@dataclass
class Held:
    """The labels of one term that a question holds."""

    labels: list[Label] = field(default_factory=list)
    places: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Question:
    """A question, read.

    Args:
        words: Those that say what it is about.
        held: By term, the labels that it holds.
        total: Sum of the rarities of its words.
    """

    words: tuple[Word, ...]
    held: dict[int, Held]
    total: float


class Search:
    """Answers to questions about some terms.

    Args:
        terms: What is searched.
        names: The labels of the same terms.
    """

    def __init__(self, terms: Sequence[Term], names: Labels) -> None:
        self._terms = terms
        self._names = names
        self._fields: dict[str, dict[int, int]] = {}
        self._by_stems: dict[str, list[Label]] = {}
        self._label_stems: list[list[frozenset[str]]] = []
        vocabulary: set[str] = set()
        acronyms = {
            fold.plain_key(acronym): _phrase(term.name)
            for term in terms
            for acronym in term.acronyms
        }
        for number, term in enumerate(terms):
            for stem, place in _stems(term, acronyms).items():
                self._fields.setdefault(stem, {})[number] = place
            texts = (term.name, *term.aliases)
            words = [fold.content_words(text) for text in texts]
            self._label_stems.append(
                [frozenset(map(fold.stem, held)) for held in words]
            )
            vocabulary.update(fold.singular(word) for held in words for word in held)
        for held in names.by_key.values():
            for label in held:
                if label.kind in ("name", "alias"):
                    stems = "".join(map(fold.stem, fold.words(label.text)))
                    self._by_stems.setdefault(stems, []).append(label)
        # A listed misspelling is not what another slip stands for.
        shown = {key for key in names.by_key if names.is_name(key)}
        self._spelling = Spelling(vocabulary | shown)

    def find(self, question: str, limit: int) -> list[Found]:
        """The best answers, best first; equal ones in the order of the terms."""
        read = self.read(question)
        candidates = {number for word in read.words for number in word.fields}
        candidates |= read.held.keys()
        worths = {number: self._worth(read, number) for number in sorted(candidates)}
        highest = max(worths.values(), default=0.0)
        # Relative to the highest, so that no power overflows.
        powers = {number: exp(worth - highest) for number, worth in worths.items()}
        total = sum(powers.values())
        covered = total / (total + exp(-highest))
        whole = self._whole(question)
        # What leads to a term as a whole is known to have no entry of its own.
        only_seen = bool(whole) and whole[0].score == WHOLE["see"]
        most = WHOLE["see"] if only_seen else HIGHEST
        found = {
            number: Found(number, most * covered * power, "")
            for number, power in powers.items()
        }
        for answer in whole:
            if answer.number not in found or answer.score > found[answer.number].score:
                found[answer.number] = answer
        ranked = sorted(found.values(), key=lambda one: (-one.score, one.number))
        return [
            Found(
                one.number,
                round(one.score, 4),
                one.reason or self._reason(read, one.number),
            )
            for one in ranked[:limit]
        ]

    def spelled_like(self, name: str, most: int) -> list[int]:
        """Numbers of the terms with a name that this one is a slip or two away from."""
        found: dict[int, None] = {}
        for key, _ in self._spelling.close(fold.key(name)):
            for label in best(self._names.by_key.get(key, ())):
                if label.kind in OWN_NAMES:
                    found[label.number] = None
        return list(found)[:most]

    def index(self) -> dict[str, Any]:
        """What the engine looks up, as JSON can hold it: `search.js` runs on it."""
        return {
            "terms": [{"id": term.id} for term in self._terms],
            "labels": {
                key: [[label.number, label.kind, label.text] for label in best(labels)]
                for key, labels in self._names.by_key.items()
            },
            "by_stems": {
                key: [[label.number, label.kind, label.text] for label in best(labels)]
                for key, labels in self._by_stems.items()
            },
            "fields": self._fields,
            "label_stems": [
                [sorted(stems) for stems in held] for held in self._label_stems
            ],
            "vocabulary": self._spelling.words,
            "weights": WEIGHTS,
            "field_names": _FIELD_NAMES,
            "whole": WHOLE,
            "highest": HIGHEST,
            "least": LEAST,
            "this_is_it": THIS_IS_IT,
            "many_words": _MANY_WORDS,
            "short_question": _SHORT_QUESTION,
            "longest_label": _LONGEST_LABEL,
            "longest_question": _LONGEST_QUESTION,
            **spelling.rules(),
            **fold.rules(),
        }

    def _whole(self, question: str) -> list[Found]:
        """Answers to a question that is a label, as written or but for a slip."""
        content = " ".join(fold.content_tokens(question))
        keys = dict.fromkeys((*fold.keys(question), *fold.keys(content)))
        for key in keys:
            exact = [
                Found(label.number, WHOLE[label.kind], self._told(label))
                for label in best(self._names.by_key.get(key, ()))
            ]
            if exact:
                return exact
        if all(self._is_known(fold.fold(token)) for token in fold.tokens(content)):
            return []  # a label spelled nearly like known words is a coincidence
        return [
            Found(label.number, LEAST + alike * (HIGHEST - LEAST), self._nearly(label))
            for key, alike in self._spelling.close(fold.key(content))[:1]
            for label in self._names.named(key)
        ]

    def read(self, question: str) -> Question:
        """The words and the labels of a question."""
        tokens = fold.tokens(question)[:_LONGEST_QUESTION]
        telling = [t not in fold.STOP_WORDS for t in tokens]
        if not any(telling):
            telling = [True] * len(tokens)
        folded = [fold.fold(token) for token in tokens]
        trust = [1.0] * len(tokens)
        for place, word in enumerate(folded):
            if telling[place] and not self._is_known(word):
                meant = self._spelling.meant(fold.singular(word))
                if meant:
                    folded[place], trust[place] = meant
        held = self._labels_in(folded)
        taken = {place for one in held.values() for place in one.places}
        for place in _context_places(folded):
            if any(telling[:place] + telling[place + 2 :]) and place not in taken:
                telling[place : place + 2] = [False, False]
        words = []
        for place, word in enumerate(folded):
            if telling[place]:
                fields = self._fields.get(fold.stem(word), {})
                rarity = log((len(self._terms) + 1) / (len(fields) + 0.5))
                told = tokens[place]
                singular = fold.singular(word)
                words.append(Word(place, told, singular, rarity, trust[place], fields))
        total = sum(word.rarity for word in words)
        return Question(tuple(words), held, total)

    def _is_known(self, word: str) -> bool:
        """Whether a word stands in a term; a listed misspelling is none."""
        keys = (word, fold.singular(word))
        return fold.stem(word) in self._fields or any(map(self._names.is_name, keys))

    def _labels_in(self, folded: list[str]) -> dict[int, Held]:
        """The labels in a question: the longest first, and none inside a longer one."""
        held: defaultdict[int, Held] = defaultdict(Held)
        taken: set[int] = set()
        for length in range(min(_LONGEST_LABEL, len(folded)), 0, -1):
            for start in range(len(folded) - length + 1):
                places = set(range(start, start + length))
                if places & taken:
                    continue
                for label in self._label_of(folded[start : start + length]):
                    held[label.number].labels.append(label)
                    held[label.number].places |= places
                    taken |= places
        return dict(held)

    def _label_of(self, span: list[str]) -> list[Label]:
        for way in (str, fold.singular):
            labels_here = self._names.named("".join(map(way, span)))
            if labels_here:
                return labels_here
        return best(self._by_stems.get("".join(map(fold.stem, span)), ()))

    def features(self, read: Question, number: int) -> dict[str, float]:
        """What a term has of a question, each from 0 to 1; see `WEIGHTS`."""
        held = read.held.get(number, Held())
        total = read.total or 1.0
        places = dict.fromkeys(FIELDS, 0.0)
        label = 0.0
        named = 0.0
        missing = 0.0
        unknown = 0.0
        slips = 0.0
        matched = 0
        taken = {place for other in read.held.values() for place in other.places}
        for word in read.words:
            share = word.rarity / total
            in_label = word.place in held.places
            if in_label or number in word.fields:
                matched += 1
                slips += share * (word.trust < 1)
            else:
                missing += share
            named += share * (word.place in taken)
            if in_label:
                label += share
            elif number in word.fields:
                places[_FIELD_NAMES[word.fields[number]]] += share * word.trust
            elif not word.fields:
                unknown += share
        first = min((min(one.places) for one in read.held.values()), default=-1)
        return {
            "bias": 1.0,
            "label": label,
            # "Adam or SGD" is all names: each of them answers half of it, and is in it.
            "named": named if held.labels else 0.0,
            "squared": label**2,  # a label counts more where it is all of the question
            **places,
            "part": 0.0 if held.labels else self._part(read, number),
            "first": float(first in held.places),
            "words": min(matched, _MANY_WORDS) / _MANY_WORDS,
            # Of two or three words each tells: "gradient boosting" is no gradient.
            "short": missing if len(read.words) <= _SHORT_QUESTION else 0.0,
            "unknown": unknown,
            "slips": slips,
        }

    def _part(self, read: Question, number: int) -> float:
        """The largest share of a label's words that the question holds."""
        stems = {fold.stem(word.singular) for word in read.words}
        shares = [
            len(held & stems) / len(held) for held in self._label_stems[number] if held
        ]
        return max(shares, default=0.0)

    def _worth(self, read: Question, number: int) -> float:
        features = self.features(read, number)
        return sum(WEIGHTS[name] * value for name, value in features.items())

    def _reason(self, read: Question, number: int) -> str:
        """What matched, in the words of the question and of the term."""
        held = read.held.get(number)
        parts = []
        if held:
            told = dict.fromkeys(self._told(label) for label in held.labels)
            parts.append(f"the question holds the {' and the '.join(told)}")
        for place, name in enumerate(FIELDS.values()):
            here = [
                repr(word.told) if word.trust == 1 else f"nearly {word.told!r}"
                for word in read.words
                if word.fields.get(number) == place
                and not (held and word.place in held.places)
            ]
            if here:
                parts.append(f"{', '.join(dict.fromkeys(here))} in the {name}")
        return "; ".join(parts)

    def _nearly(self, label: Label) -> str:
        return f"nearly the {self._told(label)}"

    def _told(self, label: Label) -> str:
        """What kind of label it is and how it reads; a misspelling is never shown."""
        if label.kind == "misspelling":
            return f"misspelling of {self._terms[label.number].name!r}"
        kind = "related name" if label.kind == "see" else label.kind
        return f"{kind} {label.text!r}"


def _context_places(folded: list[str]) -> list[int]:
    """Where "in deep learning" and the like stand in a question."""
    pairs = zip(folded, map(fold.singular, folded[1:]), strict=False)
    return [place for place, pair in enumerate(pairs) if pair in fold.CONTEXTS]


def _phrase(text: str) -> str:
    """Words in the singular, with a blank around each."""
    return f" {' '.join(map(fold.singular, fold.words(text)))} "


def _stems(term: Term, acronyms: dict[str, str]) -> dict[str, int]:
    """Each stem of a term, with the best field in which it stands.

    Where the name behind an acronym stands, the acronym is taken to stand as well.
    """
    meanings = (
        [symbol.meaning for symbol in term.formula.symbols] if term.formula else []
    )
    see = [one.name for one in term.see]
    claims = [claim.sentence for claim in term.claims]
    fields: tuple[Sequence[str], ...] = (
        (term.name,),
        (*term.aliases, *term.acronyms),
        (*term.keywords, *see),
        (term.summary,),
        (term.definition, term.mistake, *claims, *meanings, *term.api),
    )
    found: dict[str, int] = {}
    for place, texts in enumerate(fields):
        for text in texts:
            for word in fold.words(text):
                found.setdefault(fold.stem(word), place)
            phrase = _phrase(text)
            for acronym, name in acronyms.items():
                if name in phrase:
                    found.setdefault(fold.stem(acronym), place)
    return found
