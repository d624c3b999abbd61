"""Train with backups and plateaus; die by SIGKILL at an update, if told to.

Usage: python -m tests.kit.train_and_die BACKUPS OUT EPOCHS KILL_AT
"""

from __future__ import annotations

import os
import signal
import sys

import keras
import numpy as np

import keras_lr
from tests.kit.probe import fit, recorded, watched

BATCHES = 10


class Die(keras.callbacks.Callback):
    """Kills the process at the end of an update, counted over the whole run."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.first = at, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.first = epoch * BATCHES

    def on_train_batch_end(self, batch, logs=None):
        if self.first + batch == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def train(backups: str, epochs: int, kill_at: int):
    model = watched(keras.optimizers.Adam(0.1), BATCHES * epochs)
    backup = keras.callbacks.BackupAndRestore(backups)
    by_epoch = keras_lr.Plateau("loss", 0.7, 1, min_delta=0.2, restore_best=True)
    by_update = keras_lr.Plateau("loss", 0.9, 7, per="update", smoothing=0.5)
    callbacks = [backup, by_epoch, by_update, Die(kill_at)]
    fit(model, callbacks, batches=BATCHES, epochs=epochs)
    return recorded(model), model.get_weights()


if __name__ == "__main__":
    backups, out, epochs, kill_at = sys.argv[1:]
    rates, weights = train(backups, int(epochs), int(kill_at))
    np.savez(out, rates, *weights)
