"""Durations, configs, results and recipes: what keras_lr reads as values."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

import keras_lr as k
from keras_lr.combined import Combined
from keras_lr.finder.result import LRFinderResult
from keras_lr.phases import cosine, function, linear, repeat
from keras_lr.plan import config as parts
from keras_lr.plan.duration import LONGEST, parse
from keras_lr.tabulated import TabulatedSchedule
from tests.keras_lr.interop.test_peers import OTHERS, SOME
from tests.keras_lr.test_config import SCHEDULES
from tests.kit.fuzzing import cases, understood
from tests.kit.mutations import mutated, mutated_text, numbers, poison, texts

DURATIONS = ("5%", "1.5 epochs", "500 steps", "1 update", "100 %", "2e2 steps", ".5%")

durations = st.one_of(
    st.sampled_from(DURATIONS).flatmap(mutated_text),
    numbers,
    texts,
    poison,
)


@cases(250)
@given(durations, st.booleans())
def test_a_duration_is_a_length_or_refused(duration, may_be_zero):
    length = understood(
        "duration", lambda one: parse(one, may_be_zero=may_be_zero), duration
    )
    if length is None:
        return
    assert length.unit in ("updates", "fraction", "epochs")
    assert math.isfinite(length.amount)
    assert 0 <= length.amount <= (1 if length.unit == "fraction" else LONGEST)
    assert length.amount > 0 or may_be_zero
    # What is shown of it is what was read.
    if length.unit == "updates":
        assert parse(length.amount, may_be_zero=may_be_zero) == length


EXTENDED = k.OneCycle(max_lr=0.1).extend(3, "2 epochs", planned=6)
FROM_PEERS = [
    k.interop.from_torch("OneCycleLR", max_lr=0.1, total_steps=9),
    k.interop.from_torch(
        "SequentialLR",
        schedulers=[("LinearLR", {}), ("StepLR", {"step_size": 2})],
        milestones=[4],
    ),
    k.interop.from_optax(
        "warmup_cosine_decay_schedule",
        init_value=0.0,
        peak_value=0.5,
        warmup_steps=2,
        decay_steps=9,
    ),
]
ALL = [*SCHEDULES, EXTENDED, *FROM_PEERS]


@cases(250)
@given(st.data())
def test_a_schedules_config_is_understood_or_refused(data):
    schedule = data.draw(st.sampled_from(ALL))
    config = data.draw(mutated(schedule.get_config()))
    made = understood("config of a schedule", type(schedule).from_config, config)
    if made is None:
        return
    assert repr(type(schedule).from_config(made.get_config())) == repr(made)
    # What only a run can tell is refused when there is one.
    understood("values of it", lambda it: it.values(9, steps_per_epoch=4), made)


@cases(25)
@given(st.data())
def test_what_keras_has_serialized_is_understood_or_refused(data):
    table = TabulatedSchedule(k.LinearDecay(), 9, 0.1)
    product = k.combine(k.Warmup(3), k.CosineDecay())
    made = data.draw(st.sampled_from([table, product]))
    config = data.draw(mutated(made.get_config()))
    cls = TabulatedSchedule if made is table else Combined
    understood(f"config of {cls.__name__}", cls.from_config, config)


PARTS = [
    parts.to_config(part)
    for part in [
        cosine("5%", to=0.5, endpoint=False, exponent=2.0),
        repeat(linear(3), linear(2, to=0.0), grow=2.0, shrink=0.5),
        function(float, 3, unit="1 epoch"),
        parts.Points(((0, 1.0), ("50%", 0.5)), "hold"),
    ]
]


@cases(150)
@given(st.data())
def test_a_phases_config_is_understood_or_refused(data):
    config = data.draw(mutated(data.draw(st.sampled_from(PARTS))))
    understood("config of a phase", parts.from_config, config)


RESULT = LRFinderResult(
    0.01,
    "trust",
    "because",
    (0.001, 0.1),
    [0.1, 0.2],
    [1.0, float("nan")],
    [1.0, float("inf")],
    {"valley": 0.01},
    (
        {"lr": 0.1, "loss": float("inf"), "updates": 3},
        {"lr": 0.2, "loss": 0.5, "updates": 3, "planned": 9, "follows": True},
    ),
    5,
).to_dict()


@cases(250)
@given(st.data())
def test_a_result_is_understood_or_refused(data):
    values = data.draw(mutated(RESULT))
    made = understood("result", LRFinderResult.from_dict, values, (ValueError,))
    if made is None:
        return
    assert len(str(made)) < 10_000
    # What was understood can be written, and is the same again.
    written = json.loads(json.dumps(made.to_dict()))
    assert LRFinderResult.from_dict(written).to_dict() == made.to_dict()


#: A library, a schedule of its, and arguments.
RECIPES = [
    *((made.peer, made.recipe, made.arguments) for made in FROM_PEERS),
    *(
        (made.peer, made.recipe, made.arguments)
        for made in [make() for make in (*SOME.values(), *OTHERS.values())]
    ),
    ("torch", "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    ("torch", "MultiStepLR", {"milestones": [2, 4], "gamma": 0.5}),
    ("torch", "ReduceLROnPlateau", {"factor": 0.5, "patience": 2}),
    (
        "optax",
        "piecewise_constant_schedule",
        {"init_value": 1.0, "boundaries_and_scales": {2: 0.5, 5: 0.1}},
    ),
    (
        "optax",
        "join_schedules",
        {
            "schedules": [
                ("constant_schedule", {"value": 0.1}),
                (
                    "linear_schedule",
                    {"init_value": 0.1, "end_value": 0.0, "transition_steps": 4},
                ),
            ],
            "boundaries": [3],
        },
    ),
    (
        "keras",
        "PiecewiseConstantDecay",
        {"boundaries": [2, 4], "values": [1.0, 0.5, 0.1]},
    ),
    ("timm", "create_scheduler_v2", {"sched": "cosine", "num_epochs": 9}),
    ("composer", "MultiStepScheduler", {"milestones": ["3ba", "1ep"]}),
]


@cases(300)
@given(st.data())
def test_a_recipe_is_understood_or_refused(data):
    peer, name, arguments = data.draw(st.sampled_from(RECIPES))
    names = st.sampled_from([name]) | mutated_text(name) | poison
    changed = data.draw(mutated(arguments))
    # Python itself wants names for arguments.
    if not isinstance(changed, dict) or not all(
        isinstance(one, str) for one in changed
    ):
        changed = arguments
    from_peer = getattr(k.interop, f"from_{peer}")
    recipe = (data.draw(names), changed)
    made = understood(
        f"recipe of {peer}", lambda call: from_peer(call[0], **call[1]), recipe
    )
    if made is not None:
        understood("values of it", lambda it: it.values(9, steps_per_epoch=4), made)
