"""Every name of Keras that this package relies on and that Keras does not document.

The names stand in :data:`CONTRACT`, by owner; what is done with them are the small
functions below, and those of ``keras_data`` where it is about data. No other file uses
one, so that a new version of Keras is looked at there and nowhere else.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from types import CodeType, FrameType
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_lr.fit import callers

SUPPORTED = "Keras 3.12 to 3.15"

#: Names by owner. Those of classes are checked at import; those of instances when a fit
#: begins, since making an optimizer at import would claim the devices.
CONTRACT = {
    # A rate is read by the first, an update made by the second.
    "Optimizer": ("_get_current_learning_rate", "iterations", "apply", "get_config"),
    # `fit` asks the first for its step, and the second for the logs of an epoch.
    "Model": ("make_train_function", "_get_metrics_result_or_logs"),
}
#: The methods by which Keras' own callbacks read the rate and write it: the newest
#: Keras first, then 3.12 to 3.14. Of each, one must be there.
WRITERS = {
    "LearningRateScheduler": ("_update_optimizer_lr", "on_epoch_begin"),
    "ReduceLROnPlateau": ("_reduce_optimizer_lr", "on_epoch_end"),
}
INSTANCE_CONTRACT = {
    # The counter of batches, and the rate: a variable, a schedule or a function.
    "Optimizer": ("_iterations", "_learning_rate", "gradient_accumulation_steps"),
    # `fit` calls `train_function` as it stands at each step; callbacks may set
    # `_initial_epoch` as it begins.
    "Model": (
        "train_function",
        "_initial_epoch",
        "_should_eval",
        "jit_compile",
        "steps_per_execution",
    ),
    # The step keeps its state in `_jax_state` until `jax_state_sync` writes it back.
    "Model on JAX": (
        "_get_jax_state",
        "_get_state_sharding_spec",
        "_jax_state_synced",
        "jax_state_sync",
    ),
    "Sweep": (
        "_compile_loss",
        "_compile_metrics",
        "_flatten_layers",
        "_loss_tracker",
        "_symbolic_build",
        "make_test_function",
        "metrics_variables",
        "train_step",
    ),
    # The loss of a batch as `train_step` works it out.
    "Model's loss": ("_call_has_training_arg", "_compute_loss"),
    "Model's loss on JAX": ("compute_loss_and_updates",),
    # What a fit iterates over, and what makes batches of the data for it.
    "EpochIterator": ("_get_iterator", "data_adapter", "num_batches"),
    "TFEpochIterator": ("_distributed_dataset",),
    "CSVLogger": ("keys",),
    # The weights that a layer itself holds, and the layers.
    "Layer": ("_flatten_layers", "_trainable_variables"),
    "MultiOptimizer": ("_optimizer_map", "optimizers"),
}

#: The method by which an optimizer reads its rate.
READS_RATE = "_get_current_learning_rate"
#: The methods by which ``fit`` asks a model for its step, and for the logs of an epoch.
MAKES_FUNCTION = "make_train_function"
GIVES_LOGS = "_get_metrics_result_or_logs"

#: The groups of variables that a step on JAX carries.
STATE = ("trainable", "non_trainable", "optimizer", "metrics")

Function = Callable[..., Any]


def check_keras() -> None:
    """Raise ImportError where Keras lacks what this package relies on."""
    check("Optimizer", keras.optimizers.Optimizer, CONTRACT)
    check("Model", keras.Model, CONTRACT)
    for owner in WRITERS:
        check_writer(owner)


def check_writer(owner: str) -> None:
    """Raise ImportError where a callback of Keras' writes the rate elsewhere."""
    writer = _writer_of(owner)
    if writer is None or "learning_rate" not in writer.co_names:
        raise ImportError(
            f"keras_lr works with {SUPPORTED}. Received: Keras {keras.__version__}, "
            f"whose {owner} writes the rate in none of {', '.join(WRITERS[owner])}. "
            "Install a version that works: pip install 'keras>=3.12,<3.16'."
        )


