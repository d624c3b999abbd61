"""``Report``: what will be in force in a fit, and what is odd about it."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_lr.lints import joins, picture, table
from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Plan, Scene
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.duration import Clock


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What :func:`keras_lr.lint` has seen; printed, it is a table.

    Attributes:
        rates: The learning rate of each update of the fit, shape ``(updates,)``; of
            several optimizers that of the one with the highest.
        findings: What is odd, the worst first.
        momentum: The momentum (beta_1) of each update, where it is scheduled; else
            None.
        weight_decay: The same of the weight decay.
        name: What logs call ``rates``: ``"learning_rate"``, or
            ``"learning_rate_d_optimizer"`` where there are several.
        others: The rates of further optimizers, by what logs call them.
        first: The update of the run that ``rates`` begin with: 0, unless the fit goes
            on.
        steps_per_epoch: Updates of an epoch, fractional under gradient accumulation.
        joins: Updates at which a part of a schedule gives way to the next one.
        title: The schedules.
        about: The run and the own rate, in words.
        plans: Of a schedule that was extended, the values of the plan before and of
            the one behind, at each update from the begin of the run on.
        extended: The update at which the one gives way to the other, if it does.

    Example:
        >>> from keras_lr import LinearDecay, lint
        >>> print(lint(LinearDecay(max_lr=0.1), epochs=2, steps_per_epoch=50))
        LinearDecay(max_lr=0.1)
        100 updates: 2 epochs of 50.
        <BLANKLINE>
        update  epoch  rate
             0   0.00   0.1  first, highest
            99   1.98     0  last
        <BLANKLINE>
        Nothing was found.
    """

    rates: FloatArray
    findings: tuple[Finding, ...]
    momentum: FloatArray | None = None
    weight_decay: FloatArray | None = None
    name: str = "learning_rate"
    others: Mapping[str, FloatArray] = field(default_factory=dict)
    first: int = 0
    steps_per_epoch: float = 1.0
    joins: tuple[int, ...] = ()
    title: str = ""
    about: str = ""
    plans: Mapping[str, FloatArray] = field(default_factory=dict)
    extended: int | None = None

    def __post_init__(self) -> None:
        for array in (self.rates, *self.beside.values(), *self.others.values()):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    @property
    def beside(self) -> dict[str, FloatArray]:
        """What is scheduled besides rates, by hyperparameter."""
        both = {"momentum": self.momentum, "weight_decay": self.weight_decay}
        return {name: values for name, values in both.items() if values is not None}

    def plot(self, ax: Any = None) -> Any:
        """Draw what will be in force, with findings marked where they lie.

        Findings have the numbers that the table gives them; the list below the axes
        says what they are. Of a schedule that was extended both plans are drawn, and
        where one gives way to the other.

        Args:
            ax: Matplotlib axes to draw on; None makes a figure.

        Returns:
            The axes with the rate.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        return picture.plot(self, ax)

    def __str__(self) -> str:
        return table.text(self)

    def __repr__(self) -> str:
        codes = [finding.code for finding in self.findings]
        return f"Report({len(self.rates)} updates, findings={codes!r})"

    def _repr_html_(self) -> str:
        """The table and the picture, for notebooks."""
        words = f"<pre>{html.escape(str(self))}</pre>"
        try:
            drawn = base64.b64encode(picture.png(self)).decode()
        except ImportError:
            return words
        return (
            f'{words}<img width="700" alt="{html.escape(self.title)}" '
            f'src="data:image/png;base64,{drawn}">'
        )


def written(
    scene: Scene, title: str, findings: tuple[Finding, ...], is_assumed: bool
) -> Report:
    """The report on a fit.

    Args:
        scene: The fit.
        title: Its schedules.
        findings: What was found.
        is_assumed: Whether nobody has told the optimizer's own rate.
    """
    main, *others = scene.lanes
    updates = [
        update for plan in main.rate_plans for update in joins.parts_of(plan, main)
    ]
    seams = [plan for plan in main.rate_plans if plan.seam is not None]
    plans, extended = _both_plans(seams[0]) if seams else ({}, None)
    return Report(
        rates=main.rates,
        findings=findings,
        momentum=main.momentum,
        weight_decay=main.weight_decay,
        name=main.log_name,
        others={lane.log_name: lane.rates for lane in others},
        first=main.first,
        steps_per_epoch=main.clock.steps_per_epoch or float(len(main.rates)),
        joins=tuple(sorted(set(updates))),
        title=title or main.name,
        about=_about(scene, main, is_assumed),
        plans=plans,
        extended=extended,
    )


def _both_plans(plan: Plan) -> tuple[dict[str, FloatArray], int]:
    """The values of both plans of a schedule that was extended, and where they meet."""
    seam = plan.seam
    assert seam is not None  # noqa: S101  the caller has asked
    moment = seam.extension.within(plan.clock)
    found = {}
    for values, count in ((seam.before, moment.planned), (seam.after, moment.total)):
        clock = Clock(count, plan.clock.steps_per_epoch)
        found[f"planned for {count}"] = values(clock, np.arange(count))
    return found, moment.done


def _about(scene: Scene, main: Lane, is_assumed: bool) -> str:
    """The run in words."""
    each = main.clock.steps_per_epoch
    epochs = scene.epochs - scene.epoch
    words = f"{len(main.rates)} updates: {epochs} epochs of {each:g}"
    if main.accumulation > 1:
        words += f" ({main.accumulation} batches an update)"
    if main.first:
        words += f", from update {main.first} on"
    is_relative = not any(plan.course.peak is not None for plan in main.rate_plans)
    if main.own_schedule is not None:
        words += f"; {main.own_schedule} in the optimizer"
    elif is_assumed and is_relative:
        words += "; the optimizer's own rate is taken for 1.0, since neither base_lr "
        words += "nor model tells it"
    elif is_relative and main.own_rate is not None:
        words += f"; the optimizer's own rate is {main.own_rate:g}"
    return f"{words}."
