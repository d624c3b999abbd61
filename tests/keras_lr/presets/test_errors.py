import numpy as np
import pytest

import keras_lr as k
from keras_lr.phases import linear, repeat
from tests.kit.names import schedules

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
        lambda: k.CosineRestarts(t_mul=0),
        "`t_mul` must be finite and above 0. Received: t_mul=0.",
    ),
    "a warmup as long as the cycle": (
        lambda: k.CosineRestarts(first_cycle="5%", warmup="5%"),
        "`warmup` must be shorter than `first_cycle`. Received: warmup='5%', first_",
    ),
    "a warmup in a unit of its own": (
        lambda: k.CosineRestarts(first_cycle="2 epochs", warmup="5%"),
        "`warmup` must be in updates, or in the same unit as `first_cycle`. Received:",
    ),
    "since": (
        lambda: k.Warmup(since="epoch"),
        "`since` must be one of 'run', 'fit'. Received: since='epoch'.",
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
        lambda: k.PiecewiseConstant([3, "50%", 2], [1, 0.5, 0.2, 0.1]),
        "PiecewiseConstant: `boundaries[2]` must come after `boundaries[0]`. "
        "Received: boundaries[0]=3, boundaries[2]=2.",
    ),
    "boundaries twice": (
        lambda: k.PiecewiseConstant(["50%", "50%"], [1, 0.5, 0.2]),
        "Received: boundaries[0]='50%', boundaries[1]='50%'.",
    ),
    "a boundary at the start": (
        lambda: k.PiecewiseConstant([0], [1, 0.5]),
        "`boundaries[0]` must be longer than nothing. Received: boundaries[0]=0.",
    ),
    "a point before the start": (
        lambda: k.PiecewiseLinear([("1 epoch", 0.5), ("0%", 1.0)]),
        "`points[1]` must come after `points[0]`. Received: points[0]='1 epoch', poi",
    ),
    "negative factor": (
        lambda: k.PiecewiseConstant([3], [1, -0.5]),
        "`factors[1]` must be finite and not negative. Received: factors[1]=-0.5.",
    ),
    "a point of three": (
        lambda: k.PiecewiseLinear([(0, 1.0, 2.0)]),
        "`points[0]` must be a pair of a position and a factor. Received: points[0]=(0",
    ),
    "no points": (lambda: k.PiecewiseLinear([]), "Received: points=[]."),
    "negative position": (
        lambda: k.PiecewiseLinear([(-3, 1.0)]),
        "`points[0]` must not be negative. Received: points[0]=-3.",
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
    "fractions of more than the run": (
        lambda: k.WarmupStableDecay(warmup="60%", decay=0.5).values(9),
        "WarmupStableDecay(warmup='60%', decay=0.5): Fractions must not add up to more "
        "than the run (100 %). Received: warmup='60%', decay=0.5: 110 % of it.",
    ),
    "epochs without their length": (
        lambda: k.CyclicalLR(max_lr=0.5).values(9),
        "CyclicalLR(max_lr=0.5): `half_cycle` is in epochs, and the updates of an "
        "epoch are not known: give `steps_per_epoch=`, or a number of updates. "
        "Received: half_cycle='2 epochs'.",
    ),
    "a time in epochs without their length": (
        lambda: k.StepDecay(every="2 epochs").values(9),
        "`every` is in epochs, and the updates of an epoch are not known",
    ),
    "a horizon without the length of an epoch": (
        lambda: k.LinearDecay(horizon="2 epochs").values(9),
        "LinearDecay(horizon='2 epochs'): `horizon` is in epochs",
    ),
    "an own rate of zero": (
        lambda: k.LinearDecay().values(9, base_lr=0),
        "LinearDecay(): `base_lr` must be finite and above 0. Received: base_lr=0.",
    ),
    "a momentum below zero": (
        lambda: k.LinearDecay().momentum_values(9, base=-1),
        "LinearDecay(): `base` must be finite and not negative. Received: base=-1.",
    ),
    "epochs of no update": (
        lambda: k.LinearDecay().values(9, steps_per_epoch=0),
        "`steps_per_epoch` must be finite and above 0. Received: steps_per_epoch=0.",
    ),
    "a huge rate": (
        lambda: k.LinearDecay(max_lr=10**400),
        "LinearDecay: `max_lr` must be finite and above 0. Received: max_lr=1000",
    ),
    "a huge run": (
        lambda: k.LinearDecay().values(10**400),
        "`steps` must be at least 1 and at most 10**15. Received: steps=100",
    ),
    "no update": (lambda: k.LinearDecay().values(0), "`steps` must be at least 1"),
    "empty table": (
        lambda: k.LinearDecay().as_keras_schedule(0),
        "`steps` must lie in 1 .. 16777216. Received: steps=0.",
    ),
}

