"""Claims of *learning rate*: on quadratics, and on a small net that reads digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, digits
from glossary.lab.nets import gradients, relu, train, weights
from glossary.lab.steps import adam, sgd, slots_for

#: A step from the gradients and both moments, at update t, counted from 1.
Step = Callable[[Array, Array, Array, int], Array]


def edge(seed: int) -> Measurement:
    """Bisect the learning rate at which descent on least squares begins to diverge."""
    x, _ = digits()
    hessian = x.T @ x / len(x)
    critical = 2 / np.linalg.eigvalsh(hessian)[-1]
    start = np.random.default_rng(seed).normal(size=64)

    def errors(rate: float, updates: int) -> list[float]:
        """Squared error over that at the start, before each update and at the end."""
        w = start.copy()
        squares = [1.0]
        first = start @ hessian @ start
        with np.errstate(over="ignore"):  # beyond the edge it grows without bound
            for _ in range(updates):
                w -= rate * (hessian @ w)
                squares.append(float(w @ hessian @ w / first))
        return squares

    low = 0.5 * critical
    high = 2 * critical
    brackets = errors(low, 600)[-1] < 1 < errors(high, 600)[-1]
    for _ in range(12):
        middle = (low + high) / 2
        if errors(middle, 600)[-1] > 1:
            high = middle
        else:
            low = middle
    ways = {
        f"{share:g} of it": errors(share * critical, 300)[::5]
        for share in (0.5, 0.98, 1.02, 1.05)
    }
    shown = Lines(
        x=np.arange(0, 301, 5),
        ys=ways,
        x_label="update",
        y_label="squared error over that at the start",
        title="learning rate as a share of 2 / largest curvature",
        log="y",
    )
    return Measurement(
        measured=(low + high) / 2 / critical,
        panels=(shown,),
        seen="Below 2 / largest curvature the error falls, and only a few percent "
        "above it grows without end.",
        controls=(Control(brackets, "Half or twice that rate is not on either side."),),
    )


def u_shape(seed: int) -> Measurement:
    """Train 300 updates at learning rates far too low, good, and far too high."""
    rates = 10.0 ** np.arange(-4, 3)
    losses = [train(np.random.default_rng(seed), rate, 300) for rate in rates]
    # What was lost has no loss to draw; as a failure it counts like a loss of 1000.
    counted = np.minimum(losses, 1e3)
    shown = Lines(
        x=rates,
        ys={"after 300 updates": [x if np.isfinite(x) else np.nan for x in losses]},
        x_label="learning rate",
        y_label="cross-entropy, nats",
        log="xy",
        marks={"guessing": float(np.log(10))},
    )
    learns = Control(min(losses) < 0.5, "No learning rate trains the net.")
    return Measurement(
        measured=min(counted[0], counted[-1]) / min(counted),
        panels=(shown,),
        seen="The loss is low only in the middle: the lowest rates have hardly begun "
        "after 300 updates, and the highest leave the net no better than guessing.",
        controls=(learns,),
    )


def slow(seed: int) -> Measurement:
    """Updates that a hundredth of a good learning rate needs for the same loss."""
    counts = [10, 30, 100, 300, 1000]
    good = [train(np.random.default_rng(seed), 0.3, n) for n in counts]
    low = [train(np.random.default_rng(seed), 0.003, n) for n in counts]
    shown = Lines(
        x=counts,
        ys={"learning rate 0.3": good, "learning rate 0.003": low},
        x_label="updates",
        y_label="cross-entropy, nats",
        log="xy",
        marks={"rate 0.3 after 100": good[2]},
    )
    learns = Control(
        good[2] < 1.0, "The good learning rate has learned nothing by then."
    )
    # After 1000 updates the low rate is not where the good one was after 100.
    return Measurement(
        measured=low[-1] / good[2],
        panels=(shown,),
        seen="After 1000 updates the low rate has not come to where the good one was "
        "after 100.",
        controls=(learns,),
    )


def _plain(g: Array, first: Array, second: Array, t: int) -> Array:
    return g


def _adam(g: Array, first: Array, second: Array, t: int) -> Array:
    first += 0.1 * (g - first)
    second += 0.001 * (g**2 - second)
    scale = np.sqrt(second / (1 - 0.999**t)) + 1e-12
    return first / (1 - 0.9**t) / scale


RATES = 10.0 ** np.arange(-8, 3)
SCALES = (1.0, 10.0, 100.0)


def _losses(seed: int, step: Step, scales: tuple[float, ...] = SCALES) -> list[Array]:
    """Squared error after 200 updates by learning rate, for each scale of the inputs.

    All learning rates at once, a column of weights for each.
    """
    x, labels = digits()
    x = x[:, x.std(0) > 0.1]
    y = (labels % 2) * 2.0 - 1
    start = np.random.default_rng(seed).normal(0, 0.1, size=(x.shape[1],))
    curvature = x.T @ x / len(x)
    pull = x.T @ y / len(x)
    by_scale = []
    for scale in scales:
        w = np.repeat((start / scale)[:, None], len(RATES), axis=1)
        first = np.zeros_like(w)
        second = np.zeros_like(w)
        with np.errstate(all="ignore"):
            for t in range(1, 201):
                g = scale * (scale * curvature @ w - pull[:, None])
                w = w - RATES * step(g, first, second, t)
            losses = ((scale * x @ w - y[:, None]) ** 2).mean(0)
        by_scale.append(np.where(np.isfinite(losses), losses, 1e9))
    return by_scale


def _best(losses: Array) -> float:
    return float(RATES[np.argmin(losses)])


def _by_scale(losses: list[Array], title: str) -> Lines:
    """One curve a scale; beyond 100 a loss says no more than that it was lost."""
    return Lines(
        x=RATES,
        ys={
            f"inputs times {scale:g}": np.where(one < 100, one, np.nan)
            for scale, one in zip(SCALES, losses, strict=True)
        },
        x_label="learning rate",
        y_label="squared error after 200 updates",
        title=title,
        log="xy",
    )


def depends_on_data(seed: int) -> Measurement:
    """How far the best learning rate moves when the inputs are 100 times as large."""
    losses = _losses(seed, _plain)
    same = _best(losses[0]) / _best(_losses(seed, _plain, (1.0,))[0])
    return Measurement(
        measured=_best(losses[0]) / _best(losses[-1]),
        panels=(_by_scale(losses, "gradient descent"),),
        seen="Inputs that are ten times as large move the whole curve to learning "
        "rates a hundredth as high.",
        controls=(Control(same == 1, "The best rate moves with the same inputs too."),),
    )


def adaptive_is_less_sensitive(seed: int) -> Measurement:
    """How far Adam's best learning rate moves with the inputs, over descent's."""
    plain = _losses(seed, _plain)
    adaptive = _losses(seed, _adam)
    moved = _best(adaptive[0]) / _best(adaptive[-1])
    moved_plain = _best(plain[0]) / _best(plain[-1])
    return Measurement(
        measured=moved / moved_plain,
        panels=(_by_scale(plain, "gradient descent"), _by_scale(adaptive, "Adam")),
        seen="As the inputs grow a hundredfold the best learning rate of gradient "
        "descent moves by four powers of ten, that of Adam by two.",
        controls=(
            Control(moved_plain > 100, "That of gradient descent stays as well."),
        ),
    )


def adaptive_still_matters(seed: int) -> Measurement:
    """Adam's loss at a hundredth of its best learning rate, over that at its best."""
    losses = _losses(seed, _adam, (1.0,))[0]
    best = int(np.argmin(losses))
    shown = Lines(
        x=RATES,
        ys={"Adam": np.where(losses < 1e4, losses, np.nan)},
        x_label="learning rate",
        y_label="squared error after 200 updates",
        log="xy",
        marks={"predicting nothing": 1.0},
    )
    learns = Control(losses[best] < 0.7, "Adam learns at no learning rate.")
    return Measurement(
        measured=float(losses[best - 2] / losses[best]),
        panels=(shown,),
        seen="Adam learns most at learning rates around 1 on this problem; far below "
        "them it has learned little after 200 updates.",
        controls=(learns,),
    )


