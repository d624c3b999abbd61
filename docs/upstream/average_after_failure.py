"""JAX: a fit that fails replaces the weights by their moving average."""

import sys

import keras
import numpy as np


class Fails(keras.callbacks.Callback):
    """Fails after the second update."""

    def on_train_batch_end(self, batch, logs=None):
        """Note the weight as the update has left it."""
        self.weight = float(self.model.layers[0].kernel.numpy()[0, 0])
        if batch == 1:
            raise RuntimeError("of whatever kind")


fails = Fails()
weight = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
model = keras.Sequential([keras.Input((1,)), weight])
model.compile(keras.optimizers.SGD(0.25, use_ema=True), "mse")
try:
    x, y = np.ones((2, 1)), np.zeros((2, 1))
    model.fit(x, y, batch_size=1, callbacks=[fails], verbose=0)
except RuntimeError:
    pass
after = float(weight.kernel.numpy()[0, 0])
print("expected: the weight as the last update has left it:", fails.weight)
print("got:     ", after)
is_there = after != fails.weight
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
