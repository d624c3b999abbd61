from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glossary.find import fold

WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=12)
PHRASES = st.lists(WORDS, min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Learning Rate", "learning-rate"),
        ("learning_rate", "learningrate"),
        ("warm\u2013up", "warm up"),
        ("naïve", "naive"),
        ("normalisation", "normalization"),
        ("optimisers", "optimizer"),
        ("analysing", "analyzing"),
        ("behaviours", "behavior"),
        ("centred", "centered"),
        ("labelled", "labeled"),
        ("batches", "batch"),
        ("batch sizes", "batch size"),
        ("losses", "loss"),
        ("entropies", "entropy"),
        ("biases", "bias"),
        ("matrices", "matrix"),
        ("axes", "axis"),
        ("Adam's", "adam"),
        ("ﬁne tuning", "fine-tuning"),
    ],
)
def test_spellings_of_one_word_have_one_key(written: str, same: str) -> None:
    assert fold.key(written) == fold.key(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [("loss", "los"), ("class", "clas"), ("bias", "bia"), ("rate", "ratio")],
)
def test_different_words_keep_different_keys(one: str, other: str) -> None:
    assert fold.key(one) != fold.key(other)


@pytest.mark.parametrize(
    "family",
    [
        "normalize normalizing normalized normalization normalisation",
        "accumulate accumulating accumulated accumulation",
        "stop stopping stopped stops",
        "schedule scheduler scheduling scheduled",
        "encode encoder encoding",
        "decay decays decaying",
        "compress compression compressing",
    ],
)
def test_forms_of_one_word_have_one_stem(family: str) -> None:
    stems = {fold.stem(fold.fold(word)) for word in family.split()}
    assert len(stems) == 1


def test_an_acronym_is_not_taken_for_a_plural() -> None:
    assert fold.plain_key("G.N.S.") == "gns" != fold.plain_key("GN")


def test_question_words_do_not_count_unless_there_is_nothing_else() -> None:
    assert fold.content_words("What is the learning rate?") == ["learning", "rate"]
    assert fold.content_words("what is this") == ["what", "is", "this"]


def test_a_word_of_any_length_has_a_stem() -> None:
    assert fold.stem("train" + "ing" * 15) == "train"
    assert fold.stem("train" + "ing" * 1500) == "train" + "ing" * 1500


@given(PHRASES)
def test_case_and_joining_never_matter(words: list[str]) -> None:
    keys = {fold.key(join.join(words)) for join in (" ", "-", "_", " - ", "\t")}
    keys.add(fold.key(" ".join(words).upper()))
    keys.add(fold.key(" ".join(words).title()))
    assert len(keys) == 1


@given(PHRASES)
def test_combining_accents_never_matter(words: list[str]) -> None:
    text = " ".join(words)
    accented = "".join(c + "\u0301" if c in "aeiou" else c for c in text)
    assert fold.key(accented) == fold.key(text)


@given(st.text())
def test_any_text_can_be_folded(text: str) -> None:
    assert all(c.isalnum() for c in fold.key(text))
    assert all(fold.stem(word) for word in fold.words(text))


@given(WORDS)
def test_folding_a_word_again_changes_nothing(word: str) -> None:
    once = fold.fold(word)
    assert fold.fold(once) == once
