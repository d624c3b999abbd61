"""A GAN on scikit-learn's digits, with a schedule for each of its two optimizers.

The model has the shape of Keras' examples: ``compile`` takes an optimizer for the
discriminator and one for the generator, and ``train_step`` is its own. A schedule names
the attribute of the model that holds the optimizer it is for. It runs on TensorFlow,
torch and JAX; what JAX wants, whose steps change nothing but the state that a model
carries, is in ``JaxGAN``.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
from keras import layers, ops

import keras_lr

try:
    from matplotlib.figure import Figure
    from sklearn.datasets import load_digits
except ImportError as error:
    need = {"sklearn": "scikit-learn"}.get(str(error.name), error.name)
    sys.exit(f"This example needs {need}: pip install 'keras-lr[demos]'.")

SEED = 0
BATCH = 64
PIXELS = 64
NOISE = 16
NAMES = ("d_optimizer", "g_optimizer")

says_real = keras.losses.BinaryCrossentropy(from_logits=True)


class GAN(keras.Model):
    """A generator draws digits, a discriminator tells them from real ones."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminator = keras.Sequential(
            [
                keras.Input((PIXELS,)),
                layers.Dense(256),
                layers.LeakyReLU(0.2),
                layers.Dense(256),
                layers.LeakyReLU(0.2),
                layers.Dense(1),
            ]
        )
        self.generator = keras.Sequential(
            [
                keras.Input((NOISE,)),
                layers.Dense(256),
                layers.LeakyReLU(0.2),
                layers.Dense(256),
                layers.LeakyReLU(0.2),
                layers.Dense(PIXELS, activation="tanh"),
            ]
        )
        self.random = keras.random.SeedGenerator(SEED)
        self.d_tracker = keras.metrics.Mean(name="d_loss")
        self.g_tracker = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer: Any, g_optimizer: Any) -> None:
        """Take an optimizer for each net."""
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer

    def call(self, images: Any) -> Any:
        """How real the images look."""
        return self.discriminator(images)

    def train_step(self, images: Any) -> dict[str, Any]:
        """One update of each net, on the same noise."""
        noise = keras.random.normal((BATCH, NOISE), seed=self.random)

        def d_loss() -> Any:
            of_real = self.discriminator(images)
            of_drawn = self.discriminator(self.generator(noise))
            loss_of_real = says_real(ops.ones_like(of_real), of_real)
            return loss_of_real + says_real(ops.zeros_like(of_drawn), of_drawn)

        def g_loss() -> Any:
            of_drawn = self.discriminator(self.generator(noise))
            return says_real(ops.ones_like(of_drawn), of_drawn)

        loss = self.update(self.discriminator, self.d_optimizer, d_loss)
        self.d_tracker.update_state(loss)
        loss = self.update(self.generator, self.g_optimizer, g_loss)
        self.g_tracker.update_state(loss)
        return {"d_loss": self.d_tracker.result(), "g_loss": self.g_tracker.result()}

    def update(self, net: Any, optimizer: Any, loss_of: Callable[[], Any]) -> Any:
        """Train one net for one update, the other one standing still."""
        variables = net.trainable_variables
        loss, gradients = self.loss_and_gradients(loss_of, variables)
        optimizer.apply(gradients, variables)
        return loss

    def loss_and_gradients(
        self, loss_of: Callable[[], Any], variables: list[Any]
    ) -> tuple[Any, Any]:
        """The loss, and its gradients by some variables."""
        if keras.backend.backend() == "torch":
            import torch

            loss = loss_of()
            return loss, torch.autograd.grad(loss, [v.value for v in variables])
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = loss_of()
        return loss, tape.gradient(loss, variables)


class JaxGAN(GAN):
    """The same on JAX: its step is a function of the model's state to its next one."""

    def compile(self, d_optimizer: Any, g_optimizer: Any) -> None:
        """Take an optimizer for each net, and carry its state."""
        super().compile(d_optimizer, g_optimizer)
        d_optimizer.build(self.discriminator.trainable_variables)
        g_optimizer.build(self.generator.trainable_variables)
        # Keras finds variables in a list that is an attribute of a model, and carries
        # them in its state. Without this line the optimizers could not change, and a
        # schedule for one of them would be refused.
        self.carried = [*d_optimizer.variables, *g_optimizer.variables]

    def train_step(self, state: Any, images: Any) -> tuple[dict[str, Any], Any]:
        """One update of each net: logs, and the state after it."""
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        values: list[tuple[Any, Any]] = []
        for variables, arrays in zip(groups, state, strict=True):
            values += zip(variables, arrays, strict=True)
        # In this scope variables have the values given, and keep those assigned.
        with keras.StatelessScope(state_mapping=values) as scope:
            logs = super().train_step(images)
        next_state = tuple(
            [scope.get_current_value(variable) for variable in variables]
            for variables in groups
        )
        return logs, next_state

    def loss_and_gradients(
        self, loss_of: Callable[[], Any], variables: list[Any]
    ) -> tuple[Any, Any]:
        """The loss, and its gradients by some variables."""
        import jax

        now = [(variable, variable.value) for variable in self.variables]

        def loss_at(arrays: list[Any]) -> Any:
            # A scope knows nothing of the one around it; of two values the last counts.
            values = [*now, *zip(variables, arrays, strict=True)]
            with keras.StatelessScope(state_mapping=values):
                return loss_of()

        arrays = [variable.value for variable in variables]
        return jax.value_and_grad(loss_at)(arrays)


