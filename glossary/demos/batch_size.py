"""Claims of *batch size*: a small net on digits, and problems simple enough to see."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import counted, gradients, relu, train, weights
from glossary.lab.steps import sgd

SIZES = np.array([1, 4, 16, 64, 256])


def variance(seed: int) -> Measurement:
    """Variance of the batch gradient at fixed weights, over 200 draws.

    The control repeats one example as often as the batch is large.
    """
    rng = np.random.default_rng(seed)
    other_rng = np.random.default_rng(seed + 1)
    x, y = digits()
    ws = weights(rng, [64, 16, 10], 2.0)

    def spread(draws: list[Array]) -> float:
        return float(np.var(draws, axis=0).sum())

    different = []
    copies = []
    for size in SIZES:
        draws = []
        repeated = []
        for _ in range(200):
            rows = rng.integers(0, len(x), size)
            draws.append(gradients(ws, x[rows], y[rows], relu)[1][1].ravel())
            same = np.repeat(other_rng.integers(0, len(x)), size)
            repeated.append(gradients(ws, x[same], y[same], relu)[1][1].ravel())
        different.append(spread(draws))
        copies.append(spread(repeated))

    def slope(spreads: list[float]) -> float:
        return float(np.polyfit(np.log(SIZES), np.log(spreads), 1)[0])

    shown = Lines(
        x=SIZES,
        ys={
            "different examples": different,
            "proportional to 1 / B": different[0] / SIZES,
            "one example, repeated": copies,
        },
        x_label="batch size B",
        y_label="variance of the gradient",
        log="xy",
    )
    stays = Control(abs(slope(copies)) < 0.2, "Copies of one example do as well.")
    return Measurement(
        measured=slope(different),
        panels=(shown,),
        seen="The variance falls in proportion to 1 / B, which copies of one example "
        "do not bring about.",
        controls=(stays,),
    )


def _peak(work: Callable[[], object]) -> float:
    """Memory in MB that a function takes at its peak, traced."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def memory(seed: int) -> Measurement:
    """Memory that a forward and a backward pass take at their peak.

    What does not grow, the weights and their gradients, is in all of them: the growth
    from one batch to the next is that of the activations.
    """
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 128, 128, 10], 2.0)
    sizes = np.array([100, 200, 400, 800])
    peaks = []
    steps = []
    grads = gradients(ws, x, y, relu)[1]
    _peak(partial(gradients, ws, x, y, relu))  # the first call fills caches
    for size in sizes:
        rows = rng.integers(0, len(x), size)
        peaks.append(_peak(partial(gradients, ws, x[rows], y[rows], relu)))
        steps.append(_peak(partial(sgd, ws, grads, 1e-9)))
    growth = np.diff(peaks)
    shown = Lines(
        x=sizes,
        ys={"forward and backward pass": peaks, "update of the weights": steps},
        x_label="batch size",
        y_label="memory at the peak, MB",
    )
    flat = Control(
        max(steps) < 1.1 * min(steps), "The update of the weights grows too."
    )
    return Measurement(
        measured=float(np.log2(growth[2] / growth[1])),
        panels=(shown,),
        seen="The memory of the passes grows along a straight line, that of the update "
        "does not depend on the batch.",
        controls=(flat,),
    )


def reuses(seed: int) -> Measurement:
    """Bytes read and written for each multiply-add of a gradient, by the batch."""
    rng = np.random.default_rng(seed)
    x, y = digits()
    ws = weights(rng, [64, 128, 128, 10], 2.0)
    moved = []
    work = []
    for size in SIZES:
        rows = rng.integers(0, len(x), size)
        batch = counted(x[rows])
        gradients(ws, batch, y[rows], relu)
        moved.append(batch.tally["bytes"] / batch.tally["work"])
        work.append(batch.tally["work"] / size)
    shown = Lines(
        x=SIZES,
        ys={"matrix products of a gradient": moved},
        x_label="batch size",
        y_label="bytes moved for a multiply-add",
        log="xy",
    )
    same_work = Control(len(set(work)) == 1, "The work for an example changes as well.")
    return Measurement(
        measured=moved[0] / moved[-1],
        panels=(shown,),
        seen="A batch reads the weights once for all of its examples, so that each "
        "byte serves more multiply-adds.",
        controls=(same_work,),
    )


