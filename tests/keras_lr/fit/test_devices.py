from __future__ import annotations

import keras
import pytest

from tests.kit.devices import assert_exact_on_several_devices

pytestmark = pytest.mark.backend


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no data parallelism on torch"
)
def test_rates_are_exact_on_several_devices():
    assert_exact_on_several_devices("tests.kit.several_devices")