def stuck(seed: int) -> Measurement:
    """Share of starts in a narrow poor minimum that a learning rate leaves.

    The loss is a valley at 0 with a dent at 2: x^2 / 2 - exp(-20 (x - 2)^2).
    """
    starts = np.random.default_rng(seed).uniform(1.9, 2.1, 200)
    rates = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0])
    shares = []
    for rate in rates:
        x = starts.copy()
        for _ in range(int(20 / rate)):
            x = x - rate * (x + 40 * (x - 2) * np.exp(-20 * (x - 2) ** 2))
        shares.append(float((abs(x) < 0.5).mean()))
    places = np.linspace(-1, 3, 81)
    valley = Lines(
        x=places,
        ys={"loss": places**2 / 2 - np.exp(-20 * (places - 2) ** 2)},
        x_label="weight (all start in the dent at 2)",
        y_label="loss",
        title="a valley with a dent",
    )
    shown = Lines(
        x=rates,
        ys={"200 starts": shares},
        x_label="learning rate",
        y_label="share that ends at the lowest point",
        title="after the same total way",
        log="x",
    )
    stays = Control(
        shares[0] < 0.1, "The lowest learning rate leaves the dent as well."
    )
    return Measurement(
        measured=shares[-2] - shares[0],
        panels=(valley, shown),
        seen="Small steps stay in the dent; large ones jump out of it and find the "
        "lowest point.",
        controls=(stays,),
    )


