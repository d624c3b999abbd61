"""What schedules are, from their values alone: nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import keras_lr
from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array

UPDATES = 1000


def _rates(values: Mapping[str, Array], every: int = 10) -> Lines:
    """Learning rates over their updates."""
    return Lines(
        x=range(0, UPDATES, every),
        ys={name: rates[::every] for name, rates in values.items()},
        x_label="update",
        y_label="learning rate over its peak",
    )


def cosine_mean(seed: int) -> Measurement:
    """Mean learning rate of a cosine from 1 to 0, over that of a straight line.

    The control, a parabola, falls from 1 to 0 as well.
    """
    values = {
        "cosine": keras_lr.CosineDecay(max_lr=1.0).values(UPDATES),
        "straight line": keras_lr.LinearDecay(max_lr=1.0).values(UPDATES),
        "parabola": keras_lr.PolynomialDecay(max_lr=1.0, power=2.0).values(UPDATES),
    }
    cosine, straight, parabola = (float(rates.mean()) for rates in values.values())
    return Measurement(
        measured=cosine / straight,
        panels=(_rates(values),),
        seen="The cosine is above the straight line as long as it is below it, so that "
        "both have the same mean; the parabola has a lower one.",
        controls=(Control(parabola < 0.9 * straight, "Any fall spends as much."),),
    )


def cosine_steepest(seed: int) -> Measurement:
    """Steepest fall of a cosine over that of a straight line; pi / 2 in the middle."""
    values = {
        "cosine": keras_lr.CosineDecay(max_lr=1.0).values(UPDATES),
        "straight line": keras_lr.LinearDecay(max_lr=1.0).values(UPDATES),
    }
    falls = {name: -np.diff(rates) * (UPDATES - 1) for name, rates in values.items()}
    steepest = int(np.argmax(falls["cosine"]))
    speeds = Lines(
        x=range(0, UPDATES - 1, 10),
        ys={name: fall[::10] for name, fall in falls.items()},
        x_label="update",
        y_label="fall of the learning rate over the mean fall",
    )
    middle = abs(steepest / UPDATES - 0.5) < 0.01
    return Measurement(
        measured=float(falls["cosine"].max() / falls["straight line"].max()),
        panels=(_rates(values), speeds),
        seen="A cosine hardly falls at both ends, and in the middle of the run half as "
        "fast again as the straight line.",
        controls=(Control(middle, "It is steepest elsewhere than in the middle."),),
    )


def stretches(seed: int) -> Measurement:
    """Difference of a schedule over 100 and over 991 updates, at the same progress.

    The control lowers the learning rate after a count of updates instead of a share.
    """
    long = 991  # ten updates of the long run for each of the short one

    def difference(schedule: keras_lr.Schedule) -> float:
        return float(np.abs(schedule.values(long)[::10] - schedule.values(100)).max())

    share = keras_lr.CosineDecay(max_lr=1.0)
    count = keras_lr.StepDecay(max_lr=1.0, every=30, rate=0.5)
    progress = np.linspace(0, 1, 100)
    panels = tuple(
        Lines(
            x=progress,
            ys={
                "100 updates": schedule.values(100),
                "991 updates": schedule.values(long)[::10],
            },
            x_label="share of the run that is done",
            y_label="learning rate over its peak",
            title=title,
        )
        for schedule, title in ((share, "in shares of the run"), (count, "in updates"))
    )
    differs = Control(difference(count) > 0.1, "One in updates stretches as well.")
    return Measurement(
        measured=difference(share),
        panels=panels,
        seen="A schedule in shares of the run looks the same over a run of any length; "
        "one in updates does not.",
        controls=(differs,),
    )


def one_cycle_swings(seed: int) -> Measurement:
    """Correlation of learning rate and momentum over one cycle.

    The control holds momentum against another run's learning rate: two cycles.
    """
    cycle = keras_lr.OneCycle(max_lr=1.0)
    rates = cycle.values(UPDATES)
    momenta = cycle.momentum_values(UPDATES)
    twice = np.tile(cycle.values(UPDATES // 2), 2)

    def correlation(others: Array) -> float:
        return float(np.corrcoef(others, momenta)[0, 1])

    momentum = Lines(
        x=range(0, UPDATES, 10),
        ys={"momentum": momenta[::10]},
        x_label="update",
        y_label="momentum",
    )
    apart = Control(correlation(twice) > -0.5, "Any learning rate swings against it.")
    return Measurement(
        measured=correlation(rates),
        panels=(_rates({"one cycle": rates}), momentum),
        seen="The learning rate rises once and falls once; momentum does the opposite "
        "at the same time.",
        controls=(apart,),
    )


def warmup_costs_half(seed: int) -> Measurement:
    """Full-rate updates that a warmup of a tenth costs, over its length.

    The control rises exponentially over the same updates.
    """
    bent = keras_lr.Warmup("10%", start=0.01, curve="exponential")
    values = {
        "linear": keras_lr.Warmup("10%").values(UPDATES),
        "exponential": bent.values(UPDATES),
    }
    cost, control = (
        float((1 - rates).sum() / (UPDATES / 10)) for rates in values.values()
    )
    shown = Lines(
        x=range(0, 200, 4),
        ys={name: rates[:200:4] for name, rates in values.items()},
        x_label="update (of 1000, warmup over the first 100)",
        y_label="learning rate over its peak",
    )
    return Measurement(
        measured=cost,
        panels=(shown,),
        seen="The triangle above a linear warmup is half of its length at the full "
        "rate; an exponential rise costs more.",
        controls=(Control(control > 0.65, "Any rise costs as much."),),
    )


def cycles_average(seed: int) -> Measurement:
    """Mean of triangular cycles over the middle of their ends.

    The control stops after three quarters of a cycle.
    """
    halves = {"five cycles": 100, "three quarters of one": round(UPDATES / 1.5)}
    values = {
        name: keras_lr.CyclicalLR(max_lr=1.0, min_lr=0.1, half_cycle=half).values(
            UPDATES
        )
        for name, half in halves.items()
    }
    mean, control = (float(rates.mean() / 0.55) for rates in values.values())
    parts = Control(abs(control - 1) > 0.05, "Parts of cycles would do as well.")
    return Measurement(
        measured=mean,
        panels=(_rates(values),),
        seen="Whole triangles lie as much above the middle of their ends as below it; "
        "a part of one need not.",
        controls=(parts,),
    )


def restarts_jump(seed: int) -> Measurement:
    """Largest rise from one update to the next, over the peak.

    The control, a triangular cycle, comes back to the same peak step by step.
    """
    cycle = keras_lr.CyclicalLR(max_lr=1.0, min_lr=0.0, half_cycle=125)
    values = {
        "restarts": keras_lr.CosineRestarts(first_cycle=250).values(UPDATES),
        "triangular cycle": cycle.values(UPDATES),
    }
    jump, control = (
        float(np.diff(rates).max() / rates.max()) for rates in values.values()
    )
    return Measurement(
        measured=jump,
        panels=(_rates(values, every=5),),
        seen="At a restart the learning rate jumps from the floor back to its peak; a "
        "triangular cycle climbs there.",
        controls=(Control(control < 0.1, "A cycle without restarts jumps as well."),),
    )
