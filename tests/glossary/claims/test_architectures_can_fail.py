"""Each mechanism of an architecture, broken: its claims must not come out the same.

Where another function takes the place of the mechanism, the verdict is another one, or
the control says that nothing was measured.
"""

import numpy as np
import pytest

import glossary
from glossary.demos import (
    convolution,
    cross_attention,
    denoising_autoencoder,
    embedding,
    encoder_decoder,
    low_rank_adaptation,
    multi_head_attention,
    parameter_efficient_fine_tuning,
    positional_encoding,
    query_key_value,
    recurrent_neural_network,
    self_attention,
    transformer,
    variational_autoencoder,
)
from glossary.lab import tape
from glossary.lab.tape import Variable

# What is broken below, as it is.
ATTEND = query_key_value.attend
ATTEND_WITH_HEADS = multi_head_attention.attend_with_heads
BLOCK = transformer.new_block
COUNTED = cross_attention.counted
DIVERGENCE = variational_autoencoder.divergence
ERRORS = multi_head_attention.errors
FACTORS = low_rank_adaptation.factors
NEW_WEIGHTS = multi_head_attention.new_weights
TRAIN = denoising_autoencoder._train
TRAINED = variational_autoencoder.trained
TUNED = parameter_efficient_fine_tuning._tuned

CLAIMS = {claim.id: claim for term in glossary.terms() for claim in term.claims}


def idle(ws, loss_of, updates, rate):
    """A training that changes nothing."""
    return np.full(updates, float(loss_of().value))


def unshared(signal, kernel):
    """A convolution whose weights differ from place to place."""
    windows = np.lib.stride_tricks.sliding_window_view(signal, len(kernel), axis=-1)
    return (windows * kernel * np.arange(1, len(windows) + 1)[:, None]).sum(-1)


def of_all_at_once(x, ws):
    """A 'convolution' with one window, which never moves."""
    return tape.relu(tape.variable(x[:, 3:8]) @ ws[0] + ws[1]) @ ws[2]


def without_steps(images, kernels, stride):
    return images.sum(axis=(1, 2))[:, None] * np.ones((1, 8))


def of_one_size(matrix, start, steps):
    return np.ones(steps + 1)


def remembering(x, h, ws):
    """A plain net whose state simply stays, once the flag was seen."""
    flag = np.asarray(x)[:, 1:]
    return h * (1 - flag) + tape.tanh(tape.concatenate([x, h]) @ ws[0]) * flag


def through_everything(rows, ws):
    """A code that is as large as the input."""
    return tape.variable(rows) * (ws[0][0, 0] * 0 + 20.0) + (ws[1][0, 0] * 0)


def blind(rows, ws):
    """A decoder that sees the mean of all states."""
    symbols, places, _, out = ws
    states = tape.variable(rows) @ symbols + places
    return (tape.mean(states, axis=1, keepdims=True) + states * 0.0) @ out


def all_allowed(length):
    return np.ones((length, length))


def wide_attention(rng, width, factor=4):
    return BLOCK(rng, width, 1)


def nothing_mixed(x, block, allowed=None):
    return x @ block.value @ block.output


def of_pairs_of_pairs(length, width):
    return length**2


def of_keys(q, k, v, allowed=None):
    """Attention that looks at the keys alone."""
    return ATTEND(np.abs(q), k, v, allowed)


def symmetric(q, k, v):
    """Attention whose scores are the same in both directions."""
    scores = q @ tape.swap(k, -1, -2)
    weights = tape.softmax(scores + tape.swap(scores, -1, -2))
    return weights @ v, weights


def even_on_tape(q, k, v):
    weights = tape.softmax((q @ tape.swap(k, -1, -2)) * 0.0)
    return weights @ v, weights


def own_row(x, ws):
    return x @ ws[2]


def linear_mix(x, ws):
    return np.cumsum(x, axis=0) @ ws[2]


def as_few(length, projections):
    return length


def one_head(x, ws, heads):
    return ATTEND_WITH_HEADS(x, ws, 1)


def of_full_width(rng, width, heads, size):
    return NEW_WEIGHTS(rng, width, heads, width)


def errors_of_two(seed, heads):
    return ERRORS(seed, min(heads, 2)) / heads


def ordered(x, memory, ws):
    return ATTEND(x @ ws[0], memory @ ws[1], np.cumsum(memory, axis=0) @ ws[2])[0]


def always_anew(x):
    """Counts that start with what all steps cost."""
    result = COUNTED(x)
    result.tally["work"] = 10**7
    return result


def drawn(length, size):
    return np.random.default_rng(7).normal(size=(length, size))


def no_places(length, size):
    return np.zeros((length, size))


def next_row(table, ids):
    return table[(ids + 1) % len(table)]


class Spread(Variable):
    """A table whose gradient reaches every row."""

    def __getitem__(self, key):
        value = self.value[key]
        return Variable(value, [(self, lambda g: np.ones_like(self.value))])


def of_any_words(rng):
    return rng.random((150, 150)), 150


def doubled(mean, deviation):
    return 2 * DIVERGENCE(mean, deviation)


def negative(mean, deviation):
    return -DIVERGENCE(mean, deviation)


def ordinary(seed, weight):
    return TRAINED(seed, 0.0)


def filtered(x, ws):
    """A net that does nothing to its input."""
    return tape.variable(x) * 1.0


def always_noisy(rng, data, noise, hidden, updates):
    return TRAIN(rng, data, 0.5, hidden, updates)


def backwards(y):
    return -np.asarray(y)


def of_small_models(width, inner, layers, rest, size):
    return {"adapters": 0.2}


def frozen_too(seed, places, count, updates):
    """All weights are trained, whatever was asked for."""
    return TUNED(seed, parameter_efficient_fine_tuning.ALL, count, updates)


