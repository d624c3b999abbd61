from __future__ import annotations

import copy
import json
import pickle

import keras
import matplotlib as mpl
import numpy as np
import pytest

import keras_lr as k
from keras_lr.phases import hold, linear
from tests.kit.names import name_of
from tests.kit.probe import assert_rates, fit, recorded, watched

mpl.use("Agg")

RUN = {"steps": 20, "steps_per_epoch": 5}
SWING = k.Schedule(hold(value=0.5), hyperparameter="momentum")
PRODUCTS = [
    k.combine(k.Warmup(4), k.CosineDecay(max_lr=0.5)),
    k.combine(k.CosineDecay(max_lr=0.5, min_lr=0.1), k.Warmup("1 epoch")),
    k.combine(k.Warmup(4), k.StepDecay(every="2 epochs"), k.LinearDecay(horizon=40)),
    k.combine(k.OneCycle(max_lr=0.5), SWING),
    k.combine(k.LinearDecay()),
]


@pytest.mark.parametrize("product", PRODUCTS, ids=name_of)
def test_a_product_is_that_of_its_schedules(product):
    peak = 0.5 if "max_lr" in repr(product) else 0.1
    factors = 1.0
    for schedule in product.schedules:
        if schedule.hyperparameter == "learning_rate":
            factors = factors * schedule.values(base_lr=peak, **RUN) / peak
    values = product.values(base_lr=0.1, **RUN)
    np.testing.assert_allclose(values, peak * factors, rtol=1e-12)
    at = [19, 0, 7]
    assert product.at(at, base_lr=0.1, **RUN).tolist() == values[at].tolist()


def test_momentum_multiplies_likewise():
    alone = k.OneCycle().momentum_values(20)
    together = k.combine(k.OneCycle(), SWING, k.Warmup(3)).momentum_values(20)
    np.testing.assert_allclose(together, alone / 2, rtol=1e-12)
    assert k.combine(k.Warmup(3)).momentum_values(2, base=0.7).tolist() == [0.7] * 2
    only = k.combine(SWING, SWING)
    assert only.values(2, base_lr=0.8).tolist() == pytest.approx([0.2] * 2)
    with pytest.raises(ValueError, match="A schedule of momentum is none of the rate"):
        only.as_keras_schedule(3)


def test_products_of_products_are_flat():
    product = k.combine(k.combine(k.Warmup(4), k.Rex()), k.LinearDecay(max_lr=0.5))
    assert repr(product) == (
        "combine(Warmup(warmup=4), Rex(), LinearDecay(max_lr=0.5))"
    )
    assert repr(eval(repr(product), vars(k))) == repr(product)


@pytest.mark.parametrize("product", PRODUCTS, ids=name_of)
def test_a_product_survives_its_config_copies_and_pickles(product):
    written = json.dumps(keras.saving.serialize_keras_object(product))
    for again in (
        keras.saving.deserialize_keras_object(json.loads(written)),
        type(product).from_config(product.get_config()),
        copy.deepcopy(product),
        pickle.loads(pickle.dumps(product)),
    ):
        assert repr(again) == repr(product)
        assert again.values(**RUN).tolist() == product.values(**RUN).tolist()


REFUSED = {
    "nothing": (k.combine, (), "needs at least one schedule. Received: none."),
    "two absolute rates": (
        k.combine,
        (k.OneCycle(max_lr=0.1), k.Warmup(), k.LinearDecay(max_lr=0.2)),
        "Only one of the schedules can set an absolute learning_rate; the others "
        "multiply it. Received: OneCycle(max_lr=0.1) and LinearDecay(max_lr=0.2).",
    ),
    "two absolute momenta": (
        k.combine,
        (k.OneCycle(), k.CyclicalLR()),
        "an absolute momentum; the others",
    ),
    "weight decay": (
        k.combine,
        (k.Warmup(), k.LinearDecay(hyperparameter="weight_decay")),
        "Weight decay is no part of the product of rate and momentum.",
    ),
    "two optimizers": (
        k.combine,
        (k.Warmup(), k.LinearDecay(optimizer="d_optimizer")),
        "must be for one optimizer. Received: Warmup(), LinearDecay(optimizer='d_opti",
    ),
    "a config of something else": (
        k.combine(k.Warmup()).from_config,
        ({"schedules": [3]},),
        "`schedules` in the config must be a list of schedules. Received: schedules",
    ),
    "a floor above the own rate": (
        lambda: k.combine(k.Warmup(), k.CosineDecay(min_lr=0.5)).values(3, base_lr=0.1),
        (),
        "`min_lr` must not exceed the peak rate (=0.1)",
    ),
}


@pytest.mark.parametrize(("call", "args", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_product_is_refused(call, args, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011  compared below
        call(*args)
    assert message in str(error.value)


def test_only_schedules_can_be_combined():
    with pytest.raises(TypeError, match=r"takes schedules .* Received: 0\.1\."):
        k.combine(k.Warmup(), 0.1)


def test_the_product_is_drawn_with_its_momentum():
    product = k.combine(k.Warmup("20%"), k.OneCycle(max_lr=0.1))
    ax = product.plot(epochs=2, steps_per_epoch=50)
    assert ax.lines[0].get_ydata().tolist() == product.values(100).tolist()
    assert ax.get_title() == repr(product)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["learning rate", "momentum"]
    mpl.pyplot.close("all")


@pytest.mark.backend
def test_a_fit_with_the_schedules_side_by_side_has_the_rates_of_the_product():
    product = k.combine(k.Warmup(4), k.CosineDecay(max_lr=0.5), k.StepDecay(every=6))
    model = watched(keras.optimizers.SGD(0.1), 10)
    with pytest.raises(TypeError, match=r"is no callback.*callbacks=\[\*product\."):
        fit(model, [product])
    fit(model, [*product.schedules])
    assert_rates(recorded(model), product.values(10))


@pytest.mark.backend
def test_a_product_is_a_rate_for_loops_that_accumulate_gradients():
    product = k.combine(k.Warmup(2), k.LinearDecay(max_lr=0.5))
    rate = product.as_keras_schedule(5, accumulation=3)
    again = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(rate)))
    )
    optimizer = keras.optimizers.SGD(again, gradient_accumulation_steps=3)
    model = watched(optimizer, 5)
    fit(model, [], batches=15)
    assert_rates(recorded(model), product.values(5))


@pytest.mark.backend
@pytest.mark.parametrize("accumulation", [0, -1])
def test_an_update_has_at_least_one_batch(accumulation):
    with pytest.raises(ValueError, match=r"^Rex\(\): `accumulation` must be at least"):
        k.Rex().as_keras_schedule(3, accumulation=accumulation)


@pytest.mark.backend
@pytest.mark.parametrize("name", ["momentum", "weight_decay"])
def test_a_schedule_of_something_else_is_no_rate(name):
    with pytest.raises(ValueError, match=f"A schedule of {name} is none of the rate"):
        k.LinearDecay(hyperparameter=name).as_keras_schedule(3)
    with pytest.raises(ValueError, match=f"A schedule of {name} is none of the rate"):
        k.Schedule(linear(), hyperparameter=name).as_keras_schedule(3)
