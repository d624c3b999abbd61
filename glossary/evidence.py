"""What a demo of a claim measured, and the verdict that follows from it."""

from __future__ import annotations

import json
import math
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glossary import load
from glossary.errors import DemoError

if TYPE_CHECKING:
    from glossary.model import Claim

#: Seeds of each size.
SIZES = {"fast": 1, "full": 10}
_PACKAGES = ("keras-lr", "numpy", "scikit-learn", "keras")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A claim, measured.

    Args:
        claim: Id of the claim.
        sentence: The claim in words.
        quantity: What was measured.
        comparison: ``<``, ``<=``, ``>``, ``>=`` or ``between``.
        threshold: The number compared with; a pair for ``between``.
        expected: The documented outcome.
        verdict: ``held``, ``failed``, or ``inconclusive`` where a control arm could not
            do its job.
        measured: Median over the seeds.
        margin: How far ``measured`` lies on the side of the threshold that holds, as a
            share of the threshold (of 1 where that is 0); negative where it failed. For
            ``between``: the distance to the nearer end as a share of the width.
        by_seed: What each seed measured.
        seeds: The seeds.
        reason: Why it is inconclusive; or empty.
        data: The numbers behind it, by name: for each seed a list.
        drawing: How to draw them.
        seconds: Processor time, without that of importing the backend.
        versions: Of Python and of the packages.
    """

    claim: str
    sentence: str
    quantity: str
    comparison: str
    threshold: float | tuple[float, float]
    expected: str
    verdict: str
    measured: float
    margin: float
    by_seed: tuple[float, ...]
    seeds: tuple[int, ...]
    reason: str
    data: Mapping[str, Any]
    drawing: Mapping[str, Any]
    seconds: float
    versions: Mapping[str, str]

    @property
    def as_documented(self) -> bool:
        """Whether the verdict is the documented outcome."""
        return self.verdict == self.expected

    @property
    def condition(self) -> str:
        """The comparison in words, such as ``"< 0.5"``."""
        if isinstance(self.threshold, tuple):
            return f"between {self.threshold[0]:g} and {self.threshold[1]:g}"
        return f"{self.comparison} {self.threshold:g}"

    def figure(self) -> Any:
        """A matplotlib figure: the data, and each seed against the threshold.

        Raises:
            DemoError: If matplotlib is not installed.
        """
        try:
            from glossary._figure import draw
        except ModuleNotFoundError as error:
            raise _missing("A figure", error) from error
        return draw(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as values that JSON can hold; what is not finite, as text."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Evidence:
        """What `to_dict` made."""
        values = dict(record)
        for name in ("measured", "margin", "seconds"):
            values[name] = float(values[name])
        values["by_seed"] = tuple(float(value) for value in values["by_seed"])
        values["seeds"] = tuple(values["seeds"])
        if isinstance(values["threshold"], list):
            values["threshold"] = tuple(values["threshold"])
        return cls(**values)

    def __str__(self) -> str:
        surprise = "" if self.as_documented else f", documented as {self.expected}"
        note = f" ({self.reason})" if self.reason else ""
        return (
            f"{self.verdict}{surprise}: {self.sentence}\n"
            f"  {self.quantity}: {self.measured:.4g}, claimed {self.condition}, "
            f"margin {self.margin:+.2g}{note}"
        )

    def _repr_html_(self) -> str:
        from html import escape

        words = f"<p>{escape(str(self))}</p>"
        try:
            from glossary._figure import svg
        except ImportError:
            return words
        return words + svg(self)


def judge(measured: float, comparison: str, threshold: Any) -> tuple[str, float]:
    """Verdict and margin of a number.

    Example:
        >>> judge(0.25, "<", 0.5), judge(3.0, ">=", 4.0), judge(1.5, "between", (1, 2))
        (('held', 0.5), ('failed', -0.25), ('held', 0.5))
    """
    if not math.isfinite(measured):
        return "inconclusive", math.nan
    if comparison == "between":
        low, high = threshold
        margin = min(measured - low, high - measured) / (high - low)
        return ("held" if low <= measured <= high else "failed"), margin
    sign = 1 if comparison.startswith(">") else -1
    margin = sign * (measured - threshold) / (abs(threshold) or 1.0)
    equal = comparison.endswith("=") and measured == threshold
    return ("held" if margin > 0 or equal else "failed"), margin


def check(
    claim: Claim,
    size: str = "fast",
    seed: int = 0,
    tell: Callable[[int, int], None] | None = None,
) -> Evidence:
    """Run the demo of a claim and judge what it measures.

    Args:
        claim: The claim.
        size: ``"fast"``, one seed; or ``"full"``, ten, whose median is judged.
        seed: The first seed.
        tell: Called after each seed with the number that is done, and of all.

    Raises:
        DemoError: If there is no demo, or it cannot run.
        ValueError: If there is no such size, or the seed is negative.
    """
    if size not in SIZES:
        raise ValueError(f"`size` must be 'fast' or 'full'. Received: size={size!r}.")
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or above. Received: seed={seed}.")
    seeds = tuple(range(seed, seed + SIZES[size]))
    with _random_kept(), _one_thread():
        try:
            demo, versions = _demo(claim), _versions(claim)
            begun, runs = time.process_time(), []
            for done, one in enumerate(seeds, start=1):
                runs.append(_checked(claim, demo(one)))
                if tell:
                    tell(done, len(seeds))
        except ModuleNotFoundError as error:  # demos import what they need
            raise _missing(f"The demo of {claim.id}", error) from error
    by_seed = tuple(float(run["measured"]) for run in runs)
    reason = next((run["inconclusive"] for run in runs if run.get("inconclusive")), "")
    measured = statistics.median(by_seed)
    verdict, margin = judge(measured, claim.comparison, claim.threshold)
    names = runs[0]["data"]
    return Evidence(
        claim=claim.id,
        sentence=claim.sentence,
        quantity=claim.quantity,
        comparison=claim.comparison,
        threshold=claim.threshold,
        expected=claim.expected,
        verdict="inconclusive" if reason else verdict,
        measured=measured,
        margin=margin,
        by_seed=by_seed,
        seeds=seeds,
        reason=reason,
        data={name: [_plain(run["data"][name]) for run in runs] for name in names},
        drawing=dict(runs[0]["figure"]),
        seconds=round(time.process_time() - begun, 3),
        versions=versions,
    )


@cache
def recorded() -> Mapping[str, Evidence]:
    """What was measured of the installed terms, by claim.

    It is in ``evidence.json`` beside each folder of terms, as ``glossary check --demos
    --full --source NAME --evidence FILE`` writes it. Of two, the first one counts.
    """
    places = [Path(__file__).parent]
    for plugin in load.plugins():
        places += [folder.parent for folder in load.folders(plugin)]
    found: dict[str, Evidence] = {}
    for path in (place / "evidence.json" for place in places):
        for record in json.loads(path.read_text("utf-8")) if path.is_file() else []:
            found.setdefault(record["claim"], Evidence.from_dict(record))
    return found


def brief(evidence: Evidence) -> Evidence:
    """The same with its numbers rounded to four digits, for files."""
    return replace(evidence, data={k: _short(v) for k, v in evidence.data.items()})


def _demo(claim: Claim) -> Callable[[int], Mapping[str, Any]]:
    if not claim.demo:
        raise DemoError(
            f"A claim is run by its demo. Received: {claim.id}, without one."
        )
    if not any(claim in term.claims for term in load.installed()):
        raise DemoError(
            "A demo runs only for terms that are installed. Received: the claim "
            f"{claim.id}, read from a file. Install its package."
        )
    module, _, name = claim.demo.partition(":")
    try:
        found: Callable[[int], Mapping[str, Any]] = getattr(import_module(module), name)
    except AttributeError as error:
        raise DemoError(
            f"The demo of {claim.id} must be a function. Received: {claim.demo}."
        ) from error
    return found


def _missing(what: str, error: ModuleNotFoundError) -> DemoError:
    """What to install: a backend has an extra of its own, most else is in one."""
    name = (error.name or "a package").partition(".")[0]
    extra = name if name in ("tensorflow", "jax", "torch") else "demos"
    return DemoError(
        f"{what} needs {name}: pip install 'keras-lr[{extra}]', or the package that "
        "brought the term."
    )


def _checked(claim: Claim, run: Any) -> Any:
    fits = isinstance(run, Mapping) and {"measured", "data", "figure"} <= set(run)
    if not fits:
        raise DemoError(
            f"The demo of {claim.id} must return a mapping with measured, data and "
            f"figure. Received: {type(run).__name__}."
        )
    return run


@contextmanager
def _random_kept() -> Iterator[None]:
    """Give the random state of the process back: Keras draws seeds from it."""
    import numpy as np

    plain, arrays = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)


def _one_thread() -> Any:
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        from contextlib import nullcontext

        return nullcontext()
    return threadpool_limits(1)


def _versions(claim: Claim) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if claim.backend:
        found["backend"] = import_module("keras").backend.backend()
    return found


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
