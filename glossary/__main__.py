"""The command line: ``glossary`` and ``python -m glossary``.

Exit codes: 0, all well; 1, nothing found, or problems found; 2, wrong usage; 130,
stopped by Ctrl-C. A reader that stops early (``glossary list | head``) is no error.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Mapping, Sequence

from glossary.cli import commands, demos, page_commands
from glossary.errors import GlossaryError
from glossary.model import LEVELS
from glossary.show import words
from glossary.show.export import FORMATS

BACKENDS = ("tensorflow", "jax", "torch")
SHELLS = ("bash", "zsh", "fish")
_FILE_ERRORS: dict[type[OSError], tuple[str, str]] = {
    FileExistsError: ("What is there is never written over.", "Name another place."),
    FileNotFoundError: ("The file, or its folder, must be there.", "Mend the path."),
    IsADirectoryError: (
        "A file is needed, and this is a folder.",
        "Name a file in it.",
    ),
    NotADirectoryError: ("A folder is needed, and this is a file.", "Name a folder."),
    PermissionError: ("It must be allowed to read and write.", "Name another place."),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process if not given.

    Returns:
        The exit code.
    """
    # A terminal that cannot show θ gets the word theta instead of a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=words.ERRORS)
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning  # without file and line of code
            code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("glossary: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whatever is left to write at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"glossary: {_in_a_sentence(error)}", file=sys.stderr)
        return 2
    except (GlossaryError, ValueError) as error:
        print(f"glossary: {error}", file=sys.stderr)
        return 1 if isinstance(error, GlossaryError) else 2
    return code


def _in_a_sentence(error: OSError) -> str:
    """The rule, what was received, and the next step; without the number."""
    if error.errno is None:
        return str(error)  # in words already
    rule, step = _FILE_ERRORS.get(type(error), (f"{error.strerror}.", ""))
    received = f" Received: {str(error.filename)!r}." if error.filename else ""
    return f"{rule}{received} {step}".strip()


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"glossary: {message}", file=sys.stderr)


def _parser(offered: Mapping[str, list[str]] | None = None) -> argparse.ArgumentParser:
    """The parser; to make a script of completion from it, with what is offered."""
    offers = offered or {}
    parser = argparse.ArgumentParser(
        prog="glossary",
        description="The vocabulary of deep learning.",
        epilog="Exit codes: 0, all well; 1, nothing or problems found; 2, wrong usage.",
    )
    table = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    listing = table.add_parser("list", help="list the terms, one a line in a pipe")
    listing.add_argument(
        "--category", choices=offers.get("categories"), help="such as optimization"
    )
    listing.add_argument("--level", choices=LEVELS)
    listing.add_argument(
        "--source", choices=offers.get("sources"), help="core, or name of a plug-in"
    )
    listing.set_defaults(run=commands.list_terms)

    show = table.add_parser("show", help="show terms in full")
    show.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        choices=offers.get("terms"),
        help="any spelling of a term",
    )
    show.set_defaults(run=commands.show)

    search = table.add_parser("search", help="find terms by words, and say why")
    search.add_argument("words", nargs="+", metavar="WORD")
    search.add_argument("--limit", type=int, default=10, help="at most so many")
    search.set_defaults(run=commands.search)

    check = table.add_parser("check", help="validate installed terms, or files")
    _completed(
        check.add_argument("files", nargs="*", metavar="FILE", help="or folders"),
        "file",
    )
    check.add_argument(
        "--plugins", action="store_true", help="problems of plug-ins count as errors"
    )
    check.add_argument(
        "--select",
        nargs="+",
        default=[],
        metavar="CODE",
        choices=offers.get("codes"),
        help="such as E W3",
    )
    check.add_argument(
        "--codes", action="store_true", help="list the codes and what they mean"
    )
    check.add_argument(
        "--demos", action="store_true", help="run the demos of all claims, in parallel"
    )
    check.add_argument(
        "--source",
        choices=offers.get("sources"),
        help="demos: core, or the name of a plug-in",
    )
    check.set_defaults(run=commands.check)

    demo = table.add_parser("demo", help="measure the claims of a term")
    demo.add_argument(
        "name",
        metavar="TERM",
        choices=offers.get("claims"),
        help="any spelling of a term; or a claim, such as adam/bound",
    )
    demo.add_argument(
        "--claim", metavar="ID", choices=offers.get("claims"), help="only this one"
    )
    demo.add_argument("--seed", type=int, default=0, help="the first seed")
    _completed(
        demo.add_argument("--save", metavar="DIR", help="draw a picture of each there"),
        "directory",
    )
    demo.add_argument("--format", choices=["png", "svg"], default="png")
    demo.set_defaults(run=demos.demo)

    for command in (check, demo):
        command.add_argument("--full", action="store_true", help="ten seeds, not one")
        command.add_argument(
            "--backend",
            choices=BACKENDS,
            help="of demos that train with Keras; else KERAS_BACKEND says",
        )
        _completed(
            command.add_argument(
                "--record", metavar="DIR", help="write evidence and figures there"
            ),
            "directory",
        )

    new = table.add_parser("new", help="write a file for a new term, explained")
    new.add_argument("name", metavar="TERM", help="as it is written in running text")
    _completed(
        new.add_argument("--to", metavar="FILE", help="instead of TERM.toml"), "file"
    )
    new.set_defaults(run=commands.new)

    schema = table.add_parser("schema", help="print the JSON Schema of a term's file")
    schema.set_defaults(run=commands.schema)

    export = table.add_parser("export", help="write the terms in another format")
    export.add_argument("format", choices=sorted(FORMATS))
    _completed(
        export.add_argument("-o", "--output", metavar="FILE", help="not the screen"),
        "file",
    )
    export.set_defaults(run=commands.export)

    page_commands.add(table)

    completion = table.add_parser("completion", help="print a completion script")
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=_completion)

    for command in (listing, show, search, check, demo):
        command.add_argument("--json", action="store_true", help="for scripts")
    return parser


def _completed(action: argparse.Action, kind: str) -> None:
    """Tell shtab that an argument is a ``file`` or a ``directory``."""
    action.complete = kind  # type: ignore[attr-defined]


def _completion(arguments: argparse.Namespace) -> int:
    """A script that the shell reads at its start: ``source <(... completion bash)``."""
    print(commands.completion(_parser(commands.offered()), arguments.shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
