"""Published schedules, expressed with ours, against numbers that their owners gave.

What each peer does at the ends is written down in ``docs/conventions.md``; here it is
expressed with phases: ``endpoint=False`` for a phase whose end belongs to the next one,
one update more for a ``hold`` that ends where the next phase begins (not so before a
``function``, which begins at time 0).
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from keras_lr import (
    CosineRestarts,
    CyclicalLR,
    ExponentialDecay,
    Function,
    InverseSqrt,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstant,
    Rex,
    Schedule,
    StepDecay,
    Warmup,
    curves,
)
from keras_lr.phases import (
    cosine,
    curve,
    exponential,
    function,
    hold,
    k_decay,
    linear,
    one_minus_sqrt,
    one_minus_square,
    polynomial,
    repeat,
    tanh,
)

DATA = Path(__file__).parents[1] / "data" / "golden"
FILES = {path.stem: json.loads(path.read_text()) for path in DATA.glob("*.json")}
CASES = {
    f"{file}/{case['name']}": case
    for file, content in FILES.items()
    for case in content["cases"]
}


def rising(n, start=0.0):
    return linear(n, start=start, endpoint=False)


def join(*phases, **options):
    return Schedule(*phases, **options).values


def product(*schedules, base_lr):
    def values(steps):
        return base_lr * np.prod([s.values(steps) for s in schedules], axis=0)

    return values


def cosine_at(progress, low, high=1.0):
    return low + (high - low) * (1 + math.cos(math.pi * progress)) / 2


def fractional_one_cycle(step):
    """Torch's, whose peak lies between two updates: at step 2.85."""
    peak, last = 0.05 * 77 - 1, 77 - 1
    if step <= peak:
        return cosine_at(step / peak, 1.0, 0.1)
    return cosine_at((step - peak) / (last - peak), 0.001)


def polynomial_cycle(step):
    """Keras': every cycle is a line from the first rate, cut off."""
    length = 50 * max(1, math.ceil(step / 50))
    return 0.01 + 0.99 * (1 - step / length)


def radam(beta_2):
    """RAdam's rectification, from the first update where it is defined."""
    top = 2 / (1 - beta_2) - 1

    def length(t):
        return top - 2 * t * beta_2**t / (1 - beta_2**t)

    offset = next(t for t in range(1, 100) if length(t) > 4)

    def factor(step):
        r = length(step + offset)
        return math.sqrt(
            (r - 4) * (r - 2) * top / ((top - 4) * (top - 2) * r),
        )

    return factor


TORCH = {
    "onecycle_default_100": OneCycle(max_lr=0.1).values,
    "onecycle_linear_50": OneCycle(max_lr=0.5, annealing="linear").values,
    "onecycle_pct05_div10_final100_77": Function(fractional_one_cycle).values,
    "onecycle_one_step_beyond_10": OneCycle(max_lr=0.1, horizon=10).values,
    "cyclic_triangular": CyclicalLR(max_lr=0.006, min_lr=0.001, half_cycle=10).values,
    "cyclic_triangular2_asym": CyclicalLR(
        max_lr=0.006,
        min_lr=0.001,
        half_cycle=8,
        half_cycle_down=12,
        mode="triangular2",
    ).values,
    "cosine_annealing_T20_45": join(
        hold(1, 0.1), repeat(cosine(20, to=0.001), cosine(20, to=0.1))
    ),
    "cosine_restarts_T10_mult1": CosineRestarts(
        max_lr=0.1, first_cycle=10, t_mul=1, min_lr=1e-4, endpoint=False
    ).values,
    "cosine_restarts_fractional_epoch": lambda steps: CosineRestarts(
        max_lr=0.1, first_cycle="3 epochs", t_mul=2, endpoint=False
    ).values(steps, steps_per_epoch=4),
    "cosine_restarts_T1_mult3_step_epoch": CosineRestarts(
        max_lr=0.1, first_cycle=1, t_mul=3, endpoint=False
    ).values,
    "linear_01_to_1_10": join(rising(10, 0.1), hold(), max_lr=0.1),
    "constant_third_5": PiecewiseConstant([5], [1 / 3, 1.0], max_lr=0.1).values,
    "multistep_5_12_13": PiecewiseConstant(
        [5, 12, 13], [1.0, 0.5, 0.25, 0.125], max_lr=0.1
    ).values,
    "exponential_09": ExponentialDecay(max_lr=0.1, rate=0.9, every=1).values,
    "sequential_trapezoid": join(
        rising(4, 0.1), hold(7), linear(10, to=0.0), max_lr=0.1
    ),
    "chained_constant_exponential": product(
        PiecewiseConstant([4], [0.1, 1.0]),
        ExponentialDecay(rate=0.9, every=1),
        base_lr=0.1,
    ),
}

