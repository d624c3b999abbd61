"""Claims of *Adam*: the algorithm itself, in float64 (Kingma and Ba, algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, tables
from glossary.lab.nets import gradients, relu, weights
from glossary.lab.steps import adam, slots_for

#: Far below every gradient here, where a claim is not about epsilon.
NO_EPSILON = 1e-30


def steps(
    gradients: Sequence[Array] | Array,
    b1: float = 0.9,
    b2: float = 0.999,
    correct: bool = True,
    epsilon: float = NO_EPSILON,
) -> Array:
    """Step of each update at a learning rate of 1.

    Args:
        gradients: Those of each update in turn.
        b1: Decay of the first moment.
        b2: Decay of the second moment.
        correct: Whether the bias of both towards 0 is corrected.
        epsilon: What is added to the root.
    """
    m = np.zeros_like(gradients[0])
    v = np.zeros_like(gradients[0])
    taken = []
    for t, g in enumerate(gradients, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        fix_m = 1 - b1**t if correct else 1.0
        fix_v = 1 - b2**t if correct else 1.0
        taken.append((m / fix_m) / (np.sqrt(v / fix_v) + epsilon))
    return np.array(taken)


def first_step(seed: int) -> Measurement:
    """Size of the first step for gradients of all sizes."""
    sizes = 10.0 ** np.arange(-6, 7)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], len(sizes))
    g = (sign * sizes)[None]
    corrected = abs(steps(g)[0])
    plain = abs(steps(g, correct=False)[0])
    shown = Lines(
        x=sizes,
        ys={"Adam": corrected, "without correction": plain},
        x_label="size of the gradient",
        y_label="first step over the learning rate",
        log="x",
    )
    differs = abs(plain - 1).max() > 0.5
    return Measurement(
        measured=abs(corrected - 1).max(),
        panels=(shown,),
        seen="Adam's first step is one learning rate long for gradients of any size.",
        controls=(Control(differs, "Without the correction it is so as well."),),
    )


def epsilon_shortens(seed: int) -> Measurement:
    """First step of gradients as small as epsilon, as the paper and as Keras count it.

    Keras adds epsilon to the root before the correction of its bias, so that epsilon
    counts 1 / sqrt(1 - beta_2) = 31.6 times as much at the first update.
    """
    epsilon = 1e-7
    sizes = 10.0 ** np.arange(-10.0, -2.5, 0.25)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], len(sizes))
    g = (sign * sizes)[None]
    ys = {
        "no epsilon": abs(steps(g)[0]),
        "epsilon 1e-7, paper": abs(steps(g, epsilon=epsilon)[0]),
        "epsilon 1e-7, Keras": abs(steps(g, epsilon=epsilon / np.sqrt(0.001))[0]),
    }
    shown = Lines(
        x=sizes,
        ys=ys,
        x_label="size of the gradient",
        y_label="first step over the learning rate",
        log="x",
        marks={"half a learning rate": 0.5},
    )
    at_epsilon = int(np.argmin(abs(sizes - epsilon)))
    full = ys["no epsilon"][at_epsilon]
    return Measurement(
        measured=ys["epsilon 1e-7, paper"][at_epsilon],
        panels=(shown,),
        seen="Gradients near epsilon and below lead to shorter first steps.",
        controls=(Control(full > 0.99, "The step is short without epsilon as well."),),
    )


def scale_free(seed: int) -> Measurement:
    """Way of 200 updates, for the same gradients at several scales."""
    g = np.random.default_rng(seed).normal(0.3, 1, (200, 1))
    scales = 10.0 ** np.arange(-3, 4)
    changes = {}
    distances = {}
    for name, take in (("Adam", steps), ("SGD", np.negative)):
        way = np.cumsum(take(g)[:, 0])
        scaled = [np.cumsum(take(scale * g)[:, 0]) for scale in scales]
        farthest = abs(way).max()
        # Judged at the ends and in the middle: the others are drawn alone.
        changes[name] = max(abs(way - scaled[i]).max() / farthest for i in (0, 3, 6))
        distances[name] = [abs(one).max() / farthest for one in scaled]
    shown = Lines(
        x=scales,
        ys=distances,
        x_label="factor on all gradients",
        y_label="distance in 200 updates, over that at factor 1",
        log="xy",
    )
    differs = changes["SGD"] > 1
    return Measurement(
        measured=changes["Adam"],
        panels=(shown,),
        seen="SGD goes as many times as far; Adam goes exactly as far.",
        controls=(Control(differs, "The scale matters to no optimizer."),),
    )


def _paper_bound(b1: float, b2: float) -> float:
    """The bound on a step, over the learning rate (Kingma and Ba, sec. 2.1)."""
    return float((1 - b1) / np.sqrt(1 - b2))


def _row_of_steps(g: Array, title: str, b1: float, b2: float, bound: float) -> Lines:
    """Length of the last 50 steps, and a bound across them."""
    length = abs(steps(g, b1, b2)).reshape(len(g), -1).max(axis=1)[-50:]
    return Lines(
        x=np.arange(len(g) - 49, len(g) + 1),
        ys={"longest step": length},
        x_label="update",
        y_label="length over the learning rate",
        title=title,
        marks={f"bound, {bound:.3g}": bound},
    )


def bound(seed: int) -> Measurement:
    """Longest step after zeros, and for random gradients, over the paper's bound."""
    limit = _paper_bound(0.9, 0.999)
    rng = np.random.default_rng(seed)
    sparse = np.zeros((20001, 1))
    sparse[-1] = rng.normal()
    dense = rng.normal(size=(300, 50))
    # Only the last step after the zeros: before it there is no gradient at all.
    longest = max(abs(steps(g)[-1]).max() for g in (sparse, dense))
    other = abs(steps(sparse, b1=0.0)[-1]).max()
    panels = (
        _row_of_steps(sparse, "one gradient after 20,000 zeros", 0.9, 0.999, limit),
        _row_of_steps(dense, "random gradients, 50 weights", 0.9, 0.999, limit),
    )
    return Measurement(
        measured=longest / limit,
        panels=panels,
        seen="A gradient after many zeros just reaches the bound; random ones stay far "
        "below it.",
        controls=(
            Control(other > 2 * limit, "Another beta_1 keeps the bound as well."),
        ),
    )