def schedule_lowers(seed: int) -> Measurement:
    """Loss of a learning rate that falls to 0 over that of the same rate kept."""
    x, y = digits()
    updates = 1200
    looks = np.arange(50, updates + 1, 50)
    ways: dict[str, list[float]] = {"kept at 0.2": [], "falling from 0.2 to 0": []}
    ends = []
    for way, falls in zip(ways.values(), (0.0, 1.0), strict=True):
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64, 8, 10], 2.0)
        late = []
        for t in range(updates):
            rows = rng.integers(0, len(x), 4)
            _, grads, _ = gradients(ws, x[rows], y[rows], relu)
            sgd(ws, grads, 0.2 * (1 - falls * t / updates))
            if t >= updates - 100 and t % 10 == 0:
                late.append(gradients(ws, x, y, relu)[0])
            if t + 1 in looks:
                way.append(gradients(ws, x, y, relu)[0])
        ends.append(float(np.mean(late)))
    shown = Lines(
        x=looks,
        ys=ways,
        x_label="update",
        y_label="cross-entropy on all digits, nats",
        log="y",
    )
    kept, falling = ends
    return Measurement(
        measured=falling / kept,
        panels=(shown,),
        seen="With noisy gradients the loss at a kept learning rate goes on jumping; "
        "where the rate falls it settles lower.",
        controls=(Control(kept < 1.5, "The net learns nothing at the kept rate."),),
    )


def depends_on_optimizer(seed: int) -> Measurement:
    """Best learning rate of SGD over that of Adam: same net, weights and batches."""
    x, y = digits()
    rates = 10.0 ** np.arange(-4, 0.6, 0.5)
    ys: dict[str, list[float]] = {"SGD": [], "Adam": []}
    for rate in rates:
        ys["SGD"].append(min(train(np.random.default_rng(seed), rate, 200), 10.0))
        rng = np.random.default_rng(seed)
        ws = weights(rng, [64, 32, 10], 2.0)
        slots = slots_for(ws, 2)
        for step in range(1, 201):
            rows = rng.integers(0, len(x), 32)
            grads = gradients(ws, x[rows], y[rows], relu)[1]
            adam(ws, slots, grads, step, rate)
        ys["Adam"].append(min(gradients(ws, x, y, relu)[0], 10.0))
    best = {name: float(rates[np.argmin(one)]) for name, one in ys.items()}
    shown = Lines(
        x=rates,
        ys={name: np.where(np.less(one, 10), one, np.nan) for name, one in ys.items()},
        x_label="learning rate",
        y_label="cross-entropy after 200 updates, nats",
        log="xy",
    )
    both = max(min(one) for one in ys.values())
    return Measurement(
        measured=best["SGD"] / best["Adam"],
        panels=(shown,),
        seen="Adam is at its best at learning rates at which SGD hardly moves, and no "
        "longer learns where SGD is at its best.",
        controls=(Control(both < 0.5, "One of the two learns at no learning rate."),),
    )
