"""Watch: when a monitor looks at a fit, and what it measures."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_lr.fit.choice import Choice, choices_in
from keras_lr.fit.guests import Fit
from keras_lr.fit.moves import Moves
from keras_lr.fit.optimizer import attributes_of
from keras_lr.fit.record import Scalar
from keras_lr.watching.live import LivePicture
from keras_lr.watching.sampler import Sampler, in_force
from keras_lr.watching.samples import Samples, next_sample

#: Seconds after which what has been written down is read: what a kill may cost. Reading
#: waits for the device.
READ_AFTER = 10.0

#: Seconds between two looks at the clock, as far as the pace so far tells them; and
#: the updates before the first one.
LOOK_AFTER = 1.0
FIRST_LOOK = 100


class Watch:
    """A guest of one fit that hands on what the step has written down of samples.

    Args:
        model: The model.
        every: Updates from one sample to the next.
        has_ratios: Whether to measure how far updates move the weights.
        live: A picture to draw anew; None for none.
        on_begin: Called with the update of the run that the fit begins with, and again
            where it goes on elsewhere.
        on_samples: Called with new samples.
    """

    def __init__(
        self,
        model: Any,
        every: int,
        has_ratios: bool,
        live: LivePicture | None,
        on_begin: Callable[[int], None],
        on_samples: Callable[[Samples], None],
    ) -> None:
        self._model = model
        self._every = every
        self._has_ratios = has_ratios
        self._live = live
        self._on_begin = on_begin
        self._on_samples = on_samples
        self._choices: Sequence[Choice] = []
        self._further: Sequence[str] = []
        #: None before the fit has begun.
        self._sampler: Sampler | None = None
        self._read_at = 0.0
        self._looked_at = 0.0
        self._looked_at_update = 0
        self._due: int | None = None

    # As a guest (see `keras_lr.fit.guests.Guest`).

    @property
    def scalars(self) -> Sequence[Scalar]:
        """Momentum and weight decay, of the optimizers that the model has now."""
        self._choices = choices_in(self._model)
        attributes = [attributes_of(choice.optimizer) for choice in self._choices]
        self._further = sorted({name for each in attributes for name in each})
        numbers = range(len(self._choices))
        return [in_force(name, i) for i in numbers for name in self._further]

    def begin(self, fit: Fit) -> None:
        """The place in the run is known."""
        self.end()
        moves = None
        if self._has_ratios:
            first = fit.step.optimizers[0]
            calls = math.ceil(first.accumulation / fit.step.batches_of_call())
            moves = Moves(fit.model, first.optimizer, calls)
        self._sampler = Sampler(fit, self._every, self._choices, self._further, moves)
        self._read_at = time.monotonic()
        made = fit.updates_made()
        self._looked_at_update = made
        self._on_begin(made)
        self._plan(self._sampler, made)

    def begin_epoch(self) -> None:
        """Look where the run stands, which data of unknown length tell only now."""
        if self._sampler is not None:
            self._sampler.locate()

    def due(self) -> int | None:
        """After how many updates to look."""
        return self._due

    def look(self, made: int) -> None:
        """Measure the next update if it is a sample, and read if it is time."""
        is_late = time.monotonic() >= self._read_at + READ_AFTER
        if is_late or (self._live is not None and self._live.is_due()):
            self.read()
        if self._sampler is not None:
            self._plan(self._sampler, made)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Read what there is of the epoch."""
        self.read()
        if self._sampler is not None:
            self._plan(self._sampler, self._sampler.fit.updates_made())

    # What it does.

    def read(self) -> None:
        """Hand on the samples since the last time. It waits for the device."""
        if self._sampler is None or not self._sampler.fit.is_open():
            return
        self._read_at = time.monotonic()
        samples = self._sampler.read()
        if len(samples):
            self._on_samples(samples)

    def end(self) -> None:
        """Take no more part."""
        if self._sampler is not None and self._sampler.moves is not None:
            self._sampler.moves.stop()
        self._sampler = None

    def _plan(self, sampler: Sampler, made: int) -> None:
        """Have the coming samples measured; when to look again."""
        self._due = made + self._updates_of_a_look(made)
        if sampler.moves is None:
            return
        step = sampler.fit.step
        each = step.optimizers[0].accumulation
        coming = next_sample(made, self._every)
        if step.batches_of_call() == 1:
            # The step counts to the samples by itself, until the next look: updates may
            # be left out meanwhile.
            begun = step.counts()[0] % each
            wait = max((coming - made) * each - begun, 0)
            sampler.moves.measure(step, wait, self._every * each)
            return
        of_call = max(step.batches_of_call() // each, 1)
        if self._every <= of_call:
            # There is a sample in each call.
            sampler.moves.measure(step, 0, sampler.moves.calls)
            return
        if coming < made + of_call:
            sampler.moves.measure(step, 0, None)
        # The call that the one after has a part in begins so long before it.
        after = next_sample(made + of_call, self._every) - of_call + 1
        self._due = max(min(self._due, after), made + 1)

    def _updates_of_a_look(self, made: int) -> int:
        """As many updates as take a second or so: nothing is read more often."""
        now = time.monotonic()
        updates = made - self._looked_at_update
        seconds = now - self._looked_at
        self._looked_at_update = made
        self._looked_at = now
        if updates <= 0 or seconds <= 0:
            return FIRST_LOOK
        return max(int(updates * LOOK_AFTER / seconds), 1)
