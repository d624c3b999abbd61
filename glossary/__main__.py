"""The command line: ``glossary`` and ``python -m glossary``.

Exit codes: 0, all well; 1, nothing found, or problems found; 2, wrong usage; 130,
stopped by Ctrl-C. A reader that stops early (``glossary list | head``) is no error.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from typing import TYPE_CHECKING

from glossary.cli import commands as _commands
from glossary.cli import demos as _demos
from glossary.cli import page_commands as _page_commands
from glossary.errors import GlossaryError
from glossary.model import LEVELS
from glossary.show.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process if not given.

    Returns:
        The exit code.
    """
    # A terminal that cannot show θ gets a question mark instead of a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning  # without file and line of code
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("glossary: stopped.", file=sys.stderr)
        return 130
    except (GlossaryError, ValueError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # Whatever is left to write at exit must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(f"glossary: {error}", file=sys.stderr)
        return 1 if isinstance(error, GlossaryError) else 2
    return code


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"glossary: {message}", file=sys.stderr)


BACKENDS = ("tensorflow", "jax", "torch")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="glossary",
        description="The vocabulary of deep learning.",
        epilog="Exit codes: 0, all well; 1, nothing or problems found; 2, wrong usage.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="list the terms, one a line in a pipe")
    listing.add_argument("--category", help="such as optimization")
    listing.add_argument("--level", choices=LEVELS)
    listing.add_argument("--source", help="core, or the name of a plug-in")
    listing.set_defaults(run=_commands.list_terms)

    show = commands.add_parser("show", help="show terms in full")
    show.add_argument("names", nargs="+", metavar="NAME", help="any spelling of a term")
    show.set_defaults(run=_commands.show)

    search = commands.add_parser("search", help="find terms by words, and say why")
    search.add_argument("words", nargs="+", metavar="WORD")
    search.add_argument("--limit", type=int, default=10, help="at most so many")
    search.set_defaults(run=_commands.search)

    check = commands.add_parser("check", help="validate installed terms, or files")
    check.add_argument(
        "files", nargs="*", metavar="FILE", help="TOML, JSON or a folder"
    )
    check.add_argument(
        "--plugins", action="store_true", help="problems of plug-ins count as errors"
    )
    check.add_argument(
        "--select", nargs="+", default=[], metavar="CODE", help="such as E W3"
    )
    check.add_argument(
        "--codes", action="store_true", help="list the codes and what they mean"
    )
    check.set_defaults(run=_commands.check)

    check.add_argument(
        "--demos", action="store_true", help="run the demos of all claims, in parallel"
    )
    check.add_argument("--full", action="store_true", help="demos: ten seeds, not one")
    check.add_argument("--source", help="demos: core, or the name of a plug-in")
    check.add_argument(
        "--backend", choices=BACKENDS, help="demos: of those that train with Keras"
    )
    check.add_argument(
        "--record", metavar="DIR", help="demos: write evidence and figures there"
    )

    demo = commands.add_parser("demo", help="measure the claims of a term")
    demo.add_argument("name", metavar="TERM", help="any spelling of a term")
    demo.add_argument("--claim", metavar="ID", help="only this one")
    demo.add_argument("--full", action="store_true", help="ten seeds, not one")
    demo.add_argument("--seed", type=int, default=0, help="the first seed")
    demo.add_argument(
        "--backend",
        choices=BACKENDS,
        help="of the demos that train with Keras; else KERAS_BACKEND says",
    )
    demo.add_argument(
        "--record", metavar="DIR", help="write evidence and figures there"
    )
    demo.add_argument("--save", metavar="DIR", help="draw a picture of each there")
    demo.add_argument("--format", choices=["png", "svg"], default="png")
    demo.set_defaults(run=_demos.demo)

    export = commands.add_parser("export", help="write the terms in another format")
    export.add_argument("format", choices=sorted(FORMATS))
    export.add_argument("-o", "--output", metavar="FILE", help="instead of the screen")
    export.set_defaults(run=_commands.export)

    _page_commands.add(commands)

    completion = commands.add_parser("completion", help="print a completion script")
    completion.add_argument("shell", choices=["bash"])
    completion.set_defaults(run=_commands.completion)

    for command in (listing, show, search, check, demo):
        command.add_argument("--json", action="store_true", help="for scripts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