TRANSFORMERS = {
    "constant_with_warmup": join(rising(10), hold(), max_lr=1e-3),
    "linear": join(rising(10), linear(91, to=0.0), max_lr=1e-3),
    "cosine_half": join(rising(10), cosine(91, to=0.0), max_lr=1e-3),
    "cosine_1p5_cycles": join(
        rising(10),
        hold(1),
        repeat(cosine(30, to=0.0), cosine(30, to=1.0)),
        max_lr=1e-3,
    ),
    "polynomial_p2": join(rising(10), polynomial(91, to=1e-4, power=2.0), max_lr=1e-3),
    "inverse_sqrt_default_timescale": join(
        rising(10), function(lambda t: (1 + t / 10) ** -0.5), max_lr=1e-3
    ),
    "inverse_sqrt_no_warmup": InverseSqrt(max_lr=1e-3, timescale=10_000).values,
    "cosine_with_min_lr_rate_0p1": join(rising(10), cosine(91, to=0.1), max_lr=1e-3),
    "cosine_warmup_with_min_lr_rate_0p2": join(
        linear(10, start=0.2), cosine(90, to=0.1), max_lr=1e-3
    ),
    "wsd_linear_cosine_min0.0": join(
        rising(10), hold(61), cosine(30, to=0.0), max_lr=1e-3
    ),
    "wsd_cosine_1-sqrt_min0.0": join(
        cosine(10, start=0.0, endpoint=False),
        hold(61),
        one_minus_sqrt(30, to=0.0),
        max_lr=1e-3,
    ),
    "wsd_1-sqrt_1-sqrt_min0.1": join(
        polynomial(10, start=0.1, power=0.5, endpoint=False),
        hold(61),
        one_minus_sqrt(30, to=0.1),
        max_lr=1e-3,
    ),
}

