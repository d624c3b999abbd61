"""Writing the pages that are made while the site is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Have a folder hold these pages and no other.

    A page that stays as it was is not written, so that Sphinx need not read it again.

    Args:
        folder: Where they go; made if it is not there.
        pages: Their texts, by the name of the file.
    """
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
