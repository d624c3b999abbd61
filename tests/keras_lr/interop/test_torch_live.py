"""Torch's schedulers against torch itself: random ones, its faults, its objects."""

import copy
import math
import random

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.interop import from_torch
from keras_lr.interop.torch_objects import READERS, spec_of
from keras_lr.interop.torch_schedulers import PLATEAUS, RECIPES
from tests.keras_lr.interop.test_torch_schedulers import cut, in_turn, together

torch = pytest.importorskip("torch", reason="compares with torch's schedulers")

#: Torch warns of calls that its composites make themselves.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Detected call of:UserWarning", "ignore:The epoch parameter:UserWarning"
)

STEPS = 45


def made(name, arguments, optimizer=None):
    """Torch's own scheduler, and those that it is made of before it."""
    if optimizer is None:
        parameters = [torch.nn.Parameter(torch.zeros(1))]
        optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.5)
    arguments = dict(arguments)
    if "schedulers" in arguments:
        parts = [made(*part, optimizer) for part in arguments["schedulers"]]
        arguments["schedulers"] = parts
    if name == "ChainedScheduler":
        return torch.optim.lr_scheduler.ChainedScheduler(**arguments)
    module = torch.optim.swa_utils if name == "SWALR" else torch.optim.lr_scheduler
    return getattr(module, name)(optimizer, **arguments)


def live(name, arguments, steps=STEPS):
    """Rates and momenta, or the error that ends them."""
    rates = []
    momenta = []
    scheduler = made(name, arguments)
    group = scheduler.optimizer.param_groups[0]
    for step in range(steps):
        rates.append(group["lr"])
        momenta.append(group["momentum"])
        if step < steps - 1:
            scheduler.optimizer.step()
            scheduler.step()
    return np.array(rates), np.array(momenta)


def assert_equal_to_torch(name, arguments, faithful=False, steps=STEPS):
    rates, momenta = live(name, arguments, steps)
    schedule = from_torch(name, faithful=faithful, **arguments)
    found = schedule.values(steps, base_lr=0.1)
    np.testing.assert_allclose(found, rates, rtol=1e-6, atol=1e-13 * rates.max())
    if schedule._made.momentum is None:
        assert set(momenta) == {0.5}
    else:
        found = schedule.momentum_values(steps)
        np.testing.assert_allclose(found, momenta, rtol=1e-6)