def _growing(first: float, b1: float, b2: float, count: int) -> Array:
    """Gradients each b2 / b1 times as large as the last.

    Of all gradients these lead to the longest step: by Cauchy and Schwarz
    m / sqrt(v) is largest where each gradient is as (b2 / b1)^t.
    """
    return first * (b2 / b1) ** np.arange(float(count))[:, None]


def bound_always(seed: int) -> Measurement:
    """Longest step under gradients that grow, over the paper's bound."""
    b1 = 0.9
    b2 = 0.999
    limit = _paper_bound(b1, b2)
    rng = np.random.default_rng(seed)
    rows = {
        "random gradients": rng.normal(size=(3000, 1)),
        "each 1.11 times as large as the last": _growing(rng.normal(), b1, b2, 3000),
    }
    lengths = {name: abs(steps(g, b1, b2)[:, 0]) for name, g in rows.items()}
    random, growing = (length.max() for length in lengths.values())
    shown = Lines(
        x=np.arange(1, 3001, 60),
        ys={name: length[::60] for name, length in lengths.items()},
        x_label="update",
        y_label="length of the step over the learning rate",
        marks={"the paper's bound": limit},
    )
    return Measurement(
        measured=growing / limit,
        panels=(shown,),
        seen="Gradients that grow steadily lead to steps of twice the paper's bound.",
        controls=(Control(random < limit, "Random gradients break it as well."),),
    )


def bound_elsewhere(seed: int) -> Measurement:
    """Longest step for betas outside of the paper's condition, over its formula."""
    g = np.random.default_rng(seed).normal(size=(50, 20))
    panels = []
    excess = []
    for b1, b2 in ((0.9, 0.999), (0.9, 0.95)):
        limit = _paper_bound(b1, b2)
        title = f"beta_1 = {b1:g}, beta_2 = {b2:g}"
        panels.append(_row_of_steps(g, title, b1, b2, limit))
        excess.append(abs(steps(g, b1, b2)).max() / limit)
    inside, outside = excess
    return Measurement(
        measured=outside,
        panels=tuple(panels),
        seen="With 0.9 and 0.95 the first steps are longer than the formula says.",
        controls=(Control(inside < 1, "With 0.9 and 0.999 they are longer as well."),),
    )


