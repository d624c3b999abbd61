"""``python -m tests.matrix``: run the corners, and show what came of them."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.matrix import outcomes, reporting
from tests.matrix.corners import CORNERS, Corner
from tests.matrix.environments import KEPT
from tests.matrix.outcomes import FAILED, PASSED, Outcome
from tests.matrix.running import run


def main() -> int:
    """Exit code 1 if a corner failed, or none passed."""
    names = [corner.name for corner in CORNERS]
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=names, help="a corner; may be repeated"
    )
    parser.add_argument("--jobs", type=int, default=1, help="corners at a time")
    parser.add_argument("--markdown", type=Path, help="write the last run of each here")
    options = parser.parse_args()
    wanted = [one for one in CORNERS if not options.only or one.name in options.only]
    with ThreadPoolExecutor(options.jobs) as pool:
        ended = list(pool.map(_shown, wanted))
    if options.markdown:
        last = [outcomes.read(corner.name, KEPT) for corner in CORNERS]
        text = reporting.document([one for one in last if one])
        options.markdown.write_text(text, encoding="utf-8")
    verdicts = {one.verdict for one in ended}
    return int(FAILED in verdicts or PASSED not in verdicts)


def _shown(corner: Corner) -> Outcome:
    outcome = run(corner)
    outcomes.write(outcome, KEPT)
    print(reporting.line(outcome), flush=True)
    for failure in outcome.counts.failures:
        print(f"    {failure}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
