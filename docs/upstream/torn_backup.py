"""A kill between the two files of BackupAndRestore has an epoch trained twice."""

import os
import signal
import subprocess
import sys
import tempfile

import keras
import numpy as np

EPOCHS = 4
BATCHES = 5


def die_before_metadata(event, arguments):
    """Kill this process as Keras begins to write the metadata of the second epoch."""
    if event != "open" or "training_metadata.json" not in str(arguments[0]):
        return
    if arguments[1] and "w" in arguments[1]:
        die_before_metadata.times += 1
        if die_before_metadata.times == 2:
            os.kill(os.getpid(), signal.SIGKILL)


die_before_metadata.times = 0


def updates_of_a_run(folder):
    """The updates that the optimizer has made when the run is over."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    backup = keras.callbacks.BackupAndRestore(folder)
    x, y = np.ones((BATCHES, 2)), np.ones((BATCHES, 1))
    model.fit(x, y, batch_size=1, epochs=EPOCHS, callbacks=[backup], verbose=0)
    return int(model.optimizer.iterations)


if len(sys.argv) > 1:
    sys.addaudithook(die_before_metadata)
    updates_of_a_run(sys.argv[1])
with tempfile.TemporaryDirectory() as temporary:
    folder = os.path.join(temporary, "backup")
    died = subprocess.run([sys.executable, __file__, folder], check=False)
    if died.returncode != -signal.SIGKILL:
        raise RuntimeError("The first run was to be killed, and was not.")
    updates = updates_of_a_run(folder)
print(f"expected: {EPOCHS * BATCHES} updates in {EPOCHS} epochs of {BATCHES} batches")
print(f"got:      {updates} updates in the run that was killed once, and resumed")
is_there = updates != EPOCHS * BATCHES
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
