"""The product of several schedules as one object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, Self

import keras

from keras_lr.outlook import Outlook
from keras_lr.plan.course import HYPERPARAMETERS
from keras_lr.plan.product import Planned
from keras_lr.plan.words import listed, shown
from keras_lr.reading import read_config
from keras_lr.schedule import Schedule


def combine(*schedules: Schedule | Combined) -> Combined:
    r"""The product of several schedules, which they make in a fit as well.

    .. math:: \eta(t) = \eta_{max} f_1(t) f_2(t) \dots

    with the factors :math:`f_i` of each at update t, and the rate :math:`\eta_{max}` of
    the one that has ``max_lr``, or else the optimizer's own. Momentum multiplies
    likewise. It is for looking at it, and for custom training loops: a fit takes the
    schedules themselves, side by side in its list of callbacks.

    Args:
        *schedules: One or more, at most one of them with ``max_lr``; those of momentum
            may stand beside those of the rate.

    Returns:
        An object with ``values``, ``at``, ``momentum_values``, ``plot`` and
        ``as_keras_schedule``, as a schedule has them.

    Raises:
        TypeError: If something is no schedule.
        ValueError: If there is none, if two set an absolute value, if weight decay is
            among them beside others, or if they are for several optimizers.

    Example:
        >>> from keras_lr import LinearDecay, Warmup
        >>> product = combine(Warmup(2), LinearDecay(max_lr=0.5))
        >>> product.values(5)
        array([0.25 , 0.375, 0.25 , 0.125, 0.   ])
    """
    flat: list[Schedule] = []
    for schedule in schedules:
        if isinstance(schedule, Combined):
            flat += schedule.schedules
        elif isinstance(schedule, Schedule):
            flat.append(schedule)
        else:
            raise TypeError(
                f"`combine` takes schedules of this package. Received: "
                f"{shown(schedule)}."
            )
    return Combined(flat)


@keras.saving.register_keras_serializable("keras_lr")
class Combined(Outlook):
    """The product of several schedules; :func:`keras_lr.combine` makes it.

    Attributes:
        schedules: The schedules.
        hyperparameter: What ``values`` are values of: the rate, if that is scheduled.
    """

    def __init__(self, schedules: Sequence[Schedule]) -> None:
        self.schedules = tuple(schedules)
        names = {schedule.hyperparameter for schedule in self.schedules}
        if not names:
            raise ValueError("`combine` needs at least one schedule. Received: none.")
        self.hyperparameter = next(name for name in HYPERPARAMETERS if name in names)
        if "weight_decay" in names and len(names) > 1:
            raise ValueError(
                "Weight decay is no part of the product of rate and momentum. "
                f"Received: {self._listed()}. Combine schedules of it by themselves."
            )
        if len({schedule.optimizer for schedule in self.schedules}) > 1:
            raise ValueError(
                "Schedules that multiply must be for one optimizer. "
                f"Received: {self._listed()}."
            )
        self._check_absolute()

    def _check_absolute(self) -> None:
        for name in HYPERPARAMETERS:
            absolute = [
                shown(course.owner)
                for course, _ in self._planned()
                if course.hyperparameter == name and course.peak is not None
            ]
            if len(absolute) > 1:
                raise ValueError(
                    f"Only one of the schedules can set an absolute {name}; the others "
                    f"multiply it. Received: {' and '.join(absolute)}. Leave "
                    f"{'`max_lr`' if name == 'learning_rate' else 'it'} out of all but "
                    "one."
                )

    def _planned(self) -> list[Planned]:
        return [each for schedule in self.schedules for each in schedule._planned()]

    def _listed(self) -> str:
        return listed(self.schedules)

    def __repr__(self) -> str:
        return f"combine({', '.join(map(repr, self.schedules))})"

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        return {
            "schedules": [
                keras.saving.serialize_keras_object(schedule)
                for schedule in self.schedules
            ]
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A product from its config.

        Raises:
            ValueError: If it is none.
        """
        schedules = read_config("combine", config, ["schedules"]).get("schedules")
        if not isinstance(schedules, list | tuple) or not all(
            isinstance(schedule, Schedule) for schedule in schedules
        ):
            raise ValueError(
                "combine: `schedules` in the config must be a list of schedules. "
                f"Received: schedules={shown(schedules)}."
            )
        return cls(schedules)

    #: Keras looks for this, or for more, before it calls a callback.
    async_safe = True

    def set_params(self, params: Any) -> NoReturn:
        """Say what to do instead."""
        raise TypeError(
            "The product of schedules is no callback: in a fit they multiply by "
            f"themselves. Received: {shown(self)}. Give the fit its schedules, as "
            "callbacks=[*product.schedules]."
        )

    set_model = set_params