def check_model(model: Any, optimizers: list[Any]) -> None:
    """The same for a compiled model and its optimizers."""
    for optimizer in optimizers:
        check("Optimizer", optimizer, INSTANCE_CONTRACT)
    check("Model", model, INSTANCE_CONTRACT)
    if keras.backend.backend() == "jax":
        check("Model on JAX", model, INSTANCE_CONTRACT)


def check(owner: str, thing: Any, contract: dict[str, tuple[str, ...]]) -> None:
    """Raise ImportError where a thing of Keras lacks a name of a contract."""
    missing = [name for name in contract[owner] if not hasattr(thing, name)]
    if missing:
        raise ImportError(
            f"keras_lr works with {SUPPORTED}. Received: Keras {keras.__version__}, "
            f"whose {owner} lacks {', '.join(missing)}. Install a version that works: "
            "pip install 'keras>=3.12,<3.16'."
        )


# Variables.


def read(variable: Any) -> NDArray[Any]:
    """The value of a variable, as NumPy."""
    value = variable.value
    # A metric of MirroredStrategy has a value in each replica until it is read.
    value = value.read_value() if hasattr(value, "read_value") else value
    return np.asarray(ops.convert_to_numpy(value))


def read_in_fit(model: Any, variable: Any) -> NDArray[Any]:
    """A copy of a variable's value, in the middle of a fit too.

    On JAX the values of a running fit are not in the variables; fetching them all, as a
    callback's ``self.model`` does, would cost more than a step.
    """
    state = getattr(model, "_jax_state", None)
    if state and not model._jax_state_synced:
        place = place_in_state(model, variable)
        if place is not None:
            group, index = place
            return np.array(state[f"{STATE[group]}_variables"][index])
    return np.array(read(variable))


def state_variables(model: Any) -> tuple[list[Any], ...]:
    """What a step on JAX carries, in the order of :data:`STATE`."""
    return tuple(_group_of(model, group) for group in range(len(STATE)))


def _group_of(model: Any, group: int) -> Any:
    """One of these groups: to list the weights of a large model takes its time."""
    name = STATE[group]
    if name == "optimizer":
        return getattr(model.optimizer, "variables", [])
    return getattr(model, f"{name}_variables")


def place_in_state(model: Any, variable: Any) -> tuple[int, int] | None:
    """Group and number of a variable in the state of a step on JAX."""
    # Optimizers' own first: most of what is asked for is there.
    for group in (2, 1, 3, 0):
        for index, one in enumerate(_group_of(model, group)):
            if one is variable:
                return group, index
    return None


def trained_in_state(state: Any, place: tuple[int, int]) -> list[Any]:
    """The weights in the state of a step on JAX, and what stands at a place in it."""
    weights: list[Any] = list(state[0])
    group, index = place
    return [*weights, state[group][index]]


def trained_by(optimizer: Any) -> list[Any]:
    """The variables that an optimizer trains, once it has been built."""
    trained: list[Any] = optimizer._trainable_variables if optimizer.built else []
    return trained


def sync_state(model: Any) -> None:
    """Have what a callback writes into variables last.

    On JAX a running fit carries the values, and would write its own over them.
    """
    state = getattr(model, "_jax_state", None)
    if not state or model._jax_state_synced:
        return
    arrays = keras.tree.flatten(state)
    # What a step that failed has used up is lost.
    if not any(getattr(array, "is_deleted", bool)() for array in arrays):
        model.jax_state_sync()


def write_in_fit(
    model: Any, variables: list[Any], values: Iterator[NDArray[Any]]
) -> None:
    """Set variables, in the middle of a fit too."""
    if keras.backend.backend() == "jax":
        # Else the values that a running fit carries would be written over these.
        model._jax_state = None
        model._jax_state_synced = True
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def variables_of(model: Any, optimizers: Sequence[Any]) -> list[Any]:
    """All state of a compiled model, of optimizers and of its metrics, each once."""
    every: list[Any] = []
    for variable in [*model.variables, *model.metrics_variables]:
        is_alike = variable.trainable or replicas(model) == 1
        every += [variable] if is_alike else _on_devices(variable)
    for optimizer in optimizers:
        every += optimizer.variables
    return list({id(variable): variable for variable in every}.values())


