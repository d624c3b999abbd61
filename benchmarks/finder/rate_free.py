"""Optimizers that need no learning rate, from optax: whole trainings in place of ours.

They replace the task's own optimizer, with their published defaults, at a constant
rate of 1 (schedule-free AdamW: at its own, 0.0025, since it does away with the schedule
and not with the rate).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from benchmarks.finder.train import Trainer


def optimizers() -> dict[str, Any]:
    """Each with its name; needs optax."""
    import optax
    from optax import contrib

    return {
        "Mechanic over Adam": contrib.mechanize(optax.adam(1.0)),
        "DoG": contrib.dog(),
        "Prodigy": contrib.prodigy(),
        "D-Adapt AdamW": contrib.dadapt_adamw(),
        "COCOB": contrib.cocob(),
        "schedule-free AdamW": contrib.schedule_free_adamw(),
    }


def final_losses(name: str, trainer: Trainer, seeds: Sequence[int]) -> list[float]:
    """Final validation loss of a whole training from each seed."""
    import optax
    from optax import contrib

    optimizer = optimizers()[name]

    def step(state: Any, batch: Any) -> Any:
        weights, others, slots = state
        (_, others), gradients = trainer.gradients(weights, others, *batch)
        moves, slots = optimizer.update(gradients, slots, weights)
        return (optax.apply_updates(weights, moves), others, slots), None

    @jax.jit
    def train(weights: Any, others: Any, x: Any, y: Any, batches: Any) -> Any:
        def at(state: Any, rows: Any) -> Any:
            return step(state, (x[rows], y[rows]))

        begin = (weights, others, optimizer.init(weights))
        (weights, others, slots), _ = jax.lax.scan(at, begin, batches)
        if name == "schedule-free AdamW":
            # It trains at one place and is to be used at another, the mean of all.
            weights = contrib.schedule_free_eval_params(slots, weights)
        return weights, others

    x, y, x_val, y_val = trainer.data
    losses = []
    for seed in seeds:
        weights, others, _ = trainer.begin(seed)
        batches = trainer.batches(seed, trainer.task.updates)
        state = train([jax.numpy.asarray(w) for w in weights], others, x, y, batches)
        losses.append(trainer.value(state, x_val, y_val))
    return [float(loss) for loss in np.asarray(losses)]
