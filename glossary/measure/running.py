"""Running the demo of a claim, and leaving the process as it was."""

from __future__ import annotations

import platform
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from glossary.errors import DemoError
from glossary.extras import missing
from glossary.model import Claim, Evidence
from glossary.pictures import Measurement
from glossary.shown import shown

Demo = Callable[[int], Measurement]
#: How many seeds each size has.
SIZES = {"fast": 1, "full": 10}
_PACKAGES = ("keras-lr", "numpy", "scikit-learn", "keras")


def check(
    claim: Claim,
    size: str = "fast",
    seed: int = 0,
    tell: Callable[[int, int], None] | None = None,
) -> Evidence:
    """Run the demo of a claim and judge what it measures.

    Args:
        claim: The claim; what it names is imported and run, so it must be trusted.
        size: ``"fast"``, one seed; or ``"full"``, ten, whose median is judged.
        seed: The first seed.
        tell: Called after each seed with the number that is done, and of all.

    Returns:
        The evidence.

    Raises:
        DemoError: If there is no demo, or it cannot run.
        ValueError: If there is no such size, or the seed is negative.
    """
    if size not in SIZES:
        raise ValueError(
            f"`size` must be 'fast' or 'full'. Received: size={shown(size)}."
        )
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or above. Received: seed={seed}.")
    seeds = tuple(range(seed, seed + SIZES[size]))
    with _random_kept(), _one_thread():
        try:
            demo = demo_of(claim)
            versions = _versions(claim)
            begun = time.process_time()
            runs: list[Measurement] = []
            for done, this_seed in enumerate(seeds, start=1):
                runs.append(_checked(claim, demo(this_seed)))
                if tell:
                    tell(done, len(seeds))
        except ModuleNotFoundError as error:  # demos import what they need
            raise missing(f"The demo of {claim.id}", error) from error
        seconds = round(time.process_time() - begun, 3)
    return Evidence(
        claim=claim, runs=tuple(runs), seeds=seeds, seconds=seconds, versions=versions
    )


def demo_of(claim: Claim) -> Demo:
    """The function that measures a claim; its module is imported.

    Raises:
        DemoError: If there is none.
    """
    if not claim.demo:
        raise DemoError(
            f"A claim is run by its demo. Received: {claim.id}, without one."
        )
    module, _, name = claim.demo.partition(":")
    try:
        demo: Demo = getattr(import_module(module), name)
    except AttributeError as error:
        raise DemoError(
            f"The demo of {claim.id} must be a function. Received: {claim.demo}."
        ) from error
    return demo


def _checked(claim: Claim, run: object) -> Measurement:
    if not isinstance(run, Measurement):
        raise DemoError(
            f"The demo of {claim.id} must return a glossary.lab.Measurement. "
            f"Received: {type(run).__name__}."
        )
    return run


@contextmanager
def _random_kept() -> Iterator[None]:
    """Give the random state of the process back: Keras draws seeds from it."""
    import numpy as np  # a lookup must not cost the import of NumPy

    plain = random.getstate()
    arrays = np.random.get_state()
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)


def _one_thread() -> AbstractContextManager[object]:
    """Small arrays are slower on many threads."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def _versions(claim: Claim) -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    if claim.backend:
        versions["backend"] = import_module("keras").backend.backend()
    return versions
