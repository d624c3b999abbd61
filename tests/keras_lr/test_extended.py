"""``extend``: a run that becomes longer, or shorter, without a jump."""

from __future__ import annotations

import copy
import json
import pickle

import keras
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_lr as k
from keras_lr.extended import Extended
from keras_lr.finder.plan import in_small
from keras_lr.phases import cosine, exponential, hold, linear, repeat
from tests.keras_lr.presets.test_properties import PRESETS, make
from tests.kit.probe import assert_rates

mpl.use("Agg")

lengths = st.sampled_from([1, 2, 5, "5%", "30%", "0.5 epochs"])


def presets_and_phases():
    """Schedules, as far as they say where the rate goes."""
    levels = st.floats(0.01, 2.0)
    shapes = st.sampled_from([linear, cosine, exponential])
    shares = st.sampled_from([3, "10%", "40%"])
    phases = st.lists(st.builds(lambda s, d, v: s(d, to=v), shapes, shares, levels))
    own = st.builds(
        lambda first, rest, last: k.Schedule(first, *rest[:2], last, start=0.5),
        st.builds(lambda v: hold(2, v), levels),
        phases,
        st.builds(lambda v: cosine(to=v), levels),
    )
    cycles = st.builds(
        lambda grow, fixed: k.Schedule(
            repeat(linear(4), cosine("20%", to=0.1), grow=grow, fixed=fixed)
        ),
        st.sampled_from([0.5, 1.0, 1.7]),
        st.integers(0, 1),
    )
    plans = [name for name in PRESETS if name != "Plateau"]
    return st.sampled_from(plans).map(make) | own | cycles


def check(schedule, done, planned, total, warmup, base, of):
    """The law of the way over, from values of the plain schedule alone."""
    run = {"steps_per_epoch": 10}
    extended = schedule.extend(done, total, warmup, planned)
    found = getattr(extended, of)(total, base, **run)
    # Past its plan the last value has stayed.
    old = getattr(schedule, of)(planned, base, **run)
    old = np.append(old, np.full(max(done - planned, 0), old[-1]))
    new = getattr(schedule, of)(total, base, **run)
    ways = {"5%": 0.05 * (total - done), "30%": 0.3 * (total - done)}
    ways["0.5 epochs"] = 5
    way = max(1, int(ways.get(warmup, warmup) + 0.5 + 1e-9))
    np.testing.assert_array_equal(found[:done], old[:done])
    np.testing.assert_array_equal(found[done + way - 1 :], new[done + way - 1 :])
    # Between what was reached and the new plan, and in no larger steps than promised.
    reached = old[done - 1]
    between = found[done : done + way]
    plan = new[done : done + way]
    noise = 1e-12 * max(reached, new.max())
    assert np.all(between >= np.minimum(reached, plan) - noise)
    assert np.all(between <= np.maximum(reached, plan) + noise)
    steps = np.abs(np.diff(found[done - 1 : done + way]))
    allowed = np.abs(np.diff(new[done - 1 : done + way]))
    gap = abs(reached - new[done - 1])
    assert np.all(steps <= allowed + gap / way + noise)


@settings(max_examples=150)
@given(
    presets_and_phases(),
    st.integers(1, 60),
    st.integers(1, 90),
    st.integers(1, 60),
    lengths,
    st.booleans(),
)
def test_no_step_is_larger_than_the_gap_over_the_warmup_and_the_plans_own(
    schedule, done, planned, left, warmup, is_short
):
    if warmup in (2, 5, "0.5 epochs"):
        left = max(left, 5)
    planned = done if is_short else planned
    for of, base in (("values", 1.0), ("momentum_values", 0.9)):
        check(schedule, done, planned, done + left, warmup, base, of)


def test_past_the_end_of_the_plan_so_far_its_last_value_has_stayed():
    # Its phases would have gone on: a run of one update has seen the first of them.
    phases = k.Schedule(hold(2, 1.0), linear(3, to=2.0), cosine(to=1.0))
    assert phases.extend(3, 4, planned=1).values(4).tolist()[:3] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("done", [1, 2])
def test_the_shortest_extension_is_one_update_at_the_new_plan(done):
    extended = k.LinearDecay().extend(done, done + 1)
    assert extended.values(done + 1)[-1] == 0
    assert k.Warmup(4).extend(done, done + 1).values(3)[done] == (done + 1) / 4


def test_a_run_that_is_cut_short_still_ends_at_its_floor():
    cut = k.WarmupCosine(max_lr=0.1, min_lr=0.001).extend(
        "4 epochs", "6 epochs", planned="10 epochs"
    )
    values = cut.values(60, steps_per_epoch=10)
    whole = k.WarmupCosine(max_lr=0.1, min_lr=0.001).values(100)
    assert values[:40].tolist() == whole[:40].tolist()
    assert values[-1] == 0.001


def test_what_was_extended_can_be_extended_again():
    once = k.CosineDecay(max_lr=0.1).extend(10, 20, warmup=2)
    twice = once.extend(15, 40, warmup=5)
    assert twice.values(40)[:15].tolist() == once.values(20)[:15].tolist()
    plain = k.CosineDecay(max_lr=0.1).values(40)
    assert twice.values(40)[19:].tolist() == plain[19:].tolist()
    with pytest.raises(ValueError, match=r"extended before is its `total` \(20\)\. Re"):
        once.extend(15, 40, planned=30)


