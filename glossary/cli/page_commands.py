"""The commands ``page`` and ``serve``."""

from __future__ import annotations

import sys
from argparse import Namespace, _SubParsersAction
from pathlib import Path

import glossary
from glossary.extras import missing


def add(commands: _SubParsersAction) -> None:  # type: ignore[type-arg]
    """Add the two commands to the command line."""
    page = commands.add_parser("page", help="write HTML pages of terms and claims")
    folder = page.add_argument("directory", metavar="DIR", help="where they go")
    folder.complete = "directory"  # for shtab
    page.set_defaults(run=write)

    served = commands.add_parser("serve", help="the pages, and buttons that run claims")
    served.add_argument(
        "--port", type=int, default=0, help="any that is free if not given"
    )
    served.set_defaults(run=serve)


def write(arguments: Namespace) -> int:
    """The pages as files."""
    try:
        from glossary.show import site  # jinja2 is an extra
    except ModuleNotFoundError as error:
        raise missing("`glossary page`", error) from error
    directory = Path(arguments.directory)
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"`DIR` must be a folder. Received: {directory}, a file.")
    pages = site.Site(glossary.terms())
    size = 0
    for done, path in enumerate(site.write(directory, pages), start=1):
        size += path.stat().st_size
        if sys.stderr.isatty():
            end = "\n" if done == len(pages.names) else ""
            line = f"\rFile {done} of {len(pages.names)}"
            print(line, end=end, file=sys.stderr, flush=True)
    count = len(pages.terms)
    print(f"{directory / site.INDEX}, with {count} terms ({size / 1e6:.1f} MB)")
    for notice in pages.notices():
        print(f"glossary: {notice}", file=sys.stderr)
    return 0


def serve(arguments: Namespace) -> int:
    """The pages from a server on this machine, until Ctrl-C."""
    try:
        from glossary.serve import app  # jinja2, starlette and uvicorn are extras
    except ModuleNotFoundError as error:
        raise missing("`glossary serve`", error) from error
    app.serve(glossary.terms(), arguments.port)
    return 0
