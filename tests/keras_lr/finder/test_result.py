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
from keras_lr.finder.probe import Probe
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.sweep import as_result
from tests.kit.curves_of_sweeps import LRS, curve

mpl.use("Agg")

from matplotlib import pyplot as plt

PROBES = (
    Probe(1e-3, 1.5, updates=30, planned=30, follows=False),
    Probe(1e-2, 0.4, updates=98, planned=98, follows=True),
    Probe(1e-2, 0.7, updates=30, planned=30, follows=False),
    Probe(0.1, 9e9, updates=98, planned=98, follows=True),
    Probe(1.0, np.inf, updates=11, planned=30, follows=False),
)

#: A curve of each verdict: its name and its noise.
VERDICTS = {
    "trust": ("easy", 0.02),
    "noisy": ("flat", 1.0),
    "flat": ("flat", 0.02),
    "diverged early": ("diverging", 0.02),
    "range too narrow": ("narrow", 0.02),
}


def result_of(verdict: str, probes=PROBES, start: float | None = 2.3) -> LRFinderResult:
    kind, noise = VERDICTS[verdict]
    losses = curve(kind, noise)
    if kind == "easy":
        losses[198:] = np.inf, np.nan
    judgement = judge(LRS, losses, 200)
    assert judgement.verdict == verdict
    found = as_result(judgement, 10.0, LRS, losses, 200)
    return dataclasses.replace(found, probes=probes, start=start, batches_drawn=98)


def swept(verdict: str) -> LRFinderResult:
    """A sweep that is all there is."""
    return result_of(verdict, probes=(), start=None)


def labels(ax) -> list[str]:
    return ax.get_legend_handles_labels()[1]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_result_cannot_be_changed():
    result = result_of("trust")
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.suggestion = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.losses[0] = 1.0


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_result_survives_json(verdict):
    result = result_of(verdict)
    text = json.dumps(result.to_dict(), allow_nan=False)
    again = LRFinderResult.from_dict(json.loads(text))
    for field in dataclasses.fields(result):
        one, other = getattr(again, field.name), getattr(result, field.name)
        assert type(one) is type(other)
        np.testing.assert_equal(one, other)


