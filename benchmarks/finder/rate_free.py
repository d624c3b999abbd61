"""Optimizers that need no learning rate, from optax: whole trainings in place of ours.

They replace the task's own optimizer, with their published defaults, at a constant
rate of 1 (schedule-free AdamW: at its own, 0.0025, since it does away with the schedule
and not with the rate).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from benchmarks.finder.train import Trainer

SCHEDULE_FREE = "schedule-free AdamW"


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
        SCHEDULE_FREE: contrib.schedule_free_adamw(),
    }


def final_losses(name: str, trainer: Trainer, seeds: Sequence[int]) -> list[float]:
    """Final validation loss of a whole training from each seed."""
    import optax
    from optax import contrib

    optimizer = optimizers()[name]

    @jax.jit
    def train(weights: Any, others: Any, x: Any, y: Any, batches: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            weights, others, slots = state
            (_, others), gradients = trainer.gradients(
                weights, others, x[rows], y[rows]
            )
            moves, slots = optimizer.update(gradients, slots, weights)
            return (optax.apply_updates(weights, moves), others, slots), None

        begin = (weights, others, optimizer.init(weights))
        (weights, others, slots), _ = jax.lax.scan(step, begin, batches)
        if name == SCHEDULE_FREE:
            # It trains at one place and is to be used at another, the mean of all.
            weights = contrib.schedule_free_eval_params(slots, weights)
        return weights, others

    x, y, x_val, y_val = trainer.data
    losses = []
    for seed in seeds:
        weights, others, _ = trainer.begin(seed)
        # optax computes with JAX's arrays alone.
        weights = [jax.numpy.asarray(weight) for weight in weights]
        batches = trainer.batches(seed, trainer.task.updates)
        state = train(weights, others, x, y, batches)
        losses.append(trainer.value(state, x_val, y_val))
    return losses
