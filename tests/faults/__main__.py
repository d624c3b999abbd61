"""Try what can go wrong, at random points, and print counts.

Usage: python -m tests.faults [--seed 0] [--kills 50] [--interrupts 150] [--rounds 5]
                              [--only KIND] [--backends jax torch] [--markdown FILE]
                              [--outcomes FILE]
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.counting import FAULT, Amounts, Outcome, faults, of_line, table

BACKENDS = ("tensorflow", "jax", "torch")
#: A module a kind, in the order in which they are tried.
KINDS = ("kills", "interrupts", "torn", "hooks", "nans", "data", "disk", "company")

#: Seconds after which a backend that hangs is a fault.
TOO_LONG = 4 * 3600.0


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seed", type=int, default=0, help="of all random points")
    parser.add_argument("--kills", type=int, default=50, help="on each backend")
    parser.add_argument("--interrupts", type=int, default=150, help="on each backend")
    parser.add_argument("--rounds", type=int, default=5, help="of each other place")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS)
    parser.add_argument("--backends", choices=BACKENDS, nargs="+", default=BACKENDS)
    parser.add_argument("--markdown", type=Path, help="where the table is written, too")
    parser.add_argument("--outcomes", type=Path, help="where a line a point is added")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def try_here(kinds: Sequence[str], amounts: Amounts, seed: int) -> None:
    """Try kinds, each in a fork of this process, and print what comes of each point."""
    # What a kind prints by itself must not stand among these lines.
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for kind in kinds:
        module = importlib.import_module(f"tests.faults.{kind}")
        # All is imported, and nothing of a backend has begun: that is when forks work.
        number = os.fork()
        if not number:
            _try_and_exit(module, amounts, seed, lines)
        _, status = os.waitpid(number, 0)
        if status:
            said = f"The process ended with {os.waitstatus_to_exitcode(status)}."
            lines.write(f"{Outcome(kind, 'all of it', FAULT, said).as_line()}\n")


def _try_and_exit(module: Any, amounts: Amounts, seed: int, lines: Any) -> None:
    """Try a kind, and leave without what Ctrl-C may have left half done."""
    code = 1
    try:
        for outcome in module.try_all(amounts, random.Random(seed)):
            lines.write(f"{outcome.as_line()}\n")
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def try_on(backend: str, chosen: argparse.Namespace) -> list[Outcome]:
    """Try all kinds on a backend."""
    command = [sys.executable, "-m", "tests.faults", "--here", "--only", *chosen.only]
    for name in ("seed", "kills", "interrupts", "rounds"):
        command += [f"--{name}", str(getattr(chosen, name))]
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    outcomes = []
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        # With all that it has forked.
        end = partial(os.killpg, process.pid, signal.SIGKILL)
        too_long = threading.Timer(TOO_LONG, end)
        too_long.start()
        assert process.stdout is not None
        for line in process.stdout:
            outcome = of_line(line)
            outcomes.append(outcome)
            for fault in faults([outcome]):
                print(f"{backend}: {fault}", flush=True)
            # A line a point, as it comes: a run that is cut keeps what it has found.
            if chosen.outcomes:
                with chosen.outcomes.open("a") as file:
                    file.write(f"{backend} {line}")
        too_long.cancel()
        if process.wait():
            errors.seek(0)
            said = f"The process ended with {process.returncode}: {errors.read()}"
            outcomes.append(Outcome("all", backend, FAULT, said))
        elif any(one.place == "all of it" for one in outcomes):
            errors.seek(0)
            print(errors.read()[-2000:], flush=True)
    return outcomes


def main() -> int:
    """Try all kinds on all backends; 1 if there was a fault."""
    chosen = arguments()
    if chosen.here:
        amounts = Amounts(chosen.kills, chosen.interrupts, chosen.rounds)
        try_here(chosen.only, amounts, chosen.seed)
        return 0
    by_backend: dict[str, list[Outcome]] = {}
    for backend in chosen.backends:
        begun = time.monotonic()
        by_backend[backend] = try_on(backend, chosen)
        seconds = time.monotonic() - begun
        tried = len(by_backend[backend])
        print(f"{tried} points on {backend} in {seconds:.0f} s", flush=True)
    counts = table(by_backend)
    print(counts)
    if chosen.markdown:
        chosen.markdown.write_text(f"{counts}\n", "utf-8")
    return int(any(faults(outcomes) for outcomes in by_backend.values()))


if __name__ == "__main__":
    sys.exit(main())
