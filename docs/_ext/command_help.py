"""What a command says of itself: ``.. command-help:: glossary``.

It is asked while the site is built, so that the page says what the command says.
"""

from __future__ import annotations

import importlib
import io
import os
import re
from contextlib import redirect_stdout, suppress
from typing import TYPE_CHECKING, Any
from unittest import mock

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: The help of Python lists a command with four blanks before it.
_COMMAND = re.compile(r"^ {4}([a-z][a-z-]*)(?= |$)", re.MULTILINE)


def said(module: str, *arguments: str) -> str:
    """What ``python -m module arguments --help`` prints, in 80 columns."""
    main = importlib.import_module(f"{module}.__main__").main
    written = io.StringIO()
    # Python may colour what a terminal is told; a page is none.
    plain = mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"})
    with plain, redirect_stdout(written), suppress(SystemExit):
        main([*arguments, "--help"])
    return written.getvalue()


def commands(module: str) -> list[str]:
    """The names of a module's commands, as its help lists them.

    Example:
        >>> commands("keras_lr")
        ['values', 'plot', 'lint']
    """
    return _COMMAND.findall(said(module))


class CommandHelp(Directive):
    """A section for each command of a module, with its help."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The sections."""
        module = self.arguments[0]
        sections: list[nodes.Node] = []
        for command in commands(module):
            title = f"{module.replace('_', '-')} {command}"
            section = nodes.section(ids=[nodes.make_id(title)], names=[title])
            text = said(module, command)
            section += nodes.title(text=title)
            section += nodes.literal_block(text, text, language="text")
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
