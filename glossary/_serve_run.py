"""One claim at a time, run in a process of its own that can be ended."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = ("fast", "full")
_LONGEST = 180.0  # seconds; ten seeds take twenty, a first import some more


class Busy(Exception):
    """A run is on already."""


class Runner:
    """Starts runs and says how they are going.

    The process writes lines of JSON: ``done`` and ``of`` as it goes on, ``html``
    and ``verdict`` at the end, or ``error``.

    Args:
        worker: The command; id and size of the claim are appended.
    """

    def __init__(self, worker: Sequence[str]) -> None:
        self._worker = list(worker)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._told: dict[str, object] = {"state": "idle"}

    def progress(self) -> dict[str, object]:
        """How the last run is going: ``state`` is idle, running, done or failed."""
        with self._lock:
            return dict(self._told)

    def start(self, claim: str, size: str) -> None:
        """Run a claim.

        Args:
            claim: Its id.
            size: ``fast`` or ``full``.

        Raises:
            Busy: If the run before it is not over.
        """
        with self._lock:
            if self._told["state"] == "running":
                raise Busy(
                    f"{self._told['claim']} is running: wait until it is over, "
                    "then run the next one."
                )
            # `_follow` reads and closes it.
            said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
            self._process = subprocess.Popen(
                [*self._worker, claim, size],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                encoding="utf-8",
                # One thread for the linear algebra, as when it was recorded.
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is for the server, which ends it
            )
            self._told = {"state": "running", "claim": claim, "done": 0, "of": 0}
        threading.Thread(
            target=self._follow, args=(self._process, said), daemon=True
        ).start()

    def stop(self) -> None:
        """End the run that is on, if there is one."""
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _follow(self, process: subprocess.Popen[str], said: IO[str]) -> None:
        limit = threading.Timer(_LONGEST, process.kill)
        limit.daemon = True
        limit.start()
        assert process.stdout is not None  # noqa: S101
        with process.stdout as lines, said:
            for line in lines:
                with self._lock:
                    self._told |= _read(line)
            process.wait()
            limit.cancel()
            said.seek(0)
            last = (said.read().strip().splitlines() or ["without a word"])[-1]
        with self._lock:
            if "html" in self._told:
                self._told["state"] = "done"
            else:
                self._told["state"] = "failed"
                ended = f"The run ended early, and said: {last[:300]}"
                self._told.setdefault("error", ended)


def _read(line: str) -> dict[str, object]:
    """What a line tells. What a demo prints in between tells nothing."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    known = ("done", "of", "html", "verdict", "error")
    return (
        {k: v for k, v in told.items() if k in known} if isinstance(told, dict) else {}
    )
