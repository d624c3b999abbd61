"""``python -m tests.packaging``: build wheel and sdist, install both, check all."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.packaging import archives, checks
from tests.packaging.archives import Archives
from tests.packaging.installations import Installation, installation


def main() -> int:
    """Exit code 1 if a check does not hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = archives.build(folder / "dist")
        for archive in (built.wheel, built.sdist):
            print(f"{archive.name}: {archive.stat().st_size / 1e6:.2f} MB")
        held = _archives(built, folder)
        print("the sdist in a clean environment:", flush=True)
        held += _installed(installation(folder / "of-sdist", built.sdist))
        print("the wheel in a clean environment:", flush=True)
        of_wheel = installation(folder / "of-wheel", built.wheel)
        held += _installed(of_wheel)
        print("JAX added to it:", flush=True)
        held.append(shows(checks.keras_lr_trains, of_wheel))
    print(f"{sum(held)} checks hold, {len(held) - sum(held)} do not")
    return int(not all(held))


def _archives(built: Archives, folder: Path) -> list[bool]:
    return [
        shows(checks.the_wheel_holds_the_packages_and_nothing_else, built),
        shows(checks.the_wheel_is_small, built),
        shows(checks.the_sdist_builds_the_same_wheel, built, folder / "sdist-built"),
        shows(checks.twine_has_nothing_to_say, built),
    ]


def _installed(installed: Installation) -> list[bool]:
    return [
        shows(checks.requirements_are_met, installed),
        shows(checks.no_tests_or_documents_came_along, installed),
        shows(checks.the_glossary_works_without_a_backend, installed),
        shows(checks.keras_lr_without_a_backend_leaves_the_word_to_keras, installed),
    ]


def shows(check: Callable[..., None], *given: object) -> bool:
    """Whether a check holds, which it prints as well."""
    began = time.monotonic()
    try:
        check(*given)
    except (AssertionError, RuntimeError) as fault:
        holds = False
        said = f"\n      {type(fault).__name__}: {fault}"
    else:
        holds = True
        said = ""
    seconds = time.monotonic() - began
    name = check.__name__.replace("_", " ")
    word = "ok" if holds else "no"
    print(f"  {word} {name} ({seconds:.0f} s){said}", flush=True)
    return holds


if __name__ == "__main__":
    sys.exit(main())
