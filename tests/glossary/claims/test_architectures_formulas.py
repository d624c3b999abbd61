"""Formulas of the architectures, against what is computed in another way."""

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

import glossary

RNG = np.random.default_rng(0)
TERMS = (
    "convolution",
    "recurrent-neural-network",
    "transformer",
    "query-key-value",
    "self-attention",
    "multi-head-attention",
    "cross-attention",
    "positional-encoding",
    "embedding",
    "variational-autoencoder",
    "denoising-autoencoder",
    "parameter-efficient-fine-tuning",
    "low-rank-adaptation",
)


def formula(name):
    return glossary.term(name).formula


@pytest.mark.parametrize("name", TERMS)
def test_the_example_comes_out(name):
    term = glossary.term(name)
    computed = term.formula(**term.example.values)
    np.testing.assert_allclose(computed, term.example.result, rtol=1e-9)


def test_a_convolution_is_numpys_correlation():
    x = RNG.normal(size=12)
    k = RNG.normal(size=4)
    windows = np.lib.stride_tricks.sliding_window_view(x, 4)
    computed = formula("convolution")(x=windows, k=k)
    np.testing.assert_allclose(computed, np.correlate(x, k, "valid"))


def test_the_note_on_flipped_kernels_is_right():
    assert np.convolve([1, 2, 3, 4], [1, 0, -1], "valid").tolist() == [2, 2]


def test_a_score_is_the_product_of_query_and_key():
    x, z = RNG.normal(size=(2, 5))
    to_query, to_key = RNG.normal(size=(2, 3, 5))
    computed = formula("query-key-value")(x=x, z=z, W_q=to_query, W_k=to_key, d=3)
    expected = np.einsum("i,ji,jk,k", x, to_query, to_key, z) / 3**0.5
    np.testing.assert_allclose(computed, expected)


