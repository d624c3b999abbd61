"""Torch's momentum, its edge cases, and a live comparison where torch is installed."""

import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from keras_lr import CosineRestarts, CyclicalLR, OneCycle, Schedule, StepDecay
from keras_lr.phases import cosine, hold, linear, polynomial

DATA = Path(__file__).parents[1] / "data" / "golden"
TORCH = json.loads((DATA / "torch_lr_scheduler.json").read_text())
FASTAI = json.loads((DATA / "fastai_schedules.json").read_text())
CASES = {case["name"]: case for case in TORCH["cases"]}
EDGES = TORCH["onecycle_edge_cases"]


def assert_close(values, expected, rtol=1e-6):
    expected = np.asarray(expected)
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=1e-14 * expected.max())


def sgd(torch, lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)


def trace(optimizer, scheduler, steps):
    lrs, momenta = [], []
    with warnings.catch_warnings():
        # Torch deprecates a call that it makes itself.
        warnings.simplefilter("ignore")
        for step in range(steps):
            lrs.append(optimizer.param_groups[0]["lr"])
            momenta.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if step < steps - 1:
                scheduler.step()
    return lrs, momenta


MOMENTUM = {
    "onecycle_default_100": OneCycle(max_lr=0.1),
    "onecycle_linear_50": OneCycle(max_lr=0.5, annealing="linear"),
    "cyclic_triangular": CyclicalLR(max_lr=0.006, min_lr=0.001, half_cycle=10),
    "cyclic_triangular2_asym": CyclicalLR(
        max_lr=0.006,
        min_lr=0.001,
        half_cycle=8,
        half_cycle_down=12,
        mode="triangular2",
    ),
}


@pytest.mark.parametrize("name", MOMENTUM)
def test_torchs_momentum_is_reproduced(name):
    expected = CASES[name]["momentum_or_beta1"]
    assert_close(MOMENTUM[name].momentum_values(len(expected)), expected)


def test_every_case_with_momentum_is_in_the_table():
    swings = [
        n for n, c in CASES.items() if len(set(c.get("momentum_or_beta1", []))) > 1
    ]
    assert sorted(MOMENTUM) == sorted(swings)


def test_fastais_momentum_is_reproduced():
    (case,) = (c for c in FASTAI["cases"] if c["name"] == "fit_one_cycle_default")
    schedule = Schedule(
        cosine(25, to=0.85, start=0.95, endpoint=False),
        cosine(75, to=0.95, endpoint=False),
        hyperparameter="momentum",
        max_lr=1.0,
    )
    assert_close(schedule.momentum_values(100), case["mom"], rtol=1e-5)


def edge(**params):
    (case,) = (case for case in EDGES if case["params"] == params)
    return case


@pytest.mark.parametrize(("steps", "pct"), [(10, 0.1), (2, 0.5)])
def test_a_warmup_of_one_update_divides_torch_by_zero_but_not_us(steps, pct):
    assert "ZeroDivisionError" in edge(total_steps=steps, pct_start=pct)["error"]
    values = OneCycle(max_lr=0.1, warmup=pct).values(steps)
    assert values[0] == 0.1
    assert values[-1] == 0.1 / 25 / 1e4


def test_no_warmup_starts_at_the_peak_where_torch_starts_off_it():
    assert edge(total_steps=100, pct_start=0.0)["max"] < 0.1
    values = OneCycle(max_lr=0.1, warmup=0.0).values(100)
    assert values[0] == values.max() == 0.1
    assert values[-1] == 0.1 / 25 / 1e4


def test_a_warmup_of_the_whole_run_is_a_phase():
    case = edge(total_steps=100, pct_start=1.0)
    values = Schedule(cosine(start=0.04), max_lr=0.1).values(100)
    assert_close(values[:3], case["first3"])
    assert values[-1] == values.max() == case["max"]


def test_three_phases_of_half_a_run_end_in_one_update():
    case = edge(total_steps=100, pct_start=0.5, three_phase=True)
    values = OneCycle(max_lr=0.1, warmup=0.5, phases="three").values(100)
    assert_close(values[:3], case["first3"])
    assert values.argmax() == case["argmax"]
    assert_close([values.max(), values.min(), values[-1]], [0.1, 4e-7, case["last"]])


def test_three_phases_that_do_not_fit_are_refused_where_torch_never_finishes():
    assert edge(total_steps=100, pct_start=0.6, three_phase=True)["last"] > 0.02
    with pytest.raises(ValueError, match=r"OneCycle.*Received: warmup=0\.6.*: 120 % "):
        OneCycle(max_lr=0.1, warmup=0.6, phases="three").values(100)


