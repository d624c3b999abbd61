"""The benchmark: ours beside the peers, in one run; ``make bench``.

    python -m benchmarks.run                       what benchmarks/results.md has
    python -m benchmarks.run --full                with more rounds, and more parts
    python -m benchmarks.run --only steps search   these parts, into out/benchmarks
    python -m benchmarks.run --backend jax         on this backend alone, likewise

Each part runs in a process of its own on each backend, one after the other, so that
nothing here takes time from anything else here. What raises is a line of the report.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, pictures, report
from benchmarks.figures import from_json
from benchmarks.processes import children, last_line
from benchmarks.report import Outcome, Run
from benchmarks.sections import ALL, DEFAULT, SECTIONS, Section
from benchmarks.turns import readable

HERE = Path(__file__).parent
#: Where a run goes that is not the whole one.
ASIDE = Path("out/benchmarks")
#: Seconds after which a part has failed.
LONGEST = {"quick": 300, DEFAULT: 1800, "full": 7200}
#: With these no backend sees a GPU; figures of the CPU are of the CPU.
CPU = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HIP_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
}
#: What is measured once more where there is a GPU.
ON_GPU = "steps"


def run_part(part: str, backend: str, size: str, gpu: bool = False) -> Outcome:
    """Measure a part in a process of its own.

    Args:
        part: Its name.
        backend: Of Keras, or empty.
        size: How much of it.
        gpu: Whether on a GPU.

    Returns:
        What it gave, or why it gave nothing.
    """
    environment = {**os.environ, **({} if gpu else CPU)}
    if backend:
        environment["KERAS_BACKEND"] = backend
    begun = children()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "benchmarks.part", part, size, str(file)]
        failure = failure_of([*command, *(["--gpu"] if gpu else [])], environment, size)
        written = "" if failure else file.read_text()
    took = children() - begun
    if failure:
        device = "a GPU" if gpu else ""
        return Outcome(part, backend, (), took, failure, device)
    document = json.loads(written)
    figures = tuple(from_json(json.dumps(document["figures"])))
    return Outcome(part, backend, figures, took, "", document["accelerator"])


def failure_of(command: list[str], environment: dict[str, str], size: str) -> str:
    """Why a process failed; empty where it did not."""
    limit = LONGEST[size]
    try:
        ended = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {limit} seconds"
    if ended.returncode:
        return readable(last_line(ended.stderr)) or f"exit code {ended.returncode}"
    return ""


def chosen(only: Sequence[str], size: str) -> list[Section]:
    """The parts that are asked for, or those of a size."""
    if only:
        return [section for section in SECTIONS if section.part in only]
    return [section for section in SECTIONS if size in section.sizes]


def run(sections: Sequence[Section], backends: Sequence[str], size: str) -> Run:
    """Measure parts, one after the other.

    Args:
        sections: Which.
        backends: Of those that a part runs on, these.
        size: How much of each.

    Returns:
        Everything that was measured.
    """
    before = machine.load()
    outcomes = []
    for section in sections:
        for backend in section.backends:
            if not backend or backend in backends:
                outcomes.append(told(run_part(section.part, backend, size)))
    gpu = machine.gpu_driver()
    if gpu and any(section.part == ON_GPU for section in sections):
        outcomes += [
            told(run_part(ON_GPU, backend, size, gpu=True)) for backend in backends
        ]
    now = datetime.now(UTC)
    return Run(
        outcomes=tuple(outcomes),
        machine=machine.this_machine(),
        day=f"{now.day} {now:%B %Y}",
        size=size,
        loads=(before, machine.load()),
        gpu=gpu,
    )


def told(outcome: Outcome) -> Outcome:
    """Say that a part is done."""
    how = outcome.failure or f"{len(outcome.figures)} figures"
    waited = f"{outcome.took.wall:.0f} s"
    where = report.on_backend(outcome)
    print(f"{outcome.part}{where}: {how}, {waited}", flush=True)
    return outcome


def write(result: Run, folder: Path) -> Path:
    """The report, and its pictures beside it.

    Args:
        result: What was measured.
        folder: Where they go; made if it is not there.

    Returns:
        The report.
    """
    drawn = pictures.draw(result, folder / "pictures")
    path = folder / "results.md"
    path.write_text(report.markdown(result, drawn), "utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="the smallest sizes")
    sizes.add_argument("--full", action="store_true", help="over an hour")
    parts = [section.part for section in SECTIONS]
    parser.add_argument("--only", nargs="+", choices=parts, default=[], metavar="PART")
    parser.add_argument("--backend", nargs="+", choices=ALL, default=list(ALL))
    options = parser.parse_args()
    size = "quick" if options.quick else "full" if options.full else DEFAULT
    # Part of a run is not to take the place of a whole one.
    partial = options.only or options.quick or len(options.backend) < len(ALL)
    folder = ASIDE if partial else HERE
    result = run(chosen(options.only, size), options.backend, size)
    print(os.path.relpath(write(result, folder)))


if __name__ == "__main__":
    main()
