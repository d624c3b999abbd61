"""What ``Plateau`` does in a fit: observe, cut, keep its state and take it up."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keras_lr.fit import keras_names, processes
from keras_lr.fit.backups import Backup, backup_of
from keras_lr.fit.guests import Fit
from keras_lr.fit.record import Reader, Scalar
from keras_lr.plan.duration import Clock
from keras_lr.plan.waiting import Rule, Standing, observe
from keras_lr.plan.words import shown


@dataclass(frozen=True)
class Cuts:
    """How far the cuts of a run have come.

    Attributes:
        standing: The waiting.
        decays_from: The update at which the final decay has begun early; None if it
            has not.
        returns: Whether the next epoch begins with the best weights.
        best: The file of the best weights; None where they are in memory alone.
    """

    standing: Standing = field(default_factory=Standing)
    decays_from: int | None = None
    returns: bool = False
    best: str | None = None


@dataclass
class Memory:
    """What is known of a model from fit to fit.

    Attributes:
        cuts: How far its cuts have come.
        weights: The best weights, where they are wanted.
        epochs: Epochs of its run that have ended; None where nothing is known.
    """

    cuts: Cuts = field(default_factory=Cuts)
    weights: list[NDArray[Any]] | None = None
    epochs: int | None = None


class Cutting(Protocol):
    """What is asked of the schedule that is watched."""

    monitor: str
    mode: str
    verbose: int
    restore_best: bool
    stop: bool

    def _rule(self, rises: bool) -> Rule:
        """What counts as better, and for how long one waits for it."""

    def _level(self, peak: float, cuts: int) -> float:
        """The rate after so many cuts."""

    def _may_cut(self, peak: float, cuts: int) -> bool:
        """Whether the rate after so many cuts is above the floor."""

    def _span(self, run: Clock, schedules: Sequence[Any]) -> tuple[int, float]:
        """Between which updates observations count."""

    def _decay_updates(self, run: Clock) -> int:
        """How long the final decay takes."""


class Watch:
    """The guest of a fit that a ``Plateau`` is in: observes its metric once an epoch.

    Args:
        plateau: The schedule.
        memory: What is known of the model.
    """

    scalars: Sequence[Scalar] = ()

    def __init__(self, plateau: Cutting, memory: Memory) -> None:
        self._plateau = plateau
        self._memory = memory
        self._rule: Rule | None = None
        self._peaks: list[float] = []
        self._backup: Backup | None = None
        self._fit: Fit | None = None
        #: Updates of the schedule's run that earlier fits have made, and those of this
        #: fit's run as its epoch began.
        self._before = 0
        self._begun = 0
        self._is_observed = False

    @property
    def fit(self) -> Fit:
        """The fit, once it has begun."""
        assert self._fit is not None  # noqa: S101  nobody asks before
        return self._fit

    # As the fit goes on.

    def begin(self, fit: Fit) -> None:
        """Take up the state of the epoch that the fit goes on with."""
        is_first = self._fit is None
        self._fit = fit
        self._peaks = fit.peaks(self._plateau)
        self._before = fit.made_before(self._plateau)
        self._begun = fit.updates_made()
        if is_first:
            self._take_up(fit)

    def begin_epoch(self) -> None:
        """Go back to the best weights, where a cut asks for it."""
        self._is_observed = False
        if self._fit is not None:
            self._return(self._fit)

    def end(self) -> None:
        """The fit ends."""
        if self._fit is not None:
            self._return(self._fit)

    def due(self) -> int | None:
        """After how many updates of the run it wants to look: as a decay has ended."""
        decays_from = self._memory.cuts.decays_from
        if decays_from is None:
            return None
        decay = self._plateau._decay_updates(self.fit.run)
        return decays_from + decay - self._before

    def look(self, made: int) -> None:
        """The final decay has come to its end before the run."""
        self.fit.model.stop_training = True

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Observe, and keep the state, before the weights are backed up.

        A metric that a callback puts into the logs is there only at the turn of this
        one.
        """
        if self._has(logs):
            self.end_epoch_in_turn(epoch, logs)

    def end_epoch_in_turn(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """The same at the callback's turn, for a metric that was not there before."""
        if self._fit is None or self._is_observed:
            return
        self._is_observed = True
        made = self._fit.updates_made()
        self._observe_epoch(epoch, logs, made)
        self._begun = made
        self._memory.epochs = epoch + 1
        if self._backup is not None:
            self._backup.write(epoch + 1, asdict(self._memory.cuts))

    def _has(self, logs: Mapping[str, Any]) -> bool:
        """Whether the logs tell what is observed."""
        return self._plateau.monitor in logs

    def _observe_epoch(self, epoch: int, logs: Mapping[str, Any], made: int) -> None:
        value = self._value(epoch, logs)
        first, last = self._plateau._span(self.fit.run, self.fit.schedules)
        is_inside = first <= self._before + self._begun and self._before + made < last
        if value is None or not is_inside:
            return
        self._observe(value, made, f"Epoch {epoch + 1}")
        if self._memory.cuts.standing.is_best and self._plateau.restore_best:
            self._keep_weights(epoch)

    def _value(self, epoch: int, logs: Mapping[str, Any]) -> float | None:
        """The metric; None where the epoch has no validation."""
        name = self._plateau.monitor
        model = self.fit.model
        if self._rule is None:
            self._rule = self._plateau._rule(_rises(self._plateau, model))
        if name in logs:
            # Where several processes train, all must cut at once.
            return float(processes.mean(np.array(logs[name], np.float64)))
        if name.startswith("val_") and keras_names.skips_validation(model, epoch):
            return None
        there = ", ".join(map(repr, logs)) or "nothing"
        raise ValueError(
            "`monitor` must be a metric of the logs. Received: "
            f"monitor={name!r} for {shown(self._plateau)}, and logs with {there}. Name "
            "one of these, or give the fit `validation_data`."
        )

    # Cuts.

    def _observe(self, value: float, made: int, when: str) -> None:
        """Take note of a value, and of what follows from it."""
        memory = self._memory
        before = memory.cuts.standing
        assert self._rule is not None  # noqa: S101  made before anything is observed
        after = observe(before, value, self._rule, self._may_cut())
        memory.cuts = replace(memory.cuts, standing=after)
        if after.cuts > before.cuts:
            memory.cuts = replace(memory.cuts, returns=self._plateau.restore_best)
            self._say(when, f"cuts the rate to {self._rates()}")
            self.fit.lay_again()
        elif after.is_waited_out and self._plateau.stop:
            memory.cuts = replace(memory.cuts, returns=self._plateau.restore_best)
            self._end(made, when)

    def _may_cut(self) -> bool:
        cuts = self._memory.cuts.standing.cuts
        return any(self._plateau._may_cut(peak, cuts) for peak in self._peaks)

    def _rates(self) -> str:
        cuts = self._memory.cuts.standing.cuts
        levels = [self._plateau._level(peak, cuts) for peak in self._peaks]
        return ", ".join(f"{level:g}" for level in levels)

    def _end(self, made: int, when: str) -> None:
        """The floor has been waited out: end the fit, after the final decay if any."""
        decay = self._plateau._decay_updates(self.fit.run)
        what = f"decays for {decay} updates" if decay else "ends the fit"
        self._say(when, f"has waited at its floor and {what}")
        if not decay:
            self.fit.model.stop_training = True
            return
        cuts = self._memory.cuts
        self._memory.cuts = replace(cuts, decays_from=self._before + made)
        self.fit.lay_again()

    def _say(self, when: str, what: str) -> None:
        if self._plateau.verbose:
            print(f"{when}: {shown(self._plateau)} {what}.")

    # The best weights.

    def _keep_weights(self, epoch: int) -> None:
        model = self.fit.model
        weights = [keras_names.read_in_fit(model, one) for one in model.weights]
        self._memory.weights = weights
        if self._backup is not None:
            file = self._backup.write_arrays(f"best-{epoch}", weights)
            self._memory.cuts = replace(self._memory.cuts, best=file)

    def _return(self, fit: Fit) -> None:
        weights = self._memory.weights
        if self._memory.cuts.returns and weights is not None:
            keras_names.write_in_fit(fit.model, fit.model.weights, iter(weights))
        self._memory.cuts = replace(self._memory.cuts, returns=False)

    # Runs in pieces.

    def _take_up(self, fit: Fit) -> None:
        """Go on with what is known of the epochs before."""
        memory = self._memory
        kin = [one for one in fit.callbacks if type(one) is type(self._plateau)]
        place = next((i for i, one in enumerate(kin) if one is self._plateau), 0)
        self._backup = backup_of(fit.callbacks, f"keras_lr-plateau-{place}")
        kept = None if self._backup is None else self._backup.read(fit.epoch)
        if kept is not None and self._backup is not None:
            standing = Standing(**kept.pop("standing"))
            memory.cuts = Cuts(standing, **kept)
            if memory.cuts.best is not None:
                memory.weights = self._backup.read_arrays(memory.cuts.best)
            fit.lay_again()
        elif fit.epoch and memory.epochs is None:
            warnings.warn(
                f"{shown(self._plateau)} knows nothing of the epochs before "
                f"{fit.epoch}, and goes on as if there had been no cut. Give it to "
                "each fit of the run, or resume by keras.callbacks.BackupAndRestore.",
                UserWarning,
                stacklevel=2,
            )
        elif not self._before + self._begun and memory.cuts.decays_from is not None:
            # Another run, from its begin.
            memory.cuts = replace(memory.cuts, decays_from=None)
            fit.lay_again()


class UpdateWatch(Watch):
    """Observes the loss of each update, and looks when a cut may be due."""

    def __init__(self, plateau: Cutting, memory: Memory) -> None:
        super().__init__(plateau, memory)
        self._rule = plateau._rule(rises=False)
        self._reader: Reader | None = None
        #: Updates of the run that have been observed, and losses of the next one.
        self._observed = 0
        self._losses: list[float] = []

    def begin(self, fit: Fit) -> None:
        """Take up the state, and read from here on."""
        super().begin(fit)
        self._reader = fit.reader()
        self._observed = self._begun
        self._losses = []

    def due(self) -> int | None:
        """After how many updates a cut is due at the earliest."""
        decay_end = super().due()
        if decay_end is not None:
            return decay_end
        if not self._may_cut() and not self._plateau.stop:
            return None
        assert self._rule is not None  # noqa: S101  made with the watch
        first, last = self._plateau._span(self.fit.run, self.fit.schedules)
        wait = max(self._rule.waits - self._memory.cuts.standing.wait, 1)
        due = max(self._observed, first - self._before) + wait
        return None if due >= last - self._before else due

    def look(self, made: int) -> None:
        """Observe all updates since the last look."""
        decay_end = super().due()
        if decay_end is not None and made >= decay_end:
            super().look(made)
        self._read()

    def _has(self, logs: Mapping[str, Any]) -> bool:
        return True  # The record has it.

    def _observe_epoch(self, epoch: int, logs: Mapping[str, Any], made: int) -> None:
        self._read()

    def _read(self) -> None:
        assert self._reader is not None  # noqa: S101  the fit has begun
        rows = self._reader.read()
        each = self.fit.step.optimizers[0].accumulation
        first, last = self._plateau._span(self.fit.run, self.fit.schedules)
        losses = processes.mean(rows.columns["loss"])
        has_data = ~np.isnan(rows.columns["learning_rate_0"])
        for i in np.flatnonzero(has_data):
            self._losses.append(float(losses[i]))
            if (rows.first + i + 1) % each:
                continue
            mean = sum(self._losses) / len(self._losses)
            self._losses = []
            self._observed += 1
            if first <= self._before + self._observed - 1 < last:
                self._observe(mean, self._observed, f"Update {self._observed}")


def _rises(plateau: Cutting, model: Any) -> bool:
    """Whether more of the metric is better."""
    name = plateau.monitor.removeprefix("val_")
    if plateau.mode != "auto":
        return plateau.mode == "max"
    if name.endswith("loss"):
        return False
    direction = keras_names.direction_of(model, name)
    if direction is None:
        warnings.warn(
            f"Keras does not know whether more or less of {plateau.monitor!r} is "
            f"better: {shown(plateau)} takes less for better. Say mode='min' or "
            "mode='max'.",
            UserWarning,
            stacklevel=2,
        )
    return direction == "up"
