"""What a monitor keeps, writes and draws, fed by hand; and what it refuses."""

from __future__ import annotations

import copy
import pickle
import struct
import sys
import types

import matplotlib as mpl
import numpy as np
import pytest

import keras_lr
from keras_lr.watching.live import LivePicture
from keras_lr.watching.pictures import draw_samples, smoothed
from keras_lr.watching.samples import Samples
from keras_lr.watching.writers import CsvFile, TensorBoardEvents, UsersLogger

mpl.use("agg")


def samples(updates, *more, epoch=0):
    """Samples of some updates, whose other columns follow from the update."""
    columns = ("update", "epoch", "loss", "learning_rate", *more)
    updates = np.array(updates, float)
    own = [updates, updates * 0 + epoch, 1 / (1 + updates), 0.1 * (1 + updates)]
    return Samples(columns, np.column_stack([*own, *(updates for _ in more)]))


def lines_of(path):
    return path.read_text().splitlines()


def test_samples_of_other_columns_follow_with_nothing_where_there_was_none():
    whole = samples([0, 5], "momentum").then(samples([10], "ratio"))
    assert whole.columns[4:] == ("momentum", "ratio")
    np.testing.assert_array_equal(whole.column("momentum"), [0, 5, np.nan])
    np.testing.assert_array_equal(whole.column("ratio"), [np.nan, np.nan, 10])
    np.testing.assert_array_equal(whole.before(10).column("update"), [0, 5])
    told = dict(whole.told())
    assert list(told[10]) == ["epoch", "loss", "learning_rate", "ratio"]


def test_a_loss_that_is_not_a_number_is_told_all_the_same():
    one = samples([3])
    one.rows[0, 2] = np.nan
    ((update, values),) = one.told()
    assert update == 3
    assert np.isnan(values["loss"])


def test_a_file_goes_on_where_the_run_does_and_forgets_what_is_made_again(tmp_path):
    path = tmp_path / "new" / "run.csv"
    first = CsvFile(path)
    first.begin(0)
    first.write(samples([0, 5]))
    first.write(samples([10, 15], epoch=1))
    assert lines_of(path) == [
        "update,epoch,loss,learning_rate",
        "0,0,1.0,0.1",
        "5,0,0.16666667,0.6",
        "10,1,0.09090909,1.1",
        "15,1,0.0625,1.6",
    ]
    # A kill in the middle of a line, which might be read as another number.
    with path.open("a") as file:
        file.write("20,1,0.04")
    again = CsvFile(path)
    np.testing.assert_array_equal(again.read().column("update"), [0, 5, 10, 15])
    again.begin(10)
    again.write(samples([10], epoch=1))
    again.write(samples([15], epoch=1))
    assert len(lines_of(path)) == 5
    again.begin(0)
    again.write(samples([0], "momentum"))
    again.begin(0)
    # Another run, which has nothing of the one before.
    again.write(samples([0]))
    assert lines_of(path) == ["update,epoch,loss,learning_rate", "0,0,1.0,0.1"]
    assert [each.name for each in path.parent.iterdir()] == ["run.csv"]


def test_a_file_gets_a_column_that_comes_later_and_keeps_its_order(tmp_path):
    path = tmp_path / "run.csv"
    file = CsvFile(path)
    file.begin(0)
    file.write(samples([0]))
    file.write(samples([5], "momentum"))
    file.write(samples([10]))
    file.write(samples([15], "ratio", "momentum"))
    assert lines_of(path) == [
        "update,epoch,loss,learning_rate,momentum,ratio",
        "0,0,1.0,0.1,nan,nan",
        "5,0,0.16666667,0.6,5.0,nan",
        "10,0,0.09090909,1.1,nan,nan",
        "15,0,0.0625,1.6,15.0,15.0",
    ]


def scalars_of(file):
    """The events of a file, read as its format says, without TensorBoard's reader."""
    from tensorboard.compat.proto import event_pb2

    content = file.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield event_pb2.Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_tensorboard_is_told_scalars_by_update_and_what_a_resume_makes_again(tmp_path):
    pytest.importorskip("tensorboard")
    folder = tmp_path / "logs" / "run"
    for first in (0, 10):
        events = TensorBoardEvents(folder)
        events.begin(first)
        events.write(samples([first, first + 5], "ratio/body"))
    files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    assert all("tfevents" in file.name for file in files)
    head, start, *rest = scalars_of(files[1])
    assert head.file_version == "brain.Event:2"
    assert start.session_log.status == start.session_log.START
    assert [start.step, *(event.step for event in rest)] == [10, 10, 15]
    told = {value.tag: value.simple_value for value in rest[1].summary.value}
    assert told["ratio/body"] == 15
    assert told["learning_rate"] == np.float32(1.6)
    assert set(told) == {"epoch", "loss", "learning_rate", "ratio/body"}


def test_the_loggers_of_wandb_and_mlflow_take_what_they_are_given():
    told = []

    # As wandb.log and mlflow.log_metrics are written.
    def log(data, step=None, commit=None):
        told.append((step, data))

    def log_metrics(metrics, step=None, synchronous=None):
        told.append((step, metrics))

    for function in (log, log_metrics):
        logger = UsersLogger(function)
        logger.begin(0)
        logger.write(samples([0, 5]))
    assert [update for update, _ in told] == [0, 5, 0, 5]
    assert told[0][1] == {"epoch": 0, "loss": 1.0, "learning_rate": 0.1}
    assert all(type(value) in (int, float) for value in told[1][1].values())


