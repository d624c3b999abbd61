"""Schedules of Keras and optax, against their numbers and against themselves."""

import json
import pickle

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.interop import from_keras, from_optax
from tests.keras_lr.test_golden import FILES

JOINED = {
    "schedules": [
        ("linear_schedule", {
            "init_value": 0, "end_value": 0.1, "transition_steps": 10
        }),
        from_optax("constant_schedule", value=0.1),
        ["polynomial_schedule", {
            "init_value": 0.1, "end_value": 0, "power": 1, "transition_steps": 20
        }],
    ]
}  # fmt: skip


def golden(peer):
    for case in FILES[f"{peer}_schedules"]["cases"]:
        name = case.get("class", case.get("function", "")).removeprefix("optax.")
        more = JOINED if name == "join_schedules" else {}
        yield name, {**case["kwargs"], **more}, case["lr"]


CASES = [(from_keras, *case) for case in golden("keras")] + [
    (from_optax, *case) for case in golden("optax")
]
IDS = [f"{case[0].__name__}-{i}-{case[1]}" for i, case in enumerate(CASES)]


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize(
    ("carry_over", "name", "arguments", "expected"), CASES, ids=IDS
)
def test_golden_rates_are_met_and_stay_in_configs_and_pickles(
    carry_over, name, arguments, expected, faithful
):
    schedule = carry_over(name, faithful=faithful, **arguments)
    values = schedule.values(len(expected))
    # Keras holds what is given in float32.
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-12)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))
    again = keras.saving.deserialize_keras_object(config)
    np.testing.assert_array_equal(again.values(len(expected)), values)
    unpickled = pickle.loads(pickle.dumps(schedule))
    np.testing.assert_array_equal(unpickled.values(len(expected)), values)
    assert repr(again) == repr(schedule) or name == "join_schedules"


def optax_tests():
    """What optax' own tests expect, as closed forms."""
    steps = np.arange(30.0)
    since = np.maximum(steps - 5, 0)
    yield (
        "polynomial_schedule",
        {"init_value": 10.0, "end_value": 20.0, "power": 1, "transition_steps": 10},
        np.minimum(10 + steps, 20),
    )
    for length in (-1, 0):
        yield (
            "polynomial_schedule",
            {
                "init_value": 10.0,
                "end_value": 20.0,
                "power": 1,
                "transition_steps": length,
            },
            np.full(30, 10.0),
        )
        yield (
            "exponential_decay",
            {"init_value": 1.0, "transition_steps": length, "decay_rate": 1.0},
            np.ones(30),
        )
    yield (
        "polynomial_schedule",
        {
            "init_value": 30.0,
            "end_value": 10.0,
            "power": 2,
            "transition_steps": 10,
            "transition_begin": 4,
        },
        10 + 20 * (1 - np.clip(steps - 4, 0, 10) / 10) ** 2,
    )
    yield (
        "piecewise_constant_schedule",
        {"init_value": -0.1, "boundaries_and_scales": {3: 2.0, 6: 0.5}},
        np.where((steps >= 3) & (steps < 6), -0.2, -0.1),
    )
    yield (
        "exponential_decay",
        {"init_value": 1.0, "transition_steps": 2, "decay_rate": 0.0},
        np.ones(30),
    )
    for staircase in (False, True):
        exponent = np.floor(since / 2) if staircase else since / 2
        for rate, end in ((0.2, 0.1), (2.0, 3.0)):
            bound = np.maximum if rate < 1 else np.minimum
            yield (
                "exponential_decay",
                {
                    "init_value": 1.0,
                    "transition_steps": 2,
                    "decay_rate": rate,
                    "transition_begin": 5,
                    "staircase": staircase,
                    "end_value": end,
                },
                bound(rate**exponent, end),
            )
    yield (
        "cosine_decay_schedule",
        {"init_value": 0.1, "decay_steps": 10, "alpha": 0.1},
        0.1 * (0.9 * 0.5 * (1 + np.cos(np.pi * np.minimum(steps / 10, 1))) + 0.1),
    )
    yield (
        "warmup_constant_schedule",
        {"init_value": 10.0, "peak_value": -5.0, "warmup_steps": 6},
        np.maximum(10 - 15 * steps / 6, -5.0),
    )
    yield (
        "piecewise_interpolate_schedule",
        {
            "interpolate_type": "linear",
            "init_value": 200.0,
            "boundaries_and_scales": {5: 1.5, 10: 0.25},
        },
        np.interp(steps, [0, 5, 10], [200, 300, 75]),
    )
    yield (
        "cosine_onecycle_schedule",
        {"transition_steps": 5, "peak_value": 1000.0, "pct_start": 0.4},
        np.array([40.0, 520.0, 1000.0, 750.001, 250.003] + [0.004] * 25),
    )


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    list(optax_tests()),
    ids=[f"{i}-{case[0]}" for i, case in enumerate(optax_tests())],
)
def test_what_the_tests_of_optax_expect_is_met(name, arguments, expected):
    values = from_optax(name, **arguments).values(len(expected))
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-12)


