import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lr.plan.duration import FAR, Argument, Clock, Length, parse
from tests.kit.names import name_of

LEGAL = {
    "int": (500, ("updates", 500)),
    "one": (1, ("updates", 1)),
    "numpy int": (np.int64(7), ("updates", 7)),
    "small numpy int": (np.uint8(7), ("updates", 7)),
    "float": (0.25, ("fraction", 0.25)),
    "numpy float": (np.float32(0.25), ("fraction", 0.25)),
    "numpy scalar array": (np.array(0.5), ("fraction", 0.5)),
    "decimal": (Decimal("0.5"), ("fraction", 0.5)),
    "whole run": (1.0, ("fraction", 1.0)),
    "percent": ("5%", ("fraction", 0.05)),
    "percent with a space": (" 12.5 % ", ("fraction", 0.125)),
    "hundred percent": ("100%", ("fraction", 1.0)),
    "one epoch": ("1 epoch", ("epochs", 1.0)),
    "epochs": ("2 epochs", ("epochs", 2.0)),
    "part of an epoch": ("1.5 epochs", ("epochs", 1.5)),
    "no leading zero": (".5 epochs", ("epochs", 0.5)),
    "capital": ("3 Epochs", ("epochs", 3.0)),
    "steps": ("500 steps", ("updates", 500)),
    "one step": ("1 step", ("updates", 1)),
    "updates": ("20 updates", ("updates", 20)),
    "exponent": ("1e3 steps", ("updates", 1000)),
    "whole as a decimal": ("2.0 steps", ("updates", 2)),
}

WRONG_TYPE = [True, False, np.True_, None, [3], (), {}, b"5%", 1j, object]

WRONG_VALUE = {
    "zero": (0, "longer than nothing. Received: warmup=0. The shortest is 1, an upd"),
    "zero float": (0.0, "longer than nothing. Received: warmup=0.0."),
    "zero percent": ("0%", "longer than nothing. Received: warmup='0%'."),
    "negative zero": ("-0 epochs", "longer than nothing. Received: warmup='-0"),
    "negative int": (-3, "must not be negative. Received: warmup=-3."),
    "negative float": (-0.1, "must not be negative. Received: warmup=-0.1."),
    "negative percent": ("-5%", "must not be negative. Received: warmup='-5%'."),
    "negative steps": ("-5 steps", "not be negative. Received: warmup='-5 steps'."),
    "nan": (float("nan"), "must be finite. Received: warmup=nan."),
    "nan text": ("nan%", "must be finite. Received: warmup='nan%'."),
    "inf": (float("inf"), "must be finite. Received: warmup=inf."),
    "minus inf": (float("-inf"), "must be finite. Received: warmup=-inf."),
    "inf text": ("inf epochs", "must be finite. Received: warmup='inf epochs'."),
    "overflow": ("1e999 steps", "must be finite. Received: warmup='1e999 steps'."),
    "overflow of a fraction": (float("1e400"), "must be finite. Received: warmup=inf."),
    "a huge int": (10**400, "must be at most 10**15 updates. Received: warmup=1000"),
    "a huge negative int": (-(10**400), "must not be negative. Received: warmup=-100"),
    "too many updates": (10**15 + 1, "at most 10**15 updates. Received: warmup=10000"),
    "too many steps": ("2e15 steps", "at most 10**15 updates. Received: warmup='2e15"),
    "too many epochs": ("2e15 epochs", "at most 10**15 epochs. Received: warmup='2e1"),
    "a huge number": (Fraction(10**400), "must be finite. Received: warmup=Fraction("),
    "above 1": (1.5, "must not exceed the whole run (1.0, or 100%). Received: warmup"),
    "above 100 %": ("101%", "not exceed the whole run (1.0, or 100%). Received: warm"),
    "int as a float": (500.0, "For a number of updates write an int."),
    "part of a step": ("1.5 steps", "a whole number of updates. Received: warmup='1.5"),
    "parsecs": ("5 parsecs", "in %, epochs or steps, not in 'parsecs'. Received: wa"),
    "hours": ("1.5h", "counted in %, epochs or steps, not in 'h'. Received: warmup"),
    "no unit": ("5", "as text must name its unit: %, epochs or steps. Received: war"),
    "no number": ("epochs", "must be a duration: an int (updates), a fraction in (0,"),
    "words": ("two epochs", '"5%", "2 epochs" or "500 steps". Received: warmup=\'two'),
    "empty": ("", "must be a duration: an int (updates), a fraction in (0, 1), "),
    "comma": ("1,5 epochs", "not in ',5 epochs'. Received: warmup='1,5 epochs'."),
}

run = Clock(total=100, steps_per_epoch=20)


def read(duration):
    return Argument.read("warmup", duration)


def updates(*durations, clock=run):
    return clock.split([read(duration) for duration in durations])


@pytest.mark.parametrize(("duration", "expected"), LEGAL.values(), ids=LEGAL)
def test_every_legal_form_is_read(duration, expected):
    assert parse(duration) == Length(*expected)


@pytest.mark.parametrize("duration", WRONG_TYPE, ids=name_of)
def test_what_is_neither_number_nor_text_is_refused(duration):
    with pytest.raises(TypeError, match="`warmup` must be a duration: an int") as error:
        parse(duration, "warmup")
    assert str(error.value).endswith(f"Received: warmup={duration!r}.")


