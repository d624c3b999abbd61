"""Commands that run demos: one term's, or all of them side by side."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import glossary
from glossary.errors import DemoError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from glossary.evidence import Evidence

#: Small arrays are slower on many threads, and workers share the cores.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def demo(arguments: Namespace) -> int:
    """Measure the claims of a term: sentence, verdict, number, and the picture."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    if arguments.backend:
        os.environ["KERAS_BACKEND"] = arguments.backend  # read as Keras is imported
    from glossary.evidence import check

    term = glossary.term(arguments.name)
    wanted = [one for one in term.claims if arguments.claim in (None, one.id)]
    if not wanted:
        ids = ", ".join(one.id for one in term.claims) or "none"
        raise DemoError(
            f"{term.name} has the claims: {ids}. Received: {arguments.claim}."
        )
    found = []
    for number, claim in enumerate(wanted, 1):
        size = "full" if arguments.full else "fast"
        line = f"{number} of {len(wanted)}: {claim.id}"
        _tell(f"{line} ...")
        evidence = check(claim, size, arguments.seed, partial(_tell_seed, line))
        _tell("")
        found.append(evidence)
        if not arguments.json:
            print(evidence)
        if arguments.save:
            path = _save(evidence, Path(arguments.save), arguments.format)
            print(f"  {path}", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(json.dumps([one.to_dict() for one in found], indent=2))
    return 0 if all(one.as_documented for one in found) else 1


def check_all(arguments: Namespace) -> int:
    """All claims of all terms, each in a worker; what is not as documented fails."""
    from glossary.evidence import brief

    sources = [arguments.source] if arguments.source else None
    terms = glossary.Glossary(sources=sources)
    claims = [one.id for term in terms for one in term.claims if one.demo]
    for name in ONE_THREAD:  # before a worker imports NumPy
        os.environ.setdefault(name, "1")
    if arguments.backend:
        os.environ["KERAS_BACKEND"] = arguments.backend
    say = partial(print, file=sys.stderr if arguments.json else sys.stdout)
    found, failed = _side_by_side(claims, "full" if arguments.full else "fast", say)
    records = [brief(one).to_dict() for one in found]
    if arguments.evidence:
        Path(arguments.evidence).write_text(json.dumps(records) + "\n", "utf-8")
    if arguments.json:
        print(json.dumps(records, indent=2))
    seconds = sum(one.seconds for one in found)
    say(f"{len(claims)} claims, {failed} not as documented, {seconds:.1f} s of CPU")
    say("the slowest:")
    for one in sorted(found, key=lambda one: -one.seconds)[:10]:
        say(f"  {one.seconds:6.2f} s  {one.claim}")
    return 1 if failed else 0


def _side_by_side(
    claims: list[str], size: str, say: Callable[[object], None]
) -> tuple[list[Evidence], int]:
    """Evidence in the order of the claims, and how many are not as documented."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import active_children, get_context

    found, failed, begun = [], 0, time.monotonic()
    ignore = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for this process, see below
    pool = ProcessPoolExecutor(
        os.cpu_count(), get_context("spawn"), signal.signal, ignore
    )
    try:
        jobs = {pool.submit(_measure, one, size): one for one in claims}
        for number, job in enumerate(as_completed(jobs), 1):
            try:
                evidence = job.result()
            except Exception as error:
                failed += 1
                _tell("")
                say(f"{jobs[job]}: {error}")
                continue
            found.append(evidence)
            waits = f"{number} of {len(claims)}, {time.monotonic() - begun:.0f} s"
            _tell(f"{waits}: {evidence.claim} {evidence.verdict}")
            if not evidence.as_documented:
                failed += 1
                _tell("")
                say(evidence)
        _tell("")
    except BaseException:
        for worker in active_children():  # else the exit would wait for them
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    found.sort(key=lambda one: claims.index(one.claim))
    return found, failed


def _measure(claim_id: str, size: str) -> Evidence:
    claim = next(
        one for term in glossary.terms() for one in term.claims if one.id == claim_id
    )
    return claim.check(size)


def _save(evidence: Evidence, folder: Path, kind: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{evidence.claim.replace('/', '-')}.{kind}"
    evidence.figure().savefig(path, dpi=150)
    return path


def _tell(line: str) -> None:
    """Progress, for a person who looks on: one line that changes."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _tell_seed(line: str, done: int, seeds: int) -> None:
    if done < seeds:
        _tell(f"{line}, seed {done + 1} of {seeds} ...")
