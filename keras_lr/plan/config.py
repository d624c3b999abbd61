"""Parts as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_lr.plan import curves
from keras_lr.plan.parts import FunctionPhase, Part, Points, Repeat
from keras_lr.plan.phase import Phase, part_name


def to_config(part: Part) -> dict[str, Any]:
    """A part as plain data; a function of one's own stays as it is."""
    config: dict[str, Any] = {"part": type(part).__name__}
    for name, value in vars(part).items():
        if name == "phases":
            value = [to_config(phase) for phase in value]
        elif name == "curve" and getattr(curves, part_name(value), None) is value:
            value = part_name(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        config[name] = value
    return config


def from_config(config: Mapping[str, Any]) -> Part:
    """The part that :func:`to_config` described."""
    kinds = {kind.__name__: kind for kind in (Phase, FunctionPhase, Repeat, Points)}
    values = dict(config)
    kind = kinds[values.pop("part")]
    if kind is Phase and isinstance(values["curve"], str):
        values["curve"] = getattr(curves, values["curve"])
    if kind is Repeat:
        values["phases"] = tuple(from_config(phase) for phase in values["phases"])
    if kind is Points:
        values["points"] = tuple((b, v) for b, v in values["points"])
    part: Part = kind(**values)
    return part
