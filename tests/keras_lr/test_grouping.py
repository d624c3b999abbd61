"""Groups: who is in which, and the rates that their updates read."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import layers, optimizers

import keras_lr
from keras_lr import group_rates, groups
from tests.kit.probe import assert_rates, data, fit, recorded, watch

pytestmark = [
    pytest.mark.backend,
    pytest.mark.skipif(
        not hasattr(optimizers, "MultiOptimizer"), reason="newer than this Keras"
    ),
]


def body(name="backbone"):
    """Two blocks of an attention (by name) and a normalization."""
    inputs = keras.Input((4,))
    x = inputs
    for i in range(2):
        x = layers.Dense(4, name=f"block_{i}")(x)
        x = layers.LayerNormalization(name=f"norm_{i}")(x)
    return keras.Model(inputs, x, name=name)


def small(*parts):
    parts = parts or (body(), layers.Dense(2, name="head"))
    return keras.Sequential([keras.Input((4,)), *parts], name="whole")


def tiny():
    return small(layers.Dense(2, name="one"), layers.Dense(2, name="two"))


def table(model, *arguments, **options):
    options = {"optimizer": optimizers.SGD(0.5), **options}
    rates = group_rates(model, groups(model, *arguments, **options))
    return {one.path: one for one in rates.weights}


def factors_of(model, *arguments, **options):
    found = table(model, *arguments, **options)
    return {path: one.factor for path, one in found.items()}


def rates_in_force(model, callbacks, updates=10, **options):
    """The rates of each group in a fit, where its updates read them."""
    compiled = model.optimizer
    inner = getattr(compiled, "inner_optimizer", compiled)
    compiled.build(model.trainable_variables)
    busy = [one for one in inner.optimizers if one.built]
    for one in busy:
        watch(one, None, updates)
    history = fit(model, callbacks, **options).history
    return {one.name: recorded(one) for one in busy}, history


# The rates in force.


def test_a_schedule_with_a_peak_gives_each_group_its_factor_of_it():
    model = tiny()
    factors = {"one/bias": 0.1, "one": 0.25, "two": 1.0}
    model.compile(groups(model, factors, optimizer=optimizers.SGD(0.3)), "mse")
    schedule = keras_lr.OneCycle(max_lr=0.2)
    rates, history = rates_in_force(model, [schedule])
    values = schedule.values(10)
    assert set(rates) == {"one_bias", "one", "two"}
    assert_rates(rates["one_bias"], 0.1 * values)
    assert_rates(rates["one"], 0.25 * values)
    assert_rates(rates["two"], values)
    # What has nothing to train has no rate in the logs.
    logged = {name for name in history if name.startswith("learning_rate")}
    assert logged == {f"learning_rate_{name}" for name in rates}


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.SGD(0.5, gradient_accumulation_steps=2),
        lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.5, use_ema=True), 1.0),
    ],
    ids=["accumulated", "loss-scaled, averaged"],
)
def test_schedules_multiply_a_layer_wise_decay(make):
    model = small(*(layers.Dense(2) for _ in range(3)))
    optimizer = make()
    model.compile(groups(model, optimizer=optimizer, decay=0.5), "mse")
    warmup = keras_lr.Warmup(3)
    down = keras_lr.LinearDecay(optimizer="depth_2")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    each = inner.gradient_accumulation_steps or 1
    rates, _ = rates_in_force(model, [warmup, down], batches=10 * each)
    for depth in range(3):
        expected = 0.5 * 0.5**depth * warmup.values(10)
        if depth == 2:
            expected = expected * down.values(10)
        np.testing.assert_allclose(rates[f"depth_{depth}"], expected, 1e-6, 1e-9)


def test_a_group_is_scheduled_by_its_key_though_no_name_may_hold_it():
    model = tiny()
    key = "o?e/kernel"
    model.compile(groups(model, {key: 0.1}, optimizer=optimizers.SGD(0.5)), "mse")
    down = keras_lr.LinearDecay(optimizer=key)
    rates, history = rates_in_force(model, [down])
    np.testing.assert_allclose(rates["o_e_kernel"], down.values(10, 0.05), 1e-6, 1e-9)
    assert_rates(rates["rest"], 0.5)
    assert set(history) == {"loss", f"learning_rate_{key}"}


def test_an_update_moves_weights_by_the_rate_of_their_group():
    given = optimizers.SGD(0.25, weight_decay=0.5)
    given.exclude_from_weight_decay(var_names=["bias"])
    model = tiny()
    made = groups(model, {"one": 0.5}, optimizer=given)
    model.set_weights([np.ones(one.shape) for one in model.get_weights()])
    twos = [2 * keras.ops.ones(one.shape) for one in model.trainable_variables]
    made.apply(twos, model.trainable_variables)
    means = [float(np.mean(one)) for one in model.get_weights()]
    # Weight decay leaves out what it was told to.
    slow = 0.125
    fast = 0.25
    expected = [1 - 2.5 * slow, 1 - 2 * slow, 1 - 2.5 * fast, 1 - 2 * fast]
    np.testing.assert_allclose(means, expected, rtol=1e-6)


# The finder and others, beside an optimizer without anything to train.


def test_lint_sees_the_groups_that_train():
    model = tiny()
    factors = {"one": 0.125, "two": 0.5}
    model.compile(groups(model, factors, optimizer=optimizers.SGD(0.5)), "mse")
    down = keras_lr.LinearDecay(max_lr=0.25)
    report = keras_lr.lint(down, epochs=1, steps_per_epoch=10, model=model)
    # The peak is that of the rest, which has nothing to train, at a factor of 1.
    assert report.name == "learning_rate_two"
    np.testing.assert_allclose(report.rates, 0.5 * down.values(10))
    assert set(report.others) == {"learning_rate_one"}


def test_find_lr_and_cooldown_know_groups_that_leave_nothing_for_the_rest():
    model = tiny()
    factors = {"one": 0.1, "two": 0.5}
    model.compile(groups(model, factors, optimizer=optimizers.SGD(0.04)), "mse")
    x, y = data(40)
    result = keras_lr.cooldown(
        model, x, y, batch_size=2, duration=2, shape="linear", save=None
    )
    # The highest of those that train: 0.5 * 0.04.
    assert result.rate == pytest.approx(0.02)
    np.testing.assert_allclose(result.history.learning_rate, [0.01, 0], atol=1e-9)
    found = keras_lr.find_lr(model, x, y, budget=150, verbose=0)
    assert len(found.losses) >= 20


# Who is in which group.


def test_a_name_is_for_a_layer_and_all_below_and_a_pattern_for_one_name():
    factors = factors_of(
        small(), {"*/bias": 2.0, "norm_*": 0.5, "backbone/block_1": 0.25}
    )
    assert factors == {
        "backbone/block_0/kernel": 1.0,
        "backbone/block_0/bias": 2.0,
        "backbone/norm_0/gamma": 0.5,
        "backbone/norm_0/beta": 0.5,
        "backbone/block_1/kernel": 0.25,
        "backbone/block_1/bias": 2.0,
        "backbone/norm_1/gamma": 0.5,
        "backbone/norm_1/beta": 0.5,
        "head/kernel": 1.0,
        "head/bias": 2.0,
    }


def test_the_first_key_that_matches_counts():
    first = factors_of(small(), {"block_1": 0.5, "backbone": 0.1})
    assert first["backbone/block_1/kernel"] == pytest.approx(0.5)
    assert first["backbone/block_0/kernel"] == pytest.approx(0.1)
    last = factors_of(small(), {"head": 2.0, "*": 0.25})
    assert {*last.values()} == {0.25, 2.0}
    with pytest.raises(ValueError, match=r"'block_1' gets none: .* by 'backbone' befo"):
        groups(small(), {"backbone": 0.1, "block_1": 0.5}, optimizer="sgd")


class Block(layers.Layer):
    """A layer that is made of two."""

    def __init__(self, **options):
        super().__init__(**options)
        self.query = layers.Dense(4, name="query")
        self.key = layers.Dense(4, name="key")

    def build(self, shape):
        self.query.build(shape)
        self.key.build(shape)

    def call(self, inputs):
        return self.query(inputs) * self.key(inputs)


def test_layers_inside_of_layers_have_paths_as_well_and_are_one_for_decay():
    model = small(Block(name="block_0"), Block(name="block_1"), layers.Dense(2))
    factors = factors_of(model, {"block_*/query": 4.0}, decay=0.5)
    assert factors["block_0/query/kernel"] == 4 * 0.5**2
    assert factors["block_0/key/kernel"] == 0.5**2
    assert factors["block_1/key/bias"] == 0.5


def test_decay_counts_layers_from_the_end_and_normalization_with_the_one_before():
    factors = factors_of(small(), decay=0.5)
    depths = {path: -np.log2(factor) for path, factor in factors.items()}
    assert depths == {
        **{f"backbone/block_0/{name}": 2 for name in ("kernel", "bias")},
        **{f"backbone/norm_0/{name}": 2 for name in ("gamma", "beta")},
        **{f"backbone/block_1/{name}": 1 for name in ("kernel", "bias")},
        **{f"backbone/norm_1/{name}": 1 for name in ("gamma", "beta")},
        **{f"head/{name}": 0 for name in ("kernel", "bias")},
    }
    # What comes before the first matrix goes with it; 1 changes nothing.
    early = small(layers.BatchNormalization(), layers.Dense(3), layers.Dense(1))
    assert [*factors_of(early, decay=0.5).values()] == [0.5] * 4 + [1.0] * 2
    assert {*factors_of(early, decay=1).values()} == {1.0}


def test_factors_and_decay_multiply():
    found = table(small(), {"bias": 2.0}, decay=0.25)
    assert found["backbone/block_0/bias"].factor == 2 * 0.25**2
    assert found["backbone/block_0/bias"].group == "bias_depth_2"
    assert found["backbone/block_0/bias"].rate == 0.5 * 2 * 0.25**2
    assert found["backbone/block_0/kernel"].group == "depth_2"


def test_a_layer_used_twice_is_one_and_has_both_of_its_paths():
    shared = layers.Dense(4, name="shared")
    one = keras.Sequential([keras.Input((4,)), shared], name="one")
    two = keras.Sequential([keras.Input((4,)), shared], name="two")
    model = small(one, two, layers.Dense(2, name="head"))
    found = table(model, {"two/shared": 0.5}, decay=0.5)
    assert len(found) == 4
    assert found["one/shared/kernel"].factor == 0.5 * 0.5**1


def test_a_model_that_is_a_class_holds_weights_and_layers_in_the_order_of_its_own():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.token = self.add_weight(shape=(1, 4), name="token")
            self.body = layers.Dense(4, name="body")
            self.head = layers.Dense(2, name="head")

        def call(self, inputs):
            return self.head(self.body(inputs + self.token))

    model = Mine()
    with pytest.raises(ValueError, match=r"must be built.*Mine 'mine'.*model\(x\[:1\]"):
        groups(model, {"body": 0.1}, optimizer="sgd")
    model(data(1)[0])
    factors = factors_of(model, {"body": 3.0}, decay=0.5)
    assert factors == {
        "token": 0.25,
        "body/kernel": 1.5,
        "body/bias": 1.5,
        "head/kernel": 1.0,
        "head/bias": 1.0,
    }


def test_frozen_weights_are_in_groups_too_and_train_there_once_they_may():
    model = small()
    model.get_layer("backbone").trainable = False
    made = groups(model, {"backbone": 0.5, "head": 1.0}, optimizer="sgd")
    # The ones that train come first.
    assert [one.name for one in made.optimizers] == ["head", "backbone", "rest"]
    told = group_rates(model, made)
    assert [one.path for one in told.weights] == ["head/kernel", "head/bias"]
    assert str(told).endswith("8 more are frozen.")
    model.get_layer("backbone").trainable = True
    assert {one.group for one in group_rates(model, made).weights} == {
        "backbone",
        "head",
    }


# The optimizers.


def test_each_optimizer_is_like_the_one_that_was_given_which_is_left_alone():
    given = optimizers.AdamW(
        0.25, weight_decay=0.5, beta_2=0.9, clipnorm=2.0, name="mine"
    )
    made = groups(tiny(), {"one": 0.5}, optimizer=given)
    for one, rate in zip(made.optimizers, (0.125, 0.25), strict=True):
        differing = {"learning_rate": rate, "name": one.name}
        assert one.get_config() == {**given.get_config(), **differing}
    assert given.name == "mine"
    assert not given.built


def test_a_name_of_an_optimizer_will_do_and_loss_scaling_stays_around_all():
    assert group_rates(small(), groups(small(), decay=0.5, optimizer="adam"))
    scaled = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=8.0)
    made = groups(small(), {"head": 2.0}, optimizer=scaled)
    assert isinstance(made, optimizers.LossScaleOptimizer)
    assert made.initial_scale == 8.0
    assert made is not scaled
    assert [one.name for one in made.inner_optimizer.optimizers] == ["head", "rest"]


def test_clipping_by_the_norm_of_all_gradients_is_said_to_be_by_group():
    with pytest.warns(UserWarning, match=r"norm of its own.*global_clipnorm=1 bounds"):
        groups(small(), decay=0.5, optimizer=optimizers.SGD(0.1, global_clipnorm=1.0))


def late():
    model = keras.Sequential([layers.Dense(4, name="body"), layers.Dense(2)])
    model(data(1)[0])
    return model, {"body": 0.1}


@pytest.mark.parametrize(
    "make",
    [
        lambda: (small(), {"backbone/block_0": 0.1, "norm_?": 0.5, "head": 2.0}),
        lambda: (
            small(keras.Sequential([layers.Dense(3, name="a")], name="inner")),
            {"inner": 0.1},
        ),
        late,
    ],
    ids=["a functional model in a sequential one", "sequential in it", "built late"],
)
def test_a_saved_model_has_its_groups_again_and_needs_keras_alone(make, tmp_path):
    model, factors = make()
    adam = optimizers.Adam(0.5)
    model.compile(groups(model, factors, optimizer=adam, decay=0.5), "mse")
    model.optimizer.build(model.trainable_variables)
    for number, one in enumerate(model.optimizer.variables):
        one.assign(keras.ops.full(one.shape, number, one.dtype))
    assert "keras_lr" not in json.dumps(model.optimizer.get_config())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    # Keras calls the weights otherwise now, and the rates have been written over.
    for one, other in zip(
        group_rates(loaded).weights, group_rates(model).weights, strict=True
    ):
        assert (one.path, one.group) == (other.path, other.group)
    assert type(loaded.optimizer) is optimizers.MultiOptimizer
    state = [keras.ops.convert_to_numpy(one) for one in model.optimizer.variables]
    again = [keras.ops.convert_to_numpy(one) for one in loaded.optimizer.variables]
    assert len(again) == len(state) > len(model.trainable_variables)
    for one, other in zip(state, again, strict=True):
        np.testing.assert_array_equal(one, other)


# What the table shows.


def test_the_table_shows_optimizers_made_by_hand_and_single_ones():
    model = small(layers.Dense(1, name="<head>"))
    cosine = optimizers.schedules.CosineDecay(0.5, 9)
    mapped = {
        ".*bias": optimizers.SGD(0.25, name="a"),
        ".*k.*": optimizers.SGD(cosine, name="b"),
    }
    rest = optimizers.SGD(0.5)
    by_hand = optimizers.MultiOptimizer(optimizers.OptimizerMap(rest, mapped))
    assert str(group_rates(model, by_hand)).splitlines() == [
        "weight         shape   group  factor  rate",
        "<head>/kernel  (4, 1)  b      -       -",
        "<head>/bias    (1,)    a      0.5     0.25",
    ]
    assert "<td>&lt;head&gt;/bias</td>" in group_rates(model, by_hand)._repr_html_()
    with pytest.raises(RuntimeError, match="must be compiled"):
        group_rates(model)
    model.compile(optimizers.SGD(0.25), "mse")
    assert {one.factor for one in group_rates(model).weights} == {1.0}
    chosen = optimizers.MultiOptimizer(lambda variable: rest)
    assert {one.factor for one in group_rates(model, chosen).weights} == {None}


# What is refused.


@pytest.mark.parametrize(
    ("factors", "options", "message"),
    [
        (
            {"tail": 0.1},
            {},
            r"'tail', which matches none of backbone/block_0, .*, head",
        ),
        ({"backbone/": 0.1}, {}, r"'backbone/', which matches none of"),
        ({"head": 0}, {}, r"'head': 0\. .* set trainable = False"),
        ({"head": -1.0}, {}, r"finite and above 0\. Received: 'head': -1\.0"),
        ({"head": float("nan")}, {}, r"finite and above 0\. Received: 'head': nan"),
        ({"head": "1e-3"}, {}, r"must be a number, not text"),
        ({3: 0.5}, {}, r"names of layers as keys\. Received: 3: 0\.5"),
        ([("head", 0.5)], {}, r"must map names to factors"),
        (None, {}, r"need `factors` or a `decay`\. Received: neither"),
        ({}, {"decay": 0.0}, r"`decay` must lie in \(0, 1\]\. Received: decay=0\.0"),
        ({}, {"decay": 1.5}, r"`decay` must lie in \(0, 1\]\. Received: decay=1\.5"),
        ({"head?": 1}, {}, r"'head\?', which matches none of"),
        ({"head/kern": 1}, {}, r"'head/kern', which matches none of"),
        ({"whole": 1}, {}, r"'whole', which matches none of"),
        ({"block_?": 1, "block_1": 2}, {}, r"'block_1' gets none"),
        ({"head": 0.1}, {"optimizer": 3}, r"must be one of Keras 3"),
    ],
)
def test_bad_input_is_one_sentence(factors, options, message):
    options = {"optimizer": "sgd", **options}
    with pytest.raises((TypeError, ValueError), match=message):
        groups(small(), factors, **options)


def test_optimizers_that_cannot_be_multiplied_are_refused():
    cosine = optimizers.schedules.CosineDecay(0.1, 9)
    with pytest.raises(ValueError, match=r"'mine' with a schedule.*as a callback"):
        groups(small(), {"head": 0.1}, optimizer=optimizers.SGD(cosine, name="mine"))
    several = groups(small(), {"head": 0.1}, optimizer="sgd")
    with pytest.raises(TypeError, match="must be a single one"):
        groups(small(), {"head": 0.1}, optimizer=several)
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        groups(layers.Dense(3), {"head": 0.1}, optimizer="sgd")


def test_groups_that_keras_could_not_tell_apart_are_refused():
    twins = small(body("left"), body("right"))
    with pytest.raises(ValueError, match=r"two called 'block_0/kernel', one in 'left'"):
        groups(twins, {"left": 0.1, "right": 0.5}, optimizer="sgd")
    # In one group they may be.
    assert {*factors_of(twins, {"[lr]*t": 0.5}).values()} == {0.5}
    names = small(layers.Dense(3, name="rest"), layers.Dense(2))
    with pytest.raises(ValueError, match=r"two that are called 'rest'"):
        groups(names, {"rest": 0.5}, optimizer="sgd")


def test_a_keras_without_several_optimizers_is_named(monkeypatch):
    monkeypatch.delattr(optimizers, "MultiOptimizer")
    with pytest.raises(ImportError, match=r"needs Keras 3\.15 or newer.*Received: Ker"):
        groups(small(), {"head": 0.1}, optimizer="sgd")
