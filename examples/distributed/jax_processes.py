"""Two processes of JAX train one model, each with its own rows, by Keras' ``fit``.

``python examples/distributed/jax_processes.py`` starts both. On several machines call
``train`` once on each, with the address of the first one. Needs
``keras-lr[jax,demos]``.
"""

from __future__ import annotations

import multiprocessing
import os
import socket

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_lr

PROCESSES = 2
EPOCHS = 6
BATCH = 16  # in each process: an update sees twice as many rows


def train(rank: int, address: str) -> None:
    # How CPUs talk to each other; accelerators have a way of their own.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    # A process that waits in vain for another one is ended after this.
    jax.distributed.initialize(address, PROCESSES, rank, heartbeat_timeout_seconds=60)
    # Each process is given its own rows: Keras need not divide them.
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(auto_shard_dataset=False)
    )
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    # Each has as many as the others.
    share = len(x) // PROCESSES // BATCH * BATCH
    x, y = (part[rank::PROCESSES][:share] for part in (x, y))

    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(64, activation="relu")
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])

    # Every process calls both, and gets the same rate.
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
    one_cycle = keras_lr.OneCycle(max_lr=result.suggestion)
    history = model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, callbacks=[one_cycle], verbose=0
    )

    # What each has found, and trained to, to compare.
    weights = np.concatenate([np.ravel(one) for one in model.get_weights()])
    own = np.array([result.suggestion, *history.history["learning_rate"], *weights])
    every = multihost_utils.process_allgather(own)
    # All of them evaluate, each its part: the result is that of all rows.
    part = len(x_test) // PROCESSES // BATCH * BATCH
    x_test, y_test = (one[rank::PROCESSES][:part] for one in (x_test, y_test))
    accuracy = model.evaluate(
        x_test, y_test, batch_size=BATCH, verbose=0, return_dict=True
    )
    if rank == 0:
        are_same = np.array_equal(every[0], every[-1])
        print(f"rate found      {', '.join(f'{one[0]:.6f}' for one in every)}")
        print(f"rates, weights  {'the same' if are_same else 'not the same'} in all")
        print(f"accuracy        {accuracy['accuracy']:.1%}")


def main() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    # New processes: JAX does not work in one that was forked.
    new = multiprocessing.get_context("spawn")
    started = [
        new.Process(target=train, args=(rank, address)) for rank in range(PROCESSES)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    if any(process.exitcode for process in started):
        raise SystemExit("A process has failed: see above.")


if __name__ == "__main__":
    main()
