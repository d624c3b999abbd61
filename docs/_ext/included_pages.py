"""Pages of the site that stand elsewhere in the repository, and links out of the site.

A page that links to a file of the repository works where the repository is browsed. On
the site such a link leads to the file's page here, if it has one, and is its text alone
if not; one to a file that is nowhere is left to fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from pages import write_pages
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Where they are written, below the pages' folder.
FOLDER = "elsewhere"
#: The page's name here, its file there.
FILES = {
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "results": "benchmarks/results.md",
}


def include(file: str) -> str:
    """A page that is nothing but another file, whose links lead to this site.

    Args:
        file: Its path in the repository.

    Returns:
        The text of a page.
    """
    # As that file has to write it.
    docs = "../" * file.count("/") + "docs/"
    return (
        f"```{{include}} ../../{file}\n:relative-docs: {docs}\n:relative-images:\n```\n"
    )


def _write(app: Sphinx) -> None:
    repository = Path(app.srcdir).parent
    written = {
        f"{page}.md": include(file)
        for page, file in FILES.items()
        if (repository / file).exists()
    }
    write_pages(Path(app.srcdir) / FOLDER, written)


def _page_of(file: Path, repository: Path) -> str | None:
    """The page here of a file of the repository; None where it has none."""
    for page, name in FILES.items():
        if repository / name == file:
            return f"{FOLDER}/{page}"
    return None


def _lead_home(app: Sphinx, document: nodes.document) -> None:
    """Turn links to files outside of the pages' folder."""
    repository = Path(app.srcdir).parent
    here = Path(app.env.doc2path(app.env.docname)).parent
    for link in list(document.findall(addnodes.pending_xref)):
        if link["reftype"] != "myst":
            continue
        target = link["reftarget"]
        # MyST has cut the ending off what it takes for a page.
        is_page = link["refdomain"] == "doc"
        file = Path(f"{target}.md") if is_page else (here / target).resolve()
        if not file.is_absolute() or file.is_relative_to(app.srcdir):
            continue
        if not (file.is_relative_to(repository) and file.exists()):
            continue
        page = _page_of(file, repository)
        if page is None:
            link.replace_self(link.children)
        else:
            link["reftarget"] = page


def setup(app: Sphinx) -> dict[str, Any]:
    """Write them before pages are looked for."""
    app.connect("builder-inited", _write)
    app.connect("doctree-read", _lead_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
