"""Many claims at once, each demo in a process of its own pool."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import active_children, get_context

from glossary.measure import recorded, running
from glossary.model import Claim, Evidence

#: Small arrays are slower on many threads, and workers share the cores.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def check_all(
    claims: Sequence[Claim],
    size: str,
    told: Callable[[Evidence], None],
    failed: Callable[[Claim, Exception], None],
) -> list[Evidence]:
    """Measure claims side by side.

    Args:
        claims: Of installed terms.
        size: ``"fast"`` or ``"full"``.
        told: Called with each piece of evidence as it comes.
        failed: Called with each claim whose demo raised.

    Returns:
        The evidence that there is, in the order of the claims.
    """
    for name in ONE_THREAD:  # before a worker imports NumPy
        os.environ.setdefault(name, "1")
    ignore = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for this process, see below
    pool = ProcessPoolExecutor(
        os.cpu_count(), get_context("spawn"), signal.signal, ignore
    )
    by_claim: dict[str, Evidence] = {}
    try:
        jobs = {pool.submit(_measured, _alone(one), size): one for one in claims}
        for job in as_completed(jobs):
            claim = jobs[job]
            try:
                evidence = recorded.decode(json.loads(job.result()), claim)
            except Exception as error:
                failed(claim, error)
                continue
            by_claim[claim.id] = evidence
            told(evidence)
    except BaseException:
        for worker in active_children():  # else the exit would wait for them
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [by_claim[claim.id] for claim in claims if claim.id in by_claim]


def _alone(claim: Claim) -> Claim:
    """The claim without its glossary, which no worker needs to be sent."""
    return replace(claim, home=None)


def _measured(claim: Claim, size: str) -> str:
    return recorded.encode(running.check(claim, size))
