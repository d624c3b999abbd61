from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.find.spelling import Spelling, distance, likeness

WORDS = st.text(string.ascii_lowercase, max_size=9)


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("adam", "adam", 0),
        ("adma", "adam", 1),
        ("bachnorm", "batchnorm", 1),
        ("wieght", "weight", 1),
        ("ca", "abc", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_distance_counts_slips(a: str, b: str, slips: int) -> None:
    assert distance(a, b) == slips


@given(WORDS, WORDS)
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    slips = distance(a, b)
    assert slips == distance(b, a)
    assert abs(len(a) - len(b)) <= slips <= max(len(a), len(b))
    assert (slips == 0) == (a == b)


@given(st.text(string.ascii_lowercase, min_size=6, max_size=9), st.data())
def test_a_word_with_one_slip_is_found_again(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 2))
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    dropped = word[:place] + word[place + 1 :]
    spelling = Spelling([word, "unrelated", "vocabulary"])
    for slip in (swapped, dropped, word + "x"):
        assert word in [found for found, _ in spelling.close(slip)]


def test_short_words_are_not_guessed() -> None:
    assert Spelling(["lr", "bn", "sgd"]).close("sgb") == []


def test_distant_words_are_not_similar() -> None:
    assert likeness("momentum", "attention") == 0.0
    assert likeness("rate", "generation") == 0.0
