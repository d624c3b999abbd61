"""Which schedules of which libraries there are, and what they take."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from keras_lr.interop.arguments import check_arguments
from keras_lr.plan.recipe import Recipe
from keras_lr.plan.words import naming, received

#: Makes a recipe: from ``faithful``, and the arguments of the original.
Maker = Callable[..., Recipe]


@dataclass(frozen=True)
class Peer:
    """A library whose schedules are known.

    Attributes:
        name: The library.
        makers: What makes a recipe, by the name of the original.
        plateaus: What gives the arguments of a ``Plateau``, by the name of an original
            that follows a metric.
        refused: Why an original is not carried over, by its name.
        of_objects: Those of the makers that stand for an object and have no name.
    """

    name: str
    makers: Mapping[str, Maker]
    plateaus: Mapping[str, Callable[..., dict[str, Any]]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    of_objects: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """All that can be asked for by name."""
        known = [*self.makers, *self.plateaus]
        return [name for name in known if name not in self.of_objects]


#: The module of each library that has all its schedules.
MODULES = {
    "keras": "keras_schedules",
    "transformers": "transformers_schedules",
    "optax": "optax_schedules",
    "torch": "torch_schedulers",
    "timm": "timm_schedulers",
    "fastai": "fastai_fits",
    "composer": "composer_schedulers",
}


@cache
def peer_of(name: str) -> Peer:
    """The library of a name.

    Its module is imported when it is asked for: who carries nothing over does not wait
    for twenty modules.
    """
    module = importlib.import_module(f"keras_lr.interop.{MODULES[name]}")
    return Peer(
        name,
        module.RECIPES,
        getattr(module, "PLATEAUS", {}),
        getattr(module, "REFUSED", {}),
        getattr(module, "OF_OBJECTS", ()),
    )


def recipe(
    peer: str, name: str, arguments: Mapping[str, Any], faithful: bool
) -> Recipe:
    """The recipe of a schedule of another library.

    Args:
        peer: The library.
        name: The schedule, as the library calls it.
        arguments: What it is given.
        faithful: Whether its known faults are carried over.

    Raises:
        TypeError: If it has no such argument, or its name is none.
        ValueError: If the library has no such schedule, an argument is missing, or one
            is out of range.
    """
    makers = peer_of(peer).makers
    if name not in makers:
        check_name(peer, name)
    maker = makers[name]
    check_arguments(name, maker, arguments)
    with naming(name):
        return maker(faithful, **arguments)


def check_name(peer: str, name: Any) -> None:
    """Raise unless a library has a schedule of this name."""
    known = peer_of(peer)
    if not isinstance(name, str):
        raise TypeError(
            f"from_{peer} takes the name of a schedule. {received(name=name)} It knows "
            f"{', '.join(known.names)}."
        )
    if name in known.names:
        return
    if name in known.refused:
        raise ValueError(
            f"{name} cannot be carried over: {known.refused[name]} "
            f"{received(name=name)}"
        )
    raise ValueError(
        f"from_{peer} knows {', '.join(known.names)}. {received(name=name)}"
        f"{_hint(name, known)}"
    )


def _hint(name: Any, known: Peer) -> str:
    """Where to look for what is not there; nothing where nobody knows."""
    elsewhere = [other for other in MODULES if name in peer_of(other).names]
    if elsewhere:
        return f" It is one of {elsewhere[0]}: take from_{elsewhere[0]}."
    near = difflib.get_close_matches(str(name), known.names, n=1)
    return f" Did you mean {near[0]}?" if near else ""
