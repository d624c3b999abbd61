"""Parts as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from keras_lr.plan.curves import CURVES
from keras_lr.plan.parts import FunctionPhase, Part, Points, Repeat
from keras_lr.plan.phase import Phase, part_name
from keras_lr.plan.words import listed, received, shown

KINDS: dict[str, type[Part]] = {
    kind.__name__: kind for kind in (Phase, FunctionPhase, Repeat, Points)
}


def to_config(part: Part) -> dict[str, Any]:
    """A part as plain data; a function of one's own stays as it is."""
    config: dict[str, Any] = {"part": type(part).__name__}
    for name, value in vars(part).items():
        if name == "phases":
            value = [to_config(phase) for phase in value]
        elif name == "curve" and CURVES.get(part_name(value)) is value:
            value = part_name(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        config[name] = value
    return config


def from_config(config: Any) -> Part:
    """The part that :func:`to_config` described.

    Raises:
        ValueError: If the config describes none.
    """
    values = _fields(config)
    name = values.pop("part", None)
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(
            f"`part` in a phase's config must be one of {', '.join(KINDS)}. "
            f"{received(part=name)}"
        )
    kind = KINDS[name]
    parameters = signature(kind).parameters
    unknown = [key for key in values if key not in parameters]
    missing = [
        key
        for key, parameter in parameters.items()
        if key not in values and parameter.default is parameter.empty
    ]
    if unknown or missing:
        raise ValueError(
            f"The config of a {name} has {', '.join(parameters)}. Received: "
            f"{listed(unknown) or 'nothing'} besides, without "
            f"{', '.join(missing) or 'nothing'} that is needed."
        )
    if kind is Phase and isinstance(values.get("curve"), str):
        values["curve"] = _curve(values["curve"])
    if "options" in values and values["options"] is not None:
        values["options"] = _fields(values["options"])
    if kind is Repeat:
        values["phases"] = tuple(map(_phase, _items("phases", values["phases"])))
    if kind is Points:
        values["points"] = tuple(map(_pair, _items("points", values["points"])))
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _fields(config: Any) -> dict[str, Any]:
    if not isinstance(config, Mapping) or not all(
        isinstance(key, str) for key in config
    ):
        raise ValueError(
            "A phase's config must be a mapping from names to values. "
            f"Received: {shown(config)}."
        )
    return dict(config)


def _items(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(
            f"`{name}` in a phase's config must be a list. {received(**{name: value})}"
        )
    return list(value)


def _curve(name: str) -> Any:
    if name not in CURVES:
        raise ValueError(
            f"`curve` in a phase's config must be one of {', '.join(CURVES)}. "
            f"{received(curve=name)}"
        )
    return CURVES[name]


def _phase(config: Any) -> Phase:
    """A phase of a cycle, which cannot be another cycle."""
    values = _fields(config)
    if values.get("part") != "Phase":
        raise ValueError(
            f"A cycle is made of phases. Received: part={shown(values.get('part'))}."
        )
    phase = from_config(values)
    assert isinstance(phase, Phase)  # noqa: S101  by its name
    return phase


def _pair(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(
            "Each of `points` must be a pair of a position and a value. "
            f"Received: {shown(value)}."
        )
    position, factor = value
    return position, factor
