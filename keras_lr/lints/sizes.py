"""Findings about sizes: rates far from those that are usual, warmups too short."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane

#: By how many times a rate may be higher or lower than another before that is odd.
FAR = 30.0

#: What is usual for optimizers of Keras where that is not its default: the middle of
#: what recipes use. Adadelta's default of 0.001 is for compatibility, its paper has 1;
#: so nothing is said of it.
USUAL = {"SGD": 0.05, "Adadelta": None, "Adagrad": 0.01, "Lion": 1e-4}


def find(lane: Lane) -> Iterator[Finding]:
    """What is odd about sizes."""
    yield from _far(lane)
    yield from _warmup(lane)


def _far(lane: Lane) -> Iterator[Finding]:
    at = int(np.argmax(lane.rates))
    highest = float(lane.rates[at])
    # Where a fit that goes on sees the end of a run, its highest rate says nothing.
    if highest <= 0 or lane.goes_on:
        return
    if lane.found is not None:
        code = "far-from-found"
        other = lane.found
        whose = "what find_lr found"
        advice = f"Give max_lr={lane.found:.2g}, or search again."
    elif lane.usual is not None:
        code = "far-from-usual"
        other = lane.usual
        whose = f"what is usual for {lane.optimizer}"
        advice = "Let keras_lr.find_lr look for one, or check the power of ten."
    else:
        return
    if 1 / FAR <= highest / other <= FAR:
        return
    is_above = highest > other
    times = highest / other if is_above else other / highest
    # Fine-tuning is done at low rates.
    is_note = code == "far-from-usual" and not is_above
    yield Finding(
        code,
        "note" if is_note else "warning",
        f"The highest rate{lane.of}, {highest:.3g}, is {times:.0f} times "
        f"{'above' if is_above else 'below'} {whose} ({other:.2g}).",
        advice,
        lane.first + at,
        lane.name,
    )


def _warmup(lane: Lane) -> Iterator[Finding]:
    r"""A warmup below :math:`2 / (1 - \beta_2)` updates.

    Source: Ma and Yarats 2021, arXiv:1910.04209, sec. 5: the untuned linear warmup.
    """
    warmup = max((plan.warmup for plan in lane.rate_plans), default=0)
    if lane.beta_2 is None or not 0 < lane.beta_2 < 1 or not warmup or lane.goes_on:
        return
    memory = round(2 / (1 - lane.beta_2))
    if warmup >= memory or warmup > lane.total:
        return
    advice = f"Warm up for {memory}"
    if memory > lane.total / 2:
        # No run can spend all its time warming up.
        shorter = max(1 - 2 / warmup, 0.9)
        advice = f"Give {lane.optimizer} a lower beta_2, such as {shorter:.3g}"
    yield Finding(
        "short-warmup",
        "note",
        f"The warmup of {warmup} updates is shorter than the memory of "
        f"{lane.optimizer}{lane.of}, 2 / (1 - beta_2) = {memory}: it ends before the "
        "second moments are known.",
        f"{advice}, if the loss is unsteady when the peak is reached.",
        lane.first + warmup - 1,
        lane.name,
    )
