"""``groups``: a factor on the rate for each group of a model's weights."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import keras

from keras_lr.fit import keras_names
from keras_lr.plan.checks import check_fraction, number
from keras_lr.plan.words import received, shown
from keras_lr.weight_paths import Weight, weights_of

#: The name of the optimizer for what no key matches.
REST = "rest"
#: Paths that an error lists, at most.
LISTED = 40


def groups(
    model: Any,
    factors: Mapping[str, float] | None = None,
    *,
    optimizer: Any,
    decay: float | None = None,
) -> Any:
    r"""An optimizer that trains parts of a model at a fraction of the rate.

    .. math:: \eta_w = \eta \, f_{k(w)} \, \gamma^{d(w)}

    for a weight w, with the optimizer's own rate :math:`\eta`, the factor f of the
    first key k that matches w (1 where none does), ``decay`` :math:`\gamma` and the
    depth d of the layer of w, counted from the last one, which has 0.

    A key is a name, or several with slashes between them: it matches a weight where
    names in a row of the weight's path match, from the model's layers down to the
    weight. So ``"backbone"`` is for all of that layer, ``"block_*/attention"`` for the
    attention of each block, ``"*/bias"`` for every bias. ``*``, ``?`` and ``[abc]``
    stand for what they do in names of files, within one name.

    For ``decay`` a model is its layers in their order, those of models in it as well;
    what is no model is one layer, whatever it is made of. A layer without a matrix,
    such as normalization, has the depth of the one before it.

    Args:
        model: A built model: with an ``Input``, or called once.
        factors: Factors by key, finite and above 0; the first key that matches a weight
            counts. None for ``decay`` alone.
        optimizer: One of Keras', with a number for a rate, or its name, as ``"adam"``.
            Each group has one of its own made like it; itself it is left alone.
        decay: The factor from each layer to the one before it, above 0 and at most 1,
            which changes nothing. None for none.

    Returns:
        A ``keras.optimizers.MultiOptimizer`` for ``compile``; in a LossScaleOptimizer
        where ``optimizer`` was one. Its optimizers are called as their keys are, with
        ``_`` for what no name may hold, and the one for all else ``"rest"``. With a
        ``decay`` there is one a depth: ``"body_depth_3"``, ``"depth_3"`` for all else.
        :func:`keras_lr.group_rates` shows which weight is where.

    Raises:
        ImportError: If Keras is older than 3.15, which has several optimizers first.
        TypeError: If something is of another type.
        ValueError: If the model is not built, a key matches nothing or nothing that an
            earlier one does not, a factor is out of range, the optimizer's rate is a
            schedule, or two weights of different groups have the same path.

    Example:
        >>> import keras
        >>> layers = [keras.layers.Dense(3, name="body"), keras.layers.Dense(1)]
        >>> model = keras.Sequential([keras.Input((2,)), *layers])
        >>> sgd = keras.optimizers.SGD(0.5)
        >>> model.compile(groups(model, {"body": 0.25}, optimizer=sgd))
        >>> [(one.name, float(one.learning_rate)) for one in model.optimizer.optimizers]
        [('body', 0.125), ('rest', 0.5)]

    Source: for layer-wise decay Clark et al. 2020 (ELECTRA), arXiv:2003.10555, app. B;
    for groups Howard and Ruder 2018, arXiv:1801.06146, sec. 3.2.
    """
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        raise ImportError(
            "keras_lr.groups needs Keras 3.15 or newer, which has MultiOptimizer. "
            f"Received: Keras {keras.__version__}."
        )
    factors = {} if factors is None else factors
    _check_factors(factors, decay)
    base, wrap = _base(optimizer)
    weights = weights_of(model)
    members = _grouped(weights, list(factors), decay is not None)
    _check_paths(members)
    made: dict[str, Any] = {}
    like_rest = _like(base, REST, 1.0)
    names = {REST}
    for group, inside in members.items():
        if group == _Group(None, None):
            continue
        factor = 1.0 if group.key is None else float(factors[group.key])
        if group.depth is not None and decay is not None:
            factor *= float(decay) ** group.depth
        if group.name in names:
            raise ValueError(
                "The keys of groups must differ in more than what a name cannot hold. "
                f"Received: two that are called {group.name!r}. Write one otherwise."
            )
        names.add(group.name)
        made[_pattern(inside)] = _like(base, group.name, factor)
    mapped = keras.optimizers.OptimizerMap(like_rest, made)
    return wrap(keras.optimizers.MultiOptimizer(mapped))


# The groups.


@dataclass(frozen=True)
class _Group:
    """Weights with one factor: of a key or none, at a depth or at any."""

    key: str | None
    depth: int | None

    @property
    def name(self) -> str:
        """What its optimizer is called."""
        if self.key is None:
            return REST if self.depth is None else f"depth_{self.depth}"
        name = keras_names.name_for_optimizer(self.key)
        return name if self.depth is None else f"{name}_depth_{self.depth}"


def _grouped(
    weights: Sequence[Weight], keys: Sequence[str], is_deep: bool
) -> dict[_Group, list[Weight]]:
    """The weights of each group; those groups first that train any.

    Raises:
        ValueError: If a key has none.
    """
    found: dict[_Group, list[Weight]] = {}
    last = max(one.layer for one in weights)
    for weight in weights:
        matching = [key for key in keys if _matches(key, weight)]
        key = matching[0] if matching else None
        depth = last - weight.layer if is_deep else None
        found.setdefault(_Group(key, depth), []).append(weight)
    taken = {group.key for group in found}
    for key in keys:
        if key not in taken:
            raise ValueError(_why_nothing(key, weights, keys))

    # A step looks at its first optimizer to see whether it has made an update.
    def rank(group: _Group) -> tuple[bool, int, int]:
        is_idle = not any(one.variable.trainable for one in found[group])
        number = len(keys) if group.key is None else keys.index(group.key)
        return is_idle, number, group.depth or 0

    return {group: found[group] for group in sorted(found, key=rank)}


def _matches(key: str, weight: Weight) -> bool:
    """Whether names in a row of one of its paths match those of a key."""
    wanted = key.split("/")
    for path in weight.paths:
        names = path.split("/")
        for start in range(len(names) - len(wanted) + 1):
            if all(map(fnmatchcase, names[start : start + len(wanted)], wanted)):
                return True
    return False


def _why_nothing(key: str, weights: Sequence[Weight], keys: Sequence[str]) -> str:
    """What to say of a key without weights."""
    wanted = [one for one in weights if _matches(key, one)]
    if wanted:
        others = [
            other
            for other in keys[: keys.index(key)]
            if any(_matches(other, one) for one in wanted)
        ]
        before = ", ".join(map(repr, others))
        return (
            "Of `factors` the first key that matches a weight counts, and "
            f"{key!r} gets none: all that it matches are matched by {before} before "
            f"it. {received(factors=list(keys))} Put {key!r} first."
        )
    paths = [path.rpartition("/")[0] for one in weights for path in one.paths]
    layers = list(dict.fromkeys(path for path in paths if path))
    listed = ", ".join(layers[:LISTED])
    more = len(layers) - LISTED
    more_text = f" and {more} more" if more > 0 else ""
    return (
        f"A key of `factors` must match layers or weights. Received: {key!r}, which "
        f"matches none of {listed}{more_text}."
    )


def _check_factors(factors: Mapping[str, float], decay: float | None) -> None:
    if not isinstance(factors, Mapping):
        raise TypeError(
            f"`factors` must map names to factors. {received(factors=factors)}"
        )
    if not factors and decay is None:
        raise ValueError("Groups need `factors` or a `decay`. Received: neither.")
    for key, factor in factors.items():
        if not isinstance(key, str):
            raise TypeError(
                "`factors` must have names of layers as keys. Received: "
                f"{shown(key)}: {shown(factor)}."
            )
        size = number(f"factors[{shown(key)}]", factor)
        if size == 0:
            raise ValueError(
                f"A factor must be above 0. Received: {key!r}: 0. To keep what it "
                "matches as it is, set trainable = False on those layers."
            )
        if not 0 < size < float("inf"):
            raise ValueError(
                f"A factor must be finite and above 0. Received: {key!r}: "
                f"{shown(factor)}."
            )
    if decay is not None:
        check_fraction("decay", decay)


def _check_paths(members: Mapping[_Group, Sequence[Weight]]) -> None:
    """Raise where Keras, which knows weights by path, cannot tell groups apart."""
    owners: dict[str, _Group] = {}
    for group, inside in members.items():
        for weight in inside:
            for path in weight.calls:
                if owners.setdefault(path, group) != group:
                    raise ValueError(
                        "Weights of different groups must have different paths, also "
                        f"in a model that was loaded. Received: two called {path!r}, "
                        f"one in {owners[path].name!r}, one in {group.name!r}. Give "
                        "one of their layers another name."
                    )


def _pattern(weights: Sequence[Weight]) -> str:
    """A regular expression that matches what Keras calls some weights, and no more."""
    paths = [path for one in weights for path in sorted(one.calls)]
    # A longer one first reads better, and makes no difference.
    return "|".join(map(re.escape, dict.fromkeys(paths)))


# The optimizers.


def _base(optimizer: Any) -> tuple[Any, Any]:
    """The optimizer that each group has one like, and what to wrap several in.

    Raises:
        TypeError: If it is none of Keras', or already several.
        ValueError: If its rate is a schedule.
    """
    if isinstance(optimizer, str | dict):
        optimizer = keras.optimizers.get(optimizer)
    wrap: Any = _as_it_is
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        scaler = optimizer
        optimizer = scaler.inner_optimizer

        def wrap(inner: Any) -> Any:
            return keras.optimizers.LossScaleOptimizer(
                inner,
                initial_scale=scaler.initial_scale,
                dynamic_growth_steps=scaler.dynamic_growth_steps,
                name=scaler.name,
            )

    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(
            "`optimizer` must be one of Keras 3 (keras.optimizers.Adam(1e-3), ...). "
            f"{received(optimizer=optimizer)}"
        )
    if hasattr(optimizer, "optimizers"):
        raise TypeError(
            "`optimizer` must be a single one, which each group has one like. "
            f"{received(optimizer=optimizer.name)}, which has several."
        )
    if keras_names.own_rate(optimizer) is None:
        raise ValueError(
            "`optimizer` must have a number for a rate, which is multiplied by the "
            f"factors. Received: {optimizer.name!r} with a schedule. Compile with a "
            "number, and give the schedule to fit as a callback, such as "
            "keras_lr.CosineDecay()."
        )
    if optimizer.global_clipnorm is not None:
        warnings.warn(
            "Each group clips by the norm of its own gradients, not of all: "
            f"global_clipnorm={optimizer.global_clipnorm:g} bounds each by itself.",
            UserWarning,
            stacklevel=3,
        )
    return optimizer, wrap


def _as_it_is(optimizer: Any) -> Any:
    return optimizer


def _like(base: Any, name: str, factor: float) -> Any:
    """A new optimizer like one, at a multiple of its rate."""
    rate = keras_names.own_rate(base)
    assert rate is not None  # noqa: S101  _base has seen to it
    config = {**base.get_config(), "name": name, "learning_rate": rate * factor}
    new = type(base).from_config(config)
    keras_names.leave_out_of_decay(new, base)
    return new
