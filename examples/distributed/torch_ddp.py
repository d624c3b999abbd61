"""Two processes train a torch module with DistributedDataParallel, by Keras' ``fit``.

``python examples/distributed/torch_ddp.py`` starts both. torchrun does as well, also on
several machines: ``torchrun --nproc-per-node 2 examples/distributed/torch_ddp.py``.
Needs ``keras-lr[torch,demos]``.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta

os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
import torch
import torch.distributed as dist
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras_lr

PROCESSES = 2
EPOCHS = 6
BATCH = 16  # in each process: an update sees twice as many rows


def train() -> None:
    # "nccl" on GPUs. A process that waits in vain for another one gives up after this.
    dist.init_process_group("gloo", timeout=timedelta(minutes=2))
    rank = dist.get_rank()
    processes = dist.get_world_size()
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    # Each process has rows of its own, and as many as the others.
    share = len(x) // processes
    x, y = (part[rank::processes][:share] for part in (x, y))

    keras.utils.set_random_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)
    )
    shared = torch.nn.parallel.DistributedDataParallel(net)
    layer = keras.layers.TorchModuleWrapper(shared, output_shape=(None, 10))
    model = keras.Sequential([keras.Input((64,)), layer])
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
    own = [result.suggestion, *history.history["learning_rate"], *weights_of(model)]
    every = [None] * processes
    dist.all_gather_object(every, own)
    if rank == 0:
        accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
        are_same = all(numbers == own for numbers in every)
        print(f"rate found      {', '.join(f'{one[0]:.6f}' for one in every)}")
        print(f"rates, weights  {'the same' if are_same else 'not the same'} in all")
        print(f"accuracy        {accuracy['accuracy']:.1%}")
    dist.destroy_process_group()


def weights_of(model: keras.Model) -> list[float]:
    return np.concatenate([np.ravel(one) for one in model.get_weights()]).tolist()


def start(rank: int, port: int) -> None:
    """Do what torchrun does: tell the process which one it is."""
    os.environ["RANK"] = str(rank)
    os.environ["WORLD_SIZE"] = str(PROCESSES)
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    os.environ["MASTER_PORT"] = str(port)
    train()


def main() -> None:
    if "RANK" in os.environ:  # torchrun has started this process
        train()
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(start, args=(port,), nprocs=PROCESSES)


if __name__ == "__main__":
    main()
