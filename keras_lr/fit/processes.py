"""Processes that train one model together, each on rows of its own.

They compute together (torch's all-reduce, JAX's step over all devices), so that a
process which makes one update more than the others waits for them in vain. Whatever
decides how a training goes on must therefore decide alike in each: on the mean of their
losses, and on what all of them know of their data.

On torch each process has losses of its own. On JAX a step's losses are of all rows, and
the same everywhere; what a process knows of its own data is not. Keras trains with
TensorFlow in one process.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from keras_lr.fit import keras_names
from keras_lr.plan.curves import FloatArray

#: What errors of the libraries that connect processes have in them.
WORDS = ("gloo", "nccl", "closed by peer", "coordination service", "heartbeat")

#: What to set, so that the others do not wait long for a process that has died.
WAIT = {
    "torch": (
        "The others wait for it as long as the `timeout` of "
        "torch.distributed.init_process_group says, 30 minutes if it is not given"
    ),
    "jax": (
        "The others are ended by JAX after the `heartbeat_timeout_seconds` of "
        "jax.distributed.initialize, 100 if they are not given"
    ),
}


def count() -> int:
    """Processes that train the model together; 1 where this one is alone."""
    backend = keras.backend.backend()
    if backend == "torch":
        distributed = _torch_distributed()
        return 1 if distributed is None else int(distributed.get_world_size())
    if backend == "jax":
        return keras_names.processes_of_distribution()
    return 1


def with_losses_of_their_own() -> int:
    """Processes that each know the losses of their own rows alone."""
    return count() if keras.backend.backend() == "torch" else 1


def is_first() -> bool:
    """Whether this is the one that writes what is to be written once."""
    if count() == 1:
        return True
    if keras.backend.backend() == "torch":
        return bool(importlib.import_module("torch.distributed").get_rank() == 0)
    return bool(importlib.import_module("jax").process_index() == 0)


def gathered(values: FloatArray) -> FloatArray:
    """What each process has, in the order of the processes, the same in all.

    All must call it, the same number of times: it waits for them.

    Args:
        values: Float64, of one shape in all of them.

    Returns:
        Shape ``(processes, *shape)``.

    Raises:
        RuntimeError: If another process is gone.
    """
    processes = count()
    if processes == 1:
        return values[np.newaxis]
    gather = {"torch": _gather_on_torch, "jax": _gather_on_jax}
    try:
        return gather[keras.backend.backend()](values, processes)
    # JAX raises either, of what connects processes.
    except (RuntimeError, ValueError) as error:
        raise RuntimeError(
            f"All {processes} processes must go through a training together. "
            f"Received: no answer from one of them. {_advice()}"
        ) from error


def own_rows(leaf: Any) -> Any:
    """The rows of a leaf of a batch that this process has given.

    On JAX processes put their rows together to one array, which none has as a whole.
    """
    if keras.backend.backend() != "jax" or getattr(leaf, "is_fully_addressable", True):
        return leaf
    # The same rows may lie on several devices.
    parts = {part.index[0].start or 0: part.data for part in leaf.addressable_shards}
    return np.concatenate([np.asarray(parts[begin]) for begin in sorted(parts)])


def mean(values: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """The mean over all processes, the same in all; as it is where there is one.

    Args:
        values: Of one shape in all of them.
        weights: How much each value of this process counts, as its rows do; None where
            each process counts alike.
    """
    if count() == 1:
        return values
    weights = np.ones_like(values) if weights is None else weights
    every, shares = np.moveaxis(gathered(np.stack([values, weights])), 1, 0)
    means: FloatArray = np.average(every, axis=0, weights=shares)
    return means


def check_alike(
    what: str,
    number: int | None,
    advice: str = "Give each as many rows, and one `batch_size`.",
) -> None:
    """Refuse a number that is another one in another process.

    Args:
        what: What it counts.
        number: In this process; None where it is not known.
        advice: What to do about it.

    Raises:
        ValueError: In all of them.
    """
    if count() == 1:
        return
    own = np.array([-1.0 if number is None else number])
    numbers = gathered(own)[:, 0].astype(int)
    if len(set(numbers)) == 1:
        return
    shown = ["unknown" if one < 0 else str(one) for one in numbers]
    raise ValueError(
        f"All processes must have as many {what}, else they wait for each other in "
        f"vain. Received: {', '.join(shown)}, in the order of the processes. {advice}"
    )


@contextmanager
def all_or_none() -> Iterator[None]:
    """A context that a process leaves only if no other has failed in it.

    Nothing in it may wait for other processes.

    Raises:
        RuntimeError: If another process has failed.
    """
    if count() == 1:
        yield
        return
    try:
        yield
    except Exception:
        gathered(np.ones(1))
        raise
    failed = np.flatnonzero(gathered(np.zeros(1))[:, 0])
    if failed.size:
        raise RuntimeError(
            "All processes must have data that can be trained on. Received: an error "
            f"in process {failed[0]}, counted from 0. Look at what it says."
        )


def check_connected() -> None:
    """Refuse processes that were started together and do not train together.

    Raises:
        RuntimeError: If there are others, and this one knows nothing of them.
    """
    others, instead = _unconnected[keras.backend.backend()]()
    if others > 1 and count() == 1:
        raise RuntimeError(
            "A rate is found by all processes of a training together. Received: "
            f"{others} processes that are not connected. {instead}"
        )


def explain(error: BaseException) -> None:
    """Add to an error that another process is gone, if it comes of that."""
    if not isinstance(error, RuntimeError | ValueError) or count() == 1:
        return
    note = f"No answer from another process. {_advice()}"
    is_explained = note in getattr(error, "__notes__", ())
    if not is_explained and any(word in str(error).lower() for word in WORDS):
        error.add_note(note)


@contextmanager
def explained() -> Iterator[None]:
    """A context whose errors are explained."""
    try:
        yield
    except Exception as error:
        explain(error)
        raise


def _advice() -> str:
    return (
        "It has ended, has failed, or does not take part: look at its output first, "
        f"and have each make the same calls. {WAIT[keras.backend.backend()]}."
    )


# The backends.


def _torch_distributed() -> Any | None:
    """The module, where processes are connected by it."""
    distributed = importlib.import_module("torch.distributed")
    if distributed.is_available() and distributed.is_initialized():
        return distributed
    return None


def _gather_on_torch(values: FloatArray, processes: int) -> FloatArray:
    distributed = importlib.import_module("torch.distributed")
    every: list[Any] = [None] * processes
    # Of objects, since it knows which device the group's tensors must be on.
    distributed.all_gather_object(every, values)
    return np.stack(every)


def _gather_on_jax(values: FloatArray, processes: int) -> FloatArray:
    utils = importlib.import_module("jax.experimental.multihost_utils")
    # As they are: JAX would round float64.
    words = np.frombuffer(values.astype(np.float64).tobytes(), np.uint32)
    every = np.ascontiguousarray(utils.process_allgather(words))
    found: FloatArray = every.view(np.float64).reshape(processes, *values.shape)
    return found


def _unconnected_on_torch() -> tuple[int, str]:
    # torchrun and the like say so.
    started = os.environ.get("WORLD_SIZE", "1")
    return int(started) if started.isdecimal() else 1, (
        "Call torch.distributed.init_process_group() first, or remove WORLD_SIZE from "
        "the environment if each is to train a model of its own."
    )


def _unconnected_on_jax() -> tuple[int, str]:
    return int(importlib.import_module("jax").process_count()), (
        "Call keras.distribution.set_distribution with all devices of all processes, "
        "before the model is made."
    )


def _unconnected_on_tensorflow() -> tuple[int, str]:
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", "{}"))["cluster"]
        workers = len(cluster.get("worker", ())) + len(cluster.get("chief", ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        workers = 1
    return workers, (
        "Keras trains with TensorFlow in one process: use "
        "tf.distribute.MirroredStrategy, or remove TF_CONFIG from the environment."
    )


_unconnected: dict[str, Callable[[], tuple[int, str]]] = {
    "torch": _unconnected_on_torch,
    "jax": _unconnected_on_jax,
    "tensorflow": _unconnected_on_tensorflow,
}