def test_sinusoids_are_parts_of_a_turning_number():
    size = 8
    for position in (0, 1, 17):
        for pair in range(size // 2):
            turned = np.exp(1j * position * 10000 ** (-2 * pair / size))
            given = {"p": position, "i": pair, "d": size}
            sine = formula("positional-encoding")(**given, odd=0)
            cosine = formula("positional-encoding")(**given, odd=1)
            np.testing.assert_allclose([cosine, sine], [turned.real, turned.imag])


def test_the_divergence_of_a_code_is_an_integral():
    mean = 0.7
    deviation = 0.4
    z = np.linspace(-8, 8, 20001)
    q = np.exp(-(((z - mean) / deviation) ** 2) / 2) / deviation / (2 * np.pi) ** 0.5
    p = np.exp(-(z**2) / 2) / (2 * np.pi) ** 0.5
    inside = q > 1e-200
    integral = (q[inside] * np.log(q[inside] / p[inside])).sum() * (z[1] - z[0])
    given = {"x": [1.0], "x_hat": [1.0], "v": 1.0, "m": [mean], "s": [deviation]}
    computed = formula("variational-autoencoder")(**given)
    np.testing.assert_allclose(computed, integral, rtol=1e-6)


def test_the_error_of_reconstruction_is_a_log_likelihood():
    x, x_hat = RNG.normal(size=(2, 6))
    given = {"x": x, "x_hat": x_hat, "v": 0.3, "m": [0.0], "s": [1.0]}
    each = (x - x_hat) ** 2 / 0.6 + np.log(2 * np.pi * 0.3) / 2
    constant = 6 * np.log(2 * np.pi * 0.3) / 2
    computed = formula("variational-autoencoder")(**given)
    np.testing.assert_allclose(computed, each.sum() - constant)


def test_the_loss_of_denoising_is_that_of_scikit_learn():
    x, x_hat = RNG.normal(size=(2, 6))
    computed = formula("denoising-autoencoder")(x=x, x_hat=x_hat)
    np.testing.assert_allclose(computed, mean_squared_error(x, x_hat))


@pytest.mark.backend
def test_a_recurrent_step_is_that_of_keras():
    import keras

    layer = keras.layers.SimpleRNN(3)
    layer.build((None, 1, 2))
    to_state, between, bias = (RNG.normal(size=w.shape) for w in layer.weights)
    layer.set_weights([to_state, between, bias])
    x = RNG.normal(size=2)
    h = RNG.normal(size=3)
    given = {"x": x, "h": h, "W": to_state.T, "U": between.T, "b": bias}
    expected = layer(
        x[None, None].astype("float32"), initial_state=h[None].astype("float32")
    )
    computed = formula("recurrent-neural-network")(**given)
    np.testing.assert_allclose(
        computed, keras.ops.convert_to_numpy(expected)[0], rtol=1e-4
    )


@pytest.mark.backend
def test_attention_to_itself_and_to_another_is_that_of_keras():
    import keras

    layer = keras.layers.MultiHeadAttention(1, 4, use_bias=False)
    x = RNG.normal(size=(3, 4))
    memory = RNG.normal(size=(5, 4))
    layer.build((1, 3, 4), (1, 5, 4))
    matrices = RNG.normal(size=(3, 4, 4))
    # Query, key and value have an axis for heads; the output stays as it is.
    layer.set_weights([*(m[:, None] for m in matrices), np.eye(4)[None]])
    names = ("W_q", "W_k", "W_v")
    shared = {**dict(zip(names, matrices, strict=True)), "d": 4}
    for other, name, rows in (
        (x, "self-attention", "X"),
        (memory, "cross-attention", "M"),
    ):
        output = layer(x[None].astype("float32"), other[None].astype("float32"))
        expected = keras.ops.convert_to_numpy(output)[0]
        computed = [formula(name)(**{rows: other}, x=row, **shared) for row in x]
        np.testing.assert_allclose(computed, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.backend
def test_weights_are_as_many_as_in_keras_and_its_biases_as_noted():
    import keras

    heads = keras.layers.MultiHeadAttention(8, 8)
    heads.build((1, 3, 64), (1, 3, 64))
    count = formula("multi-head-attention")(d=64, h=8, s=8)
    assert heads.count_params() == 16_640
    assert count == 16_384

    attention = keras.layers.MultiHeadAttention(8, 64)
    attention.build((1, 3, 512), (1, 3, 512))
    widen = keras.layers.Dense(2048)
    widen.build((1, 3, 512))
    narrow = keras.layers.Dense(512)
    narrow.build((1, 3, 2048))
    norms = [keras.layers.LayerNormalization() for _ in range(2)]
    for norm in norms:
        norm.build((1, 3, 512))
    layers = [attention, widen, narrow, *norms]
    whole = sum(layer.count_params() for layer in layers)
    assert whole - formula("transformer")(d=512, d_ff=2048) == 6656


@pytest.mark.backend
def test_an_embedding_is_that_of_keras():
    import keras

    layer = keras.layers.Embedding(4, 3)
    layer.build()
    table = RNG.normal(size=(4, 3))
    layer.set_weights([table])
    expected = keras.ops.convert_to_numpy(layer(np.array([2])))[0]
    np.testing.assert_allclose(
        formula("embedding")(o=np.eye(4)[2], E=table), expected, rtol=1e-5
    )


@pytest.mark.backend
def test_low_rank_adaptation_and_its_share_are_those_of_keras():
    import keras

    layer = keras.layers.Dense(5, use_bias=False)
    layer.build((1, 6))
    w = RNG.normal(size=(6, 5))
    layer.set_weights([w])
    layer.enable_lora(2)
    a = RNG.normal(size=(6, 2))
    b = RNG.normal(size=(2, 5))
    layer.lora_kernel_a.assign(a)
    layer.lora_kernel_b.assign(b)
    x = RNG.normal(size=6)
    given = {"x": x, "W": w, "A": a, "B": b, "alpha": 2, "r": 2}  # a factor of 1
    expected = keras.ops.convert_to_numpy(layer(x[None].astype("float32")))[0]
    computed = formula("low-rank-adaptation")(**given)
    np.testing.assert_allclose(computed, expected, rtol=1e-3, atol=1e-5)

    trained = sum(int(np.prod(w.shape)) for w in layer.trainable_weights)
    frozen = sum(int(np.prod(w.shape)) for w in layer.non_trainable_weights)
    assert (trained, frozen) == (2 * (6 + 5), 6 * 5)
    share = formula("parameter-efficient-fine-tuning")(n_t=trained, n_f=frozen)
    np.testing.assert_allclose(share, 22 / 52)
