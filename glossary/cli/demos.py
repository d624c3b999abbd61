"""Commands that run demos: one term's, or all of them side by side."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from functools import partial
from pathlib import Path

import glossary
from glossary.errors import DemoError
from glossary.extras import missing
from glossary.measure import running, side_by_side
from glossary.model import Claim, Evidence, Term
from glossary.show import text


def demo(arguments: Namespace) -> int:
    """Measure the claims of a term: sentence, verdict, number, and the picture."""
    _prepare(arguments.backend)
    name, _, slug = arguments.name.partition("/")
    wanted = _wanted(glossary.term(name), arguments.claim or slug)
    size = "full" if arguments.full else "fast"
    evidences = []
    for number, claim in enumerate(wanted, start=1):
        line = f"{number} of {len(wanted)}: {claim.id}"
        _tell(f"{line} ...")
        evidence = running.check(claim, size, arguments.seed, partial(_tell_seed, line))
        _tell("")
        evidences.append(evidence)
        if not arguments.json:
            print(evidence)
        if arguments.save:
            path = _save(evidence, Path(arguments.save), arguments.format)
            print(f"  {path}", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.record:
        _record(arguments.record, evidences)
    if arguments.json:
        print(json.dumps([evidence.to_dict() for evidence in evidences], indent=2))
    return 0 if all(evidence.as_documented for evidence in evidences) else 1


def _wanted(term: Term, name: str) -> list[Claim]:
    """The claim of this id, or of this part after the slash; all if it is empty."""
    claims = [
        claim
        for claim in term.claims
        if name in ("", claim.id, claim.id.partition("/")[2])
    ]
    if not claims:
        ids = ", ".join(claim.id for claim in term.claims) or "none"
        raise DemoError(f"{term.name} has the claims: {ids}. Received: {name}.")
    return claims


def check_all(arguments: Namespace) -> int:
    """All claims of all terms, each in a worker; what is not as documented fails."""
    _prepare(arguments.backend)
    sources = [arguments.source] if arguments.source else None
    terms = glossary.Glossary(sources=sources)
    claims = [claim for term in terms for claim in term.claims if claim.demo]
    say = partial(print, file=sys.stderr if arguments.json else sys.stdout)
    begun = time.monotonic()
    surprises = []
    done = []

    def told(evidence: Evidence) -> None:
        done.append(evidence)
        waited = f"{len(done)} of {len(claims)}, {time.monotonic() - begun:.0f} s"
        _tell(f"{waited}: {evidence.claim.id} {evidence.verdict}")
        if not evidence.as_documented:
            surprises.append(evidence.claim.id)
            _tell("")
            say(evidence)

    def failed(claim: Claim, error: Exception) -> None:
        surprises.append(claim.id)
        _tell("")
        say(f"{claim.id}: {error}")

    size = "full" if arguments.full else "fast"
    evidences = side_by_side.check_all(claims, size, told, failed)
    _tell("")
    if arguments.record:
        _record(arguments.record, evidences)
    if arguments.json:
        print(json.dumps([evidence.to_dict() for evidence in evidences], indent=2))
    seconds = sum(evidence.seconds for evidence in evidences)
    say(f"{len(claims)} claims, {len(surprises)} not as documented, {seconds:.1f} s")
    say("of processor time; the slowest:")
    for evidence in sorted(evidences, key=lambda one: -one.seconds)[:10]:
        say(f"  {evidence.seconds:6.2f} s  {evidence.claim.id}")
    return 1 if surprises else 0


def _prepare(backend: str | None) -> None:
    for name in side_by_side.ONE_THREAD:
        os.environ.setdefault(name, "1")
    if backend:
        os.environ["KERAS_BACKEND"] = backend  # read as Keras is imported


def _record(folder: str, evidences: list[Evidence]) -> None:
    try:
        from glossary.measure import recording  # matplotlib is an extra
    except ModuleNotFoundError as error:
        raise missing("Recording", error) from error
    recording.record(Path(folder), evidences)


def _save(evidence: Evidence, folder: Path, kind: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{evidence.claim.id.replace('/', '-')}.{kind}"
    evidence.figure().savefig(path, dpi=150)
    return path


def _tell(line: str) -> None:
    """Progress, for a person who looks on: one line that changes."""
    if sys.stderr.isatty():
        blank = " " * (text.width() - 1)  # no escape code: NO_COLOR may be set
        print(f"\r{blank}\r{line}", end="", file=sys.stderr, flush=True)


def _tell_seed(line: str, done: int, seeds: int) -> None:
    if done < seeds:
        _tell(f"{line}, seed {done + 1} of {seeds} ...")