def is_rmsprop(seed: int) -> Measurement:
    """With beta_1 = 0 and no correction, against RMSProp written by itself."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    mean = np.zeros(20)
    own = []
    for one in g:
        mean = 0.999 * mean + 0.001 * one**2
        own.append(one / np.sqrt(mean))
    bare = steps(g, b1=0.0, correct=False)
    full = steps(g)
    same = abs(bare / own - 1).max()
    other = abs(full / own - 1).max()
    shown = Lines(
        x=np.arange(1, 101),
        ys={
            "all of Adam": abs(full - own).max(axis=1),
            "beta_1 = 0, no correction": abs(bare - own).max(axis=1),
        },
        x_label="update",
        y_label="largest difference from RMSProp's step, learning rates",
    )
    return Measurement(
        measured=same,
        panels=(shown,),
        seen="Without momentum and correction the steps are those of RMSProp.",
        controls=(Control(other > 0.01, "The full algorithm is RMSProp as well."),),
    )


def is_adagrad(seed: int) -> Measurement:
    """Its limit: beta_1 = 0, beta_2 near 1, learning rate over root t."""
    g = np.random.default_rng(seed).normal(size=(100, 20))
    own = g / np.sqrt(np.cumsum(g**2, axis=0))
    root = np.sqrt(np.arange(1, 101))[:, None]
    gaps = 10.0 ** -np.arange(1, 8)
    errors = [abs(steps(g, 0.0, 1 - gap) / root / own - 1).max() for gap in gaps]
    shown = Lines(
        x=gaps[::-1],
        ys={"Adam against AdaGrad": errors[::-1]},
        x_label="1 - beta_2",
        y_label="largest relative difference of a step",
        log="xy",
    )
    return Measurement(
        measured=errors[-1],
        panels=(shown,),
        seen="The nearer beta_2 is to 1, the nearer is Adam to AdaGrad.",
        controls=(Control(errors[0] > 0.1, "Far from the limit it is so as well."),),
    )


def _regression_errors(
    seed: int, name: str, rate: float, updates: int, chance: Array, moves: bool
) -> Array:
    """Squared distance from the goal at each update of a noisy linear regression.

    Args:
        seed: Of examples, goals and noise.
        name: ``SGD``, ``AdaGrad`` or ``RMSProp``.
        rate: The learning rate.
        updates: Their number; one example each.
        chance: In how many of the examples each feature is seen.
        moves: Whether the goal moves every 400 updates.
    """
    rng = np.random.default_rng(seed)
    size = len(chance)
    count = -(-updates // 400) if moves else 1
    x = rng.normal(size=(updates, size)) * (rng.random((updates, size)) < chance)
    goals = rng.normal(size=(count, size))
    noise = rng.normal(0, 0.5, updates)
    keep = {"AdaGrad": 1.0, "RMSProp": 0.99, "SGD": 0.0}[name]
    w = np.zeros(size)
    square = np.zeros(size)
    errors = []
    for t in range(updates):
        goal = goals[t * count // updates]
        # What diverges stays finite, so that it can be drawn as the worst.
        g = x[t] * np.clip(x[t] @ (w - goal) - noise[t], -1e6, 1e6)
        square = keep * square + (1.0 if keep == 1 else 1 - keep) * g * g
        fix = 1.0 if keep == 1 else 1 - keep ** (t + 1)
        w = w - rate * (g if name == "SGD" else g / (np.sqrt(square / fix) + 1e-8))
        w = np.clip(w, -1e3, 1e3)
        errors.append(float(((w - goal) ** 2).mean()))
    return np.array(errors)


def sparse(seed: int) -> Measurement:
    """Error of SGD over AdaGrad's for rare features, each at its best learning rate."""
    rates = 10.0 ** np.arange(-2.5, 0.6, 0.25)
    features = {
        "10 of 40 features in 1 example of 50": np.r_[np.ones(30), np.full(10, 0.02)],
        "all features in every example": np.ones(40),
    }
    ratios = []
    panels = []
    for title, chance in features.items():
        ends = {}
        for name in ("SGD", "AdaGrad"):
            runs = [
                _regression_errors(seed, name, rate, 600, chance, moves=False)
                for rate in rates
            ]
            ends[name] = [min(float(run[-50:].mean()), 10.0) for run in runs]
        ratios.append(min(ends["SGD"]) / min(ends["AdaGrad"]))
        shown = Lines(
            x=rates,
            ys=ends,
            x_label="learning rate",
            y_label="squared error after 600 updates, at most 10",
            title=title,
            log="xy",
        )
        panels.append(shown)
    rare, common = ratios
    return Measurement(
        measured=rare,
        panels=tuple(panels),
        seen="Where some features are rare, AdaGrad at its best learning rate ends "
        "below SGD at its best.",
        controls=(Control(common < rare, "Where none is rare, it gains as much."),),
    )