def test_an_update_far_out_in_a_long_run_is_looked_up():
    schedule = from_optax(
        "linear_schedule", init_value=1.0, end_value=0.0, transition_steps=10**10
    )
    np.testing.assert_allclose(schedule.at(10**9, steps=10**10), 0.9, rtol=1e-12)


def test_restarts_of_keras_fall_on_the_exact_update():
    schedule = from_keras(
        "CosineDecayRestarts",
        initial_learning_rate=1.0,
        first_decay_steps=1,
        t_mul=3.0,
        alpha=0.5,
        m_mul=0.5,
    )
    begins = [(3**cycle - 1) // 2 for cycle in range(12)]
    heights = [0.5 + 0.5 * 0.5**cycle for cycle in range(12)]
    np.testing.assert_allclose(schedule.at(begins, 10**6), heights, rtol=1e-9)


def test_a_function_of_the_step_is_taken_with_its_length():
    schedule = from_optax(lambda step: 1.0 / (1 + step), 4)
    np.testing.assert_allclose(
        schedule.values(6), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 4, 1 / 4]
    )
    with pytest.raises(ValueError, match="needs `steps`"):
        from_optax(lambda step: 1.0)


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """Knows one step at a time."""

    def __call__(self, step):
        return 0.5 ** (1 + int(step) // 2)

    def get_config(self):
        return {}


def test_bad_input_is_told_in_a_sentence():
    with pytest.raises(
        ValueError, match=r"from_keras knows .*Did you mean CosineDecay"
    ):
        from_keras("CosineDecy")
    with pytest.raises(TypeError, match=r"takes the name of a schedule"):
        from_keras({"CosineDecay": 9})
    with pytest.raises(ValueError, match=r"It is one of keras: take from_keras"):
        from_optax("CosineDecay")
    with pytest.raises(ValueError, match="needs `initial_learning_rate`"):
        from_keras("CosineDecay", decay_steps=3)
    with pytest.raises(
        TypeError, match=r"no argument `num_warmup_steps`; it takes value"
    ):
        from_optax("constant_schedule", value=1.0, num_warmup_steps=3)
    with pytest.raises(ValueError, match=r"cosine_decay_schedule: `decay_steps` must"):
        from_optax("cosine_decay_schedule", init_value=1.0, decay_steps=0)
    with pytest.raises(
        TypeError, match=r"CosineDecay: `initial_learning_rate` must be"
    ):
        from_keras("CosineDecay", initial_learning_rate="1e-3", decay_steps=9)
    with pytest.raises(TypeError, match="must come from optax"):
        from_optax("join_schedules", schedules=[keras_lr.LinearDecay()], boundaries=[])
    with pytest.raises(ValueError, match=r"Each of `schedules` must be a pair"):
        from_optax("join_schedules", schedules=["constant_schedule"], boundaries=[])
    with pytest.raises(TypeError, match="`optimizer` must be a name"):
        from_optax("constant_schedule", value=1.0, optimizer=object())
