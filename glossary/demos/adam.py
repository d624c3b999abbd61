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
        seen=(
            "Larger gradients take SGD farther in proportion, and Adam exactly as far."
        ),
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
