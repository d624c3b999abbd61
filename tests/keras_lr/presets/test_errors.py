import numpy as np
import pytest

import keras_lr as k
from keras_lr.phases import linear

nan = float("nan")

REFUSED = {
    "min_lr above max_lr": (
        lambda: k.CosineDecay(max_lr=0.1, min_lr=0.2),
        "`min_lr` must not exceed the peak rate (=0.1). Received: min_lr=0.2.",
    ),
    "min_lr above the own rate": (
        lambda: k.LinearDecay(min_lr=0.2).values(5, base_lr=0.1),
        "`min_lr` must not exceed the peak rate (=0.1). Received: min_lr=0.2.",
    ),
    "min_lr above max_lr in a cycle": (
        lambda: k.CyclicalLR(max_lr=0.1, min_lr=0.2),
        "Received: min_lr=0.2.",
    ),
    "max_lr zero": (
        lambda: k.OneCycle(max_lr=0),
        "`max_lr` must be finite and above 0. Received: max_lr=0.",
    ),
    "max_lr negative": (lambda: k.Rex(max_lr=-1), "Received: max_lr=-1."),
    "max_lr nan": (lambda: k.WarmupCosine(max_lr=nan), "Received: max_lr=nan."),
    "max_lr infinite": (
        lambda: k.StepDecay(max_lr=float("inf")),
        "Received: max_lr=inf.",
    ),
    "min_lr negative": (
        lambda: k.CosineRestarts(min_lr=-0.1),
        "`min_lr` must be finite and not negative. Received: min_lr=-0.1.",
    ),
    "min_lr nan": (lambda: k.OneCycle(min_lr=nan), "Received: min_lr=nan."),
    "warmup zero": (
        lambda: k.WarmupLinear(warmup=0),
        "Received: warmup=0. To do without it, leave it out.",
    ),
    "decay in parsecs": (
        lambda: k.WarmupStableDecay(decay="5 parsecs"),
        "not in 'parsecs'. Received: decay='5 parsecs'.",
    ),
    "half_cycle negative": (
        lambda: k.CyclicalLR(half_cycle=-3),
        "Received: half_cycle=-3.",
    ),
    "half_cycle_down zero": (
        lambda: k.CyclicalLR(half_cycle_down=0),
        "Received: half_cycle_down=0.",
    ),
    "first_cycle above the run": (
        lambda: k.CosineRestarts(first_cycle=1.5),
        "Received: first_cycle=1.5.",
    ),
    "first_cycle shorter than an update": (
        lambda: k.CosineRestarts().values(5),
        "must last at least one update. Received: 0.5 updates.",
    ),
    "every nan": (lambda: k.StepDecay(every=nan), "Received: every=nan."),
    "timescale zero": (lambda: k.InverseSqrt(timescale=0), "Received: timescale=0."),
    "horizon zero": (lambda: k.LinearDecay(horizon=0), "Received: horizon=0."),
    "warmup start": (
        lambda: k.Warmup(start=1.5),
        "`start` must lie in [0, 1]. Received: start=1.5.",
    ),
    "warmup curve": (
        lambda: k.Warmup(curve="step"),
        "must be one of 'linear', 'cosine', 'exponential'. Received: curve='step'.",
    ),
    "exponential warmup from zero": (
        lambda: k.Warmup(curve="exponential"),
        "needs a `start` above 0. Received: start=0.",
    ),
    "exponent": (lambda: k.WarmupCosine(exponent=0), "Received: exponent=0."),
    "exponent of a decay": (
        lambda: k.CosineDecay(exponent=-1),
        "`exponent` must be finite and above 0. Received: exponent=-1.",
    ),
    "power": (lambda: k.PolynomialDecay(power=0), "Received: power=0."),
    "shape": (
        lambda: k.WarmupStableDecay(shape="sqrt"),
        "one of 'linear', 'cosine', '1-sqrt', '1-square'. Received: shape='sqrt'.",
    ),
    "annealing": (
        lambda: k.OneCycle(annealing="cos"),
        "`annealing` must be one of 'cosine', 'linear'. Received: annealing='cos'.",
    ),
    "phases": (
        lambda: k.OneCycle(phases=3),
        "`phases` must be one of 'two', 'three'. Received: phases=3.",
    ),
    "div_factor": (
        lambda: k.OneCycle(div_factor=0.5),
        "`div_factor` must be at least 1. Received: div_factor=0.5.",
    ),
    "final_div_factor": (
        lambda: k.OneCycle(final_div_factor=0),
        "Received: final_div_factor=0.",
    ),
    "momentum upside down": (
        lambda: k.OneCycle(momentum=(0.9, 0.8)),
        "0 <= low <= high < 1. Received: momentum=(0.9, 0.8).",
    ),
    "momentum of one": (
        lambda: k.CyclicalLR(momentum=(0.9, 1.0)),
        "Received: momentum=(0.9, 1.0).",
    ),
    "mode": (
        lambda: k.CyclicalLR(mode="triangle"),
        "'triangular', 'triangular2', 'exp_range'. Received: mode='triangle'.",
    ),
    "gamma": (
        lambda: k.CyclicalLR(gamma=1.1),
        "`gamma` must lie in (0, 1]. Received: gamma=1.1.",
    ),
    "scale_by": (
        lambda: k.CyclicalLR(scale_by="epoch"),
        "`scale_by` must be one of 'cycle', 'step'. Received: scale_by='epoch'.",
    ),
    "scale_fn below zero": (
        lambda: k.CyclicalLR(half_cycle=2, scale_fn=lambda cycle: -1).values(5),
        "Received: -0.5 at update 1.",
    ),
    "t_mul": (
        lambda: k.CosineRestarts(t_mul=0.5),
        "`t_mul` must be at least 1. Received: t_mul=0.5.",
    ),
    "t_mul infinite": (
        lambda: k.CosineRestarts(t_mul=float("inf")),
        "Received: t_mul=inf.",
    ),
    "m_mul": (
        lambda: k.CosineRestarts(m_mul=0),
        "`m_mul` must lie in (0, 1]. Received: m_mul=0.",
    ),
    "step rate": (
        lambda: k.StepDecay(rate=2),
        "`rate` must lie in (0, 1]. Received: rate=2.",
    ),
    "rate without every": (
        lambda: k.ExponentialDecay(rate=0.5),
        "go together: one is the rate of each other. Received: rate=0.5, every=None.",
    ),
    "every without rate": (
        lambda: k.InverseTimeDecay(every=3),
        "Received: rate=None, every=3.",
    ),
    "rate and decay": (
        lambda: k.ExponentialDecay(rate=0.5, every=3, decay=4),
        "Received: rate=0.5, decay=4.",
    ),
    "growing exponential": (
        lambda: k.ExponentialDecay(rate=1.5, every=3),
        "`rate` must lie in (0, 1]. Received: rate=1.5.",
    ),
    "too few factors": (
        lambda: k.PiecewiseConstant([3], [1.0]),
        "one more than `boundaries`. Received: 1 factors, 1 boundaries.",
    ),
    "boundaries out of order": (
        lambda: k.PiecewiseConstant([3, 2], [1, 0.5, 0.2]).values(9),
        "must grow from point to point. Received: [0, 3, 2] (updates [0, 3, 2]).",
    ),
    "boundary past the run": (
        lambda: k.PiecewiseConstant([13], [1, 0.5]).values(9),
        "within the run of 9 updates. Received: 13 (update 13).",
    ),
    "negative factor": (
        lambda: k.PiecewiseConstant([3], [1, -0.5]),
        "must be finite and not negative. Received: values=-0.5.",
    ),
    "no points": (lambda: k.PiecewiseLinear([]), "Received: points=[]."),
    "negative position": (
        lambda: k.PiecewiseLinear([(-3, 1.0)]),
        "Received: position=-3.",
    ),
    "of": (
        lambda: k.Function(float, of="epoch"),
        "`of` must be one of 'step', 'progress'. Received: of='epoch'.",
    ),
    "no phase": (k.Schedule, "needs at least one phase. Received: none."),
    "start": (lambda: k.Schedule(linear(), start=-1), "Received: start=-1."),
    "hyperparameter": (
        lambda: k.LinearDecay(hyperparameter="lr"),
        "learning_rate, momentum, weight_decay. Received: hyperparameter='lr'.",
    ),
    "longer than the run": (
        lambda: k.LinearDecay(decay=9).values(5),
        "must fit into the run of 5 updates. Received: phases that take 9 updates.",
    ),
    "no room for the decay": (
        lambda: k.WarmupCosine(warmup=5).values(5),
        "phases that take 5 updates and one of them takes the rest.",
    ),
    "epochs without their length": (
        lambda: k.CyclicalLR(half_cycle="2 epochs").values(9),
        "give `steps_per_epoch=`, or a number of updates.",
    ),
    "no update": (lambda: k.LinearDecay().values(0), "`steps` must be at least 1"),
    "empty table": (
        lambda: k.LinearDecay().as_keras_schedule(0),
        "`steps` must lie in 1 .. 16777216. Received: steps=0.",
    ),
}