def overfits(seed, places, count, updates):
    few = len(places) < 6
    return TUNED(
        seed, parameter_efficient_fine_tuning.ALL if few else (1,), count, updates
    )


def random_factors(rng, inputs, outputs, rank):
    return Variable(rng.normal(size=(inputs, rank))), Variable(
        rng.normal(size=(rank, outputs))
    )


def of_full_rank(rng, inputs, outputs, rank):
    return FACTORS(rng, inputs, outputs, max(inputs, rank))


def not_merged(w, down, up):
    return w + 0.5 * down @ up


def all_weights(seed, r):
    ws = low_rank_adaptation.base(seed)
    new = low_rank_adaptation.task(seed, 5)
    rng = np.random.default_rng(seed)
    low_rank_adaptation.train_on(rng, ws, ws, new.train_x, new.train_y, 200)
    return ws


BROKEN = [
    ("convolution/moves", convolution, "convolve", unshared),
    ("convolution/shared-weights", convolution, "convolve", unshared),
    ("convolution/elsewhere", convolution, "_convolutional", of_all_at_once),
    ("convolution/invariant", convolution, "_features", without_steps),
    ("recurrent-neural-network/power", recurrent_neural_network, "_sizes", of_one_size),
    ("recurrent-neural-network/far", recurrent_neural_network, "_step", remembering),
    (
        "recurrent-neural-network/gate",
        recurrent_neural_network,
        "_gated_step",
        recurrent_neural_network._step,
    ),
    ("encoder-decoder/fixed-code", encoder_decoder, "through_code", through_everything),
    ("encoder-decoder/attends", encoder_decoder, "through_attention", blind),
    ("encoder-decoder/code-size", encoder_decoder, "through_code", through_everything),
    ("transformer/causal", transformer, "earlier_only", all_allowed),
    ("transformer/attention-share", transformer, "new_block", wide_attention),
    ("transformer/residual", transformer, "attention", nothing_mixed),
    ("transformer/square", transformer, "_products", of_pairs_of_pairs),
    ("query-key-value/trade", query_key_value, "attend", of_keys),
    ("query-key-value/separate", query_key_value, "attend_on_tape", symmetric),
    ("query-key-value/table", query_key_value, "softmax", lambda x: x * 0 + 1 / 16),
    ("self-attention/reach", self_attention, "self_attend", own_row),
    ("self-attention/not-linear", self_attention, "self_attend", linear_mix),
    ("self-attention/cheaper", self_attention, "_attention_products", as_few),
    (
        "multi-head-attention/same-weights",
        multi_head_attention,
        "new_weights",
        of_full_width,
    ),
    (
        "multi-head-attention/two-places",
        multi_head_attention,
        "attend_with_heads",
        one_head,
    ),
    ("multi-head-attention/more-heads", multi_head_attention, "errors", errors_of_two),
    ("cross-attention/order", cross_attention, "cross_attend", ordered),
    ("cross-attention/once", cross_attention, "counted", always_anew),
    ("cross-attention/aligns", cross_attention, "attend_on_tape", even_on_tape),
    ("positional-encoding/offset", positional_encoding, "sinusoids", drawn),
    ("positional-encoding/shift", positional_encoding, "sinusoids", drawn),
    ("positional-encoding/order", positional_encoding, "sinusoids", no_places),
    ("positional-encoding/longer", positional_encoding, "fit", idle),
    ("embedding/one-hot", embedding, "look_up", next_row),
    ("embedding/rows", embedding, "Variable", Spread),
    ("embedding/context", embedding, "_pairs_of_names", of_any_words),
    ("variational-autoencoder/kl", variational_autoencoder, "divergence", doubled),
    (
        "variational-autoencoder/variance",
        variational_autoencoder,
        "through_draw",
        variational_autoencoder.by_score,
    ),
    ("variational-autoencoder/bound", variational_autoencoder, "divergence", negative),
    ("variational-autoencoder/price", variational_autoencoder, "trained", ordinary),
    ("denoising-autoencoder/beats-linear", denoising_autoencoder, "rebuild", filtered),
    ("denoising-autoencoder/from-clean", denoising_autoencoder, "_train", always_noisy),
    ("denoising-autoencoder/score", denoising_autoencoder, "score", backwards),
    (
        "parameter-efficient-fine-tuning/share",
        parameter_efficient_fine_tuning,
        "_shares",
        of_small_models,
    ),
    (
        "parameter-efficient-fine-tuning/swap",
        parameter_efficient_fine_tuning,
        "_tuned",
        frozen_too,
    ),
    (
        "parameter-efficient-fine-tuning/few-examples",
        parameter_efficient_fine_tuning,
        "_tuned",
        overfits,
    ),
    ("low-rank-adaptation/start", low_rank_adaptation, "factors", random_factors),
    ("low-rank-adaptation/merge", low_rank_adaptation, "merged", not_merged),
    ("low-rank-adaptation/rank", low_rank_adaptation, "factors", of_full_rank),
    ("low-rank-adaptation/as-good", low_rank_adaptation, "_adapted", all_weights),
]
CACHED = (
    recurrent_neural_network.losses,
    encoder_decoder.loss_at,
    multi_head_attention.errors,
    variational_autoencoder.trained,
)


def forget():
    for function in CACHED:
        function.cache_clear()


@pytest.mark.parametrize(("claim", "place", "name", "broken"), BROKEN)
def test_a_claim_does_not_come_out_without_its_mechanism(
    monkeypatch, claim, place, name, broken
):
    monkeypatch.setattr(place, name, broken)
    forget()
    verdict = CLAIMS[claim].check().verdict
    monkeypatch.undo()
    forget()
    assert verdict != CLAIMS[claim].expected
