"""Processes that train one model together: starts them, and gives what they print."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    started = [
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "RANK": str(rank),
                "WORLD_SIZE": str(processes),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            },
        )
        for rank in range(processes)
    ]
    try:
        return [_outcome(process, timeout) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


def _outcome(process: subprocess.Popen[str], timeout: float) -> Outcome:
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        process.kill()
        output, _ = process.communicate()
        message = f"A process has not ended in {timeout} s. It has printed: {output}"
        raise TimeoutError(message) from error
    told = [line for line in output.splitlines() if line.startswith("{")]
    found = json.loads(told[-1]) if told else {}
    return Outcome(process.returncode, found, output)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
