"""The tape on JAX (:mod:`keras_lr.fit.tapes` says what a tape is)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

import keras
import numpy as np

from keras_lr.fit import keras_names
from keras_lr.fit.control import Control, wide_dtype
from keras_lr.fit.early import EarlyScalars
from keras_lr.plan.curves import FloatArray

Fetch = Callable[[], FloatArray]
Undo = Callable[[], None]


class JaxTape:
    """A tape on JAX: it travels in the state of the step.

    One array more in the state would cost a small model five percent of its step, since
    each is handed over at each call. So the tape takes the *seat* of the own rate of an
    optimizer, and the value of that rate travels in a column of the tape. Where all
    optimizers were compiled with schedules, and there is no such array, it stands
    behind the optimizers' arrays.
    """

    def __init__(
        self,
        model: Any,
        counters: Sequence[Any],
        rate: Any,
        shape: tuple[int, int, int],
    ) -> None:
        self._jax = importlib.import_module("jax")
        self._model = model
        self._counters = counters
        self._places = [self._place_of(counter) for counter in counters]
        self._seat = None if rate is None else self._place_of(rate)
        self._rows, self._given, self._seen = shape
        self._array: Any = None
        self._is_laid = False
        #: The array whose seat the tape has taken, and its value.
        self._rate: Any = None
        self._rate_value = 0.0
        self._early = EarlyScalars(())
        self._count = 0

    def work_early(self, early: EarlyScalars) -> None:
        """Have some scalars worked out before the step."""
        self._early = early

    def _place_of(self, variable: Any) -> tuple[int, int]:
        place = keras_names.place_in_state(self._model, variable)
        if place is None:
            raise ValueError(
                "On JAX a schedule can only reach an optimizer whose variables the "
                "model carries in the state of its step. Received: a "
                f"{type(self._model).__name__} without {variable.path!r} in its "
                "variables. Keep them in the model, as in `self.d_variables = "
                "d_optimizer.variables`, and have train_step return them."
            )
        return place

    def counts(self, state: Any, iterator: Any) -> list[int]:
        """Batches that each optimizer has done when the function is called."""
        counts = [int(state[group][index]) for group, index in self._places]
        self._count = counts[0]
        return counts

    def is_stale(self, state: Any, iterator: Any) -> bool:
        """Whether rows must be laid: there are none, or somebody has set the rate."""
        rate = None if self._seat is None else _at(state, self._seat)
        if rate is not self._rate:
            value = 0.0 if rate is None else float(rate)
            self._rate = rate
            if value != self._rate_value:
                self._rate_value = value
                self._is_laid = False
        return not self._is_laid

    def lay(self, given: FloatArray, state: Any, iterator: Any) -> None:
        """Set the given part of all rows."""
        whole = np.zeros((self._rows, self._given + 1 + self._seen), wide_dtype())
        whole[:, : self._given] = given
        whole[:, self._given] = self._rate_value
        whole[:, self._given + 1 :] = np.nan
        self._is_laid = True
        if keras.distribution.distribution() is None:
            self._array = self._jax.numpy.asarray(whole)
        else:
            # Where the rate (or the counter) lies: the same on every device.
            like = _at(state, self._seat or self._places[0])
            # No `device_put`: several processes would compare their NaN first, none
            # of which equals another.
            self._array = self._jax.make_array_from_callback(
                whole.shape, like.sharding, lambda place: whole[place]
            )

    def call(self, function: Callable[..., Any], state: Any, iterator: Any) -> Any:
        """Run Keras' function with the tape in its state."""
        try:
            iterator = self._work_before(state, iterator)
            logs, carried = function(self._with(state, self._array), iterator)
        except StopIteration:
            raise
        except BaseException:
            # Used up, perhaps.
            self._array = None
            self._is_laid = False
            keras_names.keep_state(self._model, state)
            raise
        self._array, carried = self._without(carried, self._rate)
        return logs, carried

    def _work_before(self, state: Any, iterator: Any) -> Any:
        """Write down what is worked out before the step, where that is due.

        By a function of its own: a branch in the step would cost a tenth of it even
        where it is not taken.

        Returns:
            What gives the batches, from the same one on.
        """
        each = int(self._model.steps_per_execution or 1)
        due = self._early.due(self._count, each)
        # Without a look at the device: updates that are left out count as well.
        self._count += each
        if not due:
            return iterator
        batch = next(iterator)
        count = _at(state, self._places[0])
        for run in due:
            self._array = run(self._model, self._array, state, batch, count)
        return chain([batch], iterator)

    def _with(self, state: Any, array: Any) -> Any:
        """The state with the tape in it."""
        if self._seat is None:
            trainable, other, slots, metrics = state
            return trainable, other, [*slots, array], metrics
        return _replaced(state, self._seat, array)

    def _without(self, state: Any, rate: Any) -> tuple[Any, Any]:
        """The tape, and the state with the own rate's array in its seat again."""
        if self._seat is None:
            trainable, other, slots, metrics = state
            return slots[-1], (trainable, other, list(slots[:-1]), metrics)
        return _at(state, self._seat), _replaced(state, self._seat, rate)

    def step(
        self, own_step: Callable[..., Any], control: Control, state: Any, data: Any
    ) -> Any:
        """The training step: the tape taken out of the state, read, and put back."""
        lax = self._jax.lax
        tape, state = self._without(state, None)
        mask = self._rows - 1
        indices = [_at(state, place) & mask for place in self._places]
        width = self._given + 1

        def row_at(index: Any) -> list[Any]:
            row = lax.dynamic_slice(tape, (index, 0), (1, width))
            # An index in brackets would trace what negative ones mean, too.
            cells = [lax.slice_in_dim(row, i, i + 1, axis=1) for i in range(width)]
            return [lax.reshape(cell, ()) for cell in cells]

        rows = [row_at(index) for index in indices]
        if self._seat is not None:
            state = _replaced(state, self._seat, rows[0][self._given])
        with keras.StatelessScope(state_mapping=self._mapping(state)):
            values = control.look_up([row[: self._given] for row in rows])
            before = [counter.value for counter in self._counters]

        def later(i: int, applied: int) -> dict[str, Any] | None:
            count = self._counters[i].value
            if count is before[i]:
                # Nothing has been applied: no second look at the row to compile.
                return None
            more = count - before[i]
            row = row_at((indices[i] + more) & mask)
            return control.look_up_one(i, row)

        with control.step(values, later):
            logs, carried = own_step(state, data)
            scalars = control.scalars(values, data, logs, {})
        seen = self._jax.numpy.stack([self._as_cell(one) for one in scalars])
        place = (indices[0], self._given + 1)
        if self._early.cells:
            # These stand there already.
            before = lax.dynamic_slice(tape, place, (1, self._seen))[0]
            is_early = np.isin(np.arange(self._seen), self._early.cells)
            seen = self._jax.numpy.where(is_early, before, seen)
        tape = lax.dynamic_update_slice(tape, seen[None], place)
        return logs, self._with(carried, tape)

    def _mapping(self, state: Any) -> list[tuple[Any, Any]]:
        """Variables and arrays of all that optimizers may look at."""
        groups = zip(keras_names.state_variables(self._model), state, strict=True)
        _, other, slots, _ = (
            list(zip(variables, arrays, strict=True)) for variables, arrays in groups
        )
        return [*other, *slots]

    def _as_cell(self, scalar: Any) -> Any:
        return self._jax.numpy.asarray(scalar, wide_dtype())

    def set_aside(self) -> Undo:
        """Make room for other rows; gives what puts those of now back."""
        # Other rows are another array, so that no step uses this one up.
        put_back = partial(vars(self).update, dict(vars(self)))
        self._is_laid = False
        return put_back

    def keep(self) -> Fetch:
        """The seen part as it is now; later steps may use it up."""
        array = self._array
        first = self._given + 1
        if array is None:
            return lambda: np.full((self._rows, self._seen), np.nan)
        return lambda: np.asarray(array, np.float64)[:, first:]


def _at(state: Any, place: tuple[int, int]) -> Any:
    """An array of the state."""
    group, index = place
    return state[group][index]


def _replaced(state: Any, place: tuple[int, int], array: Any) -> Any:
    """The state with another array at a place."""
    group, index = place
    groups = list(state)
    arrays = list(groups[group])
    arrays[index] = array
    groups[group] = arrays
    return tuple(groups)
