"""That fuzzing would notice: each reader here does what none may do."""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys

import pytest
import yaml

from tests.kit.fuzzing import check_message, understood
from tests.kit.sealed import Escaped, sealed


class Reduced:
    def __reduce__(self):
        return os.getcwd, ()


def imports(name):
    sys.modules.pop(name, None)
    return importlib.import_module(name)


UNSAFE = {
    "evaluates": lambda path: eval("1 + 1"),
    "runs a program": lambda path: subprocess.run(["true"], check=False),
    "asks the shell": lambda path: os.system("true"),
    "unpickles": lambda path: pickle.loads(pickle.dumps(Reduced())),
    "imports": lambda path: imports("this"),
    "writes": lambda path: path.write_text("escaped"),
    "removes": lambda path: os.remove(path),
    "makes what YAML names": lambda path: yaml.unsafe_load(
        "!!python/object/apply:os.system ['true']"
    ),
}


@pytest.mark.parametrize("reader", UNSAFE.values(), ids=UNSAFE)
def test_a_reader_that_runs_something_is_stopped(tmp_path, reader):
    with pytest.raises(Escaped):
        understood("control", reader, tmp_path / "a")


def test_who_swallows_the_alarm_has_not_hidden_it():
    def reader():
        try:
            eval("1 + 1")
        except BaseException:
            return "all well"

    with pytest.raises(Escaped), sealed():
        reader()
    # The seal is open again.
    assert eval("1 + 1") == 2


def fails(error):
    raise error


@pytest.mark.parametrize(
    "error", [KeyError("phases"), RecursionError("deep"), OverflowError("large")]
)
def test_an_error_that_is_not_documented_is_none_that_fuzzing_takes(error):
    with pytest.raises(type(error)):
        understood("control", fails, error)


@pytest.mark.parametrize("message", ["", "a" * 1001, "short"])
def test_a_message_that_says_nothing_or_cannot_be_read_is_none(message):
    with pytest.raises(AssertionError):
        check_message(message)
