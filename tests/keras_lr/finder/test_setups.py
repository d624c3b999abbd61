from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest
from keras.optimizers import LossScaleOptimizer

from tests.kit.devices import assert_exact_on_several_devices
from tests.kit.sweeps import (
    assert_same,
    data,
    everything,
    finder_of,
    model_of,
    plain_losses,
)

pytestmark = pytest.mark.backend


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no data parallelism on torch"
)
def test_losses_are_true_and_state_comes_back_on_several_devices():
    assert_exact_on_several_devices("tests.kit.sweep_on_devices")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_sweep_in_mixed_precision_records_true_losses(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        x, y = data()
        finder = finder_of()
        # At this scale no update is skipped.
        own = partial(LossScaleOptimizer, initial_scale=1.0)
        optimizer = own if policy == "mixed_float16" else nothing
        plain = model_of(optimizer(keras.optimizers.SGD()))
        expected = plain_losses(plain, finder.values(), x, y)
        model = model_of(optimizer(keras.optimizers.SGD()))
        model.optimizer.build(model.trainable_variables)
        model.evaluate(x, y, verbose=0)
        state = everything(model)
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[finder])
        seen = finder.result.losses
        assert len(seen) >= 20
        np.testing.assert_allclose(seen, expected[: len(seen)], rtol=0.02)
        assert_same(everything(model), state)
    finally:
        keras.config.set_dtype_policy(before)


def nothing(optimizer):
    return optimizer
