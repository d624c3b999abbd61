"""The command line: ``keras-lr`` and ``python -m keras_lr``.

Exit codes: 0, all well; 1, ``lint`` has found something; 2, wrong usage; 130, stopped
by Ctrl-C. A reader that stops early (``keras-lr values ... | head``) is no error.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from keras_lr.cli import commands
from keras_lr.plan.words import cut


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"keras-lr: {cut(message, 300)}. See {self.prog} --help.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process if not given.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("keras-lr: stopped.", file=sys.stderr)
        return 130
    except (ImportError, OSError, OverflowError, TypeError, ValueError) as error:
        if isinstance(error, BrokenPipeError):
            # Whatever is left to write at exit must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(f"keras-lr: {error}", file=sys.stderr)
        return 2
    return code


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"keras-lr: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="keras-lr",
        description="Learning-rate schedules, looked at before a training.",
        epilog="Exit codes: 0, all well; 1, lint has found something; 2, wrong usage.",
    )
    made = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    values = made.add_parser("values", help="write the value of every update")
    _add_run(values)
    form = values.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="for spreadsheets")
    form.add_argument("--json", action="store_true", help="for scripts")
    values.set_defaults(run=commands.values)

    plot = made.add_parser("plot", help="draw the values of a run")
    _add_run(plot)
    plot.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="such as rates.png"
    )
    plot.set_defaults(run=commands.plot)

    lint = made.add_parser(
        "lint", help="say what is odd; code 1 for errors and warnings, not for notes"
    )
    _add_run(lint)
    lint.add_argument(
        "--optimizer", metavar="NAME", help="of Keras, such as adam, for more to check"
    )
    lint.set_defaults(run=commands.lint)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "schedule",
        metavar="SCHEDULE",
        help="as in Python, such as \"Warmup('5%%'), CosineDecay()\"; or a file .toml, "
        ".yaml or .yml",
    )
    parser.add_argument("--epochs", type=float, metavar="E", help="of the run")
    parser.add_argument(
        "--steps-per-epoch", type=int, metavar="N", help="updates of an epoch"
    )
    parser.add_argument(
        "--base-lr", type=float, metavar="LR", help="the optimizer's own rate"
    )


if __name__ == "__main__":
    sys.exit(main())
