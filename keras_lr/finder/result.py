"""``LRFinderResult``: what a finder found, how sure it is, and what it saw."""

from __future__ import annotations

import base64
import csv
import dataclasses
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np

from keras_lr.finder import rules
from keras_lr.finder.judge import Verdict
from keras_lr.plan.checks import number
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.words import received, shown
from keras_lr.plot import picture_of_sweep, plot_sweep


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LRFinderResult:
    """What a finder found.

    Attributes:
        suggestion: The rate to train at, for the schedule that was asked for; None
            where the sweep does not support one.
        verdict: ``"trust"``, ``"noisy"``, ``"flat"``, ``"diverged early"`` or ``"range
            too narrow"``; there is a suggestion only with ``"trust"``.
        reason: The verdict in words.
        interval: Rates between which the suggestion may lie as well, given the noise;
            None where there is no suggestion.
        lrs: Rates that were tried, shape ``(rates,)``, increasing.
        losses: Mean loss of the updates at each rate, measured before each of them;
            not finite where it was not.
        smoothed: The losses without noise or lag, NaN from where they are not finite.
        suggestions: What each rule says, by name, whatever the verdict:
            ``zero_lag`` (ours), ``minimum``, ``slide``, ``steepest``, ``valley``; see
            :mod:`keras_lr.finder.rules`.
        probes: Trainings that were run to verify the answer; empty for a sweep alone.
        steps: Optimizer updates that were spent.
    """

    suggestion: float | None
    verdict: Verdict
    reason: str
    interval: tuple[float, float] | None
    lrs: FloatArray
    losses: FloatArray
    smoothed: FloatArray
    suggestions: Mapping[str, float]
    probes: tuple[Any, ...]
    steps: int

    def __post_init__(self) -> None:
        for name in ("lrs", "losses", "smoothed"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def plot(self, ax: Any = None) -> Any:
        """Draw the sweep and what was made of it (needs matplotlib, extra ``plot``).

        Args:
            ax: Matplotlib axes to draw on; None makes a figure.

        Returns:
            The axes.
        """
        return plot_sweep(self, rules.start(self.losses, len(self.losses)), ax)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold.

        Numbers that are not finite are written as ``"nan"``, ``"inf"``, ``"-inf"``.
        """
        return {
            "suggestion": self.suggestion,
            "verdict": self.verdict,
            "reason": self.reason,
            "interval": None if self.interval is None else list(self.interval),
            "lrs": [_plain(x) for x in self.lrs.tolist()],
            "losses": [_plain(x) for x in self.losses.tolist()],
            "smoothed": [_plain(x) for x in self.smoothed.tolist()],
            "suggestions": dict(self.suggestions),
            "probes": [{**one, "loss": _plain(one["loss"])} for one in self.probes],
            "steps": self.steps,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A result from what ``to_dict`` wrote.

        Raises:
            ValueError: If it is not that: no mapping, a field is missing, unknown or of
                another kind, or the lists of rates and losses differ in length.
        """
        return cls(**_read(values, [field.name for field in dataclasses.fields(cls)]))

    def to_csv(self, path: str | Path) -> None:
        """Write rate, loss and smoothed loss, one line for each rate."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["learning_rate", "loss", "smoothed"])
            columns = (self.lrs, self.losses, self.smoothed)
            writer.writerows(zip(*(column.tolist() for column in columns), strict=True))

    def __str__(self) -> str:
        if self.suggestion is None or self.interval is None:
            head = f"No learning rate to trust ({self.verdict})"
        else:
            low, high = self.interval
            head = f"Learning rate {self.suggestion:.2g} ({low:.2g} to {high:.2g})"
        return f"{head}: {self.reason}. {self.steps} updates."

    def __repr__(self) -> str:
        return (
            f"LRFinderResult(suggestion={self.suggestion!r}, verdict={self.verdict!r}, "
            f"interval={self.interval!r}, steps={self.steps})"
        )

    def _repr_html_(self) -> str:
        """The verdict in words and the picture, for notebooks."""
        words = html.escape(str(self))
        start = rules.start(self.losses, len(self.losses))
        try:
            picture = base64.b64encode(picture_of_sweep(self, start)).decode()
        except ImportError:
            return f"<p>{words}</p>"
        return (
            f'<p>{words}</p><img width="700" alt="{words}" '
            f'src="data:image/png;base64,{picture}">'
        )


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def _read(values: Any, names: Sequence[str]) -> dict[str, Any]:
    """The fields of a result, checked one by one."""
    if not isinstance(values, Mapping):
        raise ValueError(f"A result is read from a mapping. Received: {shown(values)}.")
    wrong = [name for name in values if name not in names]
    wrong += [name for name in names if name not in values]
    if wrong:
        raise ValueError(
            f"A result has the fields {', '.join(names)}. Received: a mapping that "
            f"differs in {', '.join(map(str, wrong[:8]))}."
        )
    verdicts = get_args(Verdict)
    lrs = _list_of_floats("lrs", values["lrs"])
    losses = _list_of_floats("losses", values["losses"])
    smoothed = _list_of_floats("smoothed", values["smoothed"])
    suggestion = values["suggestion"]
    interval = values["interval"]
    suggestions = values["suggestions"]
    probes = values["probes"]
    steps = values["steps"]
    _demand(values["verdict"] in verdicts, f"`verdict` is one of {verdicts}", values)
    _demand(isinstance(values["reason"], str), "`reason` is text", values)
    _demand(
        len(lrs) == len(losses) == len(smoothed),
        "`lrs`, `losses` and `smoothed` are of one length",
        values,
    )
    _demand(isinstance(interval, list | tuple | None), "`interval` is a pair", values)
    if interval is not None:
        interval = tuple(_float("interval", end) for end in interval)
        _demand(len(interval) == 2, "`interval` is a pair", values)
    _demand(isinstance(suggestions, Mapping), "`suggestions` is a mapping", values)
    _demand(isinstance(probes, list | tuple), "`probes` is a list", values)
    is_count = isinstance(steps, int) and not isinstance(steps, bool) and steps >= 0
    _demand(is_count, "`steps` is a number of updates", values)
    return {
        "suggestion": None if suggestion is None else _float("suggestion", suggestion),
        "verdict": values["verdict"],
        "reason": values["reason"],
        "interval": interval,
        "lrs": lrs,
        "losses": losses,
        "smoothed": smoothed,
        "suggestions": {
            str(rule): _float("suggestions", rate) for rule, rate in suggestions.items()
        },
        "probes": tuple(map(_probe, probes)),
        "steps": steps,
    }


def _demand(is_so: bool, rule: str, values: Mapping[str, Any]) -> None:
    if not is_so:
        name = rule.split("`")[1]
        raise ValueError(f"Of a result {rule}. Received: {name}={shown(values[name])}.")


def _list_of_floats(name: str, value: Any) -> FloatArray:
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"Of a result `{name}` is a list. {received(**{name: value})}")
    return np.array([_float(name, each) for each in value], dtype=np.float64)


def _float(name: str, value: Any) -> float:
    """A number, or what stands for one that is not finite."""
    if isinstance(value, str) and value in ("nan", "inf", "-inf"):
        return float(value)
    try:
        return number(name, value)
    except TypeError as error:
        raise ValueError(f"Of a result {error}") from error


def _probe(values: Any) -> dict[str, Any]:
    is_probe = isinstance(values, Mapping) and {"lr", "loss", "updates"} <= set(values)
    if not is_probe:
        raise ValueError(
            "Each of `probes` of a result has `lr`, `loss` and `updates`. "
            f"Received: {shown(values)}."
        )
    return {
        **values,
        "lr": _float("lr", values["lr"]),
        "loss": _float("loss", values["loss"]),
    }
