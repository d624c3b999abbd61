"""``Imported``: the schedule of another library as one of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import keras

from keras_lr.arguments import DEFAULTS, Common
from keras_lr.interop import catalogue
from keras_lr.plan.checks import check_choice, check_flag, check_mapping
from keras_lr.plan.course import Course
from keras_lr.plan.duration import Clock, IntArray, Length
from keras_lr.plan.parts import Part
from keras_lr.plan.plain import plain
from keras_lr.plan.recipe import Followed, Recipe
from keras_lr.plan.words import naming, shown
from keras_lr.schedule import Schedule, registered
from keras_lr.tabulated import TabulatedSchedule


@registered
class Imported(Schedule):
    """The schedule of another library; the functions ``from_...`` make it.

    Args:
        peer: The library: ``"torch"``, ``"transformers"``, ``"optax"``, ``"timm"``,
            ``"keras"``, ``"fastai"`` or ``"composer"``.
        recipe: The schedule, as the library calls it.
        arguments: What it is given there, by name. An item of a composite is a pair of
            a name and arguments.
        faithful: Whether known faults of the original are carried over.
        per: What a step of the original is: ``"update"`` or ``"epoch"``.
        **common: What every schedule takes.

    Raises:
        TypeError: If the original has no such argument.
        ValueError: If there is no such schedule, an argument is missing, or one is out
            of range; in a fit, if a rate is negative or a momentum not below 1.
    """

    def __init__(
        self,
        peer: str,
        recipe: str,
        arguments: Mapping[str, Any],
        faithful: bool = False,
        per: str = "update",
        **common: Unpack[Common],
    ) -> None:
        self.peer = peer
        self.recipe = recipe
        check_mapping("arguments", arguments)
        self.arguments = {
            name: as_pairs(peer, plain(value)) for name, value in arguments.items()
        }
        self.faithful = faithful
        self.per = per
        check_choice("peer", peer, tuple(catalogue.MODULES))
        check_flag("faithful", faithful)
        check_choice("per", per, ("update", "epoch"))
        # Whoever looks at epochs and names no length of one sees a value a step.
        self._usual_epoch = 1.0 if per == "epoch" else None
        self._made = self._recipe()
        self.max_lr = self._made.peak
        with naming(f"from_{peer}({recipe!r})"):
            self._prepare(common)

    def _recipe(self) -> Recipe:
        made = catalogue.recipe(self.peer, self.recipe, self.arguments, self.faithful)
        return made.in_epochs() if self.per == "epoch" else made

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        # Its functions are made anew from the arguments: they cannot be pickled.
        del state["_made"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._made = self._recipe()

    def _courses(self) -> list[Course]:
        made = self._made
        courses = [
            Course(
                self.hyperparameter,
                made.peak,
                self._parts,
                floor=made.floor,
                owner=self,
                is_shown_as_is=True,
            )
        ]
        if made.momentum is not None and self.hyperparameter == "learning_rate":
            courses.append(
                Course(
                    "momentum",
                    1.0,
                    self._momentum_parts,
                    # As with OneCycle: an optimizer without one is left alone.
                    optional=True,
                    owner=self,
                    is_shown_as_is=True,
                )
            )
        return courses

    def _parts(self, peak: float) -> list[Part]:
        made = self._made

        def rates(steps: IntArray, run: Clock) -> Any:
            return made.rate(steps, peak, run)

        # Rates that were given do not follow the optimizer's own, but go with another
        # peak that a fit is given.
        gain = 1.0 if made.peak is None else peak / made.peak
        is_by_epoch = self.per == "epoch"
        return [Followed(rates, is_by_epoch, made.takes_fractions, made.length, gain)]

    def _momentum_parts(self, peak: float) -> list[Part]:
        assert self._made.momentum is not None  # noqa: S101  or there is no course
        return [Followed(self._made.momentum, self.per == "epoch").scaled(peak)]

    @property
    def _meant_for(self) -> Length | None:
        if self.horizon is None and self._made.length is not None:
            return self._made.length.length
        return super()._meant_for

    def _warmup_updates(self, run: Clock) -> int:
        warmup = self._made.warmup
        if self.per == "epoch" and run.steps_per_epoch is not None:
            return round(warmup * run.steps_per_epoch)
        return warmup

    def as_keras_schedule(
        self,
        steps: int,
        base_lr: float = 1.0,
        steps_per_epoch: float | None = None,
        accumulation: int = 1,
    ) -> TabulatedSchedule:
        """As of every schedule; where a step is an epoch it needs their length.

        Raises:
            ValueError: If ``steps_per_epoch`` is missing there.
        """
        if self.per == "epoch" and steps_per_epoch is None:
            raise ValueError(
                f"{shown(self)} changes by epochs, and a loop of one's own counts "
                "updates. Received: steps_per_epoch=None. Give the updates of an epoch."
            )
        return super().as_keras_schedule(steps, base_lr, steps_per_epoch, accumulation)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config["arguments"] = {
            name: _as_config(value) for name, value in self.arguments.items()
        }
        return config

    def __repr__(self) -> str:
        written = [repr(self.recipe)]
        written += [f"{name}={value!r}" for name, value in self.arguments.items()]
        if self.faithful:
            written.append("faithful=True")
        if self.per != usual_step(self.peer, self.arguments):
            written.append(f"per={self.per!r}")
        for name, default in DEFAULTS.items():
            if getattr(self, name) != default:
                written.append(f"{name}={getattr(self, name)!r}")
        return f"from_{self.peer}({', '.join(written)})"


def usual_step(peer: str, arguments: Mapping[str, Any]) -> str:
    """What a step of a schedule is in the loop that its library shows."""
    # timm's training script steps once an epoch unless a scheduler counts otherwise.
    if peer != "timm":
        return "update"
    # The factory has a name of its own for it.
    in_epochs = arguments.get("t_in_epochs", arguments.get("step_on_epochs", True))
    return "epoch" if in_epochs else "update"


def as_pairs(peer: str, value: Any) -> Any:
    """A value in which schedules of the same library are pairs (name, arguments)."""
    if isinstance(value, Imported) and value.peer == peer:
        return value.recipe, dict(value.arguments)
    if isinstance(value, Schedule):
        raise TypeError(
            f"What a schedule of {peer} is made of must come from {peer} as well, as a "
            f"pair of name and arguments or as from_{peer} makes it. "
            f"Received: {value!r}."
        )
    if isinstance(value, list | tuple):
        return type(value)(as_pairs(peer, each) for each in value)
    return value


def _as_config(value: Any) -> Any:
    """An argument as Keras writes it: objects of Keras as their configs."""
    if isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
        return keras.saving.serialize_keras_object(value)
    if isinstance(value, Mapping):
        return {key: _as_config(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_as_config(each) for each in value]
    return value
