"""A schedule that takes another's place after a fit is ignored by the next fit."""

import sys

import keras
import numpy as np
from keras.optimizers.schedules import ExponentialDecay

x, y = np.ones((1, 1)), np.zeros((1, 1))
weight = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
model = keras.Sequential([keras.Input((1,)), weight])
# The weight w moves by rate * 2 * w in each of these updates.
model.compile(keras.optimizers.SGD(ExponentialDecay(0.125, 1, 1.0)), "mse")
model.fit(x, y, verbose=0)
before = float(weight.kernel.numpy()[0, 0])
model.optimizer.learning_rate = ExponentialDecay(0.0, 1, 1.0)
model.fit(x, y, verbose=0)
after = float(weight.kernel.numpy()[0, 0])
print("expected: no step of the second fit, whose schedule is 0:", before)
print("got:     ", after)
is_there = after != before
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
