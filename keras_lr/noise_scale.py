"""``GradientNoiseScale``: the callback that measures which batch size is worth it."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_lr.companion import Companion
from keras_lr.fit import callers, keras_data, keras_names, processes
from keras_lr.fit.gradients import PartGradients
from keras_lr.fit.guests import Fit, Guest
from keras_lr.fit.record import Reader, Rows, Scalar
from keras_lr.noise_result import NoiseScaleResult
from keras_lr.plan.checks import check_at_least, check_int
from keras_lr.plan.curves import FloatArray
from keras_lr.plan.noise import covariances, noise_of, squares

#: Updates after which what is on the device is fetched, in an epoch that has more.
FETCHED = 4096


class GradientNoiseScale(Companion):
    r"""Measures the gradient noise scale while a model trains: which batch size pays.

    .. math:: B_{simple} = tr(\Sigma) / |G|^2

    with G the gradient of the loss over all data and :math:`\Sigma` the covariance of
    the gradients of single rows. Far below it, twice the batch size needs about half as
    many updates; far above, hardly fewer. Both are estimated from the gradients of
    parts of a batch and of the whole, of every 10th batch (see
    ``keras_lr.plan.noise``); the ratio of their means over the last measurements is
    the noise scale, with an interval. It grows as the loss falls, often by orders of
    magnitude, so that the last measurements count and not all.

    The measurement is part of the compiled step, or on JAX a compiled function of its
    own. It changes nothing of the training: weights, moving statistics, seeds and
    metrics go on, to the bit, as with any other callback of this package. It
    takes the model's own loss with all weights of rows, before any loss scaling. Rows
    that stand in one batch should have been drawn by chance, as ``fit`` shuffles them.

    A batch that is not a multiple of ``micro_batches`` is measured without the rows
    that are left over, and one of less than half of the usual rows, as the last one of
    an epoch may be, not at all. Batch normalization sees the parts as batches of their
    own, so that a noise scale that is measured with it is a coarse one.

    It measures batches, also where several are accumulated to an update, or shared by
    several devices or processes; ``result.batch_size`` says how many rows an update
    had.

    Args:
        every: Batches from one measurement to the next, at least 1; by the counter of
            the optimizer, so that the first batch of a new model is measured.
        micro_batches: Parts that a batch is cut into, at least 2. Each is a pass of its
            own: more make the measurement steadier, and slower.
        window: Measurements that the result is of, at least 8: the last ones.

    Raises:
        TypeError: If an argument is no int.
        ValueError: If one is out of range; from ``fit``, before any update where the
            data tell the size of their batches, else after the first one, if a batch is
            too small; before any update if the model's ``train_step`` is its own, whose
            loss nobody else can work out, or its batches are of one fixed size.

    Example:
        >>> import keras
        >>> keras.utils.set_random_seed(0)
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.01), "mse")
        >>> x = np.random.default_rng(0).normal(size=(640, 4))
        >>> y = x @ [1.0, 2.0, 3.0, 4.0]
        >>> noise = GradientNoiseScale(every=2)
        >>> _ = model.fit(x, y, callbacks=[noise], verbose=0)
        >>> noise.result.measurements, 1 < noise.result.noise_scale < 32
        (10, True)

    Source: McCandlish et al. 2018, arXiv:1812.06162, sec. 2.2 and appendix A.1.
    """

    _kind = "noise scale"

    def __init__(
        self, every: int = 10, micro_batches: int = 2, window: int = 100
    ) -> None:
        super().__init__()
        least = {"every": 1, "micro_batches": 2, "window": 8}
        given = {"every": every, "micro_batches": micro_batches, "window": window}
        for name, number in given.items():
            check_int(name, number)
            check_at_least(name, number, least[name])
        self.every = operator.index(every)
        self.micro_batches = operator.index(micro_batches)
        self.window = operator.index(window)
        self._measured: Measured | None = None

    @property
    def result(self) -> NoiseScaleResult:
        """What has been measured so far, in all fits of the model in a row.

        Raises:
            RuntimeError: If nothing has been measured yet.
        """
        if self._measured is None or not len(self._measured.batches):
            raise RuntimeError(
                "There is a noise scale only after a measurement. Received: none so "
                "far. Call model.fit(x, y, callbacks=[noise]) with at least a batch of "
                f"{self.micro_batches} rows."
            )
        return self._measured.result(self.window)

    def __repr__(self) -> str:
        return (
            f"GradientNoiseScale(every={self.every}, "
            f"micro_batches={self.micro_batches}, window={self.window})"
        )

    def _guests(self) -> Sequence[Guest]:
        work = PartGradients(self.micro_batches, self.every)
        if self._measured is None or not self._measured.goes_on(self._model, work):
            self._measured = Measured(self._model, work)
        return [self._measured]

    def set_model(self, model: Any) -> None:
        """Called by Keras as a fit begins."""
        _check(model, self.micro_batches)
        self._model = model
        super().set_model(model)

    def __getstate__(self) -> dict[str, Any]:
        """The arguments: a copy has measured nothing."""
        return {**super().__getstate__(), "_measured": None}


class Measured:
    """What has been measured of a model: a guest of its fits.

    Args:
        model: The model.
        work: What is measured in its step.

    Attributes:
        scalars: What the step writes down.
        batches: Batches before each measurement.
    """

    def __init__(self, model: Any, work: PartGradients) -> None:
        self._model = weakref.ref(model)
        self._work = work
        self.scalars: Sequence[Scalar] = work.scalars()
        self._reader: Reader | None = None
        self._replicas = keras_names.replicas(model)
        self._accumulation = 1
        self._exponent = 1.0
        self._due = 1
        self._has_fitted = False
        self._processes = 1
        self._rows = 0
        #: Those that all processes have of a batch.
        self._shared_rows = 0
        self._rate = 0.0
        self.batches: FloatArray = np.zeros(0)
        self._covariances: FloatArray = np.zeros(0)
        self._squares: FloatArray = np.zeros(0)

    def goes_on(self, model: Any, work: PartGradients) -> bool:
        """Whether the next fit is of the same model, with the same settings."""
        return self._model() is model and self._work == work

    # As a guest.

    def begin(self, fit: Fit) -> None:
        """The place in the run is known."""
        lents = fit.step.optimizers
        self._accumulation = lents[0].accumulation
        self._processes = processes.with_losses_of_their_own()
        is_sgd = all(isinstance(one.optimizer, keras.optimizers.SGD) for one in lents)
        self._exponent = 1.0 if is_sgd else 0.5
        self._reader = fit.reader()
        self._due = fit.updates_made() + 1

    def due(self) -> int | None:
        """After the first update, and now and then in a long epoch."""
        return self._due

    def look(self, made: int) -> None:
        """Fetch what has been measured, and refuse batches that are too small."""
        self._due = made + FETCHED
        self._read()

    def end_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Fetch what has been measured."""
        self._read()

    def _read(self) -> None:
        assert self._reader is not None  # noqa: S101  it has begun
        seen = self._reader.read()
        if not len(seen):
            return
        names = self._work.names
        rows = seen.columns[names.rows]
        self._rows = max(self._rows, int(rows[np.isfinite(rows)].max(initial=0)))
        of_each = processes.gathered(np.array([float(self._rows)]))
        self._shared_rows = int(of_each.mean() * self._processes)
        if self._rows and not self._has_fitted:
            # A last batch that is small is no reason: the first ones are whole.
            _check_rows(int(of_each.min()), self._work.parts)
            self._has_fitted = True
        rates = [
            column
            for name, column in seen.columns.items()
            if name.startswith("learning_rate_")
        ]
        self._rate = max(self._rate, float(np.nanmax(rates, initial=0.0)))
        self._add(seen)

    def _add(self, seen: Rows) -> None:
        """Take what was measured, where it was."""
        names = self._work.names
        part = seen.columns[names.part]
        whole = seen.columns[names.whole]
        rows = seen.columns[names.rows]
        # The noise of few rows, as of a last batch, would drown that of the others.
        is_large = rows * 2 >= self._rows
        is_good = np.isfinite(part) & np.isfinite(whole) & is_large
        # Of several processes each measures its own rows.
        are_good = processes.gathered(is_good.astype(np.float64)).all(axis=0)
        found = np.flatnonzero(are_good)
        rows_of_part = rows[found] // self._work.parts
        given = (
            part[found],
            whole[found],
            rows_of_part,
            seen.columns[names.rows_of_whole][found],
        )
        # Keras divides the loss by the replicas that share a batch.
        scale = self._replicas**2
        self.batches = np.append(self.batches, seen.first + found)
        covariance = processes.mean(scale * covariances(*given))
        square = processes.mean(scale * squares(*given))
        self._covariances = np.append(self._covariances, covariance)
        self._squares = np.append(self._squares, square)

    def result(self, window: int) -> NoiseScaleResult:
        """What the last measurements, so many at most, come to."""
        noise = noise_of(self._covariances[-window:], self._squares[-window:])
        return NoiseScaleResult(
            noise_scale=noise.scale,
            interval=noise.interval,
            measurements=min(window, len(self.batches)),
            batch_size=self._shared_rows * self._replicas * self._accumulation,
            learning_rate=self._rate,
            exponent=self._exponent,
            batches=self.batches,
            covariances=self._covariances,
            squares=self._squares,
        )


