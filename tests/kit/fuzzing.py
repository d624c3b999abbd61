"""What all fuzzing shares: how many cases, what is allowed to happen, and a count."""

from __future__ import annotations

import contextlib
import io
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

from tests.kit.sealed import sealed

#: How many times the cases of CI; `make fuzz` has many more, and other ones each time.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
#: Characters of a message that is still read.
LONGEST = 1000
#: What became of the cases, by target: understood or refused.
TALLY: Counter[tuple[str, str]] = Counter()

Read = Callable[[Any], Any]


def cases(number: int) -> settings:
    """So many cases in CI, always the same; in a longer run more, and by its seed."""
    return settings(
        max_examples=number * TIMES,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def understood(
    target: str,
    read: Read,
    given: Any,
    documented: tuple[type[Exception], ...] = (ValueError, TypeError),
) -> Any:
    """What some input is read as; None where it is refused as documented.

    Args:
        target: What is counted.
        read: Reads it.
        given: The input.
        documented: Errors with which it may be refused.
    """
    try:
        with sealed():
            made = read(given)
    except documented as error:
        TALLY[target, "refused"] += 1
        check_message(str(error))
        return None
    TALLY[target, "understood"] += 1
    return made


def check_message(message: str) -> None:
    """Fail unless a message says something, and can be read."""
    assert 20 < len(message) <= LONGEST, f"{len(message)} characters: {message[:300]}"
    assert "Traceback" not in message


def told_apart(
    main: Callable[[Any], Any], output: io.StringIO, errors: io.StringIO
) -> Callable[[Any], Any]:
    """A command line that writes to two texts, and nothing to the screen.

    Args:
        main: The command line, which returns its code or exits with it.
        output: Takes what goes to standard output.
        errors: Takes what goes to standard error.
    """

    def run(argv: Any) -> Any:
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            try:
                return main(argv)
            except SystemExit as stop:
                return stop.code

    return run
