"""What ``lint`` says of a fit, and what that does; ``check=True``."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest

import keras_lr as k
from tests.kit.gan import GAN, images
from tests.kit.probe import assert_rates, data, fit, recorded, watched

pytestmark = pytest.mark.backend

SGD = keras.optimizers.SGD
CosineOfKeras = keras.optimizers.schedules.CosineDecay

FITS = {
    "one": (lambda: SGD(0.5), lambda: [k.WarmupCosine(warmup=3)], {}),
    "a product with momentum": (
        lambda: SGD(0.5, momentum=0.9),
        lambda: [k.OneCycle(max_lr=0.1), k.Warmup("1 epochs")],
        {},
    ),
    "accumulation": (
        lambda: SGD(0.5, gradient_accumulation_steps=3),
        lambda: [k.Warmup("1 epochs"), k.Rex()],
        {},
    ),
    "from an epoch on": (
        lambda: SGD(0.5),
        lambda: [k.Warmup(3, since="fit"), k.CosineRestarts(max_lr=0.2, first_cycle=7)],
        {"initial_epoch": 1},
    ),
    "a function in the optimizer": (lambda: SGD(lambda: 0.3), lambda: [k.Rex()], {}),
    "a schedule of Keras that counts batches": (
        lambda: SGD(
            CosineOfKeras(0.0, 9, warmup_target=0.5, warmup_steps=4),
            gradient_accumulation_steps=2,
        ),
        lambda: [k.Warmup(3)],
        {},
    ),
}


@pytest.mark.parametrize(("optimizer", "make", "options"), FITS.values(), ids=FITS)
def test_rates_are_those_of_the_fit(optimizer, make, options):
    model = watched(optimizer(), 20)
    callbacks = make()
    report = k.lint(callbacks, epochs=2, steps_per_epoch=10, model=model, **options)
    fit(model, callbacks, epochs=2, **options)
    # The rates of Keras' schedules are of float32.
    seen = recorded(model.optimizer)[: len(report.rates)]
    np.testing.assert_allclose(seen, report.rates, rtol=1e-5)


def test_rates_of_several_optimizers_are_those_of_the_fit():
    model = GAN()
    model.compile(SGD(0.1), SGD(0.2))
    callbacks = [
        k.Warmup(4, optimizer="d_optimizer"),
        k.LinearDecay(max_lr={"d_optimizer": 0.05, "g_optimizer": 0.3}),
    ]
    x = images(10)
    report = k.lint(callbacks, epochs=1, model=model, data=(x, 2))
    model.fit(x, batch_size=2, verbose=0, callbacks=callbacks)
    assert report.name == "learning_rate_g_optimizer"
    assert_rates(recorded(model.g_optimizer)[:10], report.rates)
    (others,) = report.others.values()
    assert list(report.others) == ["learning_rate_d_optimizer"]
    assert_rates(recorded(model.d_optimizer)[:10], others)
    assert "g_optimizer  d_optimizer" in str(report)


def test_what_earlier_fits_have_left_is_looked_at():
    model = watched(SGD(0.5), 60)
    decay = k.LinearDecay(horizon="3 epochs", max_lr=0.4)
    cuts = k.Plateau("loss", 0.5, 1, min_delta=9.0, horizon="9 epochs")
    fit(model, [decay, cuts], epochs=2)
    on = {"epochs": 1, "steps_per_epoch": 10, "model": model}
    report = k.lint([decay, cuts], **on)
    assert report.rates[0] == pytest.approx(decay.values(30, 1.0, 10)[20] / 2)
    fit(model, [decay, cuts])
    assert_rates(recorded(model.optimizer)[20:30], report.rates)
    # Its horizon is used up.
    assert [each.code for each in k.lint(decay, **on).findings] == ["begins-anew"]
    fit(model, [decay])
    assert_rates(recorded(model.optimizer)[30:40], decay.values(30, 1.0, 10)[:10])


@pytest.mark.parametrize("on_extend", ["warn", "continue"])
def test_more_epochs_than_were_planned_are_looked_at(on_extend):
    model = watched(SGD(0.5), 40)
    rex = k.Rex(max_lr=0.4, on_extend=on_extend)
    fit(model, [rex], epochs=3)
    more = {"epochs": 4, "initial_epoch": 3}
    report = k.lint(rex, steps_per_epoch=10, model=model, **more)
    messages = said(lambda: fit(model, [rex], **more))
    assert_rates(recorded(model.optimizer)[30:], report.rates)
    # In the words of the fit.
    assert list(map(str, report.findings)) == messages
    assert len(messages) == (1 if on_extend == "warn" else 0)
    assert report.extended == (30 if on_extend == "continue" else None)


# check=True


def said(act):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        act()
    return [str(each.message) for each in seen if each.category is UserWarning]


def test_a_fit_that_checks_says_what_is_odd_once():
    model = watched(SGD(0.5), 60)
    decay = k.CosineDecay(decay=12, check=True)
    callbacks = [k.Warmup(2), decay, keras.callbacks.ReduceLROnPlateau("loss")]
    report = k.lint(callbacks, epochs=2, steps_per_epoch=10, model=model)
    messages = said(lambda: fit(model, callbacks, epochs=2))
    # What every fit says comes in its own words, without the next step.
    own = [f.message if f.code == "ends-early" else str(f) for f in report.findings]
    assert sorted(messages) == sorted(own)
    assert len(messages) == 3
    assert said(lambda: fit(model, callbacks, epochs=2)) == []
    assert len(said(lambda: fit(model, [k.Warmup(2), k.Rex()], epochs=2))) == 0


def test_a_check_comes_before_the_first_update_and_leaves_the_fit_as_it_is():
    made = []

    class Notes(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            made.append(batch)

    model = watched(SGD(0.5), 20)
    checked = k.Warmup(2, check=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(UserWarning, match=r"Write warmup='2 epochs' if so"):
            fit(model, [checked, Notes()], epochs=2)
    assert not made
    said(lambda: fit(model, [k.Warmup(2, check=True)], epochs=2))
    assert_rates(recorded(model.optimizer), k.Warmup(2).values(20, 0.5))


def test_a_check_of_data_without_a_length_says_that_it_cannot():
    def batches():
        for _ in range(3):
            yield data(1)

    model = watched(SGD(0.5), 20)
    messages = said(
        lambda: model.fit(batches(), verbose=0, callbacks=[k.Warmup(2, check=True)])
    )
    found = [one for one in messages if one.startswith("Warmup(warmup=2, check=True)")]
    assert "cannot be checked: the data do not tell" in found[0]