def lasting_variables(model: Any, optimizers: Sequence[Any]) -> list[Any]:
    """All state of a model and of optimizers, without that of metrics, each once."""
    every = [*model.variables]
    for optimizer in optimizers:
        every += optimizer.variables
    return list({id(variable): variable for variable in every}.values())


def _on_devices(variable: Any) -> list[Any]:
    """A variable, or what it is on each device that shares a batch by a strategy.

    Moving statistics and metrics have a value of their own on each of them.
    """
    values = getattr(variable.value, "values", ())
    return [_OnDevice(value) for value in values] or [variable]


class _OnDevice:
    """What a variable is on one device; it is read and set as Keras' variables are."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.shape = value.shape

    def assign(self, array: NDArray[Any]) -> None:
        """Set it."""
        self.value.assign(array)


def values_when_new(optimizer: Any) -> list[NDArray[Any]]:
    """What the variables of a built optimizer were when it was built."""
    new = type(optimizer).from_config(optimizer.get_config())
    new.build(optimizer._trainable_variables)
    return [np.array(read(variable)) for variable in new.variables]


def counter_of(optimizer: Any) -> Any:
    """The variable that counts an optimizer's batches."""
    return optimizer._iterations


def rate_variable(optimizer: Any) -> Any | None:
    """The variable of the optimizer's own rate; None if that is itself a schedule."""
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def rate_schedule(optimizer: Any) -> Any | None:
    """The schedule that an optimizer was compiled with; None if there is none."""
    rate = optimizer._learning_rate
    is_schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    return rate if is_schedule else None


def rate_now(cls: Any, optimizer: Any) -> Any:
    """The rate as the optimizer's own class reads it: a variable, or a value."""
    return cls._get_current_learning_rate(optimizer)


def own_rate(optimizer: Any) -> float | None:
    """The value of the optimizer's rate variable; None if it has a schedule instead."""
    variable = rate_variable(optimizer)
    return None if variable is None else float(read(variable))


