"""Several devices of this machine, in one process."""

from __future__ import annotations

import keras
import pytest

from tests.kit.devices import assert_exact_on_several_devices

pytestmark = [pytest.mark.backend, pytest.mark.slow]

KINDS = {"jax": ["data", "model"], "tensorflow": ["mirrored"], "torch": []}


@pytest.mark.parametrize("kind", KINDS[keras.backend.backend()])
def test_devices_that_share_a_training_train_resume_and_search(kind):
    assert_exact_on_several_devices("tests.kit.on_devices", kind)
