import sys

import matplotlib as mpl
import numpy as np
import pytest

import keras_lr as k

mpl.use("Agg")

from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_the_line_is_the_values():
    schedule = k.WarmupCosine(max_lr=0.1, warmup=10)
    ax = schedule.plot(epochs=2, steps_per_epoch=50)
    (line,) = ax.lines
    assert line.get_xdata().tolist() == list(range(100))
    assert np.array_equal(line.get_ydata(), schedule.values(100, steps_per_epoch=50))


def test_axes_and_title_say_what_is_shown():
    ax = k.LinearDecay(max_lr=0.1).plot()
    assert ax.get_xlabel() == "update"
    assert ax.get_ylabel() == "learning rate"
    assert ax.get_title() == "LinearDecay(max_lr=0.1)"


def test_another_hyperparameter_is_named():
    ax = k.LinearDecay(hyperparameter="weight_decay").plot(base_lr=0.01)
    assert ax.get_ylabel() == "weight decay"
    assert ax.lines[0].get_ydata()[0] == 0.01


def test_momentum_gets_its_own_axis():
    ax = k.OneCycle(max_lr=0.1).plot(steps_per_epoch=100)
    (right,) = [other for other in ax.figure.axes if other is not ax]
    assert right.get_ylabel() == "momentum (beta_1)"
    assert right.lines[0].get_ydata().min() == 0.85
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["learning rate", "momentum"]


def test_without_momentum_there_is_one_axis():
    ax = k.OneCycle(max_lr=0.1, momentum=None).plot(steps_per_epoch=100)
    assert ax.figure.axes == [ax]
    assert ax.get_legend() is None


def test_several_epochs_get_a_second_scale():
    assert len(k.CyclicalLR().plot(epochs=9, steps_per_epoch=5).child_axes) == 1
    assert not k.Rex().plot(epochs=1, steps_per_epoch=5).child_axes


def test_it_draws_on_given_axes():
    _, ax = plt.subplots()
    assert k.Rex().plot(ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_drawing_works_to_the_end(tmp_path):
    ax = k.OneCycle(max_lr=0.1).plot(epochs=3, steps_per_epoch=10)
    ax.figure.savefig(tmp_path / "one-cycle.png")
    assert (tmp_path / "one-cycle.png").stat().st_size > 1000


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-lr\[plot\]'"):
        k.Rex().plot()
