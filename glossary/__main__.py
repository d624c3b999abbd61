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
from typing import Any, NoReturn

from glossary.cli import commands, demos, page_commands
from glossary.errors import GlossaryError
from glossary.model import LEVELS
from glossary.show import words
from glossary.show.export import FORMATS
from glossary.shown import cut, shown

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


class _Parser(argparse.ArgumentParser):
    """Repeats no more of a wrong argument than can be read."""

    def error(self, message: str) -> NoReturn:
        super().error(cut(message, 600))


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
    received = f" Received: {shown(str(error.filename))}." if error.filename else ""
    return f"{rule}{received} {step}".strip()


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"glossary: {message}", file=sys.stderr)


def _parser(offered: Mapping[str, list[str]] | None = None) -> argparse.ArgumentParser:
    """The parser; to make a script of completion from it, with what is offered."""
    offers = offered or {}
    parser = _Parser(
        prog="glossary",
        description="The vocabulary of deep learning.",
        epilog="Exit codes: 0, all well; 1, nothing or problems found; 2, wrong usage.",
    )
    table = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    listing = table.add_parser("list", help="list the terms, one a line in a pipe")
    listing.set_defaults(run=commands.list_terms)
    listing.add_argument(
        "--category", choices=offers.get("categories"), help="such as optimization"
    )
    listing.add_argument("--level", choices=LEVELS)

    show = table.add_parser("show", help="show terms in full")
    show.set_defaults(run=commands.show)
    names = show.add_argument("names", nargs="+", metavar="NAME")
    names.help = "any spelling of a term"
    names.choices = offers.get("terms")

    search = table.add_parser("search", help="find terms by words, and say why")
    search.set_defaults(run=commands.search)
    search.add_argument("words", nargs="+", metavar="WORD")
    search.add_argument("--limit", type=int, default=10, help="at most so many")

    check = table.add_parser("check", help="validate installed terms, or files")
    check.set_defaults(run=commands.check)
    _place(check, "files", nargs="*", metavar="FILE", help="or folders")
    check.add_argument(
        "--plugins", action="store_true", help="problems of plug-ins count as errors"
    )
    codes = check.add_argument("--select", nargs="+", default=[], metavar="CODE")
    codes.help = "such as E W3"
    codes.choices = offers.get("codes")
    check.add_argument(
        "--codes", action="store_true", help="list the codes and what they mean"
    )
    check.add_argument(
        "--demos", action="store_true", help="run the demos of all claims, in parallel"
    )

    demo = table.add_parser("demo", help="measure the claims of a term")
    demo.set_defaults(run=demos.demo)
    name = demo.add_argument("name", metavar="TERM")
    name.help = "any spelling of a term; or one claim, such as adam/bound"
    claim = demo.add_argument("--claim", metavar="ID", help="only this one")
    name.choices = claim.choices = offers.get("claims")
    demo.add_argument("--seed", type=int, default=0, help="the first seed")
    _place(demo, "--save", metavar="DIR", help="draw a picture of each there")
    demo.add_argument("--format", choices=["png", "svg"], default="png")

    new = table.add_parser("new", help="write a file for a new term, explained")
    new.set_defaults(run=commands.new)
    new.add_argument("name", metavar="TERM", help="as it is written in running text")
    _place(new, "--to", metavar="FILE", help="instead of TERM.toml")

    schema = table.add_parser("schema", help="print the JSON Schema of a term's file")
    schema.set_defaults(run=commands.schema)

    export = table.add_parser("export", help="write the terms in another format")
    export.set_defaults(run=commands.export)
    export.add_argument("format", choices=sorted(FORMATS))
    _place(export, "-o", "--output", metavar="FILE", help="instead of the screen")

    page_commands.add(table)

    completion = table.add_parser("completion", help="print a completion script")
    completion.set_defaults(run=_completion)
    completion.add_argument("shell", choices=SHELLS)

    for command in (listing, check):
        source = command.add_argument("--source", help="core, or name of a plug-in")
        source.choices = offers.get("sources")
    for command in (check, demo):
        command.add_argument("--full", action="store_true", help="ten seeds, not one")
        backend = command.add_argument("--backend", choices=BACKENDS)
        backend.help = "of demos that train with Keras; else KERAS_BACKEND says"
        _place(command, "--record", metavar="DIR", help="write evidence there")
    for command in (listing, show, search, check, demo):
        command.add_argument("--json", action="store_true", help="for scripts")
    return parser


def _place(command: argparse.ArgumentParser, *names: str, **told: Any) -> None:
    """An argument that is a file or a folder, which shtab is told to offer."""
    action = command.add_argument(*names, **told)
    kind = "directory" if told["metavar"] == "DIR" else "file"
    action.complete = kind  # type: ignore[attr-defined]


def _completion(arguments: argparse.Namespace) -> int:
    """A script that a shell reads at its start.

    bash: ``source <(glossary completion bash)``; zsh: ``eval "$(glossary completion
    zsh)"``, after ``compinit``; fish: ``glossary completion fish | source``.
    """
    print(commands.completion(_parser(commands.offered()), arguments.shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
