"""Schedulers of timm, against its numbers, its own tests' expectations, and torch."""

import math

import numpy as np
import pytest

from keras_lr import Plateau
from keras_lr.interop import from_timm
from keras_lr.interop.timm_noise import normals_within
from tests.keras_lr.test_golden import FILES

CASES = {case["name"]: case for case in FILES["timm_schedulers"]["cases"]}
CYCLIC = ("CosineLRScheduler", "TanhLRScheduler", "PolyLRScheduler")
SCHEDULERS = {
    **{name: {"t_initial": 100} for name in CYCLIC},
    "StepLRScheduler": {"decay_t": 10, "decay_rate": 0.5},
    "MultiStepLRScheduler": {"decay_t": [10, 20, 30], "decay_rate": 0.5},
}


def close(values, expected, rtol=1e-12):
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=1e-15)
    return True


def differing(one, other):
    return np.flatnonzero(~np.isclose(one, other, rtol=1e-6, atol=1e-15)).tolist()


@pytest.mark.parametrize("name", CASES)
def test_golden_rates_are_met(name):
    case = CASES[name]
    steps = len(case["lr"])

    def values(**options):
        schedule = from_timm(case["class"], **case["kwargs"], **options)
        return schedule.values(steps, base_lr=case["base_lr"])

    assert close(values(faithful=True), case["lr"], 1e-9)
    # What is mended: a deviation without effect, and milestones a step early.
    mended = {
        "cosine_noise_std_ignored": list(range(20, 40)),
        "multistep_30_60_off_by_one": [29, 59],
    }
    assert differing(values(), case["lr"]) == mended.get(name, [])


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_warmup_rises_from_its_rate_and_a_prefix_ends_at_the_own(name):
    options = {"warmup_t": 5, "warmup_lr_init": 0.001, **SCHEDULERS[name]}
    prefix = from_timm(name, warmup_prefix=True, **options).values(8, base_lr=0.1)
    assert close(prefix[:5], 0.001 + 0.099 * np.arange(5) / 5)
    # A tanh is not scaled to its ends.
    tail = 0.1 * (1 + math.tanh(7)) / 2
    assert close(prefix[5], tail if name == "TanhLRScheduler" else 0.1)
    under = from_timm(name, warmup_prefix=False, **options).values(8, base_lr=0.1)
    bare = from_timm(name, **SCHEDULERS[name]).values(8, base_lr=0.1)
    assert close(under[5:], bare[5:])
    met = bare[5] if name == "TanhLRScheduler" else 0.1
    assert close(under[:5], 0.001 + (met - 0.001) * np.arange(5) / 5)


def test_what_its_own_tests_expect_at_ends_and_joins():
    def at(steps, name, **arguments):
        return from_timm(name, **arguments).at(steps, steps=200, base_lr=0.1)

    for cycles in (1, 2):
        options = {"t_initial": 50, "lr_min": 0.001, "cycle_limit": cycles}
        ends = [0, 25, 50 * cycles, 50 * cycles + 9]
        assert close(
            at(ends, "CosineLRScheduler", **options), [0.1, 0.0505, 0.001, 0.001]
        )
    line = {"t_initial": 100, "lr_min": 0.001, "power": 1.0}
    assert close(at([0, 50, 100], "PolyLRScheduler", **line), [0.1, 0.0505, 0.001])
    steps = SCHEDULERS["StepLRScheduler"]
    assert close(at([9, 10, 20], "StepLRScheduler", **steps), [0.1, 0.05, 0.025])
    milestones = SCHEDULERS["MultiStepLRScheduler"]
    drops = at([8, 9, 10, 11, 21, 31], "MultiStepLRScheduler", **milestones)
    assert close(drops, [0.1, 0.1, 0.05, 0.05, 0.025, 0.0125])
    for name in ("CosineLRScheduler", "PolyLRScheduler"):
        warped = [at([0, 50, 100], name, t_initial=100, k_decay=k) for k in (1, 2)]
        assert differing(*warped) == [1]


