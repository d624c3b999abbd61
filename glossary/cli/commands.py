"""What each command of the command line does. Each returns an exit code."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import glossary
from glossary.cli import demos
from glossary.errors import GlossaryError
from glossary.extras import missing
from glossary.find.search import THIS_IS_IT
from glossary.model import Match, Term
from glossary.problems import Problem
from glossary.read import load, template, validate
from glossary.read.checks import LINKS
from glossary.read.checks.links import unchecked
from glossary.records import term_schema, to_record
from glossary.show import text
from glossary.show.export import FORMATS
from glossary.shown import shown


def list_terms(arguments: Namespace) -> int:
    """One term a line: in columns for people, tab-separated for programs."""
    sources = [arguments.source] if arguments.source else None
    terms = list(
        glossary.Glossary(
            sources=sources, category=arguments.category, level=arguments.level
        )
    )
    if arguments.json:
        _print_json([to_record(term) for term in terms])
    elif sys.stdout.isatty():
        _print_columns(terms)
    else:
        for term in terms:
            print(term.id, term.name, term.summary, sep="\t")
    return 0 if terms else 1


def show(arguments: Namespace) -> int:
    """Terms in full; in colour where rich is installed and the screen has it."""
    terms = [glossary.term(name) for name in arguments.names]
    if arguments.json:
        _print_json([to_record(term) for term in terms])
        return 0
    for place, term in enumerate(terms):
        if place:
            print()
        _print_term(term)
    return 0


def search(arguments: Namespace) -> int:
    """The best answers: what each means, and why it is one."""
    question = " ".join(arguments.words)
    matches = glossary.search(question, limit=arguments.limit)
    is_terminal = sys.stdout.isatty()
    if arguments.json:
        _print_json([_match_record(match) for match in matches])
    elif not matches:
        print(f"glossary: nothing matches {shown(question)}.", file=sys.stderr)
    else:
        if matches[0].score < THIS_IS_IT:
            line = f"{shown(question)} is not in this glossary; mentioned in:"
            print(_wrap(line, 0), file=sys.stdout if is_terminal else sys.stderr)
        for match in matches:
            if is_terminal:
                print(
                    _wrap(f"{match.term.name} ({match.score:.2f}: {match.reason})", 4)
                )
                print(textwrap.indent(_wrap(match.term.summary, 0, 4), "    "))
            else:
                told = (match.term.id, f"{match.score:.4f}", match.reason)
                print(*told, match.term.summary, sep="\t")
    return 0 if matches else 1


def check(arguments: Namespace) -> int:
    """Every problem on a line of its own, and what counts as an error counted."""
    if arguments.codes:
        for code, message in validate.codes().items():
            print(code, message, sep="\t")
        return 0
    validate.select_problems([], arguments.select)  # refuses an unknown prefix
    if arguments.demos:
        return demos.check_all(arguments)
    imports = not arguments.files and any(
        code.startswith(tuple(arguments.select) or code) for code in LINKS
    )
    if arguments.files:
        terms, strict = load.check_files(arguments.files, load.installed())
        lenient: list[Problem] = []
    else:
        terms, strict, lenient = _check_installed(links=imports)
        if arguments.plugins:
            strict = strict + lenient
            lenient = []
    strict = validate.select_problems(strict, arguments.select)
    lenient = validate.select_problems(lenient, arguments.select)
    _report([*strict, *lenient], len(terms), as_json=arguments.json)
    if imports:
        _say_what_is_unchecked(terms)
    return 1 if any(problem.is_error for problem in strict) else 0


def new(arguments: Namespace) -> int:
    """A file for a new term, in which every field is explained."""
    known = glossary.Glossary().get(arguments.name)
    if known is not None:
        raise GlossaryError(
            "A new term must have a new name. "
            f"Received: {shown(arguments.name)}, which is {known.id!r} of "
            f"{known.source}. `glossary show {known.id}` shows it."
        )
    written = template.template(arguments.name)
    path = Path(arguments.to or f"{template.slug(arguments.name)}.toml")
    with path.open("x", encoding="utf-8") as file:
        file.write(written)
    print(f"{path}: fill it in, then run: glossary check {path}")
    return 0


def schema(arguments: Namespace) -> int:
    """The JSON Schema of a file with one term, which editors can use."""
    _print_json(term_schema())
    return 0


def export(arguments: Namespace) -> int:
    """All terms in one format, to a file or to the screen."""
    written = FORMATS[arguments.format](glossary.terms())
    if arguments.output:
        Path(arguments.output).write_text(written, encoding="utf-8")
    else:
        _write_utf8(written)
    return 0


def offered() -> dict[str, list[str]]:
    """What completion offers, by kind."""
    terms = glossary.terms()
    names = sorted({name for term in terms for name in (term.id, *term.acronyms)})
    claims = sorted(claim.id for term in terms for claim in term.claims)
    return {
        "terms": names,
        "claims": [*names, *claims],
        "categories": sorted({term.category for term in terms}),
        "sources": list(dict.fromkeys(term.source for term in terms)),
        "codes": list(validate.codes()),
    }


def completion(parser: ArgumentParser, shell: str) -> str:
    """A script of completion for a shell."""
    try:
        import shtab  # an extra
    except ModuleNotFoundError as error:
        raise missing("Completion", error) from error
    script: str = shtab.complete(parser, shell)
    return script


def _check_installed(*, links: bool) -> tuple[list[Term], list[Problem], list[Problem]]:
    """All installed terms, the problems of the core, and those of plug-ins."""
    core, strict = load.check_core()
    added: list[Term] = []
    problems: list[Problem] = []
    for report in load.check_plugins(core):
        added += report.terms
        problems += report.problems
    if links:
        strict = strict + validate.check_links(core)
        problems += validate.check_links(added)
    return [*core, *added], strict, problems


def _say_what_is_unchecked(terms: Sequence[Term]) -> None:
    """One line on links that want an extra, so that its absence is no problem."""
    wanting = unchecked(terms)
    if wanting:
        extras = ",".join(dict.fromkeys(wanting.values()))
        print(
            f"Not checked: links into {', '.join(wanting)}, for want of an extra: "
            f"pip install 'keras-lr[{extras}]'",
            file=sys.stderr,
        )


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
        from rich.console import Console  # an extra
    except ImportError:
        print(text.plain(term))
        return
    console = Console(width=text.width(), highlight=False)
    is_plain = console.is_dumb_terminal or os.environ.get("NO_COLOR")
    if console.is_terminal and not is_plain:
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
    _write_utf8(json.dumps(records, indent=2, ensure_ascii=False, default=str) + "\n")


def _write_utf8(written: str) -> None:
    """What programs read is UTF-8, whatever the terminal shows."""
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.flush()
        sys.stdout.buffer.write(written.encode())
        sys.stdout.buffer.flush()
    else:  # a program has put an object of its own there
        sys.stdout.write(written)


def _wrap(line: str, indent: int, spared: int = 0) -> str:
    return textwrap.fill(line, text.width() - spared, subsequent_indent=" " * indent)
