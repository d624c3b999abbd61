from __future__ import annotations

import gc
import os
from itertools import count

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest
from hypothesis import settings

# Machines are shared: no deadline, and the same examples everywhere.
settings.register_profile("here", deadline=None, derandomize=True)
settings.load_profile("here")

#: TensorFlow waits for its threads, up to a minute, when Python happens to collect many
#: of its objects in the middle of a trace. So they are collected between tests, and
#: not in them.
COLLECTS = os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
#: Tests between two collections, each of which looks at half a million objects.
EVERY = 4


def pytest_collection_finish() -> None:
    if COLLECTS:
        # What is there now stays, and need not be looked at each time.
        gc.collect()
        gc.freeze()
        gc.disable()


ended = count(1)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if COLLECTS and item.get_closest_marker("backend") and next(ended) % EVERY == 0:
        gc.collect()
