"""How a finder's result is written as plain values, and read and checked again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from keras_lr.finder.judge import Verdict
from keras_lr.finder.probe import Probe
from keras_lr.plan.checks import number
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import listed, received, shown

#: Numbers that JSON cannot hold, as they are written.
NOT_FINITE = ("nan", "inf", "-inf")


def plain(value: Any) -> Any:
    """A value of a result as JSON can hold it: lists, dicts, text, finite numbers.

    Example:
        >>> plain((1.0, float("inf"), {"valley": 0.5}))
        [1.0, 'inf', {'valley': 0.5}]
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Probe):
        return plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def read(
    values: Any, names: Sequence[str], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a result, from what :func:`plain` made of them.

    Args:
        values: What was written.
        names: Of the fields.
        defaults: The values of those that older files lack.

    Raises:
        ValueError: If a field is missing, unknown or of another kind, or the lists of
            rates and losses differ in length.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"A result is read from a mapping. Received: {shown(values)}.")
    values = {**defaults, **values}
    wrong = [name for name in values if name not in names]
    wrong += [name for name in names if name not in values]
    if wrong:
        raise ValueError(
            f"A result has the fields {', '.join(names)}. Received: a mapping that "
            f"differs in {listed(wrong)}."
        )
    _demand(values["verdict"] in get_args(Verdict), _VERDICTS, values)
    _demand(isinstance(values["reason"], str), "`reason` is text", values)
    lrs = _floats("lrs", values["lrs"])
    losses = _floats("losses", values["losses"])
    smoothed = _floats("smoothed", values["smoothed"])
    _demand(
        len(lrs) == len(losses) == len(smoothed),
        "`lrs`, `losses` and `smoothed` are of one length",
        values,
    )
    interval = values["interval"]
    is_pair = isinstance(interval, list | tuple) and len(interval) == 2
    _demand(interval is None or is_pair, "`interval` is a pair", values)
    rates = values["suggestions"]
    _demand(isinstance(rates, Mapping), "`suggestions` is a mapping", values)
    probes = values["probes"]
    _demand(isinstance(probes, list | tuple), "`probes` is a list", values)
    _demand(_is_count(values["steps"]), "`steps` is a number of updates", values)
    drawn = values["batches_drawn"]
    _demand(_is_count(drawn), "`batches_drawn` is a number of batches", values)
    return {
        "suggestion": _float_or_none("suggestion", values["suggestion"]),
        "verdict": values["verdict"],
        "reason": values["reason"],
        "interval": None if interval is None else _pair("interval", interval),
        "lrs": lrs,
        "losses": losses,
        "smoothed": smoothed,
        "suggestions": {
            str(rule): _float("suggestions", rate) for rule, rate in rates.items()
        },
        "probes": tuple(_probe(each) for each in probes),
        "steps": values["steps"],
        "start": _float_or_none("start", values["start"]),
        "batches_drawn": drawn,
    }


_VERDICTS = f"`verdict` is one of {get_args(Verdict)}"


def _demand(is_so: bool, rule: str, values: Mapping[str, Any]) -> None:
    if not is_so:
        name = rule.split("`")[1]
        raise ValueError(f"Of a result {rule}. Received: {name}={shown(values[name])}.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _floats(name: str, value: Any) -> FloatArray:
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"Of a result `{name}` is a list. {received(**{name: value})}")
    return np.array([_float(name, each) for each in value], dtype=np.float64)


def _pair(name: str, values: Any) -> tuple[float, float]:
    low, high = values
    return _float(name, low), _float(name, high)


def _float_or_none(name: str, value: Any) -> float | None:
    return None if value is None else _float(name, value)


def _float(name: str, value: Any) -> float:
    """A number, or what stands for one that is not finite."""
    if isinstance(value, str) and value in NOT_FINITE:
        return float(value)
    try:
        return number(name, value)
    except TypeError as error:
        raise ValueError(f"Of a result {error}") from error


def _probe(values: Any) -> Probe:
    """One training; files of old say neither its plan nor whether it followed one."""
    known = {field.name for field in dataclasses.fields(Probe)}
    is_probe = isinstance(values, Mapping) and set(values) <= known
    if not is_probe or not {"lr", "loss", "updates"} <= set(values):
        raise ValueError(
            "Each of `probes` of a result has `lr`, `loss` and `updates`, and may have "
            f"`planned` and `follows`. Received: {shown(values)}."
        )
    updates = values["updates"]
    planned = values.get("planned", updates)
    follows = values.get("follows", False)
    counts = _is_count(updates) and _is_count(planned)
    if not counts or not isinstance(follows, bool):
        raise ValueError(
            "Of each of `probes` of a result `updates` and `planned` are numbers of "
            f"updates and `follows` is True or False. Received: {shown(values)}."
        )
    lr = _float("lr", values["lr"])
    loss = _float("loss", values["loss"])
    return Probe(lr, loss, updates, planned, follows)
