"""Each mechanism, broken: its claims must not come out as they are documented.

A demo that comes out the same without what it measures would measure nothing.
"""

import numpy as np
import pytest

import glossary
from glossary.demos import (
    automatic_differentiation,
    batch,
    bias,
    chain_rule,
    convergence,
    epoch,
    gradient,
    gradient_descent,
    iteration,
    loss_function,
    multilayer_perceptron,
    neuron,
    optimizer,
    stochastic_gradient_descent,
    weight,
)
from glossary.lab import nets, tape

TERMS = (
    "automatic-differentiation",
    "batch",
    "bias",
    "chain-rule",
    "convergence",
    "epoch",
    "gradient",
    "gradient-descent",
    "iteration",
    "loss-function",
    "multilayer-perceptron",
    "neuron",
    "optimizer",
    "stochastic-gradient-descent",
    "weight",
)
CLAIMS = {claim.id: claim for name in TERMS for claim in glossary.term(name).claims}

# What the broken ones fall back on.
descend = gradient_descent.descend
sgd_losses = stochastic_gradient_descent._losses
one_pass = stochastic_gradient_descent._one_pass
batch_gradient = batch._gradient
mean_gradient = batch._mean_gradient
trained = iteration._trained
work = iteration._work
after_two = iteration._after_two
after_epochs = epoch._after_epochs
pruned = weight._pruned
fit = bias.fit
held_out = bias._held_out
step = optimizer._step
images = multilayer_perceptron._trained
cost = chain_rule._cost
slow = convergence._descend
moves = convergence._squared_distances
logistic = convergence._logistic


def of_noise(ws, x, y, activation):
    """Gradients that have nothing to do with the loss."""
    loss, grads, signals = nets.gradients(ws, x, y, activation)
    rng = np.random.default_rng(len(x))
    return loss, [rng.normal(size=g.shape) for g in grads], signals


def equal(start, end, count):
    return np.ones(count)


def halving(gradient_of, start, rate, updates):
    return np.array([start * 0.5**t for t in range(updates + 1)])


def at_a_quarter(gradient_of, start, rate, updates):
    return descend(gradient_of, start, rate / 4, updates)


def without_saddle(w):
    return w - np.array([0.0, 1.0])


def one_valley(w):
    return w + 1


def of_the_first(rng, each, draws):
    """Batches that see only the first hundred examples."""
    full = each.mean(axis=0)
    return [
        float(np.linalg.norm(each[rng.integers(0, 100, 8 * n)].mean(0) - full))
        for n in draws
    ]


def same_floor(seed, rate, updates, far):
    return far * 0.5 ** np.arange(updates) + 1e-3


def all_at_once(seed, rate, size, goal=0.0):
    return sgd_losses(seed, rate, 600, goal)


def always_shuffled(seed, order):
    return one_pass(seed, np.random.default_rng(seed).permutation(order))


def summed(ws, x, y, normalize):
    return len(x) * batch_gradient(ws, x, y, normalize)


def summed_too(w, x, y):
    return len(x) * mean_gradient(w, x, y)


def idle(ws, grads, rate):
    return None


def by_epochs(seed, x, y, epochs):
    return [loss / epochs for loss in trained(seed, x, y, epochs)]


def of_one_example(ws, x, y):
    return work(ws, x[:1], y[:1])


def of_one_update(ws, batches, rate):
    return after_two(ws, batches[:1], rate)


def with_replacement(rng, count):
    return rng.integers(0, count, count)


def always_sixteen(seed, size, rate):
    return after_epochs(seed, 16, rate)


def tied_to_places(x):
    return np.maximum(x, 0) * np.arange(x.shape[1]), None


def without_ranks(ws, share, rank):
    rng = np.random.default_rng(int(100 * share))
    return pruned(ws, share, [rng.random(w.shape) for w in ws])


def one_unit(rng, count, decades):
    return np.ones(count)


def never_a_bias(x, y, bias):
    return fit(x, y, bias=False)


def scaled_alone(x):
    return x / np.sqrt(x.var(axis=0) + 1e-5)


def worse_without(seed, biases):
    return [loss if biases else 2 * loss for loss in held_out(seed, biases)]


def without_memory(ws, speeds, grads, rate):
    optimizer.sgd(ws, grads, rate)


def always_sgd(name, ws):
    return step("SGD", ws)


def wavy(x, w, b):
    return 0.5 + 0.5 * np.sin(x @ w)


def size_of_inputs(x, w):
    return abs(x).sum(axis=-1)


def waves(seed, width, hidden):
    return lambda x: np.stack([np.sin(x), np.ones_like(x)], axis=1)


def with_neighbours(x, seed, start):
    return images(x + np.roll(x, 1, axis=1), seed, start)


def without_slopes(ws, places):
    return ws


def from_the_end(matrices, from_the_end):
    return cost(matrices, from_the_end=True)


def by_difference(function, x):
    ahead = function(tape.Variable(x + 1e-5)).value
    return (ahead - function(tape.Variable(x)).value) / 1e-5


def without_pieces(x, slope):
    return x * slope


def without_curvature(curvatures, power, start, updates):
    return slow(curvatures, 4, start, updates)


