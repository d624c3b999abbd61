"""A site of HTML pages, as a browser that follows every link would know it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What a page loads by itself: the tag, and the attribute that says from where.
LOADING = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "object": "data",
    "script": "src",
    "source": "src",
    "track": "src",
    "use": "href",
    "video": "src",
}
#: Relations of a ``link`` that load nothing.
IDLE = {"author", "canonical", "genindex", "help", "index", "license", "next", "prev"}
IDLE |= {"search"}
_IN_STYLE = re.compile(r"@import\s+(\S+)|url\(\s*[\"']?([^)\"']+)")


@dataclass(frozen=True)
class Page:
    """What is asked of a page.

    Attributes:
        text: The whole of it.
        ids: Where its anchors are; one twice would be one too many.
        links: Where it leads.
        loads: What it loads by itself.
    """

    text: str
    ids: tuple[str, ...]
    links: tuple[str, ...]
    loads: tuple[str, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if "id" in told:
            self.ids.append(told["id"])
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag == "link" and not set(told.get("rel", "").split()) & IDLE:
            self.loads.append(told.get("href", ""))
        if tag in LOADING and LOADING[tag] in told:
            self.loads.append(told[LOADING[tag]])

    handle_startendtag = handle_starttag


def read_page(text: str) -> Page:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return Page(text, tuple(reader.ids), tuple(reader.links), tuple(reader.loads))


def read_site(folder: Path) -> dict[str, Page]:
    """The pages of a folder, by their path in it."""
    return {
        path.relative_to(folder).as_posix(): read_page(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def is_outside(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.scheme or parts.netloc) and parts.scheme != "data"


def broken_links(folder: Path, pages: dict[str, Page]) -> list[str]:
    """Links within the site, and files it loads, that lead to nothing."""
    by_file = {(folder / name).resolve(): page for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for address in sorted({*page.links, *page.loads}):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            here = (folder / name).resolve()
            file = (here.parent / unquote(parts.path)).resolve() if parts.path else here
            anchor = unquote(parts.fragment)
            is_there = file.is_file() and file.is_relative_to(folder.resolve())
            # Only pages have anchors; a download has none to look for.
            if is_there and anchor and file in by_file:
                is_there = anchor in by_file[file].ids
            if not is_there:
                broken.append(f"{name}: {address}")
    return broken


def fetched(folder: Path, pages: dict[str, Page]) -> list[str]:
    """What the site loads from elsewhere, in pages and in styles."""
    loads = [
        f"{name}: {address}"
        for name, page in pages.items()
        for address in page.loads
        if is_outside(address)
    ]
    for style in sorted(folder.rglob("*.css")):
        for imported, address in _IN_STYLE.findall(style.read_text("utf-8")):
            if is_outside((imported or address).strip("\"';")):
                loads.append(f"{style.name}: {imported or address}")
    return loads


def doubled(pages: dict[str, Page]) -> list[str]:
    """Anchors that a page has twice."""
    return [
        f"{name}: #{anchor}"
        for name, page in pages.items()
        for anchor in sorted(set(page.ids))
        if page.ids.count(anchor) > 1
    ]