MISTAKEN = {
    "warmup": (lambda: k.OneCycle(warmup=None), "Received: warmup=None."),
    "decay": (lambda: k.FlatCosine(decay=None), "Received: decay=None."),
    "every": (lambda: k.StepDecay(every=None), "Received: every=None."),
    "half_cycle": (lambda: k.CyclicalLR(half_cycle=None), "Received: half_cycle=None."),
    "first_cycle": (
        lambda: k.CosineRestarts(first_cycle=None),
        "`first_cycle` must be a duration: an int (updates), a fraction in (0, 1)",
    ),
    "bool": (lambda: k.Warmup(True), "Received: warmup=True."),
    "max_lr": (lambda: k.OneCycle(max_lr=[0.1]), "Received: max_lr=[0.1]."),
    "momentum": (
        lambda: k.OneCycle(momentum=0.9),
        "a pair (low, high), 'auto' or None. Received: momentum=0.9.",
    ),
    "three momenta": (
        lambda: k.OneCycle(momentum=(0.8, 0.9, 0.95)),
        "Received: momentum=(0.8, 0.9, 0.95).",
    ),
    "scale_fn": (lambda: k.CyclicalLR(scale_fn=3), "Received: scale_fn=3."),
    "function": (
        lambda: k.Function(3),
        "`function` must be callable, a number in and a factor out. Received: func",
    ),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_is_refused_with_rule_and_value(build, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011  compared below
        build()
    assert message in str(error.value)


@pytest.mark.parametrize(("build", "message"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_wrong_type_is_refused_with_rule_and_value(build, message):
    with pytest.raises(TypeError) as error:
        build()
    assert message in str(error.value)


@pytest.mark.parametrize("number", [np.float32(0.5), np.array(0.5), np.float64(0.5)])
def test_whatever_is_a_number_is_a_rate(number):
    assert k.LinearDecay(max_lr=number).values(3).tolist() == [0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    "name", [n for n in k.__all__ if n[0].isupper() and "Finder" not in n]
)
def test_every_preset_takes_what_all_schedules_take(name):
    first = {
        "Schedule": [linear(3)],
        "Function": [float],
        "PiecewiseConstant": [[3], [1.0, 0.5]],
        "PiecewiseLinear": [[(0, 1.0)]],
    }
    schedule = getattr(k, name)(
        *first.get(name, []), max_lr=0.5, horizon=9, hyperparameter="weight_decay"
    )
    assert (schedule.max_lr, schedule.horizon) == (0.5, 9)
    assert schedule.hyperparameter == "weight_decay"
