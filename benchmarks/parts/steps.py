"""What a step costs: at a constant rate, under our schedules, and as others do it.

All train the same net on the same rows with the same batches and the same threads.
Beside Keras' own fits stands, on torch, what people write there: a plain loop over a
DataLoader, with Adam and torch's own OneCycleLR; it is compared with that loop without
a scheduler, and its step with one of Keras by the first column.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

import keras_lr
from benchmarks import nets
from benchmarks.figures import Figure
from benchmarks.paced import Pause, Work
from benchmarks.steps import Callbacks, Size, Way, epoch_of, keras_fit, measured
from benchmarks.turns import Clock, now

CONSTANT = "constant rate"
NOISE = "constant rate, again (noise)"
OURS = "`CosineDecay` of keras_lr"
ONE_CYCLE = "`OneCycle` of keras_lr, with momentum"
KERAS = "Keras' own CosineDecay, at compile"
NAIVE = "callback that sets the rate at each batch"
LOOP = "plain torch loop, constant rate"
LOOP_ONE_CYCLE = "plain torch loop, torch's OneCycleLR"

SIZES = {
    "quick": Size(steps=2, rounds=1, fits=1),
    "default": Size(steps=64, rounds=8, fits=2),
    "full": Size(steps=256, rounds=16, fits=6, layers=(2, 50)),
}


class Naive(keras.callbacks.Callback):
    """What people write by hand: a cosine that is set before each batch."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total
        self.step = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate of this batch."""
        fall = 0.5 * (1.0 + np.cos(np.pi * min(self.step / self.total, 1.0)))
        self.model.optimizer.learning_rate = float(nets.RATE * fall)
        self.step += 1


def torch_loop(layers: int, scheduled: bool, steps: int, epochs: int) -> Work:
    """The training of a plain torch loop, as its tutorials have it."""
    import torch

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    stack: list[Any] = []
    for _ in range(layers - 1):
        stack += [torch.nn.Linear(nets.WIDTH, nets.WIDTH), torch.nn.ReLU()]
    model = torch.nn.Sequential(*stack, torch.nn.Linear(nets.WIDTH, nets.CLASSES))
    model.to(device)
    # With the epsilon of Keras.
    optimizer = torch.optim.Adam(model.parameters(), lr=nets.RATE, eps=1e-7)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=nets.RATE, total_steps=steps * epochs
    )
    loss_of = torch.nn.CrossEntropyLoss()
    x, y = nets.noise(steps)
    rows = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    loader = torch.utils.data.DataLoader(rows, batch_size=nets.BATCH)

    def work(pause: Pause) -> None:
        for _ in range(epochs):
            pause()
            total = torch.zeros((), device=device)
            for inputs, labels in loader:
                optimizer.zero_grad()
                loss = loss_of(model(inputs.to(device)), labels.to(device))
                loss.backward()
                optimizer.step()
                if scheduled:
                    scheduler.step()
                total += loss.detach()
            # Keras has the mean loss of each epoch, too; on a GPU this waits for it.
            total.item()

    return work


def plain(layers: int, total: int) -> Any:
    """A model at a constant rate, whatever the length."""
    return nets.dense(layers)


def with_keras_schedule(layers: int, total: int) -> Any:
    """A model whose optimizer has Keras' own schedule."""
    return nets.dense(layers, keras.optimizers.schedules.CosineDecay(nets.RATE, total))


def ways(layers: int, more: Mapping[str, Callbacks]) -> list[Way]:
    """All ways of setting the rate, on this backend, and more of ours."""
    made = partial(plain, layers)
    own = partial(with_keras_schedule, layers)
    among = [
        Way(CONSTANT, CONSTANT, keras_fit(made)),
        Way(NOISE, CONSTANT, keras_fit(made)),
        Way(OURS, CONSTANT, keras_fit(made, our_cosine)),
        Way(ONE_CYCLE, CONSTANT, keras_fit(made, our_one_cycle)),
        *(Way(name, CONSTANT, keras_fit(made, each)) for name, each in more.items()),
        Way(KERAS, CONSTANT, keras_fit(own)),
        Way(NAIVE, CONSTANT, keras_fit(made, naive)),
    ]
    if keras.backend.backend() == "torch":
        among += [
            Way(LOOP, LOOP, partial(torch_loop, layers, False)),
            Way(LOOP_ONE_CYCLE, LOOP, partial(torch_loop, layers, True)),
        ]
    return among


def our_cosine(total: int) -> list[Any]:
    """The same course as Keras' own."""
    return [keras_lr.CosineDecay(max_lr=nets.RATE)]


def our_one_cycle(total: int) -> list[Any]:
    """Rate and momentum."""
    return [keras_lr.OneCycle(max_lr=nets.RATE)]


def naive(total: int) -> list[Any]:
    """One of a length that it has to be told."""
    return [Naive(total)]


def warmup_and_cosine(total: int) -> list[Any]:
    """Two in one fit."""
    return [keras_lr.Warmup(), keras_lr.CosineDecay(max_lr=nets.RATE)]


def cyclical(total: int) -> list[Any]:
    """Two cycles an epoch, momentum as well."""
    return [keras_lr.CyclicalLR(max_lr=nets.RATE, half_cycle="0.5 epochs")]


def plateau(total: int) -> list[Any]:
    """A look at the loss of each epoch."""
    return [keras_lr.Plateau("loss", warmup=100)]


def plateau_per_update(total: int) -> list[Any]:
    """A look at the loss of each update."""
    return [keras_lr.Plateau("loss", patience=100, per="update", smoothing=0.9)]


#: Of ours, in a full run.
MORE: Mapping[str, Callbacks] = {
    "`Warmup` and `CosineDecay` of keras_lr": warmup_and_cosine,
    "`CyclicalLR` of keras_lr, with momentum": cyclical,
    "`Plateau` of keras_lr": plateau,
    "`Plateau` of keras_lr, per update": plateau_per_update,
}


def measure(size: str, clock: Clock = now) -> list[Figure]:
    """A table for each net."""
    chosen = SIZES[size]
    figures = []
    for layers in chosen.layers:
        steps = epoch_of(layers, chosen.steps)
        title = f"{layers} dense layers"
        among = ways(layers, MORE if size == "full" else {})
        figures += measured(title, among, steps, chosen, clock)
    return figures
