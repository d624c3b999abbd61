"""What holds for the schedules of all libraries alike."""

import inspect
import json
import pickle

import keras
import numpy as np
import pytest

from keras_lr import interop
from keras_lr.interop import (
    from_composer,
    from_fastai,
    from_keras,
    from_optax,
    from_timm,
    from_torch,
    from_transformers,
)
from keras_lr.interop.catalogue import peer_of

SOME = {
    "transformers": lambda **more: from_transformers(
        "warmup_stable_decay",
        num_warmup_steps=2,
        num_training_steps=20,
        scheduler_specific_kwargs={"num_decay_steps": 5, "decay_type": "1-sqrt"},
        **more,
    ),
    "timm": lambda **more: from_timm(
        "CosineLRScheduler",
        t_initial=np.int64(8),
        cycle_mul=2,
        cycle_limit=3,
        noise_range_t=(3, 9),
        warmup_t=2,
        **more,
    ),
    "fastai": lambda **more: from_fastai(
        "combine_scheds",
        pcts=(0.25, 0.75),
        scheds=[
            ("SchedLin", {"start": 0.1, "end": 1.0}),
            from_fastai("SchedPoly", start=1.0, end=0.1, power=2),
        ],
        **more,
    ),
    "composer": lambda **more: from_composer(
        "MultiStepWithWarmupScheduler",
        t_warmup="0.1dur",
        milestones=["0.5dur", "15ba"],
        **more,
    ),
}


OTHERS = {
    "torch": lambda **more: from_torch(
        "SequentialLR",
        schedulers=[
            from_torch("LinearLR", total_iters=4),
            ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 5}),
        ],
        milestones=[9],
        **more,
    ),
    "optax": lambda **more: from_optax(
        "warmup_exponential_decay_schedule",
        init_value=0.1,
        peak_value=1.0,
        warmup_steps=5,
        transition_steps=7,
        decay_rate=0.5,
        **more,
    ),
    "keras": lambda **more: from_keras(
        "CosineDecayRestarts",
        initial_learning_rate=1.0,
        first_decay_steps=6,
        t_mul=1.5,
        **more,
    ),
}


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("peer", [*SOME, *OTHERS])
def test_schedules_stay_what_they_are(peer, faithful):
    schedule = (SOME | OTHERS)[peer](faithful=faithful, horizon=40)
    values = schedule.values(40)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == schedule.get_config()
    for other in (again, pickle.loads(pickle.dumps(schedule))):
        np.testing.assert_array_equal(other.values(40), values)
    assert repr(schedule).startswith(f"from_{peer}('")
    # One at a time, and in any order.
    alone = [schedule.at(update, steps=40) for update in range(40)]
    np.testing.assert_array_equal(alone, values)
    order = np.random.default_rng(0).permutation(40)
    np.testing.assert_array_equal(schedule.at(order, steps=40), values[order])


def test_each_rate_of_a_long_run_is_found_by_itself():
    steps = 10**9
    ends = [0, steps // 2, steps - 1]
    for schedule, expected in (
        (
            from_transformers("linear", num_warmup_steps=0, num_training_steps=steps),
            [1.0, 0.5, 1e-9],
        ),
        (from_timm("PolyLRScheduler", t_initial=steps, power=1), [1.0, 0.5, 1e-9]),
        (from_fastai("SchedLin", start=1.0, end=0.0), [1.0, 0.5, 0.0]),
        (from_composer("LinearScheduler"), [1.0, 0.5, 1e-9]),
    ):
        got = schedule.at(ends, steps=steps)
        # fastai's positions are float32.
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


#: What originals need, by the name of the argument.
NEEDED = {
    "num_warmup_steps": 2,
    "num_training_steps": 20,
    "num_decay_steps": 5,
    "min_lr_rate": 0.1,
    "t_initial": 10,
    "n_cycles": 2,
    "cycle_len": 1,
    "start": 1.0,
    "middle": 2.0,
    "end": 0.1,
    "power": 2.0,
    "pct": 0.5,
    "pcts": [1.0],
    "scheds": [("SchedNo", {"start": 1.0, "end": 1.0})],
    "step_size": "3ba",
    "milestones": ["3ba"],
    "gamma": 0.5,
    "t_0": "4ba",
    "t_warmup": "2ba",
}
ALL = [(peer, name) for peer in SOME for name in peer_of(peer).makers]


@pytest.mark.parametrize(("peer", "name"), ALL)
def test_each_original_gives_rates_with_what_it_needs_alone(peer, name):
    drops = [5] if name == "MultiStepLRScheduler" else 5
    taken = inspect.signature(peer_of(peer).makers[name]).parameters
    needed = {**NEEDED, "decay_t": drops}
    arguments = {key: needed[key] for key in taken if key in needed}
    schedule = getattr(interop, f"from_{peer}")(name, **arguments)
    values = schedule.values(20, steps_per_epoch=5, base_lr=0.7)
    assert np.isfinite(values).all()
    assert values.min() >= 0
    is_absolute = schedule.max_lr is not None
    assert is_absolute == (name.startswith(("Sched", "combine")))
    doubled = schedule.values(20, steps_per_epoch=5, base_lr=1.4)
    # What is a rate is left out here, but for a polynomial's end.
    factor = 1.0 if is_absolute else 2.0
    np.testing.assert_allclose(doubled, factor * values, atol=2e-7)


@pytest.mark.parametrize(
    ("peer", "name", "arguments"),
    [
        ("fastai", "fit_sgdr", {"n_cycles": 10**9, "cycle_len": 1}),
        ("torch", "StepLR", {"step_size": 10**30}),
        ("transformers", "linear", {"num_training_steps": 10**30}),
        ("optax", "linear_schedule", {"transition_steps": 10**30}),
    ],
)
def test_what_nobody_can_count_is_refused_at_once(peer, name, arguments):
    needed = {"transformers": {"num_warmup_steps": 2}}
    needed["optax"] = {"init_value": 1.0, "end_value": 0.0}
    with pytest.raises(ValueError, match=f"{name}: `{next(iter(arguments))}` must be"):
        getattr(interop, f"from_{peer}")(name, **arguments, **needed.get(peer, {}))
