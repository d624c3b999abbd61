"""One claim at a time, run in a process of its own that can be ended."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence

from starlette.exceptions import HTTPException

WORKER = (sys.executable, "-m", "glossary.serve.worker")
_LONGEST_LINE = 1 << 24  # bytes; the last line of a worker holds a picture
_LAST_WORDS = 4096  # bytes


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
        return self._lines(self._process)

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
            if process.returncode is None:
                process.kill()
            # Else the loop may be closed before it has heard that the process ended.
            await process.wait()
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
