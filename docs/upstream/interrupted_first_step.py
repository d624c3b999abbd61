"""JAX: Ctrl-C while the first step is compiled leaves a model without its weights."""

import sys

import keras
import numpy as np


class CtrlC(keras.callbacks.Callback):
    """Has the next trace of the model interrupted."""

    is_due = False

    def on_train_batch_begin(self, batch, logs=None):
        """The next trace is that of the step."""
        CtrlC.is_due = True


class Traced(keras.layers.Layer):
    """Where the interrupt hits."""

    def call(self, x):
        """Leave the rows as they are."""
        if CtrlC.is_due:
            CtrlC.is_due = False
            raise KeyboardInterrupt
        return x


model = keras.Sequential([keras.Input((2,)), Traced(), keras.layers.Dense(1)])
model.compile("sgd", "mse")
weights = [weight.shape for weight in model.weights]
try:
    model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[CtrlC()], verbose=0)
except KeyboardInterrupt:
    print("interrupted")
there = [weight.shape for weight in model.weights if weight._value is not None]
print("expected: weights of the shapes", weights)
print("got:      weights of the shapes", there)
is_there = there != weights
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
