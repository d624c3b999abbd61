"""What readers import is there before, and a table of what became of the cases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.fuzzing import TALLY, TIMES


@pytest.fixture(scope="session", autouse=True)
def what_readers_import_at_their_first_use() -> None:
    """The seal would take that for something that their input has made them do."""
    import glossary
    from keras_lr.cli.written import schedules_in
    from keras_lr.interop.catalogue import MODULES, peer_of
    from tests.fuzz.examples import TEXTS
    from tests.keras_lr import test_config

    for peer in MODULES:
        peer_of(peer)
    for text in TEXTS:
        schedules_in(text)
    assert test_config.SCHEDULES
    for question in ("step size", "bachnorm"):
        glossary.search(question)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TIMES == 1 or not TALLY:
        return
    terminalreporter.section("cases")
    for target in sorted({target for target, _ in TALLY}):
        counts = [TALLY[target, verdict] for verdict in ("understood", "refused")]
        known, refused = counts
        terminalreporter.write_line(
            f"{target:<32} {known + refused:>9,} cases  {known:>9,} understood  "
            f"{refused:>9,} refused"
        )
