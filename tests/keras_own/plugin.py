"""A plug-in for pytest that counts fits, and adds a constant schedule to each.

Keras' own tests know nothing of it: ``pytest -p tests.keras_own.plugin``.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
import types
from pathlib import Path
from typing import Any

import keras
import pytest

import keras_lr

#: Without a schedule; with one; with one, whose rates no callback gets to see.
MODES = ("plain", "scheduled", "unlogged")


class Fits:
    """Stands in for ``fit`` of every model.

    Attributes:
        done: How many fits have begun in this process.
    """

    def __init__(self, is_scheduled: bool) -> None:
        self.is_scheduled = is_scheduled
        self.done = 0

    def count(self) -> None:
        """Have each fit counted, and scheduled where that is wanted."""
        trainer = next(cls for cls in keras.Model.__mro__ if "fit" in vars(cls))
        own_fit = trainer.fit
        signature = inspect.signature(own_fit)

        @functools.wraps(own_fit)
        def counted_fit(*args: Any, **kwargs: Any) -> Any:
            self.done += 1
            call = signature.bind(*args, **kwargs)
            if self.is_scheduled:
                given = keras.tree.flatten(call.arguments.get("callbacks") or [])
                call.arguments["callbacks"] = [*given, constant()]
            return own_fit(*call.args, **call.kwargs)

        trainer.fit = counted_fit


def constant() -> keras_lr.Schedule:
    """A schedule that changes no rate."""
    return keras_lr.Function(lambda step: 1.0)


def hide_rates() -> None:
    """Take what a schedule adds to logs away before any callback sees it.

    Keras' own two callbacks that set rates put the same name there later, themselves.
    """
    own_epoch_end = keras.callbacks.CallbackList.on_epoch_end
    own_train_end = keras.callbacks.CallbackList.on_train_end

    def on_epoch_end(self: Any, epoch: int, logs: Any = None) -> None:
        own_epoch_end(self, epoch, without_rates(logs))

    def on_train_end(self: Any, logs: Any = None) -> None:
        own_train_end(self, without_rates(logs))

    keras.callbacks.CallbackList.on_epoch_end = on_epoch_end
    keras.callbacks.CallbackList.on_train_end = on_train_end


def skip_if_backend(backend: str, reason: str) -> pytest.MarkDecorator:
    """What one of Keras' test files imports from Keras' conftest.py."""
    return pytest.mark.skipif(keras.backend.backend() == backend, reason=reason)


def without_rates(logs: Any) -> dict[str, Any]:
    names = [name for name in logs or {} if not name.startswith("learning_rate")]
    return {name: logs[name] for name in names}


# Hooks of pytest.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fits", choices=MODES, default="plain")
    parser.addoption("--only", help="a file that names the tests, a line each")
    parser.addoption("--outcomes", help="a file to write, JSON")


def pytest_configure(config: pytest.Config) -> None:
    for mark in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{mark}: one of Keras'")
    # Of Keras' own conftest.py, which no wheel holds.
    conftest = types.ModuleType("conftest")
    vars(conftest)["skip_if_backend"] = skip_if_backend
    sys.modules["conftest"] = conftest
    mode = config.getoption("--fits")
    fits = Fits(is_scheduled=mode != "plain")
    fits.count()
    if mode == "unlogged":
        hide_rates()
    config.pluginmanager.register(Counter(fits))
    # The processes that share the tests report to the one that shares them out.
    if config.getoption("--outcomes") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(config.getoption("--outcomes"))))


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    # As Keras' conftest.py has it.
    is_torch = keras.backend.backend() == "torch"  # which cannot say what there is
    several = not is_torch and len(keras.distribution.list_devices()) > 1
    for item in items:
        if not several and item.get_closest_marker("multi_device"):
            item.add_marker(pytest.mark.skip(reason="needs several devices"))
    if config.getoption("--only"):
        wanted = set(Path(config.getoption("--only")).read_text().splitlines())
        others = [item for item in items if item.nodeid not in wanted]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.nodeid in wanted]


class Counter:
    """Has the report of each test tell its fits."""

    def __init__(self, fits: Fits) -> None:
        self.fits = fits

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        before = self.fits.done
        try:
            return (yield)
        finally:
            item.user_properties.append(("fits", self.fits.done - before))


class Outcomes:
    """Writes down how each test ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, tuple[str, int]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        fits = dict(report.user_properties).get("fits", 0)
        assert isinstance(fits, int)
        if report.when == "call" or not report.passed:
            self.found[report.nodeid] = (report.outcome, fits)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.found[report.nodeid] = ("not collected", 0)

    def pytest_sessionfinish(self) -> None:
        self.path.write_text(json.dumps(self.found))