def test_a_mean_of_the_loss_forgets_and_leaves_out_what_is_not_finite():
    values = np.array([2.0, np.inf, 4.0, np.nan])
    np.testing.assert_allclose(smoothed(values, 2), [2, 2, 3.6, 3.6])
    np.testing.assert_array_equal(smoothed(values, 1), [2, np.nan, 4, np.nan])
    assert np.isnan(smoothed(np.array([np.nan]), 3)).all()


def test_a_rate_is_drawn_in_logarithms_where_it_spans_decades():
    seen = samples(range(100))
    seen.rows[:, 3] = np.geomspace(1e-4, 0.1, 100)
    axes = draw_samples(seen)
    (other,) = [each for each in axes.figure.axes if each is not axes]
    assert (other.get_yscale(), axes.get_yscale()) == ("log", "linear")
    assert axes.get_ylabel() == "loss of the batch"
    # Not because of the end of a decay.
    seen.rows[:, 3] = keras_lr.CosineDecay(max_lr=0.1).values(100)
    assert draw_samples(seen).figure.axes[1].get_yscale() == "linear"
    own = mpl.figure.Figure().subplots()
    assert draw_samples(samples(range(3), "ratio/all"), own) is own
    mpl.pyplot.close("all")


def test_ratios_have_a_panel_of_their_own_with_a_name_for_each_of_few():
    figure = draw_samples(samples(range(9), "ratio/all", "ratio/body")).figure
    assert len(figure.axes) == 3
    names = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert names == ["all weights", "body"]
    many = ["ratio/all", *(f"ratio/{i}" for i in range(20))]
    figure = draw_samples(samples(range(9), *many)).figure
    names = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert names == ["all weights", "20 groups"]
    mpl.pyplot.close("all")


class Handle:
    """What a notebook gives for something that is shown."""

    def __init__(self):
        self.shown = []

    def update(self, image):
        self.shown.append(image)


@pytest.fixture
def notebook(monkeypatch):
    """A notebook, as far as a picture asks for one."""
    handle = Handle()

    def display(image, display_id):
        handle.update(image)
        return handle

    shell = types.SimpleNamespace(kernel=object())
    module = types.ModuleType("IPython")
    module.version_info = (9, 0)  # matplotlib asks for it.
    module.get_ipython = lambda: shell
    displays = types.ModuleType("IPython.display")
    displays.display = display
    displays.Image = lambda data: data
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    return handle


def test_a_live_picture_replaces_the_last_one_at_most_once_a_second(notebook):
    now = [0.0]
    picture = LivePicture(lambda: now[0])
    seen = samples(range(20), "ratio/all")
    for now[0] in (0.0, 0.4, 0.9, 1.1, 2.0, 2.2):
        if picture.is_due():
            picture.show(seen)
    assert len(notebook.shown) == 3
    assert all(image.startswith(b"\x89PNG") for image in notebook.shown)
    assert not mpl.pyplot.get_fignums()


def test_a_live_picture_that_takes_long_is_drawn_less_often(notebook):
    # Two seconds for the first picture, none for the others.
    times = iter([0.0, 2.0, 41.0, 42.0, 42.0, 42.0])
    picture = LivePicture(lambda: next(times))
    picture.show(samples(range(20)))
    assert not picture.is_due()
    assert picture.is_due()
    picture.show(samples(range(20)))
    assert len(notebook.shown) == 2


def test_outside_of_a_notebook_a_live_picture_is_a_warning_and_nothing_else():
    with pytest.warns(UserWarning, match=r"needs a notebook.*Call plot\(\) after it"):
        picture = LivePicture()
    picture.show(samples(range(20)))
    assert not picture.is_due()


def refused(error, words, **arguments):
    with pytest.raises(error) as caught:
        keras_lr.RateMonitor(**arguments)
    assert words in str(caught.value)
    assert "Received: " in str(caught.value)


def test_what_cannot_be_is_refused_where_it_is_given(tmp_path):
    refused(ValueError, "`every` must be at least 1. Received: every=0.", every=0)
    refused(TypeError, "`every` must be an int. Received: every=2.5.", every=2.5)
    refused(TypeError, "`log` must be callable. Received: log='wandb'.", log="wandb")
    refused(TypeError, "`ratios` must be True or False.", ratios="all")
    refused(TypeError, "`csv` must be a path. Received: csv=3.", csv=3)
    refused(ValueError, "`csv` must be a file.", csv=tmp_path)
    other = tmp_path / "data.csv"
    other.write_text("a,b\n1,2\n")
    refused(ValueError, "or one that a RateMonitor has written", csv=other)
    assert other.read_text() == "a,b\n1,2\n"
    refused(ValueError, "`tensorboard` must be a folder.", tensorboard=other)
    with pytest.raises(RuntimeError, match="something to draw only after an update"):
        keras_lr.RateMonitor().plot()


def test_without_tensorboard_it_says_what_to_install(monkeypatch, tmp_path):
    for name in ("tensorboard.compat.proto", "tensorboard.summary.writer"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install tensorboard"):
        keras_lr.RateMonitor(tensorboard=tmp_path)


def test_a_live_picture_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-lr\[plot\]'"):
        LivePicture()


def test_a_copy_of_a_monitor_is_one_with_the_same_arguments(tmp_path):
    monitor = keras_lr.RateMonitor(7, csv=tmp_path / "run.csv", ratios=False)
    for one in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        assert repr(one) == repr(monitor)
        assert not len(one.history["update"])
    assert "every=7, csv=" in repr(monitor)
    assert repr(keras_lr.RateMonitor(live=True)) == "RateMonitor(every=50, live=True)"