def test_a_result_of_an_older_version_is_read():
    values = result_of("trust").to_dict()
    del values["start"], values["batches_drawn"]
    for probe in values["probes"]:
        del probe["planned"], probe["follows"]
    again = LRFinderResult.from_dict(values)
    assert again.start is None
    assert again.batches_drawn == 0
    assert again.probes[-1] == Probe(1.0, np.inf, 11, planned=11, follows=False)
    again.plot()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"planned": 1.5}, "`updates` and `planned` are numbers of updates"),
        ({"updates": -1}, "`updates` and `planned` are numbers of updates"),
        ({"follows": 1}, "`follows` is True or False. Received: {"),
        ({"lr": "fast"}, "Of a result `lr` must be a number, not text"),
        ({"rate": 0.1}, "may have `planned` and `follows`. Received: {"),
    ],
)
def test_a_training_that_cannot_be_read_says_why(change, message):
    values = result_of("trust").to_dict()
    values["probes"][1].update(change)
    with pytest.raises(ValueError, match=re.escape(message)):
        LRFinderResult.from_dict(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": 1}, "differs in 'loss'"),
        ({"start": "high"}, "`start` must be a number"),
        ({"batches_drawn": -1}, "`batches_drawn` is a number of batches. Received: b"),
        ({"interval": [1.0]}, "`interval` is a pair. Received: interval=[1.0]"),
    ],
)
def test_a_field_that_cannot_be_read_says_why(change, message):
    values = {**result_of("trust").to_dict(), **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        LRFinderResult.from_dict(values)


def test_csv_has_one_line_for_each_rate(tmp_path):
    result = result_of("trust")
    result.to_csv(tmp_path / "sweep.csv")
    head, *rows = csv.reader((tmp_path / "sweep.csv").read_text().splitlines())
    assert head == ["learning_rate", "loss", "smoothed"]
    read = np.array(rows, dtype=float).T
    for column, array in zip(read, (LRS, result.losses, result.smoothed), strict=True):
        np.testing.assert_array_equal(column, array)


def test_words_say_the_rate_or_that_there_is_none_and_what_it_took():
    assert re.match(r"Learning rate 0\.00\d+ \(", str(result_of("trust")))
    assert str(result_of("flat")).startswith("No learning rate to trust (flat): the")
    assert "verdict='flat'" in repr(result_of("flat"))
    taken = " 200 updates, 98 batches taken from the data."
    assert str(result_of("flat")).endswith(taken)
    of_arrays = dataclasses.replace(result_of("flat"), batches_drawn=0)
    assert str(of_arrays).endswith(". 200 updates.")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_notebook_shows_words_and_a_picture_that_pyplot_never_sees(verdict):
    # The shorter picture, of a sweep alone, for one of them: each takes a while.
    result = swept(verdict) if verdict == "noisy" else result_of(verdict)
    page = result._repr_html_()
    assert str(result).split(":")[0] in page
    picture = re.search(r"base64,([^\"]+)", page).group(1)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert not plt.get_fignums()


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_picture_has_the_verdict_in_words_as_its_title(verdict):
    result = result_of(verdict)
    sweep, trainings = result.plot().figure.axes
    title = " ".join(sweep.get_title(loc="left").split())
    assert title == str(result)
    has_suggestion = verdict == "trust"
    for ax in (sweep, trainings):
        assert len(ax.patches) == has_suggestion
        assert sum(line.get_xdata()[0] == result.suggestion for line in ax.lines) == (
            has_suggestion
        )


def test_the_picture_of_a_sweep_shows_losses_suggestion_interval_and_rules():
    ax = swept("trust").plot()
    assert ax.figure.axes == [ax]
    assert ax.get_xscale() == "log"
    assert labels(ax) == [
        "loss at each rate",
        "diverged",
        "without noise",
        "where it has fallen",
        "minimum",
        "slide",
        "steepest",
        "valley",
        "suggestion",
        "where it may lie as well",
    ]
    assert labels(swept("flat").plot())[:2] == ["loss at each rate", "without noise"]


def test_the_picture_of_a_search_shows_a_line_for_each_length_of_training():
    sweep, trainings = result_of("trust").plot().figure.axes
    assert "valley" not in labels(sweep)
    assert labels(trainings) == [
        "after 30 updates",
        "after 98 updates, following the schedule",
        "before any training",
        "higher than shown",
        "diverged",
        "suggestion, for a longer training",
        "where it may lie as well",
    ]
    short, long, level, higher, lost, *_ = trainings.lines
    assert short.get_xydata().tolist() == [[1e-3, 1.5], [1e-2, 0.7]]
    assert long.get_xydata().tolist() == [[1e-2, 0.4], [0.1, 9e9]]
    assert level.get_ydata() == [2.3, 2.3]
    assert list(higher.get_xdata()) == [0.1]
    assert list(lost.get_xdata()) == [1.0]
    assert sweep.get_xlim() == trainings.get_xlim()


def test_what_explodes_does_not_flatten_the_rest():
    sweep, trainings = result_of("trust").plot().figure.axes
    for ax, low, high in ((sweep, 0.8, 2.3), (trainings, 0.4, 2.3)):
        bottom, top = ax.get_ylim()
        assert low - 0.5 < bottom < low
        assert high < top < high + 1


def test_losses_of_several_orders_are_shown_in_powers_of_ten():
    probes = [dataclasses.replace(probe, loss=1e3 * probe.loss) for probe in PROBES]
    result = result_of("trust", probes=tuple(probes), start=1e6)
    assert result.plot().figure.axes[1].get_yscale() == "log"


def test_a_given_axes_gets_the_sweep_alone():
    figure, ax = plt.subplots()
    assert result_of("trust").plot(ax=ax) is ax
    assert figure.axes == [ax]


def test_a_search_that_lost_every_training_is_drawn(tmp_path):
    lost = tuple(dataclasses.replace(probe, loss=np.inf) for probe in PROBES)
    ax = result_of("flat", probes=lost).plot()
    ax.figure.savefig(tmp_path / "lost.png")
    assert labels(ax.figure.axes[1]) == ["before any training", "diverged"]
