"""Finding the words of a vocabulary that a misspelled word may stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain

# Of the words that share most letter pairs, how many are compared letter by letter.
_SHORTLIST = 24
#: A word cut short is read as a longer one from so many letters on.
SHORTEST_PREFIX = 4
#: Longer words are no slip of anything: comparing them would cost time for nothing.
LONGEST = 40


def distance(a: str, b: str) -> int:
    """Letters to add, drop, change or swap with a neighbour to turn a into b.

    Source: Damerau 1964, 10.1145/363958.363994, in the variant that edits no part of a
    word twice.

    Example:
        >>> distance("adma", "adam"), distance("warmup", "warmups")
        (1, 1)
    """
    before: list[int] = []
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
        above = row
    return above[-1]


def allowed(word: str) -> int:
    """How many slips a word of this length may hold and still be understood."""
    if len(word) < 4:
        return 0
    if len(word) < 7:
        return 1
    return 2 if len(word) < 12 else 3


def likeness(word: str, other: str) -> float:
    """From 1 for equal words down to 0 for words too far apart.

    Another digit is no slip: L1 is not L2.
    """
    if _digits(word) != _digits(other):
        return 0.0
    shorter = min(word, other, key=len)
    longest = max(len(word), len(other))
    most = allowed(shorter)
    if longest - len(shorter) > most:
        return 0.0
    slips = distance(word, other)
    return 1 - slips / longest if slips <= most else 0.0


def _digits(word: str) -> str:
    return "".join(filter(str.isdecimal, word))


def rules() -> dict[str, int]:
    """The numbers above, for `search.js`."""
    return {
        "shortlist": _SHORTLIST,
        "longest_word": LONGEST,
        "shortest_prefix": SHORTEST_PREFIX,
    }


class Spelling:
    """A vocabulary, indexed by pairs of letters.

    Args:
        vocabulary: Folded words.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self.words = sorted(word for word in set(vocabulary) if len(word) <= LONGEST)
        self._with_pair: defaultdict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self.words):
            for pair in _pairs(word):
                self._with_pair[pair].append(number)

    def meant(self, word: str) -> tuple[str, float] | None:
        """What a word stands for that is none: but for a slip, or cut short."""
        near = self.close(word)
        if near:
            return near[0]
        first = bisect_left(self.words, word)
        longer = self.words[first] if first < len(self.words) else ""
        if len(word) < SHORTEST_PREFIX or not longer.startswith(word):
            return None
        return longer, 0.5 + 0.5 * len(word) / len(longer)

    def close(self, word: str) -> list[tuple[str, float]]:
        """Words within a few slips of this one, the most similar first."""
        if not allowed(word) or len(word) > LONGEST:
            return []
        rows = [self._with_pair.get(pair, []) for pair in _pairs(word)]
        shared = Counter(chain.from_iterable(rows))
        ranked = sorted(shared.items(), key=lambda item: (-item[1], item[0]))
        # A slip spoils three pairs at most, so a close word shares all the others.
        least = max(1, len(rows) - 3 * allowed(word))
        near = []
        for number, count in ranked[:_SHORTLIST]:
            other = self.words[number]
            alike = likeness(word, other) if count >= least else 0.0
            if alike:
                near.append((other, alike))
        return sorted(near, key=lambda pair: (-pair[1], pair[0]))


def _pairs(word: str) -> set[str]:
    edged = f"^{word}$"
    return {edged[i : i + 2] for i in range(len(edged) - 1)}
