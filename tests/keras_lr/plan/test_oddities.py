from __future__ import annotations

import warnings

import pytest

import keras_lr as k
from keras_lr import phases
from keras_lr.plan.duration import Clock

# What a fit of so many updates is warned of.
ODD = {
    "ends early": (
        lambda: k.CosineDecay(decay=4),
        10,
        "CosineDecay(decay=4) ends after 4 of the run's 10 updates and holds its last "
        "value from there.",
    ),
    "horizon ends early": (
        lambda: k.LinearDecay(horizon=4),
        10,
        "LinearDecay(horizon=4) ends after 4 of the run's 10 updates and holds its",
    ),
    "no peak": (
        lambda: k.CyclicalLR(max_lr=0.1, half_cycle=50),
        10,
        "CyclicalLR(max_lr=0.1, half_cycle=50) never reaches its peak in the run of 10 "
        "updates: `half_cycle` (50) reaches beyond the end of the run of 10 updates.",
    ),
    "warmup in updates": (
        lambda: k.Warmup(11),
        10,
        "Warmup(warmup=11) is cut short: `warmup` (11) reaches beyond the end of the "
        "run of 10 updates, which sees only the beginning.",
    ),
    "warmup in epochs": (
        lambda: k.WarmupCosine(warmup="2 epochs"),
        10,
        "`warmup` ('2 epochs') reaches beyond the end of the run of 10 updates",
    ),
    "decay": (
        lambda: k.FlatCosine(decay=11),
        10,
        "`decay` (11) reaches beyond the end",
    ),
    "a phase": (
        lambda: k.Schedule(phases.linear(4), phases.cosine(8, to=0.0)),
        10,
        "`duration` (8) reaches beyond the end of the run of 10 updates",
    ),
    "a cycle": (
        lambda: k.CosineRestarts(first_cycle=11),
        10,
        "`first_cycle` (11) reaches beyond the end",
    ),
    "a boundary": (
        lambda: k.PiecewiseConstant([4, 11, 12], [1, 0.5, 0.2, 0.1]),
        10,
        "`boundaries[1]` (11) reaches beyond the end",
    ),
    "a point": (
        lambda: k.PiecewiseLinear([(0, 0.1), ("2 epochs", 1.0)]),
        10,
        "`points[1]` ('2 epochs') reaches beyond the end",
    ),
    "beyond the horizon": (
        lambda: k.WarmupLinear(warmup=50, horizon=40),
        10,
        "`warmup` (50) reaches beyond the end of the horizon of 40 updates",
    ),
    "nothing but zeros": (
        lambda: k.CosineDecay(max_lr=0.1),
        1,
        "CosineDecay(max_lr=0.1) has a rate of 0 at every update of the run of 1: "
        "nothing trains.",
    ),
    "zeros in the middle of nowhere": (
        lambda: k.Function(lambda step: 0.0),
        10,
        "has a rate of 0 at every update of the run of 10",
    ),
}

FINE = {
    "warmup": lambda: k.Warmup(4),
    "warmup of the whole run": lambda: k.WarmupCosine(warmup=10),
    "no warmup": lambda: k.WarmupCosine(warmup=0, decay=0),
    "drops": lambda: k.StepDecay(every=4),
    "drops never": lambda: k.StepDecay(every=40),
    "phases": lambda: k.Schedule(phases.linear(4), phases.hold()),
    "horizon": lambda: k.OneCycle(horizon=40),
    "cycles": lambda: k.CosineRestarts(first_cycle=3),
    "boundaries": lambda: k.PiecewiseConstant([4, "100%"], [1, 0.5, 0.2]),
    "a floor above 1": lambda: k.LinearDecay(max_lr=3.0, min_lr=2.0),
    "one rate above 0": lambda: k.Function(lambda step: float(step == 7)),
    "weight decay of 0": lambda: k.Function(
        lambda step: 0.0, hyperparameter="weight_decay"
    ),
}


def said(schedule, updates, times=2):
    """What is said of a schedule in runs of ten updates an epoch."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(times):
            schedule._warn(Clock(updates, 10))
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(("build", "updates", "message"), ODD.values(), ids=ODD)
def test_what_is_odd_about_a_run_is_said_once_with_schedule_and_argument(
    build, updates, message
):
    (text,) = said(build(), updates)
    assert message in text


@pytest.mark.parametrize("build", FINE.values(), ids=FINE)
def test_nothing_is_said_of_what_fits(build):
    assert said(build(), 10) == []


def test_nothing_is_said_of_a_run_of_unknown_length():
    assert said(k.Warmup(4), None) == []


def test_few_values_are_looked_at_before_a_fit():
    calls = []

    def counted(step):
        calls.append(step)
        return 1.0

    assert said(k.Function(counted), 10_000, times=1) == []
    assert len(calls) <= 3
