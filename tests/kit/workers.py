"""Models whose workers die, or take their time, when they are told to."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import keras
import numpy as np


def pool_of(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def rows(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(1).normal(size=(count, 4)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")


@keras.saving.register_keras_serializable("tests")
class Own(keras.layers.Dense):
    """A layer that Keras does not know in a worker, unless that imports this."""


@keras.saving.register_keras_serializable("tests")
class Told(keras.Model):
    """Does in other processes, at the beginning of each step, what a folder tells.

    Args:
        folder: Each file ``death-...`` in it kills one worker, once; while there is a
            file ``slow`` a step takes twenty seconds, and says so by a file ``begun``.
        home: The process in which it does nothing of that.
    """

    def __init__(self, folder: str, home: int, **options: Any) -> None:
        super().__init__(**options)
        self.folder = folder
        self.home = home
        self.net = keras.Sequential(
            [
                keras.layers.Dense(5, kernel_regularizer="l2"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(1),
            ]
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "folder": self.folder, "home": self.home}

    def build(self, shape: Any) -> None:
        self.net.build(shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.net(x, training=training)

    def train_step(self, *given: Any) -> Any:
        if os.getpid() != self.home:
            self._do_as_told()
        return super().train_step(*given)

    def _do_as_told(self) -> None:
        folder = Path(self.folder)
        for death in folder.glob("death-*"):
            try:
                death.unlink()
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        if (folder / "slow").exists():
            (folder / "begun").touch()
            time.sleep(20)


def told(folder: Path, deaths: int = 0, **options: Any) -> Any:
    for number in range(deaths):
        (folder / f"death-{number}").touch()
    keras.utils.set_random_seed(0)
    model = Told(str(folder), os.getpid())
    options = {"loss": "huber", "loss_weights": [0.7], "metrics": ["mae"], **options}
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.02), **options)
    model.build((None, 4))
    return model