def always_falling(seed, decays, updates):
    return moves(seed, True, updates)


def not_separable(x, labels, updates, marks):
    mixed = labels.copy()
    mixed[:12] = -np.sign(x[:12].sum(axis=1))
    return logistic(x, mixed, updates, marks)


SGD = stochastic_gradient_descent
MLP = multilayer_perceptron
AD = automatic_differentiation
BROKEN = [
    ("gradient/steepest", gradient, "gradients", of_noise),
    ("gradient/first-order", gradient, "gradients", of_noise),
    ("gradient/points-at-minimum", np, "geomspace", equal),
    ("gradient-descent/condition", gradient_descent, "descend", halving),
    ("gradient-descent/zigzag", gradient_descent, "descend", at_a_quarter),
    ("gradient-descent/saddle", gradient_descent, "_saddle_gradient", without_saddle),
    (
        "gradient-descent/global-minimum",
        gradient_descent,
        "_valleys_gradient",
        one_valley,
    ),
    ("stochastic-gradient-descent/unbiased", SGD, "_distances", of_the_first),
    ("stochastic-gradient-descent/noise-floor", SGD, "_hovering", same_floor),
    ("stochastic-gradient-descent/fewer-examples", SGD, "_losses", all_at_once),
    ("stochastic-gradient-descent/shuffling", SGD, "_one_pass", always_shuffled),
    ("batch/mean", batch, "_gradient", summed),
    ("batch/last-batch", batch, "_mean_gradient", summed_too),
    ("batch/early-and-late", batch, "sgd", idle),
    ("iteration/copies", iteration, "_trained", by_epochs),
    ("iteration/work", iteration, "_work", of_one_example),
    ("iteration/order", iteration, "_after_two", of_one_update),
    ("epoch/each-once", epoch, "shuffled_order", with_replacement),
    ("epoch/same-training", epoch, "_after_epochs", always_sixteen),
    ("epoch/reshuffled", epoch, "shuffled_order", with_replacement),
    (
        "loss-function/mean-and-median",
        loss_function,
        "absolute_error",
        loss_function.squared_error,
    ),
    (
        "loss-function/outlier",
        loss_function,
        "absolute_error",
        loss_function.squared_error,
    ),
    (
        "loss-function/zero-one",
        loss_function,
        "_zero_one",
        loss_function._cross_entropy,
    ),
    (
        "loss-function/same-answers",
        loss_function,
        "_cross_entropy",
        loss_function._zero_one,
    ),
    ("weight/square", weight, "number_of_weights", sum),
    ("weight/symmetry", weight, "relu", tied_to_places),
    ("weight/small-ones", weight, "_pruned", without_ranks),
    ("weight/largest-matters", weight, "_units", one_unit),
    ("bias/origin", bias, "fit", never_a_bias),
    ("bias/batch-norm", bias, "normalize", scaled_alone),
    ("bias/indispensable", bias, "_held_out", worse_without),
    ("optimizer/long-valley", optimizer, "momentum", without_memory),
    ("optimizer/best-of-all", optimizer, "_step", always_sgd),
    ("optimizer/same-rate", optimizer, "_step", always_sgd),
    ("neuron/straight", neuron, "neuron", wavy),
    ("neuron/xor", neuron, "INPUTS", np.array([[0, 0], [0, 1], [0, 1], [0, 0.0]])),
    ("neuron/pattern", neuron, "weighted_sum", size_of_inputs),
    ("multilayer-perceptron/xor", MLP, "activation", MLP._identity),
    ("multilayer-perceptron/width", MLP, "activation", MLP._identity),
    ("multilayer-perceptron/goes-on", MLP, "_random_layer", waves),
    ("multilayer-perceptron/pixels", MLP, "_trained", with_neighbours),
    ("chain-rule/product", chain_rule, "jacobians", without_slopes),
    ("chain-rule/order", chain_rule, "_cost", from_the_end),
    ("chain-rule/paths", chain_rule, "add", np.subtract),
    ("automatic-differentiation/exact", AD, "by_tape", by_difference),
    ("automatic-differentiation/loops", AD, "by_tape", by_difference),
    ("automatic-differentiation/modes", AD, "forward_cost", AD.reverse_cost),
    ("automatic-differentiation/kinks", AD, "_pieces", without_pieces),
    ("convergence/straight-line", convergence, "_descend", without_curvature),
    ("convergence/never-settles", convergence, "_squared_distances", always_falling),
    ("convergence/zero-gradient", convergence, "sgd", idle),
    ("convergence/weights-as-well", convergence, "_logistic", not_separable),
]


def test_every_claim_of_these_terms_is_broken_once():
    assert sorted(claim for claim, *_ in BROKEN) == sorted(CLAIMS)


@pytest.mark.parametrize(("claim", "place", "name", "broken"), BROKEN)
def test_a_claim_does_not_come_out_without_its_mechanism(
    monkeypatch, claim, place, name, broken
):
    monkeypatch.setattr(place, name, broken)
    with np.errstate(all="ignore"):
        evidence = CLAIMS[claim].check()
    assert evidence.verdict != CLAIMS[claim].expected, evidence