class Draw:
    """Random schedulers."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self):
        pick = self.random.choice
        some = self.random.randint(1, 15)
        gamma = pick([0.1, 0.5, 0.9, 1.05])
        functions = [
            lambda step: 0.9**step,
            lambda step: min(1.0, (step + 1) / 5),
            lambda step: 0.5 if step in (0, 3, 7) else 1 + 0.1 * math.sin(step),
        ]
        low = pick([0, 0.001, 0.02])
        swings = self.random.random() < 0.6
        name = pick(sorted(set(RECIPES) - {"SequentialLR", "ChainedScheduler"}))
        return name, {
            "ConstantLR": {"factor": pick([0.1, 0.5, 1.0]), "total_iters": some},
            "CosineAnnealingLR": {"T_max": some, "eta_min": low},
            "CosineAnnealingWarmRestarts": {
                "T_0": some,
                "T_mult": self.random.randint(1, 3),
                "eta_min": low,
            },
            "CyclicLR": {
                "base_lr": 0.01,
                "max_lr": pick([0.1, 0.3]),
                "step_size_up": some,
                "step_size_down": pick([None, 1, 6]),
                "mode": pick(["triangular", "triangular2", "exp_range"]),
                "gamma": 0.97,
                "cycle_momentum": swings,
                "scale_fn": pick([None, None, lambda x: 1 / (1 + 0.1 * x)]),
                "scale_mode": pick(["cycle", "iterations"]),
            },
            "ExponentialLR": {"gamma": gamma},
            "LambdaLR": {"lr_lambda": pick(functions)},
            "LinearLR": {
                "start_factor": pick([0.1, 0.5, 1.0]),
                "end_factor": pick([0.0, 0.3, 1.0]),
                "total_iters": some,
            },
            "MultiStepLR": {
                "milestones": [self.random.randint(0, 30) for _ in range(some % 5)],
                "gamma": gamma,
            },
            "MultiplicativeLR": {"lr_lambda": pick(functions)},
            "OneCycleLR": {
                "max_lr": pick([0.1, 0.5]),
                "total_steps": pick([STEPS, 60, 61]),
                "pct_start": pick([0.3, 0.05, 0.5, 0.25]),
                "anneal_strategy": pick(["cos", "linear"]),
                "three_phase": pick([True, False]),
                "cycle_momentum": swings,
            },
            "PolynomialLR": {"total_iters": some, "power": pick([0.5, 1.0, 2.0])},
            "SWALR": {
                "swa_lr": pick([0.01, 0.2]),
                "anneal_epochs": pick([0, 1, 5, 12]),
                "anneal_strategy": pick(["cos", "linear"]),
            },
            "StepLR": {"step_size": some, "gamma": gamma},
        }[name]

    def tree(self, depth):
        kind = self.random.random()
        if depth == 0 or kind < 0.3:
            return self.one()
        parts = [self.tree(depth - 1) for _ in range(self.random.randint(1, 3))]
        if kind < 0.6:
            return together(parts)
        milestones = sorted(self.random.choices(range(30), k=len(parts) - 1))
        # A composite that takes over has torch fail.
        late = [self.one() for _ in parts[1:]]
        first = next((i for i, each in enumerate(milestones) if each), len(late))
        parts = [*late[:first], parts[0], *late[first:]]
        return in_turn(parts, milestones)


def names_in(tree):
    name, arguments = tree
    return [
        name,
        *(n for part in arguments.get("schedulers", []) for n in names_in(part)),
    ]


def is_shared(tree):
    """Whether one member uses what another keeps in the optimizer."""
    names = names_in(tree)
    cycles = names.count("OneCycleLR")
    return cycles > 1 or names.count("SWALR") > 1 or (cycles and "CyclicLR" in names)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_random_schedulers_equal_torchs_at_each_step(depth):
    draw = Draw(depth)
    kinds = set()
    for _ in range(60):
        tree = draw.tree(depth)
        kinds |= set(names_in(tree))
        assert_equal_to_torch(*tree, faithful=True)
        if not is_shared(tree):
            assert_equal_to_torch(*tree)
            assert_equal_to_torch(*spec_of(made(*tree)))
    assert len(kinds) > 12


def test_milestones_may_be_0_or_twice_the_same():
    parts = [
        ("LinearLR", {}),
        ("MultiplicativeLR", {"lr_lambda": lambda step: 0.9}),
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 4}),
        ("SWALR", {"swa_lr": 0.02}),
    ]
    for milestones in ([0, 7, 20], [0, 0, 9], [0, 0, 0], [6, 6, 9], [1, 2, 3]):
        for faithful in (True, False):
            assert_equal_to_torch(*in_turn(parts, milestones), faithful)


def test_long_runs_do_not_drift_from_torchs():
    warm = ("LinearLR", {"start_factor": 0.01, "total_iters": 200})
    fall = ("CosineAnnealingLR", {"T_max": 1500, "eta_min": 1e-3})
    for tree in (
        in_turn([warm, fall], [200]),
        together([warm, fall]),
        together([warm, ("ExponentialLR", {"gamma": 0.999})]),
        ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
        ("CosineAnnealingLR", {"T_max": 150}),
    ):
        assert_equal_to_torch(*tree, steps=2000)


# What torch does wrong: faithful as it is, else mended.

STEP = ("StepLR", {"step_size": 5})


def one_cycle(**arguments):
    return "OneCycleLR", {"max_lr": 0.1, "total_steps": 20, **arguments}


FAULTS = {
    "a step too many": (
        one_cycle(anneal_strategy="linear"),
        21,
        lambda rates: rates[19] == rates[20] == pytest.approx(0.1 / 25e4),
    ),
    "begins behind the peak": (
        one_cycle(pct_start=0.0),
        20,
        lambda rates: rates[0] == 0.1 and rates[19] == pytest.approx(0.1 / 25e4),
    ),
    "never ends": (
        one_cycle(pct_start=0.7, three_phase=True),
        20,
        lambda rates: rates[13] == 0.1 and rates[19] == pytest.approx(0.1 / 25e4),
    ),
    "a line of no steps stays at its begin": (
        ("LinearLR", {"total_iters": 0}),
        5,
        lambda rates: set(rates) == {0.1},
    ),
    "a constant of no steps stays": (
        ("ConstantLR", {"total_iters": 0}),
        5,
        lambda rates: set(rates) == {0.1},
    ),
    "max_lr of two cycles": (
        in_turn([one_cycle(max_lr=0.5), one_cycle()], [20]),
        40,
        lambda rates: rates[5] == 0.5 and rates[25] == 0.1,
    ),
    "swa_lr of two": (
        in_turn(
            [("SWALR", {"swa_lr": rate, "anneal_epochs": 3}) for rate in (0.5, 0.2)],
            [10],
        ),
        20,
        lambda rates: rates[9] == 0.5 and rates[19] == 0.2,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_torch_is_carried_over_on_request_alone(fault):
    (name, arguments), steps, is_mended = FAULTS[fault]
    rates, _ = live(name, arguments, steps)
    faithful = from_torch(name, faithful=True, **arguments).values(steps, 0.1)
    np.testing.assert_allclose(faithful, rates, rtol=1e-6, atol=1e-15)
    mended = from_torch(name, **arguments).values(steps, 0.1)
    assert is_mended(mended)
    assert not is_mended(rates)


def test_bounds_of_momentum_are_kept_apart():
    tree = in_turn([one_cycle(), ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1})], [20])
    _, momenta = live(*tree)
    name, arguments = tree
    faithful = from_torch(name, faithful=True, **arguments)
    np.testing.assert_allclose(faithful.momentum_values(STEPS), momenta)
    mended = from_torch(name, **arguments).momentum_values(STEPS)
    np.testing.assert_allclose(mended[[0, 5, 20]], [0.95, 0.85, 0.9])
    assert momenta[0] == 0.9


#: The scheduler, how many values torch has, and what ours has from there on.
FAILURES = {
    "a warmup of one step": (one_cycle(pct_start=0.05), 0, [0.1]),
    "a constant of 0": (("ConstantLR", {"factor": 0.0, "total_iters": 3}), 3, [0.1]),
    "two steps too many": (one_cycle(), 21, [4e-7, 4e-7]),
    "a line of no steps takes over": (
        in_turn([STEP, ("LinearLR", {"total_iters": 0})], [3]),
        3,
        [0.1, 0.1],
    ),
    "a chain takes over": (
        in_turn([("ConstantLR", {}), together([STEP, STEP])], [3]),
        3,
        [0.1] * 5 + [1e-3],
    ),
    "a sequence takes over": (
        in_turn([STEP, in_turn([("ConstantLR", {}), STEP], [2])], [3]),
        3,
        [0.1 / 3, 0.1 / 3, 0.1],
    ),
    "half of half of half": (
        (
            "CyclicLR",
            {
                "base_lr": 0.1,
                "max_lr": 0.2,
                "step_size_up": 1,
                "mode": "triangular2",
            },
        ),
        2048,
        [0.1, 0.1],
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_where_torch_fails_a_faithful_schedule_says_so_and_others_go_on(failure):
    (name, arguments), known, more = FAILURES[failure]
    with pytest.raises((ArithmeticError, NotImplementedError, ValueError)):
        live(name, arguments, known + 1)
    faithful = from_torch(name, faithful=True, **arguments)
    with pytest.raises(ValueError, match=r"torch.*Received: faithful=True"):
        faithful.values(known + 1, 0.1)
    mended = from_torch(name, **arguments).values(known + len(more), 0.1)
    np.testing.assert_allclose(mended[known:], more, rtol=1e-9)
    if known:
        rates, _ = live(name, arguments, known)
        np.testing.assert_allclose(faithful.values(known, 0.1), rates, atol=1e-15)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("kind", ["rel", "abs"])
def test_random_plateaus_cut_where_torch_does(mode, kind):
    draw = random.Random(mode + kind)
    for _ in range(40):
        arguments = {
            "mode": mode,
            "threshold_mode": kind,
            "factor": draw.choice([0.1, 0.5]),
            "patience": draw.randint(0, 4),
            "cooldown": draw.randint(0, 3),
            "threshold": draw.choice([0.0, 1e-4, 0.1]),
            "min_lr": draw.choice([0, 0.02]),
        }
        metrics = [draw.choice([draw.random(), 0.5, math.nan]) for _ in range(40)]
        theirs = made("ReduceLROnPlateau", arguments)
        rates = []
        for metric in metrics:
            theirs.step(metric)
            rates.append(theirs.optimizer.param_groups[0]["lr"])
        kept = [rate for rate in rates if rate > 1e-6]
        for ours in (from_torch("ReduceLROnPlateau", **arguments), from_torch(theirs)):
            found = list(cut(ours, metrics, 0.1))
            np.testing.assert_allclose(found[: len(kept)], kept, rtol=1e-9)


def test_below_zero_torchs_plateau_takes_standing_still_for_better():
    metrics = [-1.0] * 5
    theirs = made("ReduceLROnPlateau", {"patience": 1})
    for metric in metrics:
        theirs.step(metric)
    assert theirs.optimizer.param_groups[0]["lr"] == 0.1
    ours = from_torch("ReduceLROnPlateau", patience=1)
    np.testing.assert_allclose(list(cut(ours, metrics, 0.1))[-1], 0.001)


# Objects.


def test_an_object_may_have_been_stepped_and_know_two_groups_alike():
    parameters = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    for tree in (
        one_cycle(three_phase=True, div_factor=10.0),
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 7}),
        ("SWALR", {"swa_lr": 0.01}),
        ("LambdaLR", {"lr_lambda": math.cos}),
        ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    ):
        groups = copy.deepcopy(parameters)
        optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.5)
        scheduler = made(*tree, optimizer)
        for _ in range(4):
            optimizer.step()
            scheduler.step()
        name, arguments = tree
        np.testing.assert_allclose(
            from_torch(scheduler).values(20), from_torch(name, **arguments).values(20)
        )


def test_an_object_whose_groups_differ_is_one_schedule_for_each():
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    for name, arguments in (
        one_cycle(max_lr=[0.1, 0.2]),
        ("CyclicLR", {"base_lr": 0.01, "max_lr": [0.1, 0.2]}),
        ("SWALR", {"swa_lr": [0.1, 0.2]}),
        ("ReduceLROnPlateau", {"min_lr": [0.1, 0.2]}),
        ("MultiplicativeLR", {"lr_lambda": [math.cos, math.sin]}),
    ):
        optimizer = torch.optim.SGD(copy.deepcopy(groups), lr=0.1, momentum=0.5)
        with pytest.raises(
            ValueError, match="groups of parameters have a schedule each"
        ):
            from_torch(made(name, arguments, optimizer))


def test_an_object_of_a_plateau_is_told_its_metric():
    plateau = from_torch(made("ReduceLROnPlateau", {"mode": "max"}), monitor="val_acc")
    assert isinstance(plateau, keras_lr.Plateau)
    assert (plateau.monitor, plateau.mode) == ("val_acc", "max")
    assert from_torch("ReduceLROnPlateau").monitor == "val_loss"


class Mine(torch.optim.lr_scheduler.StepLR):
    pass


def test_an_object_of_another_class_is_told_what_to_do():
    optimizer = made("StepLR", {"step_size": 3}).optimizer
    with pytest.raises(
        TypeError, match=r"Received: scheduler=<.*Mine.*keras_lr\.Function"
    ):
        from_torch(Mine(optimizer, step_size=3))
    with pytest.raises(TypeError, match="must be the name of a scheduler of torch"):
        from_torch(keras.optimizers.SGD())
    with pytest.raises(TypeError, match="has its arguments already"):
        from_torch(made("StepLR", {"step_size": 3}), gamma=0.5)


def test_all_that_torch_has_is_there():
    known = {
        name
        for name, each in vars(torch.optim.lr_scheduler).items()
        if isinstance(each, type)
        and issubclass(each, torch.optim.lr_scheduler.LRScheduler)
        and name not in ("LRScheduler", "_LRScheduler")
    }
    assert known | {"SWALR"} == set(RECIPES) | set(PLATEAUS) == set(READERS)
