"""When a metric has stopped getting better, beside the libraries that one knows."""

from __future__ import annotations

import types

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lr.plan.waiting import Rule, Standing, observe

torch = pytest.importorskip("torch")

METRICS = st.lists(st.integers(0, 12).map(lambda n: n / 4 + 0.25), max_size=40)


def cuts_of(metrics, rule, most=10**9):
    """The cuts before each observation's next one."""
    standing = Standing()
    cuts = []
    for value in metrics:
        standing = observe(standing, value, rule, standing.cuts < most)
        cuts.append(standing.cuts)
    return cuts


def cuts_in_keras(metrics, mode, **options):
    optimizer = types.SimpleNamespace(learning_rate=1.0)
    callback = keras.callbacks.ReduceLROnPlateau("m", 0.5, mode=mode, **options)
    callback.set_model(types.SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(metrics):
        callback.on_epoch_end(epoch, {"m": value})
        rates.append(optimizer.learning_rate)
    return rates


def cuts_in_torch(metrics, mode, **options):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode, 0.5, eps=0, **options
    )
    rates = []
    for value in metrics:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@given(METRICS, st.integers(1, 4), st.integers(0, 3), st.booleans(), st.integers(0, 3))
def test_it_cuts_where_keras_does(metrics, patience, cooldown, rises, floor):
    rule = Rule(patience, cooldown, rises, min_delta=0.3)
    found = [0.5**cuts for cuts in cuts_of(metrics, rule, floor)]
    assert found == cuts_in_keras(
        metrics,
        "max" if rises else "min",
        patience=patience,
        cooldown=cooldown,
        min_delta=0.3,
        min_lr=0.5**floor,
    )


@given(METRICS, st.integers(0, 4), st.integers(0, 3), st.booleans(), st.booleans())
def test_it_cuts_where_torch_does(metrics, patience, cooldown, rises, is_relative):
    rule = Rule(patience, cooldown, rises, 0.3, is_relative, waits_beyond=True)
    found = [0.5**cuts for cuts in cuts_of(metrics, rule)]
    assert found == cuts_in_torch(
        metrics,
        "max" if rises else "min",
        patience=patience,
        cooldown=cooldown,
        threshold=0.3,
        threshold_mode="rel" if is_relative else "abs",
    )


def test_the_conventions_differ_by_one_observation():
    metrics = [1.0, 1.0, 1.0, 1.0]
    assert cuts_of(metrics, Rule(2)) == [0, 0, 1, 1]
    assert cuts_of(metrics, Rule(2, waits_beyond=True)) == [0, 0, 0, 1]


def test_a_relative_threshold_of_a_negative_metric_asks_for_more_not_less():
    rule = Rule(1, min_delta=0.1, is_relative=True)
    assert not rule.is_better(-1.05, -1.0)
    assert rule.is_better(-1.2, -1.0)


def test_what_is_not_a_number_is_no_better_than_any_and_spoils_no_mean():
    nan = float("nan")
    standing = Standing()
    for value in (nan, 2.0, nan, 1.0):
        standing = observe(standing, value, Rule(9, smoothing=0.5), True)
    # (0.5 * 2 + 1) / (0.5 + 1)
    assert standing.best == pytest.approx(4 / 3)
    assert standing.wait == 0


def test_smoothing_weighs_the_past_without_a_debt_to_its_beginning():
    standing = Standing()
    means = []
    for value in (4.0, 2.0, 1.0):
        standing = observe(standing, value, Rule(9, smoothing=0.5), True)
        means.append(standing.mean / standing.weight)
    assert means == pytest.approx([4.0, (2 + 2) / 1.5, (1 + 1 + 1) / 1.75])


def test_a_floor_is_waited_out_once_a_cut_is_due_that_cannot_be_made():
    standing = Standing()
    seen = []
    for value in [1.0] * 6:
        standing = observe(standing, value, Rule(2), standing.cuts < 1)
        seen.append((standing.cuts, standing.is_waited_out))
    assert seen == [
        (0, False),
        (0, False),
        (1, False),
        (1, False),
        (1, True),
        (1, True),
    ]
