"""Schedules from the files of a configuration tool, as any other callback."""

from __future__ import annotations

import json

import hydra
import keras
import omegaconf
import pytest

import keras_lr as k
from keras_lr.phases import cosine, hold, linear, repeat
from tests.kit.probe import assert_rates, fit, recorded, watched

RUN = {"steps": 20, "steps_per_epoch": 10}

# Each as a person writes it, and what it is in Python.
WRITTEN = {
    "a preset": (
        "_target_: keras_lr.OneCycle\nmax_lr: 0.1\nwarmup: 5%\nmomentum: [0.8, 0.9]",
        k.OneCycle(max_lr=0.1, warmup="5%", momentum=[0.8, 0.9]),
    ),
    "a preset with lists": (
        "_target_: keras_lr.PiecewiseConstant\nboundaries: [3, 50%]\n"
        "factors: [1, 0.5, 0.25]",
        k.PiecewiseConstant([3, "50%"], [1, 0.5, 0.25]),
    ),
    "a preset with pairs": (
        "_target_: keras_lr.PiecewiseLinear\npoints: [[0, 0.5], [1 epoch, 1.0]]",
        k.PiecewiseLinear([[0, 0.5], ["1 epoch", 1.0]]),
    ),
    "own phases": (
        """
        _target_: keras_lr.Schedule
        _args_:
          - _target_: keras_lr.phases.linear
            duration: 5
          - _target_: keras_lr.phases.repeat
            _args_:
              - {_target_: keras_lr.phases.cosine, duration: 3, to: 0.5, exponent: 2.0}
              - {_target_: keras_lr.phases.hold, duration: 1, value: 1.0}
            shrink: 0.5
        max_lr: 0.3
        horizon: 2 epochs
        """,
        k.Schedule(
            linear(5),
            repeat(cosine(3, to=0.5, exponent=2.0), hold(1, 1.0), shrink=0.5),
            max_lr=0.3,
            horizon="2 epochs",
        ),
    ),
    "a function": (
        "_target_: keras_lr.Function\n"
        "function: {_target_: math.exp, _partial_: true}\nof: progress\nmax_lr: 0.1",
        None,
    ),
}


@pytest.mark.parametrize(("text", "same"), WRITTEN.values(), ids=WRITTEN)
def test_what_a_config_says_is_made_alone_and_in_a_list(text, same):
    config = omegaconf.OmegaConf.create(text)
    in_a_list = hydra.utils.instantiate(omegaconf.OmegaConf.create([config, config]))
    named = hydra.utils.instantiate(omegaconf.OmegaConf.create({"callback": config}))
    for made in (hydra.utils.instantiate(config), *in_a_list, named.callback):
        assert isinstance(made, k.Schedule)
        if same is not None:
            assert repr(made) == repr(same)
            assert made.values(**RUN).tolist() == same.values(**RUN).tolist()
            json.dumps(made.get_config())


def test_schedules_and_phases_may_be_kept_in_a_config():
    for thing in (k.OneCycle(max_lr=0.1), linear(3), repeat(linear(3))):
        config = omegaconf.OmegaConf.create(
            {"it": thing}, flags={"allow_objects": True}
        )
        assert config.it is thing


def test_a_rate_that_yaml_reads_as_text_is_refused_with_what_to_write():
    config = omegaconf.OmegaConf.create("_target_: keras_lr.OneCycle\nmax_lr: '1e-3'")
    with pytest.raises(hydra.errors.InstantiationException, match=r"as 1\.0e-3"):
        hydra.utils.instantiate(config)


@pytest.mark.backend
def test_callbacks_from_a_config_schedule_a_fit():
    config = omegaconf.OmegaConf.create(
        """
        - {_target_: keras_lr.Warmup, warmup: 4}
        - {_target_: keras_lr.CosineDecay, max_lr: 0.5}
        - {_target_: keras.callbacks.TerminateOnNaN}
        """
    )
    callbacks = list(hydra.utils.instantiate(config))
    assert all(isinstance(each, keras.callbacks.Callback) for each in callbacks)
    model = watched(keras.optimizers.SGD(0.1), 10)
    fit(model, callbacks)
    assert_rates(recorded(model), k.combine(*callbacks[:2]).values(10))