def scales_loss(optimizer: Any) -> bool:
    """Whether an optimizer leaves out updates whose gradients are not finite."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def is_end_of_data(error: BaseException) -> bool:
    """Whether what a step raises only says that there are no more batches."""
    return isinstance(error, StopIteration) or type(error).__name__ == "OutOfRangeError"


def first_epoch(model: Any) -> int:
    """The epoch that the fit around a callback begins with, as far as it is known.

    What a callback has set counts, as BackupAndRestore does, then what the user asked
    for. Callbacks are told neither.
    """
    return int(model._initial_epoch or 0) or asked_epoch(model)


def asked_epoch(model: Any) -> int:
    """The epoch that the user asked the fit around a callback to begin with.

    Only until the first epoch begins: then Keras puts what a callback has set in its
    place.
    """
    held = callers.held_by_fit_of(model) or {}
    return int(held.get("initial_epoch", 0))


def backup_files(callback: Any) -> tuple[str, str] | None:
    """The files of a BackupAndRestore: the weights, and what tells their epoch.

    Returns:
        None for a Keras that keeps them otherwise, or not on this machine: nothing
        leans on these names, they only serve to say what is missing.
    """
    weights = getattr(callback, "_weights_path", None)
    metadata = getattr(callback, "_training_metadata_path", None)
    if weights is None or metadata is None or "://" in str(callback.backup_dir):
        return None
    return str(weights), str(metadata)


def restored_epoch(model: Any) -> int | None:
    """The epoch that a BackupAndRestore has found, in this fit or in one before."""
    epoch: int | None = model._initial_epoch
    return epoch


def set_first_epoch(model: Any, epoch: int) -> None:
    """Have the fit that begins go on at an epoch, as BackupAndRestore does."""
    model._initial_epoch = epoch


def skips_validation(model: Any, epoch: int) -> bool:
    """Whether the fit around a callback validates, but not after this epoch."""
    held = callers.held_by_fit_of(model)
    if held is None or held.get("validation_data") is None:
        return False
    return not model._should_eval(epoch, held["validation_freq"])


def direction_of(model: Any, name: str) -> str | None:
    """Whether more of a metric is better, ``"up"``, or less; None if nobody says."""
    metrics = list(model.metrics)
    for one in model.metrics:
        # What `compile` was given stands in these.
        metrics += getattr(one, "metrics", [])
    for metric in metrics:
        if metric.name == name and hasattr(metric, "_direction"):
            return str(metric._direction)
    return None


# The step of a model, and its logs.


def step_of(model: Any) -> Function:
    """The training step of a model: that of its class, or one set on it."""
    return set_step_of(model) or partial(type(model).train_step, model)


def training_loss(model: Any, data: Any) -> Any:
    """The loss of some rows as the training step of Keras works it out, scaled."""
    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    options = {"training": True} if model._call_has_training_arg else {}
    told = model(x, **options)
    loss = model._compute_loss(
        x=x, y=y, y_pred=told, sample_weight=weights, training=True
    )
    return model.optimizer.scale_loss(loss)


def stateless_training_loss(model: Any, state: Any, data: Any) -> tuple[Any, Any]:
    """The same on JAX, from the state of a step, and the variables after it.

    Returns:
        The loss, and the variables that are not trained.
    """
    trainable, other, slots, metrics = state
    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    loss, (_, _, other, _) = model.compute_loss_and_updates(
        trainable,
        other,
        metrics,
        x,
        y,
        weights,
        training=True,
        optimizer_variables=slots,
    )
    return loss, other


def check_loss(model: Any) -> None:
    """Raise ImportError where Keras lacks what works out the loss of a batch."""
    check("Model's loss", model, INSTANCE_CONTRACT)
    if keras.backend.backend() == "jax":
        check("Model's loss on JAX", model, INSTANCE_CONTRACT)


def set_step_of(model: Any) -> Function | None:
    """The training step that was set on a model, in place of that of its class."""
    step: Function | None = vars(model).get("train_step")
    return step


def set_step(model: Any, step: Function | None) -> None:
    """Set one, or take it away."""
    vars(model).pop("train_step", None)
    if step is not None:
        vars(model)["train_step"] = step


def function_at(model: Any) -> Function | None:
    """The function that ``fit`` calls at each step; None before it is made."""
    function: Function | None = model.train_function
    return function


def set_function(model: Any, function: Function | None) -> None:
    """Set it; None has it made anew."""
    # Past the layer's own setter, which looks for variables in all that it is given.
    vars(model)["train_function"] = function


def plain_function(model: Any) -> Function:
    """The same; if there is none, it is made."""
    if model.train_function is None:
        # Of the class, whatever an instance has in its place.
        type(model).make_train_function(model)
    function: Function = model.train_function
    return function


def ask_for_function(model: Any, force: bool) -> Any:
    """Have the model make it, as ``fit`` does."""
    return model.make_train_function(force)


def epoch_logs(model: Any, logs: Any) -> dict[str, Any]:
    """What the model itself tells of an epoch."""
    told: dict[str, Any] = type(model)._get_metrics_result_or_logs(model, logs)
    return told


def function_of(model: Any, step: Function) -> Function:
    """The function that ``fit`` would call at each step if the model had this step."""
    before = model.train_function
    own = set_step_of(model)
    set_step(model, step)
    model.train_function = None
    try:
        # Of the class, whatever an instance has in its place.
        type(model).make_train_function(model)
        function: Function = model.train_function
        return function
    finally:
        model.train_function = before
        set_step(model, own)


def one_more_sharding(model: Any, more: bool) -> Any:
    """A context in which the step's state has one array more of the optimizer's.

    ``jax.jit`` is told where each array of the state lies, if the devices are several.
    """
    if not more or keras.distribution.distribution() is None:
        return nullcontext()
    return _OneMoreSharding(model)


class _OneMoreSharding:
    def __init__(self, model: Any) -> None:
        self._model = model

    def __enter__(self) -> None:
        model = self._model

        def spec() -> Any:
            trainable, other, slots, metrics = type(model)._get_state_sharding_spec(
                model
            )
            return trainable, other, [*slots, slots[0]], metrics

        vars(model)["_get_state_sharding_spec"] = spec

    def __exit__(self, *error: object) -> None:
        del vars(self._model)["_get_state_sharding_spec"]


def keep_state(model: Any, state: tuple[Any, ...]) -> None:
    """Give the variables on JAX the state that a step was called with and lost.

    Keras empties the variables before the first step and fills them from the state that
    a step returns; a step that raises while it is compiled returns none.
    """
    if model._jax_state_synced:
        return  # Somebody has set the variables meanwhile.
    arrays = keras.tree.flatten(state)
    if any(getattr(array, "is_deleted", bool)() for array in arrays):
        return  # It had begun to compute, and its inputs are used up.
    parts = zip(STATE, state, strict=True)
    model._jax_state = {f"{name}_variables": values for name, values in parts}
    model._jax_state_synced = False
    model.jax_state_sync()


def take_state(model: Any, *, trains: bool) -> tuple[Any, ...]:
    """Take the values out of a model's variables on JAX, as ``fit`` does.

    Args:
        model: A built and compiled model.
        trains: Whether they are for the training step; else for the test step, which
            leaves the optimizer alone.
    """
    names = [f"{name}_variables" for name in STATE if trains or name != "optimizer"]
    model._jax_state_synced = False
    state: tuple[Any, ...] = model._get_jax_state(
        purge_model_variables=True, **dict.fromkeys(names, True)
    )
    return state


def hold_state(model: Any, state: tuple[Any, ...]) -> None:
    """Have the model know the state that a step has returned."""
    names = [name for name in STATE if len(state) == len(STATE) or name != "optimizer"]
    parts = zip(names, state, strict=True)
    model._jax_state = {f"{name}_variables": values for name, values in parts}


def holds_state(model: Any) -> bool:
    """Whether a fit that is under way on JAX carries the values of a model."""
    return bool(getattr(model, "_jax_state", None))


def hold_values(model: Any) -> None:
    """Have a fit that is under way on JAX know the values that were set.

    It takes them out of the variables for its next step, which may find no more data;
    it then gives back what it knows.
    """
    groups = state_variables(model)
    hold_state(model, tuple([one.value for one in group] for group in groups))


def put_state(model: Any) -> None:
    """Put the values back into the variables."""
    model.jax_state_sync()
    model._jax_state = None


def test_function(model: Any) -> Function:
    """The function that ``evaluate`` calls at each step."""
    model.make_test_function()
    function: Function = model.test_function
    return function


def has_heard_of_loss(model: Any) -> bool:
    """Whether the test step that has run has told the model's loss to a metric."""
    if type(model).test_step is not keras.Model.test_step or "test_step" in vars(model):
        return True  # What it returns is what it means.
    trackers = [metric for metric in model.metrics if metric.name == "loss"]
    counts = [metric.count for metric in trackers if hasattr(metric, "count")]
    return bool(trackers) and any(float(read(count)) > 0 for count in counts)


