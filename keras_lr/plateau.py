"""``Plateau``: a schedule that cuts the rate where a metric stops getting better."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, Unpack
from weakref import WeakKeyDictionary

from keras_lr.arguments import Common, Peak
from keras_lr.fit.director import Director
from keras_lr.fit.guests import Guest
from keras_lr.phases import hold
from keras_lr.plan.checks import (
    check_at_least,
    check_choice,
    check_flag,
    check_int,
    check_rate,
)
from keras_lr.plan.duration import Clock, DurationOrZero
from keras_lr.plan.parts import Part
from keras_lr.plan.phase import Phase
from keras_lr.plan.product import Planned
from keras_lr.plan.waiting import CONVENTIONS, THRESHOLDS, Rule
from keras_lr.plan.words import received
from keras_lr.plateau_watch import Memory, UpdateWatch, Watch
from keras_lr.presets._base import Preset
from keras_lr.presets.warmups import COOLDOWNS
from keras_lr.schedule import Schedule, registered


@registered
class Plateau(Preset):
    r"""Warms up, then cuts the rate whenever a metric has stopped getting better.

    .. math:: \eta = \max(\eta_{max} \, f^{n}, \; \eta_{min})

    after n cuts of ``max_lr`` :math:`\eta_{max}` by ``factor`` f, down to the floor
    ``min_lr`` :math:`\eta_{min}`. A cut
    is due when ``patience`` observations in a row were not better than the best by
    ``min_delta``. Without other arguments it cuts where Keras' ReduceLROnPlateau does,
    but it multiplies with other schedules, counts from the end of its warmup, goes on
    where an earlier fit of the model has ended, and with BackupAndRestore in the list
    of callbacks where a killed one has.

    A cut is in force from the next update on and compiles nothing. The metric of an
    epoch counts from the first epoch that begins after the warmup (its own, or that of
    a schedule beside it), until the final decay begins. One that is not a number is no
    better than any.

    Args:
        monitor: The metric, as logs call it.
        factor: What a cut multiplies the rate by, in (0, 1).
        patience: Observations without a better one, at least 1: that many and the rate
            is cut (``"keras"``), or more than that many (``convention="torch"``, where
            0 is allowed).
        verbose: 1 prints a line at each cut.
        mode: ``"min"``, ``"max"``, or ``"auto"``: what Keras knows of the metric; of
            one that it does not know less is better, with a warning.
        min_delta: By how much a better one must be better, at least 0.
        cooldown: Observations after a cut that do not count.
        min_lr: The floor of the cuts, a rate.
        max_lr: The rate before any cut; None for the optimizer's own.
        warmup: How long the rate rises in a straight line first; 0 for no warmup.
        per: ``"epoch"``, or ``"update"``: then the loss of each update is observed,
            ``monitor`` must be ``"loss"``, and ``patience`` and ``cooldown`` count
            updates. It is looked at when a cut may be due, not at each update.
        smoothing: Weight of the past in a moving mean of the observations, in [0, 1);
            0 for the observations themselves.
        threshold: Whether ``min_delta`` is ``"absolute"``, or ``"relative"`` to the
            best.
        convention: ``"keras"`` or ``"torch"``: what ``patience`` and ``cooldown`` mean.
            In Keras the last observation of a cooldown counts, in torch it does not.
        restore_best: Whether the epoch after a cut begins with the weights of the best
            epoch; optimizer slots stay. They are copied at each best one.
        stop: Whether the fit ends when the rate is at its floor, which must be above
            0, and another cut would be due; with ``decay`` after that.
        decay: The final decay, the last part of the run: how long it takes; 0 for none.
        final_lr: The rate at its end, where that is lower.
        shape: ``"linear"``, ``"cosine"``, ``"1-sqrt"`` or ``"1-square"``.

    Raises:
        ValueError: If an argument is out of range; at the end of the first epoch, if
            the metric is not in the logs.

    Example:
        The plan is what happens without any cut:

        >>> Plateau("loss", max_lr=0.5, warmup=2, decay=2).values(6)
        array([0.25, 0.5 , 0.5 , 0.5 , 0.25, 0.  ])

    Source: Keras' ReduceLROnPlateau, torch's ``ReduceLROnPlateau``.
    """

    _is_plan = False

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        *,
        max_lr: Peak = None,
        warmup: DurationOrZero = 0,
        per: str = "epoch",
        smoothing: float = 0.0,
        threshold: str = "absolute",
        convention: str = "keras",
        restore_best: bool = False,
        stop: bool = False,
        decay: DurationOrZero = 0,
        final_lr: float = 0.0,
        shape: str = "linear",
        **common: Unpack[Common],
    ) -> None:
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.warmup = warmup
        self.per = per
        self.smoothing = smoothing
        self.threshold = threshold
        self.convention = convention
        self.restore_best = restore_best
        self.stop = stop
        self.decay = decay
        self.final_lr = final_lr
        self.shape = shape
        #: What the fit that is under way knows; what its rates follow from.
        self._memory = Memory()
        #: The same of each model, from fit to fit.
        self._memories: WeakKeyDictionary[Any, Memory] = WeakKeyDictionary()
        self._watch: Watch | None = None
        super().__init__(max_lr, **common)

    def _check(self) -> None:
        if not isinstance(self.monitor, str):
            raise TypeError(
                "`monitor` must be the name of a metric, as logs call it. "
                f"{received(monitor=self.monitor)}"
            )
        check_rate("factor", self.factor, above=0)
        if self.factor >= 1:
            raise ValueError(
                f"`factor` must be below 1. {received(factor=self.factor)}"
            )
        check_choice("mode", self.mode, ("auto", "min", "max"))
        check_choice("per", self.per, ("epoch", "update"))
        check_choice("threshold", self.threshold, THRESHOLDS)
        check_choice("convention", self.convention, CONVENTIONS)
        check_choice("shape", self.shape, tuple(COOLDOWNS))
        for name in ("patience", "cooldown"):
            check_int(name, getattr(self, name))
            check_at_least(name, getattr(self, name), 0)
        if self.patience == 0 and self.convention == "keras":
            raise ValueError(
                "`patience` must be at least 1, the first observation that is no "
                f"better. {received(patience=0)} Give 1, or convention='torch', where "
                "0 means the same."
            )
        check_at_least("min_delta", self.min_delta, 0)
        check_rate("smoothing", self.smoothing)
        if self.smoothing >= 1:
            raise ValueError(
                f"`smoothing` must be below 1. {received(smoothing=self.smoothing)}"
            )
        check_rate("final_lr", self.final_lr)
        check_flag("restore_best", self.restore_best)
        check_flag("stop", self.stop)
        self._check_together()
        super()._check()

    def _check_together(self) -> None:
        """Check arguments that depend on each other."""
        if self.per == "update" and self.monitor != "loss":
            raise ValueError(
                "Per update only the loss is known: `monitor` must be 'loss' with "
                f"per='update'. {received(monitor=self.monitor)}"
            )
        if self.per == "update" and self.restore_best:
            raise ValueError(
                "The best weights are those of an epoch: `restore_best` needs "
                f"per='epoch'. {received(per=self.per, restore_best=True)}"
            )
        if self.stop and not self.min_lr:
            raise ValueError(
                "A rate that is cut by a factor never is at a floor of 0: `stop` needs "
                f"a `min_lr` above 0. {received(min_lr=self.min_lr, stop=True)}"
            )

    # The rates.

    def _parts(self, peak: float) -> list[Part]:
        cuts = self._memory.cuts
        level = self._level(peak, cuts.standing.cuts)
        parts = self._rise(level)
        decay = self._argument("decay")
        if decay is None:
            return [*parts, hold(value=level)]
        end = min(self.final_lr, level)
        fall = Phase(decay, to=end, curve=COOLDOWNS[self.shape])
        if cuts.decays_from is None:
            return [*parts, hold(value=level), fall]
        return [hold(cuts.decays_from, level), fall, hold(value=end)]

    # What its watch asks.

    def _level(self, peak: float, cuts: int) -> float:
        """The rate after so many cuts.

        Args:
            peak: The rate before any.
            cuts: How many.
        """
        return max(peak * self.factor**cuts, self._floor(peak))

    def _may_cut(self, peak: float, cuts: int) -> bool:
        """Whether the rate after so many cuts is above the floor."""
        # A floor that is met but for rounding is met.
        return self._level(peak, cuts) > self._floor(peak) * (1 + 1e-7)

    def _rule(self, rises: bool) -> Rule:
        """What counts as better, and for how long one waits for it.

        Args:
            rises: Whether more is better.
        """
        return Rule(
            self.patience,
            self.cooldown,
            rises,
            self.min_delta,
            is_relative=self.threshold == "relative",
            waits_beyond=self.convention == "torch",
            smoothing=self.smoothing,
        )

    def _span(self, run: Clock, schedules: Sequence[Schedule]) -> tuple[int, float]:
        """The updates between which observations count, in those of its own run.

        Args:
            run: The run of the fit.
            schedules: All schedules of the fit: none of them may be warming up.

        Returns:
            The end of the warmup, and the begin of the final decay, or infinity.
        """
        if self._memory.cuts.decays_from is not None:
            return 0, 0
        first = max(schedule._warmup_updates(run) for schedule in schedules)
        clock = self._clock(run)
        if clock.total is None or self._argument("decay") is None:
            return first, math.inf
        return first, clock.total - self._decay(clock)

    def _decay_updates(self, run: Clock) -> int:
        """How long the final decay takes.

        Args:
            run: The run of the fit.
        """
        return self._decay(self._clock(run))

    def _decay(self, clock: Clock) -> int:
        decay = self._argument("decay")
        return 0 if decay is None else clock.updates(decay)

    # The plan, without what a fit has cut.

    def _planned(self) -> list[Planned]:
        plan = copy.copy(self)
        return super(Plateau, plan)._planned()

    def _singles(self) -> list[tuple[str | None, Schedule]]:
        singles = super()._singles()
        for _, single in singles:
            # One fit, one memory: a copy has one of its own.
            if isinstance(single, Plateau):
                single._memory = self._memory
        return singles

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        del state["_memory"]
        del state["_memories"]
        state["_watch"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._memory = Memory()
        self._memories = WeakKeyDictionary()

    # In a fit.

    def _before_fit(self, model: Any) -> Schedule:
        seen = copy.copy(self)
        # A copy has memories of its own.
        if model is not None:
            seen._memory = self._memories.get(model, Memory())
        seen._ends = self._ends
        return seen

    def _join(self, director: Director) -> None:
        self._memory = self._memories.setdefault(director.model, Memory())
        super()._join(director)

    def _guests(self) -> Sequence[Guest]:
        kind = Watch if self.per == "epoch" else UpdateWatch
        watch = kind(self, self._memory)
        self._watch = watch
        return [watch]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the place in the run, and go back to the best weights after a cut."""
        super().on_epoch_begin(epoch, logs)
        if self._watch is not None:
            self._watch.begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Await the next epoch."""
        if self._watch is not None:
            self._watch.end_epoch_in_turn(epoch, logs or {})
        super().on_epoch_end(epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Give the optimizer back."""
        if self._watch is not None:
            self._watch.end()
        super().on_train_end(logs)
