"""Processes that train one model together: starts them, and gives what they print."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What has come of a process.

    Attributes:
        code: Its exit code; negative where a signal has ended it.
        found: What it has found: the last line that is JSON; empty where there is none.
        output: All that it has printed.
    """

    code: int
    found: Any
    output: str


def run_together(
    module: str, *arguments: str, processes: int = 2, timeout: float = 120
) -> list[Outcome]:
    """Run a module in several processes that know of each other, to their ends.

    Raises:
        TimeoutError: If one of them has not ended in so many seconds.
    """
    port = _free_port()
    with ExitStack() as exits:
        started = []
        for rank in range(processes):
            # No pipe: one that is full, while another one is read, would stop it.
            file = exits.enter_context(tempfile.TemporaryFile("w+"))
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={
                    **os.environ,
                    "RANK": str(rank),
                    "WORLD_SIZE": str(processes),
                    "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": str(port),
                },
            )
            exits.callback(process.wait)
            exits.callback(process.kill)
            started.append((process, file))
        return [_outcome(process, file, timeout) for process, file in started]


def _outcome(
    process: subprocess.Popen[bytes], file: IO[str], timeout: float
) -> Outcome:
    has_ended = True
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        has_ended = False
    file.seek(0)
    output = file.read()
    if not has_ended:
        message = f"A process has not ended in {timeout} s. It has printed: {output}"
        raise TimeoutError(message)
    told = [line for line in output.splitlines() if line.startswith("{")]
    found = json.loads(told[-1]) if told else {}
    return Outcome(process.returncode, found, output)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
