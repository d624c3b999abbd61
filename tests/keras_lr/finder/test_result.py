from __future__ import annotations

import base64
import csv
import dataclasses
import json
import re

import matplotlib as mpl
import numpy as np
import pytest

from keras_lr.finder.judge import judge
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.sweep import as_result
from tests.kit.curves_of_sweeps import LRS, curve

mpl.use("Agg")


PROBES = (
    {"lr": 1e-3, "loss": 1.5, "updates": 30},
    {"lr": 1e-2, "loss": 0.4, "updates": 90},
    {"lr": 1.0, "loss": float("inf"), "updates": 11},
)


def result_of(kind: str, noise: float = 0.02) -> LRFinderResult:
    losses = curve(kind, noise)
    if kind == "easy":
        losses[198:] = np.inf, np.nan
    found = as_result(judge(LRS, losses, 200), 10.0, LRS, losses, 200)
    return dataclasses.replace(found, probes=PROBES)


def test_a_result_cannot_be_changed():
    result = result_of("easy")
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.suggestion = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.losses[0] = 1.0


@pytest.mark.parametrize("kind", ["easy", "flat", "narrow"])
def test_a_result_survives_json(kind):
    result = result_of(kind)
    text = json.dumps(result.to_dict(), allow_nan=False)
    again = LRFinderResult.from_dict(json.loads(text))
    for field in dataclasses.fields(result):
        one, other = getattr(again, field.name), getattr(result, field.name)
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other) if field.name in (
            "lrs",
            "losses",
            "smoothed",
        ) else None
        if not isinstance(one, np.ndarray):
            assert one == other


def test_an_unknown_field_is_refused():
    values = {**result_of("easy").to_dict(), "loss": 1}
    with pytest.raises(ValueError, match="differs in loss"):
        LRFinderResult.from_dict(values)


def test_csv_has_one_line_for_each_rate(tmp_path):
    result = result_of("easy")
    result.to_csv(tmp_path / "sweep.csv")
    head, *rows = csv.reader((tmp_path / "sweep.csv").read_text().splitlines())
    assert head == ["learning_rate", "loss", "smoothed"]
    read = np.array(rows, dtype=float).T
    for column, array in zip(read, (LRS, result.losses, result.smoothed), strict=True):
        np.testing.assert_array_equal(column, array)


def test_words_say_the_rate_or_that_there_is_none():
    assert re.match(r"Learning rate 0\.00\d+ \(", str(result_of("easy")))
    assert str(result_of("flat")).startswith("No learning rate to trust (flat): the")
    assert "verdict='flat'" in repr(result_of("flat"))


@pytest.mark.parametrize("kind", ["easy", "flat", "narrow", "diverging"])
def test_a_notebook_shows_words_and_a_picture(kind):
    result = result_of(kind)
    page = result._repr_html_()
    assert str(result).split(":")[0] in page
    picture = re.search(r"base64,([^\"]+)", page).group(1)
    assert base64.b64decode(picture).startswith(b"\x89PNG")


def test_the_plot_shows_losses_suggestion_interval_and_rules():
    from matplotlib import pyplot as plt

    result = result_of("easy")
    ax = result.plot()
    labels = ax.get_legend_handles_labels()[1]
    assert {"loss", "without noise", "valley", "zero_lag"} <= set(labels)
    assert f"suggestion {result.suggestion:.2g}" in labels
    assert ax.get_xscale() == "log"
    assert "trust" in ax.get_title()
    assert len(ax.patches) == 1
    flat = result_of("flat").plot()
    assert not any(
        "suggestion" in label for label in flat.get_legend_handles_labels()[1]
    )
    assert len(flat.patches) == 0
    plt.close("all")
