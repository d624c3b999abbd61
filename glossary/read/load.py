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
import re
import tomllib
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata, util
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from glossary.errors import InvalidTerms, PluginWarning
from glossary.model import Term
from glossary.problems import Problem
from glossary.read.places import Written
from glossary.read.validate import Entry, Report, check_entries, unreadable
from glossary.records import from_record, reflow
from glossary.shown import shown

GROUP = "glossary.terms"
_CORE = Path(__file__).parent.parent / "terms"
_SUFFIXES = (".toml", ".json")
# What TOML may break into lines, since it is shown as running text.
_PROSE = (
    "summary", "definition", "mistake", "text", "note", "meaning", "sentence",
    "quantity", "conditions",
)  # fmt: skip


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
        from_record(entry.record, "core")
        for path in _files_in(_CORE)
        for entry in _entries(path, path.name, "core")
    )


def check_core() -> Report:
    """Read and check the files of the core, as a plug-in's would be."""
    entries, problems = _read((path, path.name, "core") for path in _files_in(_CORE))
    report = check_entries(entries)
    return Report(report.terms, problems + report.problems)


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
    found: dict[tuple[str, str], Plugin] = {}
    for distribution in metadata.distributions():
        try:
            # Most have none of ours, and to parse theirs takes most of the time.
            if GROUP not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points.select(group=GROUP)
        except Exception:  # one that cannot be read adds no terms, and stops no other
            continue
        for point in points:
            key = (point.name, point.value)  # the first on the path is what is imported
            found.setdefault(key, Plugin(point.name, _named(distribution), point.value))
    return sorted(found.values())


def check_plugins(known: Sequence[Term]) -> list[Report]:
    """Read and check the terms of every plug-in, beside those already known.

    A term may collide with the known ones and with those of plug-ins before it;
    its relations may lead to any. Whatever a plug-in raises is a problem of its own.
    """
    read = [(plugin, *_read_plugin(plugin)) for plugin in plugins()]
    targets = {
        str(entry.record.get("id"))
        for _, entries, _ in read
        for entry in entries
        if isinstance(entry.record, dict)
    }
    reports = []
    terms = list(known)
    for plugin, entries, unread in read:
        try:
            report = check_entries(entries, terms, targets=targets)
        except Exception as error:
            broken = unreadable("E703", plugin.distribution, repr(error))
            report = Report([], [broken])
        terms += report.terms
        reports.append(Report(report.terms, unread + report.problems))
    return reports


def packages() -> list[Path]:
    """The folders beside which terms are installed, the core's first.

    Evidence and figures lie there, beside ``terms``.
    """
    found = [_CORE.parent]
    for plugin in plugins():
        try:
            found += [folder.parent for folder in folders(plugin)]
        except Exception:  # `installed` warns of it
            continue
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


