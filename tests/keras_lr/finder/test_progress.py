import io
import logging
import math
import sys

import keras
import pytest

from keras_lr.finder import progress
from keras_lr.finder.probe import Probe
from keras_lr.finder.progress import Progress

ENDED = (
    Probe(0.001, 0.51234, 30, 30, follows=False),
    Probe(0.1, math.inf, 11, 30, follows=False),
    Probe(0.0046, 0.41237, 98, 98, follows=True),
)


def search(verbose):
    """All that a search says; each reading of the clock is a second later."""
    seconds = iter(range(100))
    shown = Progress(verbose, clock=lambda: next(seconds))
    shown.begin_sweep(160)
    shown.look(80, 3.4e-4, 2.3106)
    left = 640
    for probe in ENDED:
        shown.begin_training(probe.lr, probe.planned, left)
        shown.end_training(probe)
        left -= probe.updates
    shown.end("Learning rate 0.0022.")


class Screen(io.StringIO):
    """Standard output that is a terminal, or is not."""

    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


@pytest.fixture
def written(monkeypatch):
    """Runs a search in some surroundings, and gives what it wrote."""

    def run(is_terminal, columns=90, modules=(), verbose=1):
        screen = Screen(is_terminal)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.delenv("PYCHARM_HOSTED", raising=False)
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
        for name in modules:
            monkeypatch.setitem(sys.modules, name, object())
        monkeypatch.setattr(sys, "stdout", screen)
        search(verbose)
        return screen.getvalue()

    return run


LOG = """\
find_lr: sweep of 160 updates ...
find_lr: training 1, 30 updates at 0.001: held-out loss 0.5123; best 0.5123 at 0.001
find_lr: training 2, 30 updates at 0.1: diverged after 11; best 0.5123 at 0.001
find_lr: training 3, 98 updates at 0.0046: held-out loss 0.4124; best 0.4124 at 0.0046
find_lr: Learning rate 0.0022. 4 s.
"""

# What stands in the line, one after the other.
REWRITTEN = """
sweep of 160 updates ...
sweep, update 80 of 160: rate 0.00034, loss 2.311
training 1, 30 updates at 0.001; at most 640 updates left
training 1, 30 updates at 0.001: held-out loss 0.5123; best 0.5123 at 0.001
training 2, 30 updates at 0.1; best 0.5123 at 0.001; at most 20 s left (610 updates)
training 2, 30 updates at 0.1: diverged after 11; best 0.5123 at 0.001
training 3, 98 updates at 0.0046; best 0.5123 at 0.001; at most 29 s left (599 updates)
training 3, 98 updates at 0.0046: held-out loss 0.4124; best 0.4124 at 0.0046
find_lr: Learning rate 0.0022. 4 s.
"""


def test_a_log_gets_a_line_for_each_training(written):
    assert written(is_terminal=False) == LOG


def test_a_terminal_has_one_line_that_is_rewritten(written):
    text = written(is_terminal=True)
    assert text.count("\n") == 1
    lines = [line.rstrip() for line in text.split("\r")]
    assert "\n".join(lines) + "\n" == REWRITTEN


def test_nothing_of_a_longer_line_stays_behind(written):
    text = written(is_terminal=True, columns=60)
    screen = ""
    for line in text.rstrip("\n").split("\r"):
        # One as wide as the terminal could not be taken back.
        assert len(line) < 60
        screen = line + screen[len(line) :]
        assert screen.rstrip() == line.rstrip()


def test_a_notebook_rewrites_and_cuts_nothing(written):
    text = written(is_terminal=False, columns=20, modules=["ipykernel"])
    lines = [line.rstrip() for line in text.split("\r")]
    assert "\n".join(lines) + "\n" == REWRITTEN


def test_silent_is_silent(written):
    assert written(is_terminal=True, verbose=0) == ""


def test_without_interactive_logging_the_lines_go_where_those_of_keras_go(
    written, caplog
):
    caplog.set_level(logging.INFO, logger="absl")
    keras.config.disable_interactive_logging()
    try:
        assert written(is_terminal=True) == ""
    finally:
        keras.config.enable_interactive_logging()
    assert [record.message for record in caplog.records] == LOG.splitlines()


def test_before_any_training_lasted_there_is_no_best():
    assert progress.best_text(None) == ""
    assert progress.best_text(ENDED[1]) == ""
