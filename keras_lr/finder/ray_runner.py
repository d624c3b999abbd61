"""``RayRunner``: the workers of a Ray cluster as an executor."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, ParamSpec, TypeVar

from keras_lr.finder.remote import Parcel

P = ParamSpec("P")
T = TypeVar("T")

#: What Ray raises where a worker, or what it has made, is gone.
LOST = ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "ObjectLostError")


class RayRunner(Executor):
    """The workers of a Ray cluster, for ``find_lr(..., runner=...)``.

    It is an executor of ``concurrent.futures``, as a pool of processes is, so that what
    runs in one runs in the other; each call is a task of Ray. Tasks go to the cluster
    that this program is connected to, or else to one of this machine that Ray begins.
    The cluster is yours: it is not shut down here.

    Args:
        options: What a task needs, as ``ray.remote`` takes it: ``num_cpus`` (1 unless
            said), ``num_gpus``, ``memory`` in bytes, ``resources``, ``runtime_env``.

    Raises:
        ImportError: If Ray is not installed.

    Example:
        >>> import keras_lr
        >>> runner = keras_lr.RayRunner(num_cpus=2)  # doctest: +SKIP
        >>> keras_lr.find_lr(model, x, y, runner=runner)  # doctest: +SKIP
    """

    def __init__(self, **options: Any) -> None:
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise ImportError(
                "A RayRunner needs Ray. Received: an environment without it. Install "
                'it: pip install "keras-lr[ray]".'
            ) from error
        # Whoever waits hears of each worker that is lost, and counts them.
        self._task = self._ray.remote(max_retries=0, **options)(_call)
        self._sent: tuple[Parcel, Any] | None = None

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Have a worker call a function.

        Args:
            fn: The function; workers import the module that it is in.
            args: What it is called with.
            kwargs: The same, by name.

        Returns:
            What comes of it; ``BrokenExecutor`` where its worker dies. To cancel it
            interrupts the worker, as Ctrl-C would.
        """
        arguments = [self._once(value) for value in args]
        reference = self._task.remote(fn, *arguments, **kwargs)
        return _TaskFuture(self._ray, reference)

    def _once(self, value: Any) -> Any:
        """What a search sends with each training is sent to the cluster once."""
        if not isinstance(value, Parcel):
            return value
        if self._sent is None or self._sent[0] is not value:
            self._sent = (value, self._ray.put(value))
        return self._sent[1]


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a task of Ray does, in a worker."""
    return function(*args, **kwargs)


class _TaskFuture(Future[Any]):
    """What comes of a task of Ray.

    Args:
        ray: The module.
        reference: To what the task returns.
    """

    def __init__(self, ray: Any, reference: Any) -> None:
        super().__init__()
        self._ray = ray
        self._reference = reference
        # Ray alone knows whether the task has begun, and ends it.
        self.set_running_or_notify_cancel()
        reference.future().add_done_callback(self._take)

    def cancel(self) -> bool:
        """Have the task interrupted."""
        self._ray.cancel(self._reference)
        return super().cancel()

    def _take(self, done: Future[Any]) -> None:
        error = done.exception()
        if error is None:
            self.set_result(done.result())
            return
        exceptions = self._ray.exceptions
        if isinstance(error, exceptions.RayTaskError):
            # The function's own, beneath which the worker's traceback stands.
            own = error.cause
            own.__cause__ = error
            self.set_exception(own)
            return
        if isinstance(error, tuple(getattr(exceptions, name) for name in LOST)):
            lost = BrokenExecutor("a worker of Ray was lost")
            lost.__cause__ = error
            self.set_exception(lost)
            return
        self.set_exception(error)