_NETS = 3
_HALVINGS = 5
_LOWEST = 0.04
_HIGHEST = 5.12


def _trains(net: int, rate: float, size: int) -> bool:
    """Whether the loss is below 1.8 after 100 updates; guessing has 2.3."""
    return train(np.random.default_rng(net), rate, 100, size) < 1.8


def _largest_rates(seed: int, sizes: Sequence[int]) -> list[float]:
    """For each batch size, the largest learning rate that trains.

    By bisection to within 16 percent; the geometric mean over three nets.
    """
    largest = []
    for size in sizes:
        logs = []
        for net in range(_NETS * seed, _NETS * (seed + 1)):
            low = np.log(_LOWEST)
            high = np.log(_HIGHEST)
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                if _trains(net, float(np.exp(middle)), size):
                    low = middle
                else:
                    high = middle
            logs.append(low)
        largest.append(float(np.exp(np.mean(logs))))
    return largest


def higher_rates(seed: int) -> Measurement:
    """Largest learning rate that trains, in batches of 128 over batches of 2."""
    sizes = [2, 8, 32, 128]
    largest = _largest_rates(seed, sizes)
    shown = Lines(
        x=sizes,
        ys={"largest that trains": largest},
        x_label="batch size",
        y_label="learning rate",
        log="xy",
    )
    all_train = Control(min(largest) > 1.5 * _LOWEST, "Some batch trains at no rate.")
    return Measurement(
        measured=largest[-1] / largest[0],
        panels=(shown,),
        seen="The larger the batch, the higher the largest learning rate that trains.",
        controls=(all_train,),
    )


def _noise_scale(seed: int) -> float:
    """Variance of single gradients over the square of their mean, fresh weights."""
    x, y = digits()
    ws = weights(np.random.default_rng(seed), [64, 32, 10], 2.0)
    single = []
    for row in range(len(x)):
        grads = gradients(ws, x[row : row + 1], y[row : row + 1], relu)[1]
        single.append(np.concatenate([g.ravel() for g in grads]))
    mean = np.mean(single, axis=0)
    return float(np.var(single, axis=0).sum() / (mean @ mean))


def up_to_noise_scale(seed: int) -> Measurement:
    """Growth of the largest rate that trains: up to the noise scale over beyond it.

    Both ranges are a factor of 16 in the batch, so that a law without a bend, such as
    the square root, would give 1.
    """
    over = 4.0 ** np.arange(-2, 3)
    sixteenth = max(1, round(_noise_scale(seed) / 16))
    largest = _largest_rates(seed, [sixteenth * 4**power for power in range(5)])
    shown = Lines(
        x=over,
        ys={
            "largest that trains": largest,
            "proportional to the root of the batch": largest[0]
            * np.sqrt(over / over[0]),
        },
        x_label="batch size over the noise scale (rounded)",
        y_label="learning rate",
        log="xy",
    )
    growth = largest[2] / largest[0] / (largest[4] / largest[2])
    all_train = Control(min(largest) > 1.5 * _LOWEST, "Some batch trains at no rate.")
    return Measurement(
        measured=growth,
        panels=(shown,),
        seen="Up to the noise scale the largest learning rate grows with the batch; "
        "beyond it the curve bends and is nearly flat.",
        controls=(all_train,),
    )


def _updates(batch: float, curvature: Array, target: float) -> float:
    """Updates to a loss on a noisy quadratic at the best rate, by its exact mean.

    E x^2 <- (1 - eta h)^2 E x^2 + eta^2 / B for each direction of curvature h.
    """
    best = np.inf
    for rate in np.geomspace(0.002, 1.9, 60):
        square = np.ones(len(curvature))
        steps = 0
        shrink = (1 - rate * curvature) ** 2
        noise = rate**2 / batch
        while 0.5 * float(curvature @ square) > target and steps < min(best, 6000):
            square = shrink * square + noise
            steps += 1
        best = min(best, steps if steps < 6000 else np.inf)
    return float(best)