def test_with_a_horizon_the_run_so_far_was_laid_over_it():
    schedule = k.LinearDecay(horizon=20)
    extended = schedule.extend(5, 10)
    assert extended.horizon == k.LinearDecay().extend(5, 10).horizon == 10
    assert extended.values(30)[:5].tolist() == schedule.values(20)[:5].tolist()
    assert extended.values(30)[9:].tolist() == [0.0] * 21
    # A search for its rate sees all of it in small.
    assert np.all(in_small(extended, 5)[:4] > 0)


EXTENDED = [
    k.OneCycle(max_lr=0.1).extend("1 epoch", 25, warmup=3),
    k.LinearDecay(hyperparameter="weight_decay").extend(5, 9, planned=12),
    k.LinearDecay(horizon=9, on_extend="continue").extend(5, 12).extend(12, 20),
]


@pytest.mark.parametrize("extended", EXTENDED, ids=["one", "two", "three"])
def test_an_extended_schedule_is_a_schedule_as_any_other(extended):
    run = {"steps": 25, "steps_per_epoch": 10}
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(extended)))
    others = [
        keras.saving.deserialize_keras_object(config),
        Extended.from_config(extended.get_config()),
        copy.copy(extended),
        copy.deepcopy(extended),
        pickle.loads(pickle.dumps(extended)),
        eval(repr(extended), vars(k)),
    ]
    for other in others:
        assert type(other) is Extended
        assert repr(other) == repr(extended)
        assert other.values(**run).tolist() == extended.values(**run).tolist()
        momenta = [one.momentum_values(**run).tolist() for one in (other, extended)]
        assert momenta[0] == momenta[1]
    at = [24, 0, 3, 9, 10]
    assert extended.at(at, **run).tolist() == extended.values(**run)[at].tolist()


def test_it_multiplies_and_serves_loops_of_ones_own():
    extended = k.LinearDecay(max_lr=0.1).extend(4, 8)
    product = k.combine(k.Warmup(2), extended)
    expected = k.Warmup(2).values(8) * extended.values(8)
    np.testing.assert_allclose(product.values(8), expected, rtol=1e-14)
    rate = extended.as_keras_schedule(8)
    assert_rates([float(rate(step)) for step in range(8)], extended.values(8))


def test_the_picture_shows_the_seam_and_both_plans():
    schedule = k.CosineDecay(max_lr=0.1, horizon="4 epochs")
    ax = schedule.extend("2 epochs", "3 epochs").plot(steps_per_epoch=10)
    values, old, new, _ = (line.get_ydata() for line in ax.lines)
    assert len(values) == 30
    plan = k.CosineDecay(max_lr=0.1)
    assert old.tolist() == plan.values(40).tolist()
    assert new.tolist() == plan.values(30).tolist()
    assert ax.lines[-1].get_xdata() == [20, 20]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[1:] == ["planned for 40", "planned for 30", "extended after 20"]
    mpl.pyplot.close("all")


WRONG = {
    "nothing left": (
        lambda: k.LinearDecay().extend(5, 5),
        r"^LinearDecay\(\): `total` must be longer than `done`.*Received: done=5, tot",
    ),
    "nothing left, in the run": (
        lambda: k.LinearDecay().extend(5, "1 epoch").values(9, steps_per_epoch=5),
        r"`total` must be longer than `done`.*done=5, total='1 epoch'",
    ),
    "a fraction": (
        lambda: k.LinearDecay().extend("50%", 9),
        r"`done` must be counted in updates or epochs.*Received: done='50%'",
    ),
    "nothing done": (lambda: k.Rex().extend(0, 9), r"`done` must be longer than no"),
    "a way over that is too long": (
        lambda: k.LinearDecay().extend(5, 8, warmup=4).values(8),
        r"`warmup` must not be longer than what is left.* 3 updates.*warmup=4",
    ),
    "an unknown epoch": (
        lambda: k.LinearDecay().extend(5, "3 epochs").values(9),
        r"`total` is in epochs, and the updates of an epoch are not known",
    ),
    "no word": (
        lambda: k.LinearDecay(on_extend="jump"),
        r"`on_extend` must be one of 'warn', 'continue'\. Received: on_extend='jump'",
    ),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_extended_says_why(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_only_schedules_that_are_plans_are_extended():
    with pytest.raises(TypeError, match="must be a schedule of this package"):
        Extended(3, 4, 5)
    with pytest.raises(TypeError, match=r"observe cannot be.*Give it on_extend='cont"):
        k.Plateau("loss").extend(3, 5)


def test_each_optimizer_that_a_mapping_names_goes_over_at_its_own_peak():
    extended = k.LinearDecay(max_lr={"fast": 0.4, "slow": 0.1}).extend(3, 6)
    plain = k.LinearDecay(max_lr=0.1).extend(3, 6).values(6)
    for (name, single), factor in zip(extended._singles(), (4, 1), strict=True):
        np.testing.assert_allclose(single.values(6), factor * plain)
        assert single.max_lr == extended.max_lr[name]
