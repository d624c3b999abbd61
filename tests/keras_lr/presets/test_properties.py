import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_lr as k
from keras_lr.phases import hold
from tests.kit.names import schedules

# Preset, arguments, and whether it ends at its floor.
PRESETS = {
    "Warmup": (k.Warmup, {"warmup": "20%"}, False),
    "OneCycle": (k.OneCycle, {}, True),
    "OneCycle linear": (k.OneCycle, {"annealing": "linear"}, True),
    "OneCycle three": (k.OneCycle, {"phases": "three"}, True),
    "CyclicalLR": (k.CyclicalLR, {"half_cycle": "10%"}, False),
    "CyclicalLR half": (k.CyclicalLR, {"half_cycle": 4, "mode": "triangular2"}, False),
    "CyclicalLR exp": (
        k.CyclicalLR,
        {"half_cycle": 4, "mode": "exp_range", "gamma": 0.99},
        False,
    ),
    "CosineDecay": (k.CosineDecay, {}, True),
    "CosineDecay squared": (k.CosineDecay, {"exponent": 2.0}, True),
    "CosineRestarts": (k.CosineRestarts, {"t_mul": 1.5, "m_mul": 0.9}, False),
    "CosineRestarts of a fifth": (
        k.CosineRestarts,
        {"first_cycle": 0.2, "t_mul": 1.0},
        True,
    ),
    "WarmupCosine": (k.WarmupCosine, {}, True),
    "WarmupLinear": (k.WarmupLinear, {"warmup": "10%"}, True),
    "WarmupStableDecay": (k.WarmupStableDecay, {}, True),
    "WarmupStableDecay linear": (k.WarmupStableDecay, {"shape": "linear"}, True),
    "FlatCosine": (k.FlatCosine, {}, True),
    "LinearDecay": (k.LinearDecay, {}, True),
    "Plateau": (k.Plateau, {"monitor": "loss"}, False),
    "PolynomialDecay": (k.PolynomialDecay, {}, True),
    "ExponentialDecay": (k.ExponentialDecay, {}, True),
    "ExponentialDecay paced": (k.ExponentialDecay, {"rate": 0.9, "every": 3}, False),
    "InverseTimeDecay": (k.InverseTimeDecay, {}, True),
    "InverseTimeDecay paced": (k.InverseTimeDecay, {"rate": 0.5, "every": 3}, False),
    "InverseSqrt": (k.InverseSqrt, {"warmup": 5}, False),
    "StepDecay": (k.StepDecay, {}, False),
    "Rex": (k.Rex, {}, True),
    "PiecewiseConstant": (
        k.PiecewiseConstant,
        {"boundaries": [3, "60%"], "factors": [1.0, 0.5, 0.25]},
        False,
    ),
    "PiecewiseLinear": (
        k.PiecewiseLinear,
        {"points": [(0, 0.25), ("40%", 1.0), ("100%", 0.5)]},
        False,
    ),
    "Function": (k.Function, {"function": lambda step: 1 / (1 + step)}, False),
}
WITH_FLOOR = [
    name
    for name, (preset, *_) in PRESETS.items()
    if "min_lr" in inspect.signature(preset).parameters
]
# Nothing in them depends on the length of the run.
ABSOLUTE = {
    "Warmup": k.Warmup(7),
    "CyclicalLR": k.CyclicalLR(half_cycle=3, half_cycle_down=5, mode="triangular2"),
    "CosineRestarts": k.CosineRestarts(first_cycle=4, m_mul=0.5),
    "InverseSqrt": k.InverseSqrt(warmup=6),
    "StepDecay": k.StepDecay(every=6),
    "ExponentialDecay": k.ExponentialDecay(rate=0.5, every=4),
    "WarmupCosine": k.WarmupCosine(warmup=2, decay="4 steps"),
    "PiecewiseConstant": k.PiecewiseConstant([3, 5], [1, 0.5, 0.1]),
    "Function": k.Function(lambda step: 1 / (1 + step)),
}

every_preset = pytest.mark.parametrize("name", PRESETS)
totals = st.integers(20, 400)
rates = st.floats(1e-6, 10.0)


def make(name, **more):
    preset, options, _ = PRESETS[name]
    return preset(**options, **more)


def test_every_preset_has_its_properties_checked():
    checked = {preset.__name__ for preset, *_ in PRESETS.values()}
    assert checked == set(schedules()) - {"Schedule"}