def check_files(
    paths: Iterable[str | PathLike[str]], among: Sequence[Term] = ()
) -> Report:
    """Read and check files or folders, as a plug-in would be checked.

    Args:
        paths: TOML or JSON files, or folders of them.
        among: Terms that are there already: ids may not be taken twice, but by the
            files from which the terms were read.

    Returns:
        The terms without errors, and every problem.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    files = _named_files(paths)
    entries, problems = _read((path, path.name, path.name) for path in files)
    own = _installed_ids(files, entries)
    others = [term for term in among if term.id not in own]
    report = check_entries(entries, others)
    return Report(report.terms, problems + report.problems)


def read_checked(paths: Iterable[str | PathLike[str]]) -> list[Term]:
    """The terms of files that have no errors."""
    files = _named_files(paths)
    entries, problems = _read((path, path.name, path.name) for path in files)
    report = check_entries(entries, around=installed())
    errors = [p for p in (*problems, *report.problems) if p.is_error]
    if errors:
        raise InvalidTerms(errors)
    return report.terms


def from_json(written: str) -> list[Term]:
    """Terms from JSON that ``glossary export json`` wrote.

    Args:
        written: The text of the file.

    Returns:
        The terms, in the order of the file.

    Raises:
        InvalidTerms: If the text is no JSON, or a term has the wrong shape.
    """
    try:
        records = json.loads(written)["terms"]
        entries = [Entry("JSON", "", record) for record in records]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidTerms([unreadable("E001", "JSON", repr(error))]) from None
    problems = [
        problem
        for problem in check_entries(entries).problems
        if problem.code.startswith("E0")
    ]
    if problems:
        raise InvalidTerms(problems)
    return [from_record(entry.record) for entry in entries]


def _named(distribution: metadata.Distribution) -> str:
    try:
        return f"{distribution.name} {distribution.version}"
    except Exception:  # its metadata may be missing, or no text
        return "a distribution without a name"


def _read_plugin(plugin: Plugin) -> tuple[list[Entry], list[Problem]]:
    """What a plug-in holds, and what keeps it from being read, whatever that is."""
    name = plugin.distribution
    try:
        roots = folders(plugin)
        if not roots:
            return [], [unreadable("E701", name, plugin.folder)]
        files = [path for root in roots if root.is_dir() for path in _files_in(root)]
        if not files:
            return [], [unreadable("E702", name, plugin.folder)]
        return _read((path, f"{name}: {path.name}", plugin.name) for path in files)
    except Exception as error:
        return [], [unreadable("E703", name, repr(error))]


def _read(
    files: Iterable[tuple[Path, str, str]],
) -> tuple[list[Entry], list[Problem]]:
    """The records of files, each given with the name and the source to tell."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for path, name, source in files:
        try:
            entries += _entries(path, name, source)
        except (OSError, ValueError, RecursionError) as error:
            problems.append(unreadable("E001", name, error, _line_of(error)))
    return entries, problems


def _entries(path: Path, name: str, source: str) -> list[Entry]:
    """The records in one file: one term, or a list of them called ``terms``."""
    text = path.read_text("utf-8")
    written = Written(text, path.suffix)
    document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    listed = document.get("terms") if isinstance(document, dict) else None
    places = {"": document}
    if isinstance(listed, list):
        places = {f"terms[{number}]": record for number, record in enumerate(listed)}
    entries = [
        Entry(name, source, record, written, place) for place, record in places.items()
    ]
    if path.suffix == ".toml":
        for entry in entries:
            _reflow_prose(entry.record)
    return entries


def _reflow_prose(item: object) -> None:
    """Join the lines of whatever a record says in sentences."""
    if isinstance(item, dict):
        for key, value in item.items():
            if key in _PROSE and isinstance(value, str):
                item[key] = reflow(value)
            else:
                _reflow_prose(value)
    elif isinstance(item, list):
        for part in item:
            _reflow_prose(part)


def _line_of(error: Exception) -> int:
    """The line that a parser's error tells; 0 if it tells none."""
    if isinstance(error, json.JSONDecodeError):
        return error.lineno
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    told = re.search(r"at line (\d+)", str(error))
    return int(told.group(1)) if told else 0


def _installed_ids(files: Iterable[Path], entries: Iterable[Entry]) -> set[str]:
    """Ids of those entries whose files are the installed ones themselves."""
    homes = {folder / "terms" for folder in packages()}
    at_home = {path.name for path in files if path.resolve().parent in homes}
    return {
        str(entry.record.get("id"))
        for entry in entries
        if entry.file in at_home and isinstance(entry.record, dict)
    }


def _named_files(paths: Iterable[str | PathLike[str]]) -> list[Path]:
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            files += _files_in(path)
        elif path.is_file():
            files.append(path)
        else:
            raise FileNotFoundError(
                f"No file or folder of terms at {shown(str(path))}."
            )
    return files


def _files_in(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.suffix in _SUFFIXES]
    # By their stems: "batch.toml" goes before "batch-size.toml", as ids do.
    return sorted(files, key=lambda path: (path.stem, path.suffix))