def has_own_train_step(model: Any) -> bool:
    """Whether a model is trained by a step of the user's."""
    return type(model).train_step is not keras.Model.train_step or (
        set_step_of(model) is not None
    )


def loss_trackers(model: Any, name: str) -> list[Any]:
    """The metrics that are told the loss of each batch inside of the step, if known."""
    # A train_step of one's own may have a loss tracker of its own.
    trackers = [metric for metric in model.metrics if metric.name == name]
    if trackers or name != "loss" or has_own_train_step(model):
        return trackers
    return [model._loss_tracker]


def normalizations(model: Any) -> list[Any]:
    """The layers that keep moving statistics."""
    layer = keras.layers.BatchNormalization
    return [one for one in model._flatten_layers() if isinstance(one, layer)]


def fixed_batch(model: Any) -> int | None:
    """Rows that each batch of a model must have; None if it takes any number."""
    for one in [model, *parts_of(model)]:
        # A Sequential model that was given no Input has the shape of the batch that has
        # built it, and takes others all the same, unless a layer keeps a state.
        is_sequential = isinstance(one, keras.Sequential)
        if is_sequential and not any(
            getattr(each, "stateful", 0) for each in one.layers
        ):
            continue
        # One that has no inputs yet has no such attribute.
        for tensor in getattr(one, "inputs", None) or ():
            if tensor.shape and tensor.shape[0] is not None:
                return int(tensor.shape[0])
    return None


