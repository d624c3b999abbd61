"""One claim at a time, run in a process of its own that can be ended."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from starlette.exceptions import HTTPException

WORKER = (sys.executable, "-m", "glossary.serve.worker")
_LONGEST_LINE = 1 << 24  # bytes; the last line of a worker holds a picture
_LAST_WORDS = 4096  # bytes
_GRACE = 5.0  # seconds; a demo's own processes may hold its output open


class Runner:
    """Runs claims, one after the other.

    Args:
        worker: The command that runs one, as `glossary.serve.worker` does; id of the
            claim and size are appended.
    """

    def __init__(self, worker: Sequence[str] = WORKER) -> None:
        self._worker = worker
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._last: Process | None = None
        self._killed: Process | None = None
        self._claim = ""

    async def start(self, claim: str, size: str) -> AsyncIterator[str]:
        """Start a run.

        Args:
            claim: Id of the claim.
            size: ``fast`` or ``full``.

        Returns:
            Lines of JSON, as they come. Who stops to read them stops the run.

        Raises:
            HTTPException: If the run before it is not over.
        """
        async with self._starting:
            if self._is_busy:
                raise HTTPException(
                    409,
                    f"{self._claim} is running: wait until it is over, then run the "
                    "next one.",
                )
            self._claim = claim
            self._process = await asyncio.create_subprocess_exec(
                *self._worker,
                claim,
                size,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                limit=_LONGEST_LINE,
                # One thread for the linear algebra, as when it was recorded.
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is for the server, which ends it
            )
            self._last = self._process
        return self._lines(self._process)

    async def stop(self) -> None:
        """End the run that is on; come back when the loop has heard of its end.

        Else the loop would be closed before, and complain of what it has missed. Who
        reads the run cannot wait for that: what is cancelled must not.
        """
        process = self._last
        if process is None:
            return
        self._kill(process)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), _GRACE)

    def _kill(self, process: Process) -> None:
        """Kill a process, once: to ask again could take its end away from the loop."""
        if process.returncode is None and process is not self._killed:
            self._killed = process
            process.kill()

    @property
    def _is_busy(self) -> bool:
        # A process may end without anyone who reads: its reader may never have come.
        return self._process is not None and self._process.returncode is None

    async def _lines(self, process: Process) -> AsyncIterator[str]:
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        last_words = asyncio.create_task(_tail(process.stderr))
        last: dict[str, object] = {}
        try:
            async for line in process.stdout:
                told = _told(line)
                if told:
                    last = told
                    yield json.dumps(told) + "\n"
            if "html" not in last and "error" not in last:
                ended = f"The run ended early, and said: {await last_words}"
                yield json.dumps({"error": ended}) + "\n"
        finally:
            last_words.cancel()
            self._kill(process)
            if self._process is process:
                self._process = None


async def _tail(stream: asyncio.StreamReader) -> str:
    """The last line of a stream that may say a lot."""
    kept = b""
    while piece := await stream.read(_LAST_WORDS):
        kept = (kept + piece)[-_LAST_WORDS:]
    lines = kept.decode(errors="replace").strip().splitlines() or ["without a word"]
    return lines[-1][:300]


def _told(line: bytes) -> dict[str, object]:
    """What a line tells. What a demo prints in between tells nothing."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
