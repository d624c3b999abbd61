"""Torch's schedulers in a fit."""

import keras
import numpy as np
import pytest

from keras_lr.interop import from_torch
from tests.kit.probe import fit, recorded, watched

pytestmark = pytest.mark.backend

CYCLE = {"max_lr": 0.2, "total_steps": 12, "base_momentum": 0.5, "max_momentum": 0.9}
WARM = ("LinearLR", {"total_iters": 4})
CHAIN = {"schedulers": [WARM, ("CosineAnnealingLR", {"T_max": 8, "eta_min": 0.01})]}
SHORT = {**CYCLE, "total_steps": 8}
TURNS = {"schedulers": [WARM, ("OneCycleLR", SHORT)], "milestones": [4]}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("OneCycleLR", CYCLE), ("ChainedScheduler", CHAIN), ("SequentialLR", TURNS)],
)
def test_a_fit_updates_at_torchs_rates_and_momenta(name, arguments):
    schedule = from_torch(name, **arguments)
    model = watched(keras.optimizers.SGD(0.3, momentum=0.7), 12)
    history = fit(model, [schedule], batches=6, epochs=2).history
    rates = schedule.values(12, base_lr=0.3)
    np.testing.assert_allclose(recorded(model.optimizer), rates, rtol=1e-6)
    if name != "ChainedScheduler":
        expected = schedule.momentum_values(12)[[5, 11]]
        np.testing.assert_allclose(history["momentum"], expected, rtol=1e-6)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.3)


def test_a_fit_that_is_too_short_is_told():
    schedule = from_torch("SequentialLR", **TURNS)
    model = watched(keras.optimizers.SGD(0.3, momentum=0.7), 6)
    with pytest.warns(UserWarning, match=r"`milestones\[-1\] \+ total_steps` \(12\)"):
        fit(model, [schedule], batches=6)


def test_a_momentum_that_never_forgets_is_shown_and_refused():
    schedule = from_torch("CyclicLR", base_lr=0.1, max_lr=0.2, max_momentum=5)
    assert schedule.momentum_values(3)[0] == 5
    model = watched(keras.optimizers.SGD(0.3, momentum=0.7), 2)
    with pytest.raises(ValueError, match="momentum must be below 1 at every update"):
        fit(model, [schedule], batches=2)
