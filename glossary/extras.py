"""Which extra of the distribution brings which package."""

from __future__ import annotations

from glossary.errors import DemoError

#: By the name under which a package is imported.
EXTRAS = {
    "jax": "jax",
    "jinja2": "page",
    "markupsafe": "page",
    "matplotlib": "demos",
    "rich": "terminal",
    "shtab": "completion",
    "sklearn": "demos",
    "starlette": "serve",
    "tensorflow": "tensorflow",
    "torch": "torch",
    "uvicorn": "serve",
}


def missing(what: str, error: ModuleNotFoundError) -> DemoError:
    """What to install for something that needs a package.

    Args:
        what: What needs it, as the beginning of a sentence.
        error: Of the import that failed.

    Example:
        >>> str(missing("A figure", ModuleNotFoundError(name="matplotlib.figure")))
        "A figure needs matplotlib: pip install 'keras-lr[demos]'."
    """
    package = (error.name or "a package").partition(".")[0]
    if package in EXTRAS:
        install = f"pip install 'keras-lr[{EXTRAS[package]}]'"
    else:
        install = "install it, or the package that brought the term"
    return DemoError(f"{what} needs {package}: {install}.")