@every_preset
@settings(max_examples=25)
@given(total=st.integers(1, 400), peak=rates)
def test_values_are_finite_and_between_zero_and_the_peak(name, total, peak):
    values = make(name, max_lr=peak).values(total)
    assert values.shape == (total,)
    assert values.dtype == np.float64
    assert np.all((values >= 0) & (values <= peak * (1 + 1e-14)))


@every_preset
@settings(max_examples=25)
@given(total=totals, peak=rates)
def test_the_peak_is_reached_exactly(name, total, peak):
    values = make(name, max_lr=peak).values(total)
    if "exp" not in name:
        assert values.max() == peak


@every_preset
def test_max_lr_replaces_the_own_rate(name):
    absolute = make(name, max_lr=0.5).values(50, base_lr=0.01)
    assert absolute.tolist() == make(name).values(50, base_lr=0.5).tolist()


@pytest.mark.parametrize("name", WITH_FLOOR)
@settings(max_examples=25)
@given(total=totals, peak=rates, share=st.floats(0.001, 1.0))
def test_nothing_falls_below_the_floor(name, total, peak, share):
    # A one-cycle begins at a 25th of its peak, which may be below the floor.
    floor = peak * share / (25 if "OneCycle" in name else 1)
    values = make(name, max_lr=peak, min_lr=floor).values(total)
    if name.startswith("Warmup"):
        values = values[values.argmax() :]
    assert np.all(values >= floor * (1 - 1e-14))


@pytest.mark.parametrize("name", [n for n, (*_, ends) in PRESETS.items() if ends])
@settings(max_examples=25)
@given(total=totals, peak=rates, share=st.floats(0.001, 1.0))
def test_the_last_update_is_exactly_at_the_floor(name, total, peak, share):
    floor = peak * share
    assert make(name, max_lr=peak, min_lr=floor).values(total)[-1] == floor


# Three phases need three updates, five cycles five.
TINY = [
    (name, total)
    for name, (*_, ends) in PRESETS.items()
    for total in (2, 3)
    if ends and (name, total) != ("OneCycle three", 2) and "fifth" not in name
]


@pytest.mark.parametrize(("name", "total"), TINY)
def test_a_tiny_run_has_its_peak_and_its_floor(name, total):
    values = make(name, max_lr=0.8, min_lr=0.01).values(total)
    assert values.max() == 0.8
    assert values[-1] == 0.01


# A phase of one update is at its end; what does not fit behind it is left out.
AT_PEAK = ["Warmup", "OneCycle", "OneCycle linear", "OneCycle three", "WarmupCosine"]
AT_PEAK += ["WarmupLinear", "WarmupStableDecay", "WarmupStableDecay linear", "Function"]
AT_PEAK += ["ExponentialDecay paced", "InverseTimeDecay paced", "StepDecay"]
AT_PEAK += ["PiecewiseConstant", "Plateau"]
ONE_UPDATE = {
    **dict.fromkeys(PRESETS, 0.0),
    **dict.fromkeys(AT_PEAK, 1.0),
    "ExponentialDecay": 0.01,
    "InverseTimeDecay": 0.01,
    "InverseSqrt": 0.2,
    "PiecewiseLinear": 0.5,
}


@every_preset
def test_a_run_of_one_update_is_legal(name):
    assert make(name).values(1).tolist() == [ONE_UPDATE[name]]


def test_a_run_of_one_update_is_legal_with_all_defaults():
    for name in ("CyclicalLR", "CosineRestarts", "FlatCosine", "InverseSqrt"):
        values = getattr(k, name)().values(1, steps_per_epoch=1)
        assert values.tolist() == [float(name == "InverseSqrt")]


in_updates = st.integers(1, 60) | st.sampled_from(
    ["1 epoch", "2.5 epochs", "0.3 epochs", "20 steps"]
)
LASTING = {
    "Warmup": lambda a, b: k.Warmup(a),
    "WarmupCosine": lambda a, b: k.WarmupCosine(warmup=a, decay=b),
    "WarmupLinear": lambda a, b: k.WarmupLinear(warmup=a, decay=b, min_lr=0.1),
    "LinearDecay": lambda a, b: k.LinearDecay(decay=a),
    "ExponentialDecay": lambda a, b: k.ExponentialDecay(decay=a),
    "ExponentialDecay paced": lambda a, b: k.ExponentialDecay(rate=0.9, every=a),
    "InverseSqrt": lambda a, b: k.InverseSqrt(warmup=a, timescale=b),
    "StepDecay": lambda a, b: k.StepDecay(every=a, rate=0.5),
    "CyclicalLR": lambda a, b: k.CyclicalLR(half_cycle=a, half_cycle_down=b),
    "CosineRestarts": lambda a, b: k.CosineRestarts(first_cycle=a, t_mul=1.5),
    "PiecewiseConstant": lambda a, b: k.PiecewiseConstant([a], [1.0, 0.5]),
    "PiecewiseLinear": lambda a, b: k.PiecewiseLinear([(0, 0.5), (a, 1.0)]),
}


