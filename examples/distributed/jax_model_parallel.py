"""One model on four devices of JAX: two parts of every batch, two parts of each layer.

``python examples/distributed/jax_model_parallel.py`` trains it on one device as well,
to compare. Needs ``keras-lr[jax,demos]``.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"
# Makes four devices of a CPU. Where there are several accelerators, leave it out.
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_lr

EPOCHS = 6
BATCH = 32  # shared by two pairs of devices


def main() -> None:
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    # Whole batches, which the devices can share.
    x, y = x[: len(x) // BATCH * BATCH], y[: len(y) // BATCH * BATCH]

    alone = network()
    peak = find(alone, x, y)
    history = fit(alone, x, y, peak)

    # Models that are made from now on lie on all devices, in parts.
    devices = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((2, 2), ["batch", "model"], devices)
    layout = keras.distribution.LayoutMap(mesh)
    layout[".*hidden/kernel"] = (None, "model")
    layout[".*hidden/bias"] = ("model",)
    keras.distribution.set_distribution(
        keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")
    )
    shared = network()
    kernel = shared.get_layer("hidden").kernel
    part = kernel.value.addressable_shards[0].data.shape
    peak_of_all = find(shared, x, y)
    history_of_all = fit(shared, x, y, peak)
    accuracy = evaluate(shared, x_test, y_test)

    are_same = history["learning_rate"] == history_of_all["learning_rate"]
    print(f"rates found   {peak:.6f} on one device, {peak_of_all:.6f} on four")
    print(f"rates of fit  {'the same' if are_same else 'not the same'}")
    print(f"weights       differ by {difference(alone, shared):.0e} at most")
    print(f"hidden layer  {part} of its {kernel.shape} weights on a device")
    print(f"accuracy      {accuracy:.1%}")


def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(64, activation="relu", name="hidden")
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    return model


def find(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    result = keras_lr.find_lr(
        model,
        x,
        y,
        batch_size=BATCH,
        schedule=keras_lr.OneCycle(),
        epochs=EPOCHS,
        budget=300,
        verbose=0,
    )
    return result.suggestion


def fit(
    model: keras.Model, x: np.ndarray, y: np.ndarray, peak: float
) -> dict[str, list[float]]:
    keras.utils.set_random_seed(0)  # the same order of rows
    one_cycle = keras_lr.OneCycle(max_lr=peak)
    options = {"batch_size": BATCH, "epochs": EPOCHS, "verbose": 0}
    return model.fit(x, y, callbacks=[one_cycle], **options).history


def evaluate(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    whole = len(x) // BATCH * BATCH
    scores = model.evaluate(
        x[:whole], y[:whole], batch_size=BATCH, verbose=0, return_dict=True
    )
    return scores["accuracy"]


def difference(one: keras.Model, other: keras.Model) -> float:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


if __name__ == "__main__":
    main()
