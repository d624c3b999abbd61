"""torch: a truncated normal is not truncated."""

import sys

import keras

COUNT = 4_000_000
samples = keras.random.truncated_normal((COUNT,), stddev=1.0, seed=1)
furthest = float(keras.ops.max(keras.ops.abs(samples)))
beyond = int(keras.ops.sum(keras.ops.cast(keras.ops.abs(samples) > 2.0, "int32")))
print(f"expected: none of {COUNT} samples beyond two standard deviations")
print(f"got:      {beyond}, the furthest at {furthest:.2f}")
is_there = beyond > 0
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
