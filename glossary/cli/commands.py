"""What each command of the command line does. Each returns an exit code."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import glossary
from glossary.cli import demos as _demos
from glossary.read import load, validate
from glossary.read.records import to_record
from glossary.show import text
from glossary.show.export import FORMATS

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

    from glossary.model import Match, Term
    from glossary.read.validate import Problem

_BASH = """\
_glossary() {
    local word=${COMP_WORDS[COMP_CWORD]}
    local words="list show search demo check export page serve completion"
    local commands=$words
    case ${COMP_WORDS[1]} in
        show | search | demo) words=$(glossary list | cut -f1) ;;
        export) words="anki json jsonld markdown skos" ;;
    esac
    [ "$COMP_CWORD" -eq 1 ] && words=$commands
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _glossary glossary
"""


def list_terms(arguments: Namespace) -> int:
    """One term a line: in columns for people, tab-separated for programs."""
    sources = [arguments.source] if arguments.source else None
    found = list(
        glossary.Glossary(
            sources=sources, category=arguments.category, level=arguments.level
        )
    )
    if arguments.json:
        _print_json([to_record(term) for term in found])
    elif sys.stdout.isatty():
        _print_columns(found)
    else:
        for term in found:
            print(term.id, term.name, term.summary, sep="\t")
    return 0 if found else 1


def show(arguments: Namespace) -> int:
    """Terms in full; in colour where rich is installed and the screen has it."""
    found = [glossary.term(name) for name in arguments.names]
    if arguments.json:
        _print_json([to_record(term) for term in found])
        return 0
    for place, term in enumerate(found):
        if place:
            print()
        _print_term(term)
    return 0


def search(arguments: Namespace) -> int:
    """The best answers, each with its score and reason."""
    question = " ".join(arguments.words)
    matches = glossary.search(question, limit=arguments.limit)
    if arguments.json:
        _print_json([_match_record(match) for match in matches])
    elif not matches:
        print(f"glossary: nothing matches {question!r}.", file=sys.stderr)
    elif sys.stdout.isatty():
        for match in matches:
            print(_wrap(f"{match.term.name} ({match.score:.2f}: {match.reason})", 4))
    else:
        for match in matches:
            print(match.term.id, f"{match.score:.4f}", match.reason, sep="\t")
    return 0 if matches else 1


def check(arguments: Namespace) -> int:
    """Every problem on a line of its own, and what counts as an error counted."""
    if arguments.codes:
        for code, message in validate.codes().items():
            print(code, message, sep="\t")
        return 0
    validate.select_problems([], arguments.select)  # refuses an unknown prefix
    if arguments.demos:
        return _demos.check_all(arguments)
    if arguments.files:
        terms, strict = load.check_files(arguments.files, load.installed())
        lenient: list[Problem] = []
    else:
        terms, strict, lenient = _check_installed()
        if arguments.plugins:
            strict, lenient = strict + lenient, []
    strict = validate.select_problems(strict, arguments.select)
    lenient = validate.select_problems(lenient, arguments.select)
    _report([*strict, *lenient], len(terms), as_json=arguments.json)
    return 1 if any(problem.is_error for problem in strict) else 0


def export(arguments: Namespace) -> int:
    """All terms in one format, to a file or to the screen."""
    written = FORMATS[arguments.format](glossary.terms())
    if arguments.output:
        Path(arguments.output).write_text(written, encoding="utf-8")
    else:
        sys.stdout.write(written)
    return 0


def completion(arguments: Namespace) -> int:
    """A script to source: ``source <(glossary completion bash)``."""
    sys.stdout.write(_BASH)
    return 0


def _check_installed() -> tuple[list[Term], list[Problem], list[Problem]]:
    """All installed terms, the problems of the core, and those of plug-ins."""
    terms = list(load.core())
    problems: list[Problem] = []
    for report in load.check_plugins(terms):
        terms += report.terms
        problems += report.problems
    linked = validate.check_terms(terms, links=True)
    core_ids = {term.id for term in load.core()}
    core = [problem for problem in linked if problem.file in core_ids]
    problems += [
        problem
        for problem in linked
        if problem.file not in core_ids and problem.code in ("E602", "E603", "W601")
    ]
    return terms, core, problems


def _report(problems: Sequence[Problem], count: int, *, as_json: bool) -> None:
    if as_json:
        _print_json([asdict(problem) for problem in problems])
        return
    for problem in problems:
        print(problem)
    errors = sum(problem.is_error for problem in problems)
    warnings = len(problems) - errors
    print(f"{count} terms, {errors} errors, {warnings} warnings", file=sys.stderr)


def _print_term(term: Term) -> None:
    try:
        from rich.console import Console
    except ImportError:
        print(text.plain(term))
        return
    console = Console(width=text.width(), highlight=False)
    if console.is_terminal and not console.is_dumb_terminal:
        console.print(term)
    else:
        print(text.plain(term))


def _print_columns(terms: Iterable[Term]) -> None:
    columns = text.width()
    names = [text.heading(term) for term in terms]
    left = max(map(len, names), default=0) + 2
    for name, term in zip(names, terms, strict=True):
        if columns - left < 40:  # too narrow for two columns
            print(_wrap(f"{name}: {term.summary}", 4))
        else:
            lines = textwrap.wrap(term.summary, columns - left)
            print(name.ljust(left) + f"\n{' ' * left}".join(lines))


def _match_record(match: Match) -> dict[str, object]:
    return {
        "id": match.term.id,
        "name": match.term.name,
        "summary": match.term.summary,
        "score": match.score,
        "reason": match.reason,
    }


def _print_json(records: object) -> None:
    print(json.dumps(records, indent=2, ensure_ascii=False, default=str))


def _wrap(line: str, indent: int) -> str:
    return textwrap.fill(line, text.width(), subsequent_indent=" " * indent)
