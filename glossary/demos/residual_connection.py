"""Claims of *residual connection*: a block's output is added to its input (He 2015)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glossary.lab import Control, Lines, Measurement
from glossary.lab.data import Array, Labels, digits
from glossary.lab.nets import Activation, relu, softmax, tanh, weights
from glossary.lab.steps import sgd

WIDTH = 32


class Stack(NamedTuple):
    """A deep net: a matrix in, one matrix a block, a matrix out.

    Args:
        ws: All matrices, the first and the last outside the blocks.
        activation: What bends the branch of each block.
        skip: 1 where the input of a block is added to its output, 0 where not.
        branch: Factor on the branch; residual blocks of ReLU need 1 / sqrt(blocks), or
            their outputs grow from block to block.
    """

    ws: list[Array]
    activation: Activation
    skip: float
    branch: float = 1.0


class Pass(NamedTuple):
    """What a forward and a backward pass give."""

    loss: float
    gradients: list[Array]
    outputs: list[Array]
    sizes: Array  # of the gradients for what enters each block, and leaves the last


def run(stack: Stack, x: Array, y: Labels) -> Pass:
    """Cross-entropy and gradients of a stack, by backpropagation."""
    first, *blocks, last = stack.ws
    outputs = [x @ first]
    slopes = []
    for w in blocks:
        value, slope = stack.activation(outputs[-1] @ w)
        outputs.append(stack.skip * outputs[-1] + stack.branch * value)
        slopes.append(stack.branch * slope)
    shares = softmax(outputs[-1] @ last)
    rows = np.arange(len(x))
    loss = float(-np.log(shares[rows, y] + 1e-300).mean())
    shares[rows, y] -= 1
    delta = shares / len(x)
    grads = [outputs[-1].T @ delta]
    delta = delta @ last.T
    sizes = [float(np.linalg.norm(delta))]
    for number in reversed(range(len(blocks))):
        inner = delta * slopes[number]
        grads.append(outputs[number].T @ inner)
        # The two ways back: through the branch, and past it.
        delta = inner @ blocks[number].T + stack.skip * delta
        sizes.append(float(np.linalg.norm(delta)))
    grads.append(x.T @ delta)
    return Pass(loss, grads[::-1], outputs, np.array(sizes[::-1]))


def stacked(seed: int, blocks: int, gain: float) -> list[Array]:
    """Fresh weights of a stack, equal for equal seeds."""
    rng = np.random.default_rng(seed)
    return weights(rng, [64] + [WIDTH] * (blocks + 1) + [10], gain)


def reaches_first(seed: int) -> Measurement:
    """Gradient that reaches the first of 50 blocks, over that at the last."""
    x, y = digits()
    ws = stacked(seed, 50, 0.25)
    sizes = {}
    for name, skip in (("residual", 1.0), ("plain", 0.0)):
        norms = run(Stack(ws, tanh, skip), x[:200], y[:200]).sizes
        sizes[name] = norms / norms[-1]
    shown = Lines(
        x=np.arange(51),
        ys=sizes,
        x_label="block",
        y_label="gradient for what leaves the block, over that of the last",
        log="y",
    )
    return Measurement(
        measured=float(sizes["residual"][0]),
        panels=(shown,),
        seen="Past 50 residual blocks the gradient arrives undiminished; through 50 "
        "plain ones next to nothing is left.",
        controls=(
            Control(sizes["plain"][0] < 1e-6, "It reaches the first block anyway."),
        ),
    )


def identity(seed: int) -> Measurement:
    """Change of the signal through 50 blocks whose weights are all 0."""
    x, y = digits()
    ws = stacked(seed, 50, 1.0)
    ws[1:-1] = [np.zeros_like(w) for w in ws[1:-1]]
    start = x[:100] @ ws[0]
    kept = {}
    for name, skip in (("residual", 1.0), ("plain", 0.0)):
        outputs = run(Stack(ws, relu, skip), x[:100], y[:100]).outputs
        kept[name] = np.array([np.linalg.norm(out) for out in outputs[:11]])
        if name == "residual":
            change = float(abs(outputs[-1] - start).max())
    size = np.linalg.norm(start)
    shown = Lines(
        x=np.arange(11),
        ys={name: norms / size for name, norms in kept.items()},
        x_label="block",
        y_label="size of the signal over that at the start",
    )
    return Measurement(
        measured=change,
        panels=(shown,),
        seen="Residual blocks with zero weights pass the signal on as it is; plain "
        "ones let nothing through.",
        controls=(Control(kept["plain"][-1] == 0, "Plain blocks pass the signal on."),),
    )


def _course(stack: Stack, seed: int, rate: float, updates: int) -> list[float]:
    """Loss of a few hundred digits after each ten updates; up to where it is lost."""
    x, y = digits()
    rng = np.random.default_rng(seed)
    losses = []
    with np.errstate(all="ignore"):
        for update in range(updates + 1):
            if update % 10 == 0:
                losses.append(run(stack, x[:400], y[:400]).loss)
                if not losses[-1] < 1e3:
                    return [*losses[:-1], *[np.nan] * (updates // 10 + 2 - len(losses))]
            rows = rng.integers(0, len(x), 32)
            sgd(stack.ws, run(stack, x[rows], y[rows]).gradients, rate)
    return losses


def _best(
    seed: int, blocks: int, activation: Activation, gain: float, skip: float
) -> list[float]:
    """The course that ends lowest, of three learning rates."""
    courses = []
    for rate in (0.01, 0.03, 0.1):
        ws = stacked(seed, blocks, gain)
        branch = blocks**-0.5 if skip else 1.0
        courses.append(_course(Stack(ws, activation, skip, branch), seed, rate, 100))
    return min(courses, key=lambda losses: np.nan_to_num(losses[-1], nan=np.inf))


def trains(seed: int) -> Measurement:
    """Loss of 20 residual blocks of tanh after 100 updates, over that of plain ones."""
    courses = {
        name: _best(seed, 20, tanh, 0.5, skip)
        for name, skip in (("plain", 0.0), ("residual", 1.0))
    }
    shallow = _best(seed, 2, tanh, 0.5, 0.0)
    courses["plain, two blocks"] = shallow
    shown = Lines(
        x=np.arange(0, 101, 10),
        ys=courses,
        x_label="update",
        y_label="cross-entropy, nats",
        marks={"guessing": float(np.log(10))},
    )
    return Measurement(
        measured=courses["residual"][-1] / courses["plain"][-1],
        panels=(shown,),
        seen="Twenty plain blocks stay at guessing, where twenty residual ones "
        "learn; two plain blocks learn as well.",
        controls=(Control(shallow[-1] < 2, "Plain blocks of this kind never learn."),),
    )


def only_vanishing(seed: int) -> Measurement:
    """Loss of 30 plain ReLU blocks whose gradients are kept, over residual ones."""
    x, y = digits()
    blocks = 30
    stack = Stack(stacked(seed, blocks, 2.0), relu, 0.0)
    sizes = run(stack, x[:200], y[:200]).sizes
    courses = {
        name: _best(seed, blocks, relu, 2.0, skip)
        for name, skip in (("plain", 0.0), ("residual", 1.0))
    }
    flow = Lines(
        x=np.arange(blocks + 1),
        ys={"plain": sizes / sizes[-1]},
        x_label="block",
        y_label="gradient over that of the last, before training",
        log="y",
    )
    course = Lines(
        x=np.arange(0, 101, 10),
        ys=courses,
        x_label="update",
        y_label="cross-entropy, nats",
        log="y",
    )
    kept = sizes[0] / sizes[-1]
    return Measurement(
        measured=courses["plain"][-1] / courses["residual"][-1],
        panels=(flow, course),
        seen="The gradient reaches the first of 30 plain blocks, and yet they learn "
        "far more slowly than residual ones.",
        controls=(Control(kept > 0.02, "The gradient vanishes in the plain net."),),
    )