# Warmups of at least two whole updates: elsewhere torch divides by zero or misses the
# peak, and ours are exact.
GRID = [
    (total, updates, annealing, phases)
    for total, updates in [(20, 2), (77, 13), (100, 30), (501, 250)]
    for annealing, phases in itertools.product(("cosine", "linear"), ("two", "three"))
]


@pytest.mark.parametrize(("total", "updates", "annealing", "phases"), GRID)
def test_one_cycle_equals_torch_live(total, updates, annealing, phases):
    torch = pytest.importorskip("torch", reason="compares with torch's OneCycleLR")
    optimizer = sgd(torch, 0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=0.3,
        total_steps=total,
        pct_start=updates / total,
        anneal_strategy=annealing.replace("cosine", "cos"),
        three_phase=phases == "three",
        div_factor=10.0,
        final_div_factor=50.0,
        base_momentum=0.8,
        max_momentum=0.97,
    )
    ours = OneCycle(
        max_lr=0.3,
        warmup=updates,
        annealing=annealing,
        phases=phases,
        div_factor=10.0,
        final_div_factor=50.0,
        momentum=(0.8, 0.97),
    )
    lrs, momenta = trace(optimizer, theirs, total)
    assert_close(ours.values(total), lrs, rtol=1e-9)
    assert_close(ours.momentum_values(total), momenta, rtol=1e-9)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize(("up", "down"), [(1, 1), (5, 5), (3, 11), (10, 4)])
def test_cyclical_lr_equals_torch_live(mode, up, down):
    torch = pytest.importorskip("torch", reason="compares with torch's CyclicLR")
    optimizer = sgd(torch, 0.1)
    theirs = torch.optim.lr_scheduler.CyclicLR(
        optimizer,
        base_lr=0.01,
        max_lr=0.3,
        step_size_up=up,
        step_size_down=down,
        mode=mode,
        gamma=0.99,
    )
    ours = CyclicalLR(
        max_lr=0.3,
        min_lr=0.01,
        half_cycle=up,
        half_cycle_down=down,
        mode=mode,
        gamma=0.99,
    )
    lrs, momenta = trace(optimizer, theirs, 80)
    assert_close(ours.values(80), lrs, rtol=1e-9)
    assert_close(ours.momentum_values(80), momenta, rtol=1e-9)


@pytest.mark.parametrize("first", [1, 2, 7])
@pytest.mark.parametrize("grow", [1, 2, 3])
def test_cosine_restarts_equal_torch_live(first, grow):
    torch = pytest.importorskip("torch", reason="compares with torch's warm restarts")
    optimizer = sgd(torch, 0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, T_0=first, T_mult=grow, eta_min=0.01
    )
    ours = CosineRestarts(first_cycle=first, t_mul=grow, min_lr=0.01, endpoint=False)
    assert_close(ours.values(200, 0.1), trace(optimizer, theirs, 200)[0], rtol=1e-9)


SIMPLE = {
    "LinearLR up": (
        ("LinearLR", {"start_factor": 0.2, "end_factor": 1.0, "total_iters": 7}),
        Schedule(linear(7, start=0.2, endpoint=False), hold()),
    ),
    "LinearLR down": (
        ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 30}),
        Schedule(linear(31, to=0.1, start=1.0)),
    ),
    "StepLR": (
        ("StepLR", {"step_size": 9, "gamma": 0.3}),
        StepDecay(every=9, rate=0.3),
    ),
    "PolynomialLR": (
        ("PolynomialLR", {"total_iters": 20, "power": 2.5}),
        Schedule(polynomial(21, to=0.0, start=1.0, power=2.5)),
    ),
    "CosineAnnealingLR": (
        ("CosineAnnealingLR", {"T_max": 39, "eta_min": 0.0}),
        Schedule(cosine(40, to=0.0, start=1.0)),
    ),
}


@pytest.mark.parametrize("case", SIMPLE)
def test_simple_schedules_equal_torch_live(case):
    torch = pytest.importorskip("torch", reason="compares with torch's schedulers")
    (name, params), ours = SIMPLE[case]
    optimizer = sgd(torch, 0.1)
    theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **params)
    assert_close(ours.values(40, 0.1), trace(optimizer, theirs, 40)[0], rtol=1e-9)