KERAS = {
    "cosine": join(cosine(51, to=0.01, start=1.0), max_lr=0.1),
    "cosine_warmup": join(rising(10), cosine(51, to=0.01), max_lr=0.1),
    "cosine_restarts_t1_m09": CosineRestarts(
        max_lr=0.1, first_cycle=10, t_mul=1, m_mul=0.9, endpoint=False
    ).values,
    "exponential": ExponentialDecay(max_lr=0.1, rate=0.5, every=10).values,
    "inverse_time": InverseTimeDecay(max_lr=0.1, rate=0.5, every=10).values,
    "inverse_time_staircase": Function(
        lambda t: 1 / (1 + 0.5 * (t // 10)), max_lr=0.1
    ).values,
    "polynomial_p2": join(polynomial(51, to=0.01, start=1.0, power=2.0), max_lr=0.1),
    "polynomial_cycle": Function(polynomial_cycle, max_lr=0.1).values,
}

OPTAX = {
    "constant": join(hold(value=0.1)),
    "linear_0_to_0p1_begin5": join(hold(6, 0.0), linear(20, to=0.1)),
    "exponential_continuous_floor": join(
        hold(5, 0.1), function(lambda t: max(0.1 * 0.5**t, 0.01), unit=10)
    ),
    "exponential_staircase": StepDecay(max_lr=0.1, rate=0.5, every=10).values,
    "cosine_exponent_2": join(cosine(51, to=0.0, start=0.1, exponent=2.0)),
    "warmup_constant": join(rising(10), hold(), max_lr=0.1),
    "warmup_exponential": join(
        rising(10),
        hold(5),
        function(lambda t: max(0.5**t, 0.05), unit=20),
        max_lr=0.1,
    ),
    "piecewise_constant": PiecewiseConstant([10, 20], [1.0, 0.1, 0.05]).values,
    "piecewise_interpolate_cosine": join(
        hold(1, 1.0), cosine(5, to=2.0), cosine(10, to=0.2)
    ),
    "linear_onecycle": join(
        rising(30, 0.04),
        linear(55, to=0.04, endpoint=False),
        linear(16, to=0.04 / 1e4),
        max_lr=0.1,
    ),
    "sgdr_2_cycles": join(
        linear(5, to=0.1, start=0.0, endpoint=False),
        cosine(15, to=0.01, endpoint=False),
        linear(5, to=0.05, endpoint=False),
        cosine(36, to=0.0),
    ),
    "join_trapezoid": join(rising(10), hold(21), linear(20, to=0.0), max_lr=0.1),
}

TIMM = {
    "cosine_plain": join(cosine(101, to=0.001, start=0.5)),
    "cosine_warmup_no_prefix": join(
        linear(20, to=0.5, start=1e-4, endpoint=False),
        function(lambda t: cosine_at((20 + t) / 100, 0.001, 0.5), 80),
        hold(value=0.001),
    ),
    "cosine_cycles_mul2_decay_half": join(
        repeat(
            cosine(10, to=0.0, start=0.5, endpoint=False),
            duration=70,
            grow=2.0,
            shrink=0.5,
        ),
        hold(value=0.0),
    ),
    "cosine_k_decay_1p5": join(
        curve(lambda s, e, p: curves.cosine(s, e, p**1.5), 51, to=0.001, start=0.5)
    ),
    "cosine_noise_std_ignored": join(cosine(51, to=0.001, start=0.5)),
    "tanh": join(
        tanh(
            50,
            start=0.001 + 0.499 * (1 + math.tanh(7)) / 2,
            to=0.001 + 0.499 * (1 - math.tanh(3)) / 2,
            lower=-7.0,
            upper=3.0,
            endpoint=False,
        ),
        hold(value=0.001),
    ),
    "poly_half_k1": join(polynomial(51, to=0.001, start=0.5, power=0.5)),
    "poly_p2_k2": join(k_decay(51, to=0.001, start=0.5, k=2.0, power=2.0)),
    # Timm's epochs are the updates here, so that 2.4 of them can be said.
    "step_fractional_decay_t": lambda steps: StepDecay(
        max_lr=0.5, rate=0.97, every="2.4 epochs"
    ).values(steps, steps_per_epoch=1),
    "multistep_30_60_off_by_one": PiecewiseConstant(
        [29, 59], [0.5, 0.05, 0.005]
    ).values,
}

FASTAI = {
    "fit_one_cycle_default": join(
        cosine(25, start=0.04, endpoint=False),
        cosine(75, to=1e-5, endpoint=False),
        max_lr=0.1,
    ),
    "fit_flat_cos_default": join(
        hold(76, 1.0), cosine(24, to=1e-5, endpoint=False), max_lr=0.1
    ),
    "poly_p2": join(one_minus_square(40, to=0.001, start=0.1, endpoint=False)),
    "lr_find_sweep": join(exponential(100, to=10.0, start=1e-7, endpoint=False)),
}

MISC = {
    "fvcore_warmup_cosine_rescaled": join(
        linear(10, to=0.1, start=0.001, endpoint=False),
        cosine(90, to=1e-4, endpoint=False),
    ),
    "fvcore_warmup_cosine_fixed": join(
        linear(10, to=0.1, start=0.001, endpoint=False),
        function(lambda t: cosine_at((10 + t) / 100, 1e-4, 0.1)),
    ),
    "fvcore_poly_0p9": join(
        polynomial(100, to=0.0, start=0.1, power=0.9, endpoint=False)
    ),
    "pytorch_warmup_LinearWarmup_b2_0.999": Warmup(10).values,
    "pytorch_warmup_RAdamWarmup_b2_0.999": Function(radam(0.999)).values,
    "pytorch_warmup_RAdamWarmup_b2_0.99": Function(radam(0.99)).values,
    "pytorch_warmup_UntunedExponentialWarmup_b2_0.95": Function(
        # Its period is the whole part of 1 / (1 - beta_2), which is 19 in floats.
        lambda step: 1 - math.exp(-(step + 1) / 19)
    ).values,
    "ignite_cosine_annealing": join(
        repeat(cosine(20, to=0.001, start=0.1, endpoint=False))
    ),
    "ignite_linear_cyclical": join(
        hold(1, 0.1), repeat(linear(10, to=0.001), linear(10, to=0.1))
    ),
    "ignite_linear_cyclical_monotonic_warmup": join(
        hold(1, 0.1), repeat(linear(20, to=0.001), linear(5, to=0.1))
    ),
    "rex_closed_form": Rex(max_lr=1.0).values,
}

TABLE = {
    f"{file}/{name}": values
    for file, table in {
        "torch_lr_scheduler": TORCH,
        "hf_transformers": TRANSFORMERS,
        "keras_schedules": KERAS,
        "optax_schedules": OPTAX,
        "timm_schedulers": TIMM,
        "fastai_schedules": FASTAI,
        "misc_peers": MISC,
    }.items()
    for name, values in table.items()
}

#: Updates of a case that are not compared, and why.
LEFT_OUT = {
    "torch_lr_scheduler/onecycle_one_step_beyond_10": (
        [10],
        "torch accepts one step more than documented and turns upward again",
    ),
    "torch_lr_scheduler/cosine_restarts_T1_mult3_step_epoch": (
        [121],
        "torch's logarithm misses the restart at 1 + 3 + 9 + 27 + 81",
    ),
    "hf_transformers/cosine_half": (range(101, 110), "rises again past its end"),
    "hf_transformers/cosine_with_min_lr_rate_0p1": (
        range(101, 110),
        "rises again past its end",
    ),
    "hf_transformers/cosine_warmup_with_min_lr_rate_0p2": (
        range(100, 110),
        "rises again past its end",
    ),
    "timm_schedulers/cosine_noise_std_ignored": (
        range(20, 40),
        "random noise, whose noise_std timm ignores; a schedule of ours has none",
    ),
}


def numbers(case):
    if "event_value" in case:
        return [value for _, value in case["event_value"]]
    return next(case[key] for key in ("lr", "value", "factor") if key in case)


@pytest.mark.parametrize("name", TABLE)
def test_a_peers_schedule_is_reproduced(name):
    expected = np.array(numbers(CASES[name]))
    skipped, _ = LEFT_OUT.get(name, ([], ""))
    kept = np.setdiff1d(np.arange(len(expected)), skipped)
    values = TABLE[name](len(expected))
    # fastai's joins are float32.
    rtol = 1e-5 if name.startswith("fastai") else 1e-6
    np.testing.assert_allclose(
        values[kept], expected[kept], rtol=rtol, atol=1e-14 * expected.max()
    )


def test_every_case_of_the_data_is_reproduced():
    assert sorted(TABLE) == sorted(CASES)


def test_what_is_left_out_has_a_reason_and_really_differs():
    for name, (skipped, reason) in LEFT_OUT.items():
        expected = np.array(numbers(CASES[name]))
        values = TABLE[name](len(expected))
        assert reason
        assert not np.allclose(values[skipped], expected[skipped], rtol=1e-6, atol=0)


def test_every_file_says_where_its_numbers_come_from():
    for content in FILES.values():
        assert {"library", "convention"} <= set(content["meta"])
