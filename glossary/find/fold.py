"""Folding: spellings that mean the same word become the same string.

`words` drops case, accents, hyphens and British spelling; `singular` drops the
plural; `stem` drops endings, and serves search only, where a near miss is still
an answer. A folded word is for comparing and is never shown: some are no words
(``noise`` becomes ``noize``), which does no harm because both sides are folded.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['\u2019](?:s\b)?")
_BRITISH = (
    (re.compile(r"is(e[drs]?|ers|ing|ations?)$"), r"iz\1"),
    (re.compile(r"ys(e[drs]?|ers|ing)$"), r"yz\1"),
    (re.compile(r"(?<=\w\w\w)our(s?|ed|ing|al|able|hood)$"), r"or\1"),
    (re.compile(r"(?<=\w\w)tre(s?)$"), r"ter\1"),
    (re.compile(r"(?<=\w\w)tred$"), "tered"),
    (re.compile(r"ll(ed|ing|er|ers)$"), r"l\1"),
    (re.compile(r"ogue(s?)$"), r"og\1"),
    (re.compile(r"(?<=gra)mme(s?)$"), r"m\1"),
)
_IRREGULAR = {
    "analyses": "analysis",
    "axes": "axis",
    "biases": "bias",
    "bias": "bias",
    "caches": "cache",
    "criteria": "criterion",
    "gelus": "gelu",
    "hypotheses": "hypothesis",
    "indices": "index",
    "matrices": "matrix",
    "maxima": "maximum",
    "minima": "minimum",
    "optima": "optimum",
    "relus": "relu",
    "vertices": "vertex",
}
# Longest first, so that an ending is not taken for a shorter one.
_ENDINGS = tuple(
    _WORD.findall(
        "izations ization alities izing izers ality ations ities izer ized ation ating "
        "ators ator ated ions ings ize ate ity ion ing ers ors er or ed al ly e"
    )
)
_SHORTEST_STEM = 4
# Longer ones are no words of a language: taking their endings off, one by one, would
# take time that grows with the square of their length.
_LONGEST_WORD = 64
STOP_WORDS = frozenset(
    _WORD.findall(
        "a about an and are as at be between by can could define definition describe "
        "did difference do does explain for from give has have help how i if in into "
        "is it its like me mean meaning means my of on or our per please should so "
        "tell that the their them then there they thing this to us use used using "
        "versus vs want was we what whats when where which who why will with work "
        "works would you your"
    )
)

#: Words that only say where a question comes from, unless they are part of a name.
CONTEXTS = (
    ("machine", "learning"),
    ("deep", "learning"),
    ("neural", "network"),
    ("neural", "net"),
)


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """One word in American spelling."""
    for pattern, american in _BRITISH:
        word = pattern.sub(american, word)
    return word


def tokens(text: str) -> list[str]:
    """Words of a text without case, accents and possessive endings."""
    if not text.isascii():
        marked = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in marked if not unicodedata.combining(c))
    return _WORD.findall(_POSSESSIVE.sub("", text.casefold()))


def words(text: str) -> list[str]:
    """Words of a text, folded but for the plural."""
    return [fold(word) for word in tokens(text)]


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """A folded word without its plural ending."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A folded word without plural and common endings.

    Example:
        >>> {stem(word) for word in ("scheduled", "scheduling", "schedulers")}
        {'schedul'}
    """
    if len(word) > _LONGEST_WORD:
        return word
    word = singular(word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return stem(_undouble(word.removesuffix(ending)))
    return word.removesuffix("e") if len(word) >= _SHORTEST_STEM else word


def _undouble(word: str) -> str:
    """``stopp`` (from stopping) is ``stop``; ``compress`` stays."""
    if word[-1] == word[-2] and word[-1] not in "aeiouls":
        return word[:-1]
    return word


def plain_key(text: str) -> str:
    """Key under which an acronym is found: ``"L.R."`` gives ``"lr"``."""
    return "".join(words(text))


def key(text: str) -> str:
    """Key under which a name is found: ``"Warm-ups"`` gives ``"warmup"``."""
    return "".join(singular(word) for word in words(text))


def keys(text: str) -> tuple[str, ...]:
    """The keys to try for what a user wrote, the more literal one first."""
    return tuple(dict.fromkeys((plain_key(text), key(text))))


def content_tokens(text: str) -> list[str]:
    """Words as written, without those that only make the text a question."""
    found = tokens(text)
    return [word for word in found if word not in STOP_WORDS] or found


def content_words(text: str) -> list[str]:
    """Folded words without those that only make the text a question."""
    return [fold(word) for word in content_tokens(text)]


def rules() -> dict[str, object]:
    """The tables above, for `search.js`; patterns as JavaScript writes them."""
    return {
        "british": [
            [pattern.pattern, into.replace("\\1", "$1")] for pattern, into in _BRITISH
        ],
        "irregular": _IRREGULAR,
        "endings": _ENDINGS,
        "shortest_stem": _SHORTEST_STEM,
        "stop_words": sorted(STOP_WORDS),
        "contexts": CONTEXTS,
    }
