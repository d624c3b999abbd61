"""Torch's schedulers, against its numbers, its tests and its formulas."""

import json
import pickle

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.interop import from_torch
from keras_lr.interop.torch_schedulers import RECIPES
from keras_lr.plan.waiting import Standing, observe
from tests.keras_lr.test_golden import FILES

GOLDEN = FILES["torch_lr_scheduler"]

#: What the file has in words.
SPELT_OUT = {
    "sequential_trapezoid": {
        "schedulers": [
            ("LinearLR", {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 4}),
            ("ConstantLR", {"factor": 1.0, "total_iters": 0}),
            from_torch("PolynomialLR", total_iters=10, power=1.0),
        ],
        "milestones": [4, 10],
    },
    "chained_constant_exponential": {
        "schedulers": [
            ["ConstantLR", {"factor": 0.1, "total_iters": 4}],
            from_torch("ExponentialLR", gamma=0.9),
        ]
    },
    # In quarters of an epoch.
    "cosine_restarts_fractional_epoch": {"T_0": 12, "T_mult": 2},
    "cosine_restarts_T1_mult3_step_epoch": {"T_0": 1, "T_mult": 3},
}

#: Values that only a faithful schedule has.
MENDED = {
    "onecycle_one_step_beyond_10": 10,
    "cosine_restarts_T1_mult3_step_epoch": 121,
}


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_golden_rates_and_momenta_are_met(case, faithful):
    arguments = SPELT_OUT.get(case["name"], case["params"])
    schedule = from_torch(case["class"], faithful=faithful, **arguments)
    expected = np.array(case["lr"])
    values = schedule.values(len(expected), base_lr=case["base_lr"])
    odd = ({} if faithful else MENDED).get(case["name"], len(expected))
    kept = np.arange(len(expected)) != odd
    np.testing.assert_allclose(values[kept], expected[kept], rtol=1e-9, atol=1e-15)
    assert not np.isclose(values[~kept], expected[~kept]).any()
    momenta = case.get("momentum_or_beta1", [])
    if len(set(momenta)) > 1:
        np.testing.assert_allclose(
            schedule.momentum_values(len(momenta)), momenta, rtol=1e-9
        )
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))
    again = keras.saving.deserialize_keras_object(config)
    unpickled = pickle.loads(pickle.dumps(schedule))
    for copy in (again, unpickled):
        copied = copy.values(len(expected), base_lr=case["base_lr"])
        np.testing.assert_array_equal(copied, values)


def test_by_epochs_warm_restarts_go_as_the_documented_loop_or_in_steps():
    (case,) = (one for one in GOLDEN["cases"] if "fractional" in one["name"])
    arguments = {"T_0": 3, "T_mult": 2, "per": "epoch"}
    run = {"base_lr": case["base_lr"], "steps_per_epoch": 4}
    name = "CosineAnnealingWarmRestarts"
    loop = from_torch(name, faithful=True, **arguments).values(40, **run)
    np.testing.assert_allclose(loop, case["lr"], rtol=1e-9)
    steps = from_torch(name, **arguments).values(40, **run)
    np.testing.assert_allclose(steps, np.repeat(case["lr"][::4], 4), rtol=1e-9)


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("case", GOLDEN["onecycle_edge_cases"], ids=repr)
def test_edges_of_one_cycle_are_torchs_or_mended(case, faithful):
    def values():
        given = {"max_lr": 0.1, "faithful": faithful, **case["params"]}
        return from_torch("OneCycleLR", **given).values(case["params"]["total_steps"])

    if faithful and "error" in case:
        with pytest.raises(ValueError, match="divides by zero"):
            values()
        return
    rates = values()
    goes_nowhere = case.get("first3", [0])[0] > 0.09 or case.get("last", 1) == (
        pytest.approx(0.0265, abs=1e-3)
    )
    if faithful or not ("error" in case or goes_nowhere):
        np.testing.assert_allclose(rates[:3], case["first3"], rtol=1e-9)
        found = [rates.max(), rates.argmax(), rates.min(), rates[-1]]
        expected = [case[key] for key in ("max", "argmax", "min", "last")]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        return
    # Up to the peak, and down to the lowest rate at the last step.
    np.testing.assert_allclose([rates.max(), rates[-1]], [0.1, 4e-7], rtol=1e-9)
    assert (np.diff(rates[rates.argmax() :]) < 0).all()
    assert (np.diff(rates[: rates.argmax() + 1]) > 0).all()