@pytest.mark.parametrize("name", LASTING)
@settings(max_examples=30)
@given(first=in_updates, second=in_updates, total=st.integers(1, 250))
def test_a_short_run_is_the_beginning_of_a_long_one(name, first, second, total):
    schedule = LASTING[name](first, second)
    short = schedule.values(total, steps_per_epoch=7)
    long = schedule.values(1000, steps_per_epoch=7)
    assert short.tolist() == long[:total].tolist()


@pytest.mark.parametrize("total", [1, 2, 50, 99, 100])
def test_a_warmup_longer_than_the_run_is_the_beginning_of_its_rise(total):
    rise = [k_ / 100 for k_ in range(1, 101)]
    for preset in (k.Warmup, k.WarmupCosine, k.WarmupLinear, k.WarmupStableDecay):
        assert preset(warmup=100).values(total).tolist() == rise[:total]
    for warmup in (1.0, "100%"):
        values = k.WarmupCosine(warmup=warmup).values(100)
        assert values.tolist() == rise


NOTHING = [0, 0.0, np.int64(0), "0%", "0 epochs", "0 steps"]


@pytest.mark.parametrize("zero", NOTHING)
@pytest.mark.parametrize("total", [1, 2, 9])
def test_a_warmup_of_zero_is_none(zero, total):
    pairs = [
        (k.Warmup(zero), k.Schedule(hold(value=1.0))),
        (k.Warmup(zero, start=0.5, curve="cosine"), k.Schedule(hold(value=1.0))),
        (k.WarmupCosine(warmup=zero, exponent=2.0), k.CosineDecay(exponent=2.0)),
        (k.WarmupLinear(warmup=zero, min_lr=0.1), k.LinearDecay(min_lr=0.1)),
        (k.InverseSqrt(warmup=zero, timescale=3), k.InverseSqrt(timescale=3)),
        (k.InverseSqrt(warmup=zero), k.InverseSqrt()),
        (
            k.WarmupStableDecay(warmup=zero, decay="100%", shape="cosine"),
            k.CosineDecay(),
        ),
        (
            k.WarmupStableDecay(warmup=zero, shape="cosine", decay=4),
            k.FlatCosine(decay=4),
        ),
    ]
    for without, same in pairs:
        assert without.values(total).tolist() == same.values(total).tolist()


@pytest.mark.parametrize("zero", NOTHING)
@pytest.mark.parametrize("total", [1, 2, 9])
def test_with_a_decay_of_zero_the_rate_stays_at_its_peak(zero, total):
    decays = [k.CosineDecay, k.LinearDecay, k.PolynomialDecay, k.Rex, k.FlatCosine]
    for preset in [*decays, k.ExponentialDecay, k.InverseTimeDecay]:
        assert preset(decay=zero, min_lr=0.1).values(total).tolist() == [1.0] * total
    for preset in (k.WarmupCosine, k.WarmupLinear, k.WarmupStableDecay):
        values = preset(warmup=2, decay=zero).values(total)
        assert values.tolist() == [0.5, *[1.0] * 8][:total]
        assert preset(warmup=0, decay=zero).values(total).tolist() == [1.0] * total


@pytest.mark.parametrize("name", ABSOLUTE)
def test_what_is_given_in_updates_does_not_depend_on_the_run(name):
    long = ABSOLUTE[name].values(300)
    for total in (7, 10, 123):
        assert ABSOLUTE[name].values(total).tolist() == long[:total].tolist()


@every_preset
def test_the_rate_scales_with_the_own_rate(name):
    one, three = (make(name).values(40, base_lr=rate) for rate in (1.0, 3.0))
    np.testing.assert_allclose(three, 3 * one, rtol=1e-14, atol=1e-300)