MISTAKEN = {
    "a rate as text": (
        lambda: k.OneCycle(max_lr="1e-3"),
        "OneCycle: `max_lr` must be a number, not text. Received: max_lr='1e-3'. Write "
        "it without quotes; in YAML with a point, as 1.0e-3; or convert it with float(",
    ),
    "a floor as text": (
        lambda: k.CosineDecay(min_lr="0.1"),
        "CosineDecay: `min_lr` must be a number, not text. Received: min_lr='0.1'.",
    ),
    "a factor as text": (
        lambda: k.PiecewiseConstant([3], [1, "0.5"]),
        "`factors[1]` must be a number, not text. Received: factors[1]='0.5'.",
    ),
    "a momentum as text": (
        lambda: k.OneCycle(momentum=("0.8", "0.9")),
        "`momentum` must be a number, not text. Received: momentum='0.8'.",
    ),
    "a growth as text": (
        lambda: k.CosineRestarts(t_mul="2"),
        "`t_mul` must be a number, not text. Received: t_mul='2'.",
    ),
    "growth of cycles as text": (
        lambda: repeat(linear(3), grow="2"),
        "`grow` must be a number, not text. Received: grow='2'.",
    ),
    "steps that are no int": (
        lambda: k.LinearDecay().values(5.0),
        "LinearDecay(): `steps` must be an int. Received: steps=5.0.",
    ),
    "a table of steps that are no int": (
        lambda: k.LinearDecay().as_keras_schedule("5"),
        "LinearDecay(): `steps` must be an int. Received: steps='5'.",
    ),
    "no factors": (
        lambda: k.PiecewiseConstant([3], None),
        "`factors` must be a sequence. Received: factors=None.",
    ),
    "boundaries as text": (
        lambda: k.PiecewiseConstant("3", [1, 0.5]),
        "`boundaries` must be a sequence. Received: boundaries='3'.",
    ),
    "a point that is none": (
        lambda: k.PiecewiseLinear([3]),
        "`points[0]` must be a sequence. Received: points[0]=3.",
    ),
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


LONG = {
    "many boundaries": lambda: k.PiecewiseConstant(range(1, 10_001), [1.0, 0.5]),
    "a boundary of many": lambda: k.PiecewiseConstant(
        [*range(1, 10_000), 5], np.linspace(1, 0, 10_001)
    ),
    "a huge array": lambda: k.OneCycle(max_lr=np.ones((100, 100))),
    "a long text": lambda: k.OneCycle(max_lr="1" * 10_000),
    "a long duration": lambda: k.OneCycle(warmup="1" * 10_000),
    "a long unit": lambda: k.OneCycle(warmup="1 " + "x" * 10_000),
    "a huge int": lambda: k.OneCycle(max_lr=10**10_000),
    "a huge choice": lambda: k.OneCycle(annealing=["cosine"] * 10_000),
    "many phases": lambda: repeat(*[linear(3)] * 1000, linear()),
    "values of many points": lambda: k.PiecewiseConstant(
        [f"{i} epochs" for i in range(1, 10_000)], np.linspace(1, 0, 10_000)
    ).values(10),
}


@pytest.mark.parametrize("build", LONG.values(), ids=LONG)
def test_no_message_is_too_long_to_be_read(build):
    with pytest.raises((TypeError, ValueError)) as error:
        build()
    assert 30 < len(str(error.value)) < 400


@pytest.mark.parametrize("number", [np.float32(0.5), np.array(0.5), np.float64(0.5)])
def test_whatever_is_a_number_is_a_rate(number):
    assert k.LinearDecay(max_lr=number).values(3).tolist() == [0.5, 0.25, 0.0]


@pytest.mark.parametrize("name", schedules())
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
