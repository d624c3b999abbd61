"""TensorFlow: the step that finds no more data counts as an update all the same."""

import sys
import warnings

import keras
import numpy as np
import tensorflow as tf

EPOCHS = 3
BATCHES = 4


def batches():
    """Batches that do not say how many they are."""
    for _ in range(BATCHES):
        yield np.ones((2, 2), "float32"), np.ones((2, 1), "float32")


kinds = (tf.TensorSpec((2, 2)), tf.TensorSpec((2, 1)))
data = tf.data.Dataset.from_generator(batches, output_signature=kinds)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of data that have run out
    model.fit(data, epochs=EPOCHS, verbose=0)
updates = int(model.optimizer.iterations)
print(f"expected: optimizer.iterations of {EPOCHS * BATCHES} after that many batches")
print(f"got:      {updates}")
is_there = updates != EPOCHS * BATCHES
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