def moving(seed: int) -> Measurement:
    """Error of AdaGrad over RMSProp's after the goal has moved five times.

    Each runs at the learning rate that is best until the goal moves first.
    """
    rates = 10.0 ** np.arange(-2.5, 0.6, 0.5)
    every = np.ones(20)
    ways = {}
    for name in ("AdaGrad", "RMSProp"):
        runs = [
            _regression_errors(seed, name, rate, 400, every, moves=True)
            for rate in rates
        ]
        best = rates[int(np.argmin([run.mean() for run in runs]))]
        run = _regression_errors(seed, name, best, 2400, every, moves=True)
        ways[name] = run.reshape(-1, 40).mean(1)
    shown = Lines(
        x=range(20, 2400, 40),
        ys=ways,
        x_label="update; the goal moves every 400",
        y_label="squared error",
        log="y",
    )
    # The last 40 updates before the goal moves first.
    early = {name: float(way[9]) for name, way in ways.items()}
    late = {name: float(way[-20:].mean()) for name, way in ways.items()}
    return Measurement(
        measured=late["AdaGrad"] / late["RMSProp"],
        panels=(shown,),
        seen="With each move AdaGrad gets slower; RMSProp follows as before.",
        controls=(
            Control(
                early["AdaGrad"] < early["RMSProp"],
                "AdaGrad is behind before anything has moved.",
            ),
        ),
    )


def _scaled(g: float, v: float) -> float:
    """The direction of Adam without momentum."""
    return float(g / np.sqrt(v))


def always_converges(seed: int) -> Measurement:
    """The online problem of Reddi: 3 x in every third round, else -x, x in [-1, 1]."""
    rounds = 3000
    b2 = 1 / 10  # 1 / (1 + 3^2), as in the proof; beta_1 is 0
    start = float(np.random.default_rng(seed).uniform(-0.5, 0.5))
    ways = {}
    for name in ("Adam", "SGD"):
        x = start
        v = 0.0
        way = []
        for t in range(1, rounds + 1):
            g = 3.0 if t % 3 == 1 else -1.0
            v = b2 * v + (1 - b2) * g * g
            direction = _scaled(g, v) if name == "Adam" else g
            x = float(np.clip(x - 0.5 / np.sqrt(t) * direction, -1, 1))
            way.append(x)
        ways[name] = np.array(way[::30])
    shown = Lines(
        x=np.arange(0, rounds, 30),
        ys=ways,
        x_label="round",
        y_label="x; the best is -1, the worst 1",
    )
    descends = ways["SGD"][-1] < -0.5
    return Measurement(
        measured=float(ways["Adam"][-10:].mean()),
        panels=(shown,),
        seen="SGD goes to the best point, Adam to the worst one.",
        controls=(Control(descends, "SGD does not converge either."),),
    )


def default_rate(seed: int) -> Measurement:
    """Share of what the best learning rate learns that 0.001 learns, on four tasks."""
    rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    shares = {}
    for name, (x, y) in tables().items():
        losses = []
        for rate in rates:
            rng = np.random.default_rng(seed)
            ws = weights(rng, [x.shape[1], 32, y.max() + 1], 2.0)
            slots = slots_for(ws, each=2)
            start = gradients(ws, x, y, relu)[0]
            for step in range(1, 401):
                rows = rng.integers(0, len(x), 16)
                adam(ws, slots, gradients(ws, x[rows], y[rows], relu)[1], step, rate)
            losses.append(gradients(ws, x, y, relu)[0])
        fall = start - np.array(losses)
        shares[name] = np.clip(fall / fall.max(), 0, 1)
    shown = Lines(
        x=rates,
        ys=shares,
        x_label="learning rate",
        y_label="fall of the loss over the largest fall",
        log="x",
        marks={"half": 0.5},
    )
    worst = min(share[2] for share in shares.values())
    smaller = max(share[0] for share in shares.values())
    return Measurement(
        measured=worst,
        panels=(shown,),
        seen="At 0.001 all four tasks learn most of what they can in 400 updates.",
        controls=(Control(smaller < 0.5, "At 0.00001 they do so as well."),),
    )
