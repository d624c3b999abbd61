"""A file that is whole whenever the process dies, or the disk is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Have a file take the place of another in one go, or not at all.

    Args:
        path: The file.

    Yields:
        Where to write it: beside, with the same ending. It is gone afterwards.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