def test_a_step_is_an_epoch_unless_it_is_told_or_called_an_update():
    by_epoch = from_timm("CosineLRScheduler", t_initial=4)
    factors = np.cos(np.pi * np.arange(4) / 8) ** 2
    assert close(by_epoch.values(8, steps_per_epoch=2), np.repeat(factors, 2))
    for by_update in (
        from_timm("CosineLRScheduler", t_initial=4, t_in_epochs=False),
        from_timm("CosineLRScheduler", t_initial=4, per="update"),
        from_timm(
            "create_scheduler_v2", num_epochs=2, step_on_epochs=False,
            updates_per_epoch=2, warmup_lr=0.0,
        ),
    ):  # fmt: skip
        assert close(by_update.values(4, steps_per_epoch=2), factors)


@pytest.mark.parametrize("name", CYCLIC)
def test_restarts_are_at_their_step_and_as_high_as_they_should_be(name):
    cycles = {"t_initial": 5, "cycle_mul": 3.0, "cycle_decay": 0.5, "cycle_limit": 7}
    values = from_timm(name, **cycles).values(6000)
    restarts = np.array([5 * (3**i - 1) // 2 for i in range(7)])
    assert close(values[restarts], 0.5 ** np.arange(7), 1e-6)
    assert np.all(np.flatnonzero(np.diff(values) > 0) + 1 == restarts[1:])
    assert not values[5 * (3**7 - 1) // 2 :].any()
    # Its logarithm in floating point finds some of them a step late.
    as_it_is = from_timm(name, faithful=True, **cycles).values(6000)
    late = differing(values, as_it_is)
    assert late
    assert set(late) <= set(restarts.tolist())


def test_cycles_that_grow_shorter_come_to_an_end():
    cycles = {"t_initial": 8, "cycle_mul": 0.5, "cycle_limit": 9}
    values = from_timm("PolyLRScheduler", power=1.0, **cycles).values(18)
    first = [1 - i / 8 for i in range(8)]
    assert close(values, [*first, *first[::2], *first[::4], 1.0, 1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="timm fails at step 16"):
        from_timm("PolyLRScheduler", faithful=True, **cycles).values(18)


def test_a_fractional_period_is_not_found_a_step_late():
    drops = {"decay_t": 1.1, "decay_rate": 0.9}
    values = from_timm("StepLRScheduler", **drops).values(100)
    assert close(values, 0.9 ** (np.arange(100) * 10 // 11))
    as_it_is = from_timm("StepLRScheduler", faithful=True, **drops).values(100)
    assert differing(values, as_it_is) == list(range(11, 100, 11))


# Noise.


def test_normal_numbers_are_those_of_torch():
    # The first one that torch.randn draws after manual_seed.
    known = {0: 1.5409960746765137, 42: 0.33669036626815796}
    assert normals_within(9.0, np.array(list(known))).tolist() == list(known.values())
    torch = pytest.importorskip("torch")

    def drawn(seed, bound):
        generator = torch.Generator()
        generator.manual_seed(seed)
        while True:
            number = torch.randn(1, generator=generator).item()
            if abs(number) < bound:
                return number

    seeds = np.append(np.arange(-3, 400), [2**31, 2**32 - 1, 2**32, 2**40 + 7])
    for bound in (9.0, 0.67, 0.1):
        expected = [drawn(seed, bound) for seed in seeds.tolist()]
        assert close(normals_within(bound, seeds), expected, 1e-6)


def test_noise_keeps_to_its_steps_its_bound_its_seed_and_its_deviation():
    common = {"decay_t": 1000, "per": "update"}

    def noise(steps=400, **options):
        noisy = from_timm("StepLRScheduler", **common, **options)
        return noisy.values(steps) - 1.0

    span = noise(noise_range_t=[30, 200])
    assert np.flatnonzero(span).tolist() == list(range(30, 200))
    assert noise(noise_range_t=30)[199:201].all()
    # timm's constructor sets the first rate, without noise.
    assert np.flatnonzero(noise(3, noise_range_t=0)).tolist() == [1, 2]
    assert 0.5 < np.abs(noise(noise_range_t=0)).max() < 0.67
    # Step t of seed s is drawn as step 0 of seed s + t.
    shifted = noise(noise_range_t=0, noise_seed=43)
    assert close(shifted[1:-1], noise(noise_range_t=0)[2:], 1e-9)
    assert close(noise(9, noise_range_t=1), noise(9, noise_range_t=1, noise_seed=None))
    small = noise(noise_range_t=1, noise_std=0.1)
    assert np.std(small[1:]) == pytest.approx(0.1, rel=0.2)
    ignored = noise(noise_range_t=1, noise_std=0.1, faithful=True)
    assert close(ignored, noise(noise_range_t=1))


# The factory, and what follows a metric.


def test_the_factory_makes_what_its_arguments_say():
    factory = {"warmup_epochs": 3, "noise": [0.5, 0.8], "num_epochs": 20}
    common = {"warmup_t": 3, "warmup_lr_init": 1e-5, "noise_range_t": [10, 16]}
    cycles = {"t_initial": 20, "cycle_decay": 0.1, **common}
    drops = {"decay_rate": 0.1, "warmup_prefix": False, **common}
    for sched, name, arguments in (
        ("cosine", "CosineLRScheduler", cycles),
        ("tanh", "TanhLRScheduler", cycles),
        ("poly", "PolyLRScheduler", {**cycles, "power": 0.1}),
        ("step", "StepLRScheduler", {**drops, "decay_t": 90}),
        ("multistep", "MultiStepLRScheduler", {**drops, "decay_t": [90, 180, 270]}),
    ):
        made = from_timm("create_scheduler_v2", sched=sched, **factory).values(25)
        assert close(made, from_timm(name, **arguments).values(25))
    begin = from_timm("create_scheduler_v2", noise=0.5, num_epochs=20).values(25)
    noisy = from_timm("CosineLRScheduler", t_initial=20, noise_range_t=10)
    assert close(begin, noisy.values(25))


def test_a_plateau_is_one_of_ours_that_waits_as_torch_does():
    schedule = from_timm(
        "PlateauLRScheduler", decay_rate=0.5, patience_t=3, warmup_t=2, horizon=50
    )
    assert isinstance(schedule, Plateau)
    config = schedule.get_config()
    for name, value in {
        "monitor": "val_accuracy",
        "mode": "max",
        "factor": 0.5,
        "patience": 3,
        "min_delta": 1e-4,
        "threshold": "relative",
        "convention": "torch",
        "warmup": "2 epochs",
        "horizon": 50,
    }.items():
        assert config[name] == value
    assert from_timm("PlateauLRScheduler", mode="min").monitor == "val_loss"
    assert from_timm("PlateauLRScheduler", monitor="loss").monitor == "loss"


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("CosineLR", {}, ValueError, "Did you mean CosineLRScheduler"),
        ("CosineLRScheduler", {}, ValueError, "needs `t_initial`"),
        ("CosineLRScheduler", {"t_initial": 0}, ValueError, "`t_initial` must be"),
        ("CosineLRScheduler", {"t_initial": 9, "power": 2}, TypeError, "no argument"),
        ("CosineLRScheduler", {"t_initial": 9, "lr_min": -1}, ValueError, "`lr_min`"),
        ("TanhLRScheduler", {"t_initial": 9, "lb": 3}, ValueError, "below `ub`"),
        ("MultiStepLRScheduler", {"decay_t": [9, 3]}, ValueError, "must not fall"),
        ("MultiStepLRScheduler", {"decay_t": 9}, TypeError, "`decay_t`"),
        (
            "StepLRScheduler",
            {"decay_t": 9, "noise_range_t": [1, 2, 3]},
            ValueError,
            "a first step and an end",
        ),
        ("StepLRScheduler", {"decay_t": 9, "noise_pct": 0}, ValueError, "`noise_pct`"),
        ("create_scheduler_v2", {"sched": "plateau"}, ValueError, "'cosine', 'tanh'"),
        (
            "create_scheduler_v2",
            {"step_on_epochs": False},
            ValueError,
            "`updates_per_epoch` must be finite and above 0",
        ),
        ("PlateauLRScheduler", {"noise_range_t": 3}, ValueError, "has no noise"),
        (
            "PlateauLRScheduler",
            {"warmup_t": 3, "warmup_lr_init": 1e-5},
            ValueError,
            "keras_lr.Warmup with a `start` beside it",
        ),
    ],
)
def test_bad_input_is_refused_with_the_reason(name, arguments, error, message):
    with pytest.raises(error, match=message):
        from_timm(name, **arguments)
