"""Names of tests."""

from __future__ import annotations

import inspect
import re

import keras_lr


def name_of(value):
    """A representation without places in memory, on which processes must agree."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def schedules():
    """The public names of all schedules."""
    found = [(name, getattr(keras_lr, name)) for name in keras_lr.__all__]
    return [
        name
        for name, value in found
        if inspect.isclass(value) and issubclass(value, keras_lr.Schedule)
    ]
