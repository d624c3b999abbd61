"""Finding the words of a vocabulary that a misspelled word may stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Of the words that share most letter pairs, how many are compared letter by letter.
_SHORTLIST = 48
# A pair found in more words than this tells nothing and costs time.
_COMMON_PAIR = 20_000
_SHORTEST_PREFIX = 4


def distance(a: str, b: str) -> int:
    """Letters to add, drop, change or swap with a neighbour to turn a into b.

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
        before, above = above, row
    return above[-1]


def allowed(word: str) -> int:
    """How many slips a word of this length may hold and still be understood."""
    return 0 if len(word) < 4 else 1 if len(word) < 6 else 2 if len(word) < 10 else 3


def similarity(word: str, other: str) -> float:
    """From 1 for equal words down to 0 for words too far apart."""
    shortest, longest = sorted((len(word), len(other)))
    most = allowed(word if len(word) == shortest else other)
    if longest - shortest > most:
        return 0.0
    slips = distance(word, other)
    return 1 - slips / longest if slips <= most else 0.0


class Spelling:
    """A vocabulary, indexed by pairs of letters.

    Args:
        vocabulary: Folded words.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._words = sorted(set(vocabulary))
        self._with_pair: defaultdict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self._words):
            for pair in _pairs(word):
                self._with_pair[pair].append(number)

    def near(self, word: str) -> list[tuple[str, float]]:
        """Words that this one may stand for, by a slip or cut short."""
        return self.close(word) or self._longer(word)

    def _longer(self, word: str) -> list[tuple[str, float]]:
        """Words that begin with this one."""
        if len(word) < _SHORTEST_PREFIX:
            return []
        first = bisect_left(self._words, word)
        found = [
            (other, 0.5 + 0.5 * len(word) / len(other))
            for other in self._words[first : first + _SHORTLIST]
            if other.startswith(word)
        ]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def close(self, word: str) -> list[tuple[str, float]]:
        """Words within a few slips of this one, the most similar first."""
        if not allowed(word):
            return []
        rows = [self._with_pair.get(pair, []) for pair in _pairs(word)]
        telling = [row for row in rows if len(row) <= _COMMON_PAIR] or rows
        shared = Counter(chain.from_iterable(telling))
        # A slip spoils three pairs at most, so a close word shares all the others.
        least = max(1, len(telling) - 3 * allowed(word))
        found = []
        for number, count in shared.most_common(_SHORTLIST):
            other = self._words[number]
            likeness = similarity(word, other) if count >= least else 0.0
            if likeness:
                found.append((other, likeness))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _pairs(word: str) -> set[str]:
    edged = f"^{word}$"
    return {edged[i : i + 2] for i in range(len(edged) - 1)}
