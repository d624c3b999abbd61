"""Which backend the command line starts with, where nobody has chosen one.

Keras reads ``KERAS_BACKEND`` as it is imported, which importing this package does, so
this comes first. A table of rates is NumPy's with any backend: JAX starts in half of
the time that the others take, and writes nothing on standard error. It is kept off
accelerators, of whose memory it would take three quarters.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMANDS = ("keras-lr", "keras-lr.exe")


def settings(
    argv: Sequence[str], orig_argv: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """What to add to the environment.

    Args:
        argv: ``sys.argv``, whose first is ``-m`` while Python looks for a module.
        orig_argv: ``sys.orig_argv``, which has the name of that module.
        environ: The environment.

    Example:
        >>> settings(["-m"], ["python", "-m", "pytest"], {})
        {}
        >>> settings(["keras-lr", "values"], [], {"KERAS_BACKEND": "torch"})
        {}
    """
    is_module = argv[:1] == ["-m"] and "-m" in orig_argv
    after = orig_argv[orig_argv.index("-m") + 1 :][:1] if is_module else []
    is_command = bool(argv) and Path(argv[0]).name in COMMANDS
    if "KERAS_BACKEND" in environ or not (is_command or after == ["keras_lr"]):
        return {}
    if importlib.util.find_spec("jax") is None:
        return {}
    return {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": environ.get("JAX_PLATFORMS", "cpu"),
    }


# A library has no say in backends: this is for processes that are the command alone.
os.environ.update(settings(sys.argv, sys.orig_argv, os.environ))