def shared(model: Any, size: int) -> int:
    """A batch size, made a multiple of the devices that share a batch."""
    devices = replicas(model)
    among = keras.distribution.distribution()
    if among is not None:
        mesh = among.device_mesh
        devices = int(mesh.shape[mesh.axis_names.index(among.batch_dim_name)])
    return max(1, size // devices) * devices


def processes_of_distribution() -> int:
    """Processes whose devices the distribution spreads a model's step over, on JAX."""
    among = keras.distribution.distribution()
    if among is None:
        return 1
    devices = among.device_mesh.backend_mesh.devices.flat
    return len({device.process_index for device in devices})


def parts_of(model: Any) -> list[Any]:
    """The layers of a model, and theirs, without itself."""
    return [one for one in model._flatten_layers() if one is not model]


def strategy_scope(model: Any) -> Any:
    """The scope in which variables of a model are made."""
    strategy = getattr(model, "distribute_strategy", None)
    return nullcontext() if strategy is None else strategy.scope()


def replicas(model: Any) -> int:
    """Devices that share a batch by a strategy of TensorFlow's."""
    strategy = getattr(model, "distribute_strategy", None)
    return 1 if strategy is None else int(strategy.num_replicas_in_sync)


def build(model: Any, batch: Any = None) -> bool:
    """Make the model's and the optimizer's variables; whether they are all there now.

    Args:
        model: A compiled model.
        batch: A batch of data to build an unbuilt model with.
    """
    check("Sweep", model, INSTANCE_CONTRACT)
    if not model.built:
        if batch is None:
            return False
        model._symbolic_build(data_batch=batch)
    _build_optimizer(model)
    return True


def _build_optimizer(model: Any) -> None:
    if not model.optimizer.built:
        with strategy_scope(model):
            model.optimizer.build(model.trainable_variables)


def building_of(model: Any) -> Function:
    """The method by which a model is built with a batch, that of its class."""
    method: Function = partial(type(model)._symbolic_build, model)
    return method


def set_building(model: Any, function: Function | None) -> Function | None:
    """Set another one on the model, or take it away; gives the one that was set."""
    before: Function | None = vars(model).pop("_symbolic_build", None)
    if function is not None:
        vars(model)["_symbolic_build"] = function
    return before


def draws_to_build(model: Any) -> bool:
    """Whether the next fit of a model is to draw a batch to build it with."""
    check("Sweep", model, INSTANCE_CONTRACT)
    if keras.backend.backend() == "tensorflow":
        return False
    parts = (model._compile_metrics, model._compile_loss)
    is_unbuilt = any(part is not None and not part.built for part in parts)
    return is_unbuilt or not all(layer.built for layer in model._flatten_layers())


def batch_to_build_with(iterator: Any) -> Any:
    """The batch that a fit on JAX or torch draws from its iterator to build a model."""
    for _, _, batch_or_iterator in iterator:
        if isinstance(batch_or_iterator, list | tuple):
            return batch_or_iterator[0]
        return next(batch_or_iterator)
    return None


def build_with(model: Any, batch: Any) -> None:
    """Make all variables of a model and of its optimizer, as its first fit does.

    Raises:
        ValueError: If a part of it has no weights yet and gets none so.
    """
    check("Sweep", model, INSTANCE_CONTRACT)
    # On TensorFlow `fit` never builds: a model may have no `call` at all there.
    is_strict = keras.backend.backend() != "tensorflow"
    try:
        building_of(model)(data_batch=batch)
    except Exception as error:
        if is_strict:
            raise
        unbuilt = [one.name for one in parts_of(model) if not one.built]
        if unbuilt:
            raise ValueError(
                "A model whose `call` takes no batch must have its weights before a "
                f"search. Received: {type(model).__name__} {model.name!r}, whose "
                f"{', '.join(unbuilt[:8])} have none. Build them, or train one batch."
            ) from error
    _build_optimizer(model)


def outside_of_graphs() -> Any:
    """A context in which variables have values, in the middle of a trace too."""
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    return importlib.import_module("tensorflow").init_scope()


def keep_weights(optimizer: Any) -> None:
    """Have a fit that fails leave the weights alone.

    On JAX a fit that raises still replaces the weights by their moving average.
    """
    if keras.backend.backend() != "jax" or not optimizer.use_ema:
        return

    def once(*args: Any) -> None:
        del optimizer.finalize_variable_values

    optimizer.finalize_variable_values = once


@contextmanager
def weights_kept(optimizer: Any) -> Iterator[None]:
    """A context in which the end of a fit leaves the weights alone.

    It replaces them by their moving average, also if there was no update.
    """
    vars(optimizer)["finalize_variable_values"] = lambda variables: None
    try:
        yield
    finally:
        vars(optimizer).pop("finalize_variable_values", None)


# Groups of weights, each with an optimizer of its own.


def layers_in(layer: Any) -> list[Any]:
    """The layers that a layer or model holds itself, in its order."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    return list(layer._flatten_layers(include_self=False, recursive=False))


def weights_held_by(layer: Any) -> list[Any]:
    """The weights of a layer without those of layers in it; frozen ones as well."""
    check("Layer", layer, INSTANCE_CONTRACT)
    return list(layer._trainable_variables)


def optimizer_of_weight(optimizer: Any, variable: Any) -> Any:
    """The one of an optimizer's several that a variable is for; itself if it is one."""
    if not hasattr(optimizer, "optimizers"):
        return optimizer
    check("MultiOptimizer", optimizer, INSTANCE_CONTRACT)
    return optimizer._optimizer_map(variable)


def optimizer_of_rest(optimizer: Any) -> Any:
    """The one of several that is for whatever no other is for; None if there is none.

    Itself, if it is one.
    """
    if not hasattr(optimizer, "optimizers"):
        return optimizer
    check("MultiOptimizer", optimizer, INSTANCE_CONTRACT)
    return getattr(optimizer._optimizer_map, "default_optimizer", None)


def idle_among(optimizers: Sequence[Any], model: Any) -> list[Any]:
    """Those of a model's several optimizers that have none of its weights.

    As far as that is known: a function of the user's may make new ones at each call.
    """
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    weights = model.trainable_variables
    if not weights or optimizer_of_rest(inner) in (None, inner):
        return []
    busy = {id(optimizer_of_weight(inner, weight)) for weight in weights}
    own = {id(one) for one in inner.optimizers}
    return [one for one in optimizers if id(one) in own - busy]


def name_for_optimizer(text: str) -> str:
    """A text as Keras and TensorFlow take it for the name of an optimizer.

    Example:
        >>> name_for_optimizer("block_*/attention")
        'block_attention'
    """
    plain = re.sub(r"_*[^A-Za-z0-9_.-]+_*", "_", text)
    return plain.strip("_-") or "all"


def leave_out_of_decay(new: Any, like: Any) -> None:
    """Have an optimizer's weight decay leave out what another's does.

    No config says what that is.
    """
    for name, value in vars(like).items():
        # The set of variables, and the pattern of names; their cache is left alone.
        if name.startswith("_exclude_from_weight_decay") and not name.endswith("cache"):
            setattr(new, name, value)


# Keras' own callbacks, and the data of a fit.


def is_writer(frame: FrameType, owner: str) -> bool:
    """Whether a frame is where a callback of Keras' reads the rate, and writes it."""
    return frame.f_code is _writer_of(owner)


def _writer_of(owner: str) -> CodeType | None:
    methods = vars(getattr(keras.callbacks, owner))
    for name in WRITERS[owner]:
        if name in methods:
            code: CodeType = methods[name].__code__
            return code
    return None


def leave_out_of_csv(callback: Any, names: Sequence[str]) -> Function:
    """The hook of a CSVLogger that makes no columns for validation of some names.

    Keras gives each log a second column for validation where it has seen none yet.
    """
    check("CSVLogger", callback, INSTANCE_CONTRACT)
    hook: Function = type(callback).on_epoch_end

    def on_epoch_end(epoch: int, logs: dict[str, Any] | None = None) -> None:
        if callback.keys is None and logs:
            own = sorted(logs)
            callback.keys = own
            if not any(name.startswith("val_") for name in own):
                more = [f"val_{name}" for name in own if name not in names]
                callback.keys = own + more
        hook(callback, epoch, logs)

    return on_epoch_end


#: Batches of a fit on TensorFlow of which it is told whether they are finite.
TOLD = 2**16


def guard_data(values: list[Any], guarded: Callable[[Function], Function]) -> Function:
    """Have a fit call its data through a guard, and tell of each batch if it is finite.

    On TensorFlow the step itself fetches the batches, so that no guard is called there.

    Args:
        values: What the fit's frame holds.
        guarded: Makes a guarded function of one.

    Returns:
        Gives a number for each batch so far, or several: NaN where anything in it is
        not finite, else 0.
    """
    told: list[Any] = []
    tells: Function = lambda: told  # noqa: E731
    module = importlib.import_module("keras.src.trainers.epoch_iterator")
    for one in values:
        if not isinstance(one, module.EpochIterator):
            continue
        check("EpochIterator", one, INSTANCE_CONTRACT)
        if keras.backend.backend() == "tensorflow":
            tells = _tell_of_dataset(one)
        else:
            one._get_iterator = partial(_told, one._get_iterator, guarded, told)
    return tells


def _told(
    make: Callable[[], Any],
    guarded: Callable[[Function], Function],
    told: list[Any],
) -> Iterator[Any]:
    take = guarded(iter(make()).__next__)
    while True:
        try:
            batch = take()
        except StopIteration:
            return
        leaves = keras.tree.flatten(batch)
        floats = [leaf for leaf in leaves if "float" in str(getattr(leaf, "dtype", ""))]
        with np.errstate(invalid="ignore"):
            told.append([(leaf * 0).sum() for leaf in floats])
        yield batch


def _tell_of_dataset(iterator: Any) -> Function:
    tf = importlib.import_module("tensorflow")
    count = tf.Variable(0, dtype="int64", trainable=False)
    told = tf.Variable(tf.zeros(TOLD), trainable=False)

    def tell(*batch: Any) -> Any:
        leaves = tf.nest.flatten(batch)
        floats = [leaf for leaf in leaves if getattr(leaf.dtype, "is_floating", False)]
        sums = [tf.cast(tf.reduce_sum(leaf * 0), "float32") for leaf in floats]
        place = tf.minimum(count.assign_add(1) - 1, TOLD - 1)
        zero = tf.add_n(sums) if sums else tf.constant(0.0)
        done = told.scatter_nd_update([[place]], [zero])
        with tf.control_dependencies([done]):
            same = tf.nest.map_structure(tf.identity, batch)
        return same if len(same) > 1 else same[0]

    dataset = iterator._distributed_dataset
    if isinstance(dataset, tf.distribute.DistributedDataset):
        strategy = iterator._distribute_strategy
        dataset = iterator.data_adapter.get_tf_dataset().map(tell)
        dataset = strategy.experimental_distribute_dataset(dataset)
    else:
        dataset = dataset.map(tell)
    iterator._distributed_dataset = dataset
    return lambda: told[: int(count.numpy())].numpy()[:, None]


# Random numbers.


def random_state() -> Callable[[], None]:
    """Take the state of Keras' own random numbers; what is returned sets it again."""
    module = importlib.import_module("keras.src.backend.common.global_state")
    name = "global_seed_generator"
    generator = module.get_global_attribute(name)
    value = None if generator is None else np.array(read(generator.state))

    def again() -> None:
        module.set_global_attribute(name, generator)
        if generator is not None:
            generator.state.assign(value)

    return again


def seed_state() -> NDArray[Any] | None:
    """The state of Keras' own random numbers; None where none were drawn yet."""
    module = importlib.import_module("keras.src.backend.common.global_state")
    generator = module.get_global_attribute("global_seed_generator")
    return None if generator is None else np.array(read(generator.state))


def set_seed_state(state: NDArray[Any] | None) -> None:
    """Set what :func:`seed_state` has given, maybe in another process."""
    module = importlib.import_module("keras.src.backend.common.global_state")
    generator = None
    if state is not None:
        generator = keras.random.SeedGenerator(0, name="global_seed_generator")
        generator.state.assign(state)
    module.set_global_attribute("global_seed_generator", generator)
