"""Searches at several batch sizes: each as by itself, checked before the first."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from keras_lr import BatchSizesResult, find_lr

pytestmark = pytest.mark.backend


def model_and_data(rows=400):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    x = np.random.default_rng(0).normal(size=(rows, 4)).astype("float32")
    return model, x, x @ np.array([[1.0], [2.0], [3.0], [4.0]], "float32")


def test_each_size_has_the_result_of_its_own_search_and_the_model_comes_back(capsys):
    model, x, y = model_and_data()
    before = model.get_weights()[0].copy()
    found = find_lr(model, x, y, batch_size=[64, np.int64(4)], budget=120)
    said = capsys.readouterr().out.splitlines()
    alone = [
        find_lr(model, x, y, batch_size=size, budget=120, verbose=0) for size in (4, 64)
    ]
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 0
    assert isinstance(found, BatchSizesResult)
    assert found.batch_sizes == (4, 64)
    assert found.suggestions == tuple(one.suggestion for one in alone)
    assert [one.steps for one in found.results] == [one.steps for one in alone]
    low, high = found.exponent_interval
    assert low <= found.exponent <= high
    power = np.log(found.suggestions[1] / found.suggestions[0]) / np.log(16)
    assert found.exponent == pytest.approx(power)
    # Which size it is stands in every line.
    assert said[0].startswith("find_lr: batch size 4 (1 of 2): sweep of")
    assert said[-1].startswith("find_lr: batch size 64 (2 of 2): Learning rate")
    assert all(line.startswith("find_lr: batch size ") for line in said)
    values = json.loads(json.dumps(found.to_dict()))
    assert values["batch_sizes"] == [4, 64]
    assert values["suggestions"] == list(found.suggestions)
    assert "power of" in str(found)
    assert repr(found).startswith("BatchSizesResult(batch_sizes=(4, 64), suggestions=(")
    pytest.importorskip("matplotlib").use("Agg")
    axes = found.plot()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["4", "64"]
    axes.figure.clear()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"batch_size": [16]}, r"at least two different sizes.*batch_size=\[16\]"),
        ({"batch_size": [16, 16]}, r"at least two different sizes"),
        ({"batch_size": [0, 16]}, r"sizes of 1 or more"),
        ({"batch_size": [8, 2.5]}, r"`batch_size` must be an int"),
        ({"set_rate": True}, r"`set_rate` needs one batch size"),
        ({"batch_size": [8, 512]}, r"whole batch of the largest size.*400 rows.*640"),
        ({"budget": 60}, r"`budget` must be at least 120"),
        ({"budget": "4 epochs"}, r"`budget` must be at least 120.*100 updates"),
        ({"epochs": 0}, r"`epochs` must be at least 1"),
    ],
)
def test_what_does_not_allow_all_searches_is_refused_before_the_first(
    options, rule, capsys
):
    model, x, y = model_and_data()
    with pytest.raises((TypeError, ValueError), match=rule):
        find_lr(model, x, y, **{"batch_size": [4, 16], "budget": 120, **options})
    assert not capsys.readouterr().out


def test_data_that_come_in_batches_have_one_size():
    model, x, y = model_and_data()
    batches = ((x[:8], y[:8]) for _ in range(100))
    with pytest.raises(
        ValueError, match=r"fit makes the batches, of arrays.*generator"
    ):
        find_lr(model, batches, batch_size=[4, 16])
    assert len(list(batches)) == 100