def anneal(start, end, share):
    return end + (start - end) / 2 * (np.cos(np.pi * share) + 1)


def torch_tests():
    """What torch's own tests expect, as closed forms: of the rate, of the momentum."""
    steps = np.arange(20)
    constant = np.ones(20)
    step = 0.1 ** (steps // 3.0)
    multi = 0.1 ** np.searchsorted([2, 5, 9], steps, side="right")
    exponential = 0.9**steps
    cosine = anneal(1.0, 2e-9, steps / 10)
    by_step = ("StepLR", {"gamma": 0.1, "step_size": 3})
    by_milestones = ("MultiStepLR", {"gamma": 0.1, "milestones": [2, 5, 9]})
    by_power = ("ExponentialLR", {"gamma": 0.9})
    by_cosine = ("CosineAnnealingLR", {"T_max": 10, "eta_min": 1e-10})
    by_line = ("LinearLR", {"start_factor": 0.4, "total_iters": 4})
    line = np.minimum(0.4 + 0.15 * steps, 1.0)
    yield by_step, 0.05 * step
    yield by_milestones, 0.05 * multi
    yield by_power, 0.05 * exponential
    yield by_cosine, 0.05 * cosine
    for factor, total in ((0.5, 5), (1 / 3, 4)):
        yield (
            ("ConstantLR", {"factor": factor, "total_iters": total}),
            0.05 * np.where(steps < total, factor, 1.0),
        )
    for start, end in ((0.25, 0.6), (0.5, 1.0), (1 / 3, 0.7)):
        yield (
            ("LinearLR", {"start_factor": start, "end_factor": end, "total_iters": 4}),
            0.05 * (start + (end - start) * np.minimum(steps, 4) / 4),
        )
    for total in (4, 5):
        yield (
            ("PolynomialLR", {"power": 0.9, "total_iters": total}),
            0.05 * np.maximum(1 - steps / total, 0) ** 0.9,
        )
    yield (
        ("CosineAnnealingLR", {"T_max": 5, "eta_min": 1e-10}),
        anneal(0.05, 1e-10, steps / 5),
    )
    yield ("LambdaLR", {"lr_lambda": [lambda step: 0.9**step]}), 0.05 * exponential
    yield ("MultiplicativeLR", {"lr_lambda": lambda step: 0.9}), 0.05 * exponential
    for growth, begins in ((1, range(0, 20, 4)), (2, (0, 4, 12)), (4, (0, 4))):
        begins = np.array(begins)
        cycle = np.searchsorted(begins, steps, side="right") - 1
        share = (steps - begins[cycle]) / (4.0 * growth**cycle)
        yield (
            (
                "CosineAnnealingWarmRestarts",
                {"T_0": 4, "T_mult": growth, "eta_min": 1e-10},
            ),
            anneal(0.05, 1e-10, share),
        )
    # In turn.
    first = ("ConstantLR", {"factor": 0.1, "total_iters": 3})
    second = ("ExponentialLR", {"gamma": 0.8})
    after = 0.05 * 0.9 ** (steps - 3.0)
    yield (
        in_turn([second, ("StepLR", {"step_size": 4})], [3]),
        0.05 * np.where(steps < 3, 0.8**steps, 0.1 ** np.maximum((steps - 3) // 4, 0)),
    )
    yield in_turn([first, by_power], [3]), np.where(steps < 3, 0.005, after)
    third = 0.1 ** np.maximum((steps - 6) // 2.0, 0)
    middle = np.where(steps < 6, 0.8 ** (steps - 3.0), third)
    yield (
        in_turn([first, second, ("StepLR", {"step_size": 2})], [3, 6]),
        0.05 * np.where(steps < 3, 0.1, middle),
    )
    both = [
        ("LinearLR", {"start_factor": 0.1, "total_iters": 5}),
        ("ConstantLR", {"factor": 0.1, "total_iters": 5}),
    ]
    yield (
        in_turn([together(both), ("ConstantLR", {"factor": 0.5})], [5]),
        np.where(steps < 5, 0.0005 + 0.0009 * steps, np.where(steps < 10, 0.025, 0.05)),
    )
    up = {"start_factor": 0.1, "end_factor": 0.8, "total_iters": 4}
    down = {"start_factor": 0.8, "end_factor": 0.1, "total_iters": 4}
    yield (
        in_turn([("LinearLR", up), ("LinearLR", down)], [4]),
        0.05 * np.maximum(0.8 - 0.175 * np.abs(steps - 4), 0.1),
    )
    # Together, and what its tests step one after another.
    short = ("LinearLR", {"start_factor": 0.4, "total_iters": 3})
    rise = np.minimum(0.4 + 0.2 * steps, 1.0)
    yield together([by_step]), 0.05 * step
    yield together([short]), 0.05 * rise
    late = ("MultiStepLR", {"milestones": [4, 8, 10], "gamma": 0.1})
    passed = np.searchsorted([4, 8, 10], steps, side="right")
    yield together([short, late]), 0.05 * rise * 0.1**passed
    low = ("ConstantLR", {"factor": 0.2, "total_iters": 4})
    yield (
        together([by_power, low, by_step]),
        0.05 * np.where(steps < 4, 0.2, 1.0) * exponential * step,
    )
    fall = np.maximum(1 - steps / 5, 0) ** 0.9
    yield (
        together([
            ("PolynomialLR", {"power": 0.9, "total_iters": 5}),
            ("ConstantLR", {"factor": 0.1}),
        ]),
        0.005 * fall,
    )  # fmt: skip
    yield together([by_step, by_milestones]), 0.05 * step * multi
    yield together([by_step, by_power]), 0.05 * step * exponential
    yield together([by_milestones, by_power]), 0.05 * multi * exponential
    yield (
        together([
            ("LinearLR", {"start_factor": 0.4, "end_factor": 0.9, "total_iters": 4}),
            by_power,
        ]),
        0.05 * np.minimum(0.4 + 0.125 * steps, 0.9) * exponential,
    )  # fmt: skip
    yield (
        together([by_step, ("ConstantLR", {"factor": 0.4, "total_iters": 4})]),
        0.05 * step * np.where(steps < 4, 0.4, 1.0),
    )
    yield together([by_milestones, by_line]), 0.05 * multi * line
    # Behind the trough at step 10 the rate is torch's business.
    for other, factor in (
        (by_step, step),
        (by_milestones, multi),
        (("ExponentialLR", {"gamma": 0.1}), 0.1**steps),
    ):
        yield together([by_cosine, other]), (0.05 * cosine * factor)[:10]
    yield together([by_line, by_cosine]), (0.05 * cosine * line)[:10]
    # Momentum.
    triangle = np.array([0, 1, 2, 3, 4, 3, 2, 1] * 3)[:20] / 4
    slow = np.array([0, 3, 6, 5, 4, 3, 2, 1] * 3)[:20] / 6
    scales = {
        "triangular": constant,
        "triangular2": 0.5 ** (steps // 8.0),
        "exp_range": 0.9**steps,
    }
    for mode, scale in scales.items():
        for low, high in ((1, 5), (2, 6), (3, 7), (5, 12)):
            for rise, fall, heights in ((4, None, triangle), (2, 6, slow)):
                given = {
                    "base_lr": low,
                    "max_lr": [high],
                    "step_size_up": rise,
                    "step_size_down": fall,
                    "base_momentum": [low],
                    "max_momentum": high,
                    "mode": mode,
                    "gamma": 0.9,
                }
                swing = (high - low) * heights * scale
                yield ("CyclicLR", given), low + swing, high - swing
    given = {"base_lr": 1, "max_lr": 5, "step_size_up": 4, "cycle_momentum": False}
    yield ("CyclicLR", given), 1 + 4 * triangle, None
    given = {
        "max_lr": 25,
        "final_div_factor": 2,
        "base_momentum": 1,
        "max_momentum": 22,
        "total_steps": 10,
    }
    share = np.clip((np.arange(10) - 2) / 7, 0, 1)
    begin = np.arange(10) / 2
    for name, mix in (("linear", lambda a, b, p: a + (b - a) * p), ("cos", anneal)):
        yield (
            ("OneCycleLR", {**given, "anneal_strategy": name}),
            np.where(begin < 1, 1 + 24 * begin, mix(25, 0.5, share)),
            np.where(begin < 1, 22 - 21 * begin, mix(1, 22, share)),
        )
    given = {
        **given,
        "final_div_factor": 4,
        "pct_start": 0.4,
        "three_phase": True,
        "anneal_strategy": "linear",
    }
    yield (
        ("OneCycleLR", given),
        np.interp(np.arange(10), [0, 3, 6, 9], [1, 25, 1, 0.25]),
        np.interp(np.arange(10), [0, 3, 6, 9], [22, 1, 22, 22]),
    )


def in_turn(schedulers, milestones):
    return "SequentialLR", {"schedulers": schedulers, "milestones": milestones}


def together(schedulers):
    return "ChainedScheduler", {"schedulers": schedulers}


@pytest.mark.parametrize(
    "case", list(torch_tests()), ids=[case[0][0] for case in torch_tests()]
)
def test_what_the_tests_of_torch_expect_is_met(case):
    (name, arguments), rates, *momenta = case
    schedule = from_torch(name, **arguments)
    scales = schedule.max_lr is None
    for base_lr, gain in ((0.05, 1), (0.5, 10 if scales else 1)):
        values = schedule.values(len(rates), base_lr=base_lr)
        # Its own tests are right to 1e-5; their lowest rates of 1e-10 are 1e-9 off.
        np.testing.assert_allclose(values, gain * rates, rtol=1e-6, atol=1e-9)
    for expected in momenta:
        if expected is None:
            assert schedule._made.momentum is None
        else:
            found = schedule.momentum_values(len(expected))
            np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_restarts_are_where_torchs_tests_of_single_epochs_have_them():
    for growth, epochs, done, length in (
        (1, [5, 12, 27, 13], [5, 2, 7, 3], [10, 10, 10, 10]),
        (2, [5, 25, 32, 34, 80, 3], [5, 15, 2, 4, 10, 3], [10, 20, 40, 40, 80, 10]),
        (3, [0, 50, 130], [0, 10, 0], [10, 90, 270]),
    ):
        given = {"T_0": 10, "T_mult": growth, "eta_min": 1e-10}
        schedule = from_torch("CosineAnnealingWarmRestarts", **given)
        expected = anneal(0.05, 1e-10, np.array(done) / length)
        found = schedule.at(epochs, 200, base_lr=0.05)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_swa_begins_where_another_schedule_has_come_to():
    epochs = np.arange(10)
    before = from_torch("MultiplicativeLR", lr_lambda=lambda epoch: 0.9).values(6, 0.05)
    np.testing.assert_allclose(before, 0.05 * 0.9 ** np.arange(6))
    cases = (
        (5, "cos", anneal(1.0, 0.0, np.minimum(epochs / 5, 1))),
        (4, "linear", np.maximum(1 - epochs / 4, 0)),
        (1, "cos", np.where(epochs < 1, 1.0, 0.0)),
        (0, "linear", np.zeros(10)),
    )
    for span, strategy, left in cases:
        given = {"swa_lr": 0.01, "anneal_epochs": span, "anneal_strategy": strategy}
        values = from_torch("SWALR", **given).values(10, base_lr=before[-1])
        np.testing.assert_allclose(values, before[-1] * left + 0.01 * (1 - left))


def plateau_tests():
    """Torch's tests of its plateau: arguments, metrics, and the rates after them."""
    absolute = {"threshold_mode": "abs", "patience": 5}
    relative = {"threshold": 0.1, "patience": 5, "cooldown": 5}
    falling = [10 - i * 0.0165 for i in range(22)]
    rising = [1.5 * 1.005**i for i in range(20)]
    stuck = [1] * 7 + [0.6] + [0.5] * 12
    late = [0.5] * 8 + [0.05] * 11 + [0.005] * 3
    twice = [0.5] * 6 + [0.05] * 11 + [0.005] * 3
    yield (
        {**absolute, "threshold": 0.01, "cooldown": 5},
        [10 - i * 0.0167 for i in range(20)],
        [0.5] * 20,
    )
    yield (
        {**absolute, "threshold": 0.1},
        falling,
        [0.5] * 6 + [0.05] * 7 + [0.005] * 7 + [0.0005] * 2,
    )
    yield (
        {**absolute, "mode": "max", "cooldown": 5},
        [-0.8] * 2 + [-0.234] * 20,
        late,
    )
    yield (
        {"mode": "max", "patience": 3, "threshold": 0.1},
        [1.5 * 1.025**i for i in range(20)],
        [0.5] * 20,
    )
    yield {**relative, "mode": "max"}, rising, twice
    yield {"threshold": 0.1}, [1.5 * 0.85**i for i in range(20)], [0.5] * 20
    yield relative, stuck, twice
    for least in (0.4, [0.3]):
        floor = np.ravel(least)[0]
        yield (
            {**relative, "mode": "max", "min_lr": least},
            rising,
            [0.5] * 6 + [floor] * 14,
        )


def cut(plateau, metrics, own):
    """The rates after each of some metrics."""
    rule = plateau._rule(rises=plateau.mode == "max")
    standing = Standing()
    for metric in metrics:
        may_cut = plateau._may_cut(own, standing.cuts)
        standing = observe(standing, metric, rule, may_cut)
        yield plateau._level(own, standing.cuts)


@pytest.mark.parametrize(("given", "metrics", "rates"), list(plateau_tests()))
def test_a_plateau_cuts_where_the_tests_of_torch_expect_it(given, metrics, rates):
    plateau = from_torch("ReduceLROnPlateau", **given)
    assert isinstance(plateau, keras_lr.Plateau)
    found = list(cut(plateau, metrics, 0.5))
    np.testing.assert_allclose(found, rates, rtol=1e-9)


def test_every_scheduler_has_a_test_and_a_formula():
    tested = {name for (name, _), *_ in torch_tests()} | {"SWALR"}
    assert tested == set(RECIPES)
    for recipe in RECIPES.values():
        assert recipe.__doc__


def test_a_walk_is_gone_once_from_wherever_one_looks():
    asked = []
    chain = from_torch(
        "ChainedScheduler",
        schedulers=[
            ("LambdaLR", {"lr_lambda": lambda step: asked.append(step) or 0.9**step}),
            ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.1}),
        ],
    )
    values = chain.values(50)
    assert len(asked) <= 50 + 3 * 50
    assert max(asked) == 49
    for places in ([49, 3, 3, 17], [0], [20, 49]):
        np.testing.assert_array_equal(chain.at(places, 50), values[places])


def test_an_update_far_out_is_looked_up():
    schedule = from_torch(
        "SequentialLR",
        schedulers=[
            ("LinearLR", {"total_iters": 1000}),
            ("CosineAnnealingLR", {"T_max": 2 * 10**9}),
        ],
        milestones=[1000],
    )
    np.testing.assert_allclose(schedule.at(10**9 + 1000, 10**10), 0.5, rtol=1e-9)
    assert schedule._made.warmup == 1000


def test_what_a_recipe_tells_of_itself():
    one_cycle = {"max_lr": 0.5, "total_steps": 50}
    made = from_torch("OneCycleLR", **one_cycle)._made
    assert (made.peak, made.floor, made.warmup) == (0.5, None, 15)
    assert made.length.length.amount == 50
    in_epochs = {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 10}
    np.testing.assert_array_equal(
        from_torch("OneCycleLR", **in_epochs).values(60),
        from_torch("OneCycleLR", **one_cycle).values(60),
    )
    made = from_torch("CyclicLR", base_lr=0.1, max_lr=0.5)._made
    assert (made.peak, made.floor, made.length) == (0.5, 0.1, None)
    made = from_torch("CosineAnnealingLR", T_max=9, eta_min=0.1)._made
    assert (made.peak, made.floor, made.length) == (None, 0.1, None)
    parts = [("LinearLR", {"total_iters": 10}), ("PolynomialLR", {"total_iters": 30})]
    name, arguments = in_turn(parts, [10])
    made = from_torch(name, **arguments)._made
    assert (made.peak, made.warmup) == (None, 10)
    assert made.length.length.amount == 40
    assert from_torch("StepLR", step_size=3, per="epoch").values(
        8, steps_per_epoch=2
    ).tolist() == pytest.approx([1.0] * 6 + [0.1] * 2)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "OneCycleLR",
            {"max_lr": 0.1},
            r"OneCycleLR: It needs its length: `total_steps`",
        ),
        ("OneCycleLR", {"max_lr": 0.1, "epochs": 3}, "`epochs` and `steps_per_epoch`"),
        (
            "OneCycleLR",
            {"max_lr": [0.1, 1], "total_steps": 9},
            r"schedule each, with `opt",
        ),
        ("OneCycleLR", {"max_lr": 1, "total_steps": 9, "pct_start": 1.1}, "at most 1"),
        (
            "OneCycleLR",
            {"max_lr": 1, "total_steps": 9, "anneal_strategy": "CATS"},
            r"one of 'cos', 'linear'\. Received: anneal_strategy='CATS'",
        ),
        ("CyclicLR", {"base_lr": 0, "max_lr": 0, "mode": "CATS"}, "'triangular2'"),
        ("CyclicLR", {"base_lr": 0, "max_lr": 1, "step_size_up": 0}, "`step_size_up`"),
        ("LinearLR", {"start_factor": 0.0}, "above 0"),
        ("LinearLR", {"start_factor": 1.1}, "at most 1"),
        ("ConstantLR", {"factor": -0.1}, "at least 0"),
        ("StepLR", {"step_size": 2.4}, "must be whole: torch compares it"),
        ("StepLR", {"step_size": 3, "last_epoch": 4}, "`last_epoch` must be -1"),
        ("CosineAnnealingLR", {"T_max": 0}, "at least 1"),
        ("SWALR", {"swa_lr": 0.1, "anneal_epochs": 1.7}, "must be whole"),
        ("SWALR", {"swa_lr": [1, 0.1, 0.01]}, "`swa_lr` must be one for all"),
        ("SequentialLR", {"schedulers": [], "milestones": []}, "at least one"),
        ("ReduceLROnPlateau", {"eps": 0.1}, "`eps` must be 1e-8 or 0"),
        ("ReduceLROnPlateau", {"factor": 1.0}, "`factor` must be below 1"),
        ("ReduceLROnPlateau", {"threshold_mode": "CATS"}, "'rel', 'abs'"),
        (*in_turn([("StepLR", {"step_size": 3})], [5]), "1 schedulers, 1 milestones"),
        (*in_turn([("StepLR", {"step_size": 3})] * 3, [5, 4]), "must not decrease"),
        (*in_turn([("StepLR", {})], []), "StepLR needs `step_size`"),
        (*together([("StepLR", {"step_size": 0})]), "StepLR: `step_size` must be"),
        (
            *together([("cosine", {})]),
            "`schedulers` can be ChainedScheduler, .*'cosine'",
        ),
        (*together(["StepLR"]), "must be a pair of a name and its arguments"),
        (*together([("ReduceLROnPlateau", {})]), "follows a metric and cannot be one"),
    ],
    ids=str,
)
def test_bad_arguments_are_told_in_a_sentence(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        from_torch(name, **arguments)


def test_arguments_of_another_kind_are_told_in_a_sentence():
    with pytest.raises(
        TypeError, match=r"MultiplicativeLR: `lr_lambda` must be callable"
    ):
        from_torch("MultiplicativeLR", lr_lambda=0.95)
    with pytest.raises(
        TypeError, match=r"StepLR has no argument `size`; it takes step_s"
    ):
        from_torch("ChainedScheduler", schedulers=[("StepLR", {"size": 3})])
    with pytest.raises(TypeError, match="`schedulers` must be a sequence"):
        from_torch("ChainedScheduler", schedulers=3)
    with pytest.raises(TypeError, match="must come from torch as well"):
        from_torch("ChainedScheduler", schedulers=[keras_lr.LinearDecay()])