@pytest.mark.parametrize(("duration", "message"), WRONG_VALUE.values(), ids=WRONG_VALUE)
def test_each_illegal_value_gets_its_own_sentence(duration, message):
    with pytest.raises(ValueError, match="`warmup`") as error:
        parse(duration, "warmup")
    assert message in str(error.value)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("zero", [0, 0.0, np.float32(0), "0%", "0 epochs", "-0 steps"])
def test_zero_is_nothing_where_it_may_be(zero):
    argument = Argument.read("warmup", zero, may_be_zero=True)
    assert Clock().updates(argument) == 0
    with pytest.raises(ValueError, match="`warmup` must be longer than nothing"):
        parse(zero, "warmup")


def test_no_text_takes_long_to_be_refused():
    begin = time.perf_counter()
    for text in ("1" * 20_000 + "a\nb", "1." + "1" * 20_000 + "\n%b", "1e" * 9_999):
        with pytest.raises(ValueError, match="`warmup` must be") as error:
            parse(text, "warmup")
        assert len(str(error.value)) < 300
    assert time.perf_counter() - begin < 5


def test_the_longest_duration_can_be_counted_in_any_run():
    argument = Argument.read("warmup", "1e15 epochs")
    assert Clock(10, 1e9).updates(argument) == FAR
    assert Clock(10, 1e9).split([argument, argument]) == [FAR, FAR]


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(7, 7), (0.25, 25), ("5%", 5), ("2 epochs", 40), ("1.5 epochs", 30), (0.001, 1)],
)
def test_a_run_of_100_updates_turns_durations_into_updates(duration, expected):
    assert run.updates(read(duration)) == expected


@pytest.mark.parametrize(
    ("total", "expected"), [(10, 1), (29, 1), (30, 2), (50, 3), (70, 4), (101, 5)]
)
def test_halves_round_up_whatever_the_noise(total, expected):
    assert Clock(total).updates(read("5%")) == expected


def test_epochs_may_hold_a_part_of_an_update():
    clock = Clock(total=None, steps_per_epoch=2.5)
    assert updates("1 epoch", "1 epoch", "2 epochs", clock=clock) == [3, 2, 5]


def test_a_fraction_needs_the_length_of_the_run():
    with pytest.raises(ValueError, match="fraction of the run, whose length is not"):
        Clock(None, 20).updates(read(0.1))


def test_epochs_need_the_length_of_an_epoch():
    with pytest.raises(ValueError, match=r"Received: warmup='2 epochs'\."):
        Clock(100, None).updates(read("2 epochs"))


def test_updates_need_to_know_nothing():
    assert updates(3, "4 steps", clock=Clock()) == [3, 4]


def test_thirds_fill_the_run_and_differ_by_one_at_most():
    assert updates(1 / 3, 1 / 3, 1 / 3) == [33, 34, 33]


def test_what_is_given_in_updates_stays_exactly_that():
    assert updates(1 / 3, 7, 1 / 3, clock=Clock(50)) == [17, 7, 16]


def test_epochs_are_rounded_without_a_look_at_fractions():
    for total in (1, 10, 30, 1000):
        assert updates("1 epoch", 0.001, "1 epoch", clock=Clock(total, 2.5))[::2] == [
            3,
            2,
        ]


def test_the_shortest_phase_takes_its_update_from_a_longer_one():
    assert updates(0.01, 0.99, clock=Clock(10)) == [1, 9]
    assert updates(0.99, 0.01, clock=Clock(10)) == [9, 1]
    assert updates(0.1, 0.1, 0.8, clock=Clock(3)) == [1, 1, 1]


def test_more_phases_than_updates_have_one_each():
    assert updates(0.25, 0.25, 0.25, 0.25, clock=Clock(2)) == [1, 1, 1, 1]


weights = st.lists(st.integers(1, 1000), min_size=1, max_size=8)


@given(weights, st.integers(8, 10**9))
def test_fractions_that_add_up_to_one_fill_the_run_exactly(weights, total):
    fractions = [weight / sum(weights) for weight in weights]
    counts = updates(*fractions, clock=Clock(total))
    assert sum(counts) == total
    assert min(counts) >= 1


@given(weights, st.integers(1, 10**6), st.floats(0.5, 50))
def test_no_boundary_is_further_off_than_the_phases_that_were_too_short(
    weights, total, per_epoch
):
    clock = Clock(total, per_epoch)
    counts = updates(*(f"{weight} epochs" for weight in weights), clock=clock)
    exact = np.cumsum(weights) * per_epoch
    short = np.sum(np.array(weights) * per_epoch < 1)
    assert np.all(np.abs(np.cumsum(counts) - exact) <= short + 0.5 + 1e-6)


@given(st.lists(st.integers(1, 10**12), max_size=8))
def test_updates_are_never_rounded(lengths):
    assert updates(*lengths, clock=Clock()) == lengths


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=8), st.integers(1, 10**6))
def test_every_phase_has_an_update(fractions, total):
    assert min(updates(*fractions, clock=Clock(total))) >= 1


@given(st.floats(1e-6, 1), st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_longer_run_never_shortens_a_phase(fraction, total, more):
    short, long = Clock(total), Clock(total + more)
    assert short.updates(read(fraction)) <= long.updates(read(fraction))