def _check(model: Any, parts: int) -> None:
    """Refuse, before any training, what cannot be measured.

    Raises:
        ValueError: If the model's step, its inputs or the data are such.
    """
    keras_names.check_loss(model)
    if keras_names.has_own_train_step(model):
        raise ValueError(
            "A noise scale can be measured only of a model that is trained by Keras' "
            f"own train_step. Received: {type(model).__name__} {model.name!r}, which "
            "has another. Put its loss into `compute_loss`, or leave the callback out."
        )
    fixed = keras_names.fixed_batch(model)
    if fixed is not None:
        raise ValueError(
            "A noise scale needs a model that takes batches of any size, since it is "
            f"measured on parts of them. Received: {type(model).__name__} "
            f"{model.name!r}, which takes batches of {fixed} rows. Build it without a "
            "batch size."
        )
    _, held = callers.list_of_fit()
    rows = keras_data.batch_size_of(held)
    if rows is not None:
        _check_rows(rows // keras_names.replicas(model), parts)


def _check_rows(rows: int, parts: int) -> None:
    if rows < parts:
        raise ValueError(
            "A noise scale needs batches of at least as many rows as it takes micro "
            f"batches of them ({parts}), on each device. Received: a batch of {rows}. "
            "Give fit a larger `batch_size`."
        )