def beyond_noise_scale(seed: int) -> Measurement:
    """What 8 times the batch saves, far below and far above the noise scale."""
    curvature = np.random.default_rng(seed).uniform(0.1, 1.0, 20)
    batches = 8.0 ** np.arange(5)
    counts = [_updates(batch, curvature, 0.05) for batch in batches]
    far_below = counts[0] / counts[1]
    far_above = counts[-2] / counts[-1]
    shown = Lines(
        x=batches,
        ys={
            "best learning rate for each": counts,
            "proportional to 1 / batch": counts[0] / batches,
        },
        x_label="batch size",
        y_label="updates to the same loss",
        log="xy",
    )
    return Measurement(
        measured=far_below / far_above,
        panels=(shown,),
        seen="Small batches trade against updates one for one; from some size on "
        "larger batches save hardly any update.",
        controls=(Control(far_below > 3, "A larger batch saves little anywhere."),),
    )


def _trained(seed: int, batch: int, rate: float, updates: int) -> tuple[float, float]:
    """Loss on the rows trained on, and error on the others."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    mine = order[:1000]
    others = order[1000:]
    ws = weights(rng, [64, 32, 10], 2.0)
    for _ in range(updates):
        rows = rng.choice(mine, batch)
        _, grads, _ = gradients(ws, x[rows], y[rows], relu)
        sgd(ws, grads, rate)
    scores = np.maximum(x[others] @ ws[0], 0) @ ws[1]
    wrong = float((scores.argmax(1) != y[others]).mean())
    return gradients(ws, x[mine], y[mine], relu)[0], wrong


def more_steps(seed: int) -> Measurement:
    """Loss after three passes over 1000 digits at one rate, batch 10 over batch 200."""
    batches = [10, 20, 50, 100, 200]
    losses = [_trained(seed, batch, 0.1, 3000 // batch)[0] for batch in batches]
    start = _trained(seed, 10, 0.1, 0)[0]
    shown = Lines(
        x=batches,
        ys={"after 3000 examples": losses},
        x_label="batch size",
        y_label="cross-entropy, nats",
        log="xy",
        marks={"before training": start},
    )
    learns = Control(losses[-1] < start, "The large batch has learned nothing.")
    return Measurement(
        measured=losses[0] / losses[-1],
        panels=(shown,),
        seen="After the same 3000 examples at the same learning rate, smaller batches "
        "have made more steps and stand at a lower loss.",
        controls=(learns,),
    )


def generalizes_worse(seed: int) -> Measurement:
    """Held-out error, batch 500 over batch 10, at the better of two rates."""
    batches = [10, 50, 500]
    runs = [
        [_trained(seed, batch, rate, 600) for rate in (0.1, 0.4)] for batch in batches
    ]
    errors = [min(wrong for _, wrong in run) for run in runs]
    losses = [min(loss for loss, _ in run) for run in runs]
    shown = Lines(
        x=batches,
        ys={"after 600 updates": 100 * np.array(errors)},
        x_label="batch size",
        y_label="error on 797 digits held out, percent",
        log="x",
    )
    learns = Control(max(losses) < 1.0, "One of the batch sizes has not learned.")
    return Measurement(
        measured=errors[-1] / errors[0],
        panels=(shown,),
        seen="After as many updates at the better learning rate, the large batch makes "
        "no more errors on new digits than the small one.",
        controls=(learns,),
    )


def noise_escapes(seed: int) -> Measurement:
    """Share of runs that leave a poor dent in a valley, by the noise of the batch.

    The loss is x^2 / 2 - exp(-12 (x - 2)^2); the noise of a batch is normal, with a
    standard deviation of 20 over the root of the batch size.
    """
    rng = np.random.default_rng(seed)
    batches = np.array([1, 10, 30, 100, 300, 1000])

    def share(noise: float) -> float:
        x = np.full(300, 2.0)
        has_left = np.zeros(300, bool)
        for _ in range(1000):
            slope = x + 24 * (x - 2) * np.exp(-12 * (x - 2) ** 2)
            x = x - 0.02 * (slope + noise * rng.normal(size=300))
            has_left |= x < 1.2
        return float(has_left.mean())

    shares = [share(20 / np.sqrt(batch)) for batch in batches]
    shown = Lines(
        x=batches,
        ys={"300 runs from the dent": shares},
        x_label="batch size",
        y_label="share that has left the dent",
        log="x",
        marks={"without noise": share(0.0)},
    )
    stays = Control(share(0.0) == 0, "Runs leave the dent without noise as well.")
    return Measurement(
        measured=shares[1] - shares[-1],
        panels=(shown,),
        seen="The noise of small batches carries the runs out of the dent; with large "
        "batches they stay in it, as they do without noise.",
        controls=(stays,),
    )
