"""Where terms come from: the core, plug-ins, and files that a user names.

A plug-in is a distribution with an entry point in the group ``glossary.terms``:

    [project.entry-points."glossary.terms"]
    my_terms = "my_package.terms"

The value names a folder in dotted form: ``terms`` inside the package
``my_package``, with one TOML file a term. The package is located and not
imported, so looking up its words costs no import of what it depends on.
"""

from __future__ import annotations

import json
import tomllib
import warnings
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

from glossary.errors import InvalidTerms, PluginWarning
from glossary.problems import Problem
from glossary.read.records import Record, from_record, reflow
from glossary.read.validate import Entry, Report, check_entries, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    from glossary.model import Term

GROUP = "glossary.terms"
_CORE = Path(__file__).parent.parent / "terms"
_SUFFIXES = (".toml", ".json")


class Plugin(NamedTuple):
    """One entry point that adds terms.

    Args:
        name: Of the entry point; the terms' ``source``.
        distribution: Name and version of what to upgrade or to uninstall.
        folder: Dotted name of the folder of terms.
    """

    name: str
    distribution: str
    folder: str


@cache
def core() -> tuple[Term, ...]:
    """The terms that come with the glossary, in alphabetical order."""
    return tuple(
        from_record(record, "core")
        for path in _files_in(_CORE)
        for record in read_records(path)
    )


@cache
def installed() -> tuple[Term, ...]:
    """Core terms and those of every plug-in, with a warning for each broken one.

    Of a broken plug-in, only the terms are left out that cannot be used.
    """
    terms = list(core())
    for report in check_plugins(terms):
        terms += report.terms
        errors = [problem for problem in report.problems if problem.is_error]
        if errors:
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            warnings.warn(
                f"{errors[0]}{more}. `glossary check --plugins` tells all.",
                PluginWarning,
                stacklevel=2,
            )
    return tuple(terms)


def plugins() -> list[Plugin]:
    """The installed entry points of the group, in alphabetical order."""
    found = []
    for point in metadata.entry_points(group=GROUP):
        dist = point.dist
        name = f"{dist.name} {dist.version}" if dist else point.value
        found.append(Plugin(point.name, name, point.value))
    return sorted(found)


def check_plugins(known: Sequence[Term]) -> list[Report]:
    """Read and check the terms of every plug-in, beside those already known.

    A term may collide with the known ones and with those of plug-ins before it;
    its relations may lead to any.
    """
    read = [_read_plugin(plugin) for plugin in plugins()]
    targets = {
        str(entry.record.get("id"))
        for entries, _ in read
        for entry in entries
        if isinstance(entry.record, dict)
    }
    reports = []
    terms = list(known)
    for entries, unread in read:
        report = check_entries(entries, terms, targets)
        terms += report.terms
        reports.append(Report(report.terms, unread + report.problems))
    return reports


def packages() -> list[Path]:
    """The folders beside which terms are installed, the core's first.

    Evidence and figures lie there, beside ``terms``.
    """
    found = [_CORE.parent]
    for plugin in plugins():
        found += [folder.parent for folder in folders(plugin)]
    return found


def folders(plugin: Plugin) -> list[Path]:
    """Where the terms of a plug-in are; nothing where its package is not found."""
    package, _, inside = plugin.folder.partition(".")
    try:
        spec = util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    roots = (spec and spec.submodule_search_locations) or []
    return [Path(root, *inside.split(".")) for root in roots]


def _read_plugin(plugin: Plugin) -> tuple[list[Entry], list[Problem]]:
    roots = folders(plugin)
    if not roots:
        return [], [unreadable("E701", plugin.distribution, plugin.folder)]
    files = [path for root in roots if root.is_dir() for path in _files_in(root)]
    if not files:
        return [], [unreadable("E702", plugin.distribution, plugin.folder)]
    return _read(files, plugin)


def check_files(
    paths: Iterable[str | PathLike[str]], among: Sequence[Term] = ()
) -> Report:
    """Read and check files or folders, as a plug-in would be checked.

    Args:
        paths: TOML or JSON files, or folders of them.
        among: Terms that are there already: ids may not be taken twice.

    Returns:
        The terms without errors, and every problem.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    entries, problems = _read(_named_files(paths))
    report = check_entries(entries, among)
    return Report(report.terms, problems + report.problems)


def read_checked(paths: Iterable[str | PathLike[str]]) -> list[Term]:
    """The terms of files that have no errors."""
    entries, problems = _read(_named_files(paths))
    report = check_entries(entries, targets=[term.id for term in installed()])
    errors = [p for p in (*problems, *report.problems) if p.is_error]
    if errors:
        raise InvalidTerms(errors)
    return report.terms


def read_records(path: Path) -> list[Record]:
    """The records in one file: one term, or a list of them called ``terms``."""
    data = path.read_text(encoding="utf-8")
    document = json.loads(data) if path.suffix == ".json" else tomllib.loads(data)
    records: list[Record] = [document]
    if isinstance(document, dict) and isinstance(document.get("terms"), list):
        records = document["terms"]
    if path.suffix == ".toml":
        for record in records:
            _reflow_prose(record)
    return records


def _reflow_prose(record: Record) -> None:
    for key in ("summary", "definition"):
        if isinstance(record.get(key), str):
            record[key] = reflow(record[key])


def _read(
    files: Iterable[Path], plugin: Plugin | None = None
) -> tuple[list[Entry], list[Problem]]:
    entries: list[Entry] = []
    problems: list[Problem] = []
    for path in files:
        name = f"{plugin.distribution}: {path.name}" if plugin else path.name
        source = plugin.name if plugin else path.name
        try:
            records = read_records(path)
        except (OSError, ValueError, RecursionError) as error:
            problems.append(unreadable("E001", name, str(error)))
        else:
            entries += [Entry(name, source, record) for record in records]
    return entries, problems


def _named_files(paths: Iterable[str | PathLike[str]]) -> list[Path]:
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            files += _files_in(path)
        elif path.is_file():
            files.append(path)
        else:
            raise FileNotFoundError(f"No file or folder of terms at {str(path)!r}.")
    return files


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