@dataclass(frozen=True)
class Fit:
    """What logs have told of a fit, and what its schedules say.

    Attributes:
        title: How the optimizers were scheduled.
        logged: For each optimizer, the rate of the last update of each epoch.
        values: For each optimizer, the rate of every update.
    """

    title: str
    logged: dict[str, list[float]]
    values: dict[str, Any]


def digits() -> Any:
    """1797 images of 8 x 8 pixels, in [-1, 1]."""
    images, _ = load_digits(return_X_y=True)
    return (images / 8.0 - 1.0).astype("float32")


def network() -> Any:
    keras.utils.set_random_seed(SEED)
    model = JaxGAN() if keras.backend.backend() == "jax" else GAN()
    model.compile(
        d_optimizer=keras.optimizers.Adam(beta_1=0.5),
        g_optimizer=keras.optimizers.Adam(beta_1=0.5),
    )
    return model


def logged_rates(model: Any, images: Any, epochs: int, schedules: list[Any]) -> Any:
    """Train, and give what logs tell of each optimizer."""
    history = model.fit(
        images, batch_size=BATCH, epochs=epochs, callbacks=schedules, verbose=0
    ).history
    return {name: history[f"learning_rate_{name}"] for name in NAMES}


def a_schedule_for_each(model: Any, images: Any, epochs: int) -> Fit:
    """The discriminator's rate falls, while the generator's has to rise first."""
    down = keras_lr.LinearDecay(max_lr=1e-3, min_lr=2e-4, optimizer="d_optimizer")
    up_and_down = keras_lr.WarmupCosine(
        max_lr=5e-4, min_lr=1e-4, warmup="10%", optimizer="g_optimizer"
    )
    updates = epochs * math.ceil(len(images) / BATCH)
    return Fit(
        "a schedule for each optimizer",
        logged_rates(model, images, epochs, [down, up_and_down]),
        {
            "d_optimizer": down.values(updates),
            "g_optimizer": up_and_down.values(updates),
        },
    )


def one_schedule_with_two_peaks(model: Any, images: Any, epochs: int) -> Fit:
    """Both rates fall to nothing in the same way, each from where it was."""
    peaks = {"d_optimizer": 2e-4, "g_optimizer": 1e-4}
    down = keras_lr.CosineDecay(max_lr=peaks)
    updates = epochs * math.ceil(len(images) / BATCH)
    values = {
        name: keras_lr.CosineDecay(max_lr=peak).values(updates)
        for name, peak in peaks.items()
    }
    logged = logged_rates(model, images, epochs, [down])
    return Fit("one schedule with two peaks", logged, values)


def table(fit: Fit) -> str:
    """The first, the middle and the last epoch."""
    head = f"{fit.title:30}"
    for letter in ("d", "g"):
        head += f"  {letter + ': logs':>8} {'values':>8}"
    lines = [head]
    epochs = len(fit.logged["d_optimizer"])
    for epoch in sorted({1, (epochs + 1) // 2, epochs}):
        line = f"{f'  after epoch {epoch} of {epochs}':30}"
        for name in NAMES:
            values = fit.values[name]
            last_update = epoch * len(values) // epochs - 1
            line += f"  {fit.logged[name][epoch - 1]:.6f} {values[last_update]:.6f}"
        lines.append(line)
    return "\n".join(lines)


def draw(model: Any, fits: list[Fit], path: Path) -> None:
    figure = Figure(figsize=(9, 4), layout="constrained")
    drawn, rates = figure.subplots(1, 2, width_ratios=[1, 1.25])
    draw_digits(drawn, model)
    draw_rates(rates, fits)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def draw_digits(axes: Any, model: Any) -> None:
    noise = keras.random.normal((64, NOISE), seed=SEED)
    images = ops.convert_to_numpy(model.generator(noise)).reshape(64, 8, 8)
    # A white frame around each, then eight rows of eight.
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    sheet = framed.reshape(8, 8, 10, 10).swapaxes(1, 2).reshape(80, 80)
    axes.imshow(sheet, cmap="gray_r")
    axes.set_axis_off()
    axes.set_title("Drawn by the generator")


def draw_rates(axes: Any, fits: list[Fit]) -> None:
    for number, name in enumerate(NAMES):
        values = np.concatenate([fit.values[name] for fit in fits])
        logged = np.concatenate([fit.logged[name] for fit in fits])
        color = f"C{number}"
        axes.plot(values, color=color, label=f"{name}: values of the schedule")
        ends = np.arange(1, len(logged) + 1) * len(values) // len(logged) - 1
        axes.plot(ends, logged, "o", ms=3, color=color, label=f"{name}: logs")
    axes.axvline(len(fits[0].values["d_optimizer"]) - 0.5, color="0.7")
    axes.set(title="Learning rates, second fit behind the grey line", ylim=(0, None))
    axes.set(xlabel=f"updates (batches of {BATCH})", ylabel="rate")
    axes.grid(alpha=0.3)
    axes.legend()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="3 epochs, not 40")
    parser.add_argument("--out", type=Path, default=Path("out"), help="for the picture")
    options = parser.parse_args()
    images = digits()
    model = network()
    fits = [
        a_schedule_for_each(model, images, epochs=2 if options.fast else 32),
        one_schedule_with_two_peaks(model, images, epochs=1 if options.fast else 8),
    ]
    for fit in fits:
        print(table(fit))
    picture = options.out / "gan.png"
    draw(model, fits, picture)
    print(f"Picture: {picture}")


if __name__ == "__main__":
    main()
