"""The report in Markdown: pure, from what the parts have measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import BACKENDS, RATIO, Figure
from benchmarks.machine import Machine
from benchmarks.pairs import HIGH, LOW, Spread
from benchmarks.sections import SECTIONS, Section
from benchmarks.turns import Reading

NO_GPU = "No GPU was at hand."
NOT_ASKED = "Not measured in this run."
FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What one part gave on one backend.

    Attributes:
        part: Its name.
        backend: Of Keras; empty where it needs none.
        figures: What it measured.
        took: Its whole process.
        failure: Why there are no figures; else empty.
        accelerator: Name of the GPU that it ran on; empty for the CPU.
    """

    part: str
    backend: str
    figures: tuple[Figure, ...]
    took: Reading
    failure: str = ""
    accelerator: str = ""


@dataclass(frozen=True)
class Run:
    """One run of the benchmark.

    Attributes:
        outcomes: Of all parts.
        machine: What it was made with.
        day: Such as ``"26 November 2026"``.
        size: ``"quick"``, ``"default"`` or ``"full"``.
        loads: Of the machine at the begin and at the end.
        gpu: Whether there was one to try.
    """

    outcomes: tuple[Outcome, ...]
    machine: Machine
    day: str
    size: str
    loads: tuple[str, str]
    gpu: bool


def markdown(run: Run, pictures: Sequence[str] = ()) -> str:
    """The whole report.

    Args:
        run: What was measured.
        pictures: Those that were drawn, of a folder beside the report.

    Returns:
        Text that ends in a line break.
    """
    blocks = [*head(run)]
    for section in SECTIONS:
        on_cpu = [
            outcome
            for outcome in run.outcomes
            if outcome.part == section.part and not outcome.accelerator
        ]
        if on_cpu:
            blocks += section_of(section, on_cpu, pictures)
    blocks += gpu_section(run)
    blocks += failures(run)
    return "\n\n".join(blocks) + "\n"


def head(run: Run) -> list[str]:
    """What it is, what it was made with, and how to read it."""
    machine = run.machine
    waited = sum(outcome.took.wall for outcome in run.outcomes) / 60
    computed = sum(outcome.took.processor for outcome in run.outcomes) / 60
    versions = ", ".join(
        f"{package} {number}" for package, number in machine.versions.items()
    )
    begin, end = run.loads
    command = "make bench" if run.size == "default" else f"... --{run.size}"
    return [
        "# Results of the benchmark",
        f"Written by `{command}` on {run.day}, in {waited:.0f} minutes "
        f"({computed:.0f} of the processor). What it leaves out, and what was measured "
        "otherwise, is in [docs/measured.md](../docs/measured.md).",
        f"* {machine.processor}, {machine.cores} cores; {machine.system}.\n"
        f"* {versions}.\n"
        f"* OMP_NUM_THREADS: {machine.threads}. Load of the machine, before and after: "
        f"{begin}, {end} (this benchmark alone is 1 to 2).",
        f"A figure is the median of pairs, with the {LOW}th and the {HIGH}th "
        "percentile in brackets; a pair is of one round, in which all take turns in "
        "one process, in an order that the next round reverses. *Processor time* "
        "counts what the process computed, *wall time* what a user waits for, others "
        "on the machine included: where the two differ, the machine was busy.",
    ]


def section_of(
    section: Section, outcomes: Sequence[Outcome], pictures: Sequence[str]
) -> list[str]:
    """Heading, text, picture and tables of a part."""
    blocks = [f"## {section.title}", section.text.strip()]
    if section.picture in pictures:
        blocks.append(f"![{section.title}](pictures/{section.picture})")
    for outcome in outcomes:
        if outcome.failure:
            blocks.append(f"It failed{on_backend(outcome)}: {outcome.failure}")
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    return blocks + tables(figures)


def gpu_section(run: Run) -> list[str]:
    """The same table on a GPU, or that there was none."""
    heading = "## On a GPU"
    if not run.gpu:
        return [heading, NO_GPU]
    blocks = [heading]
    for outcome in run.outcomes:
        if outcome.accelerator and outcome.failure:
            blocks.append(f"It failed{on_backend(outcome)}: {outcome.failure}")
        elif outcome.accelerator:
            blocks.append(
                f"On {outcome.accelerator}; wall time alone counts here, since the "
                "processor only begins a step:"
            )
            blocks += tables(outcome.figures)
    return blocks if len(blocks) > 1 else [heading, NOT_ASKED]


def failures(run: Run) -> list[str]:
    """Everything that failed, a line each."""
    lines = []
    for outcome in run.outcomes:
        where = f"{outcome.part}{on_backend(outcome)}"
        if outcome.failure:
            lines.append(f"* {where}: {outcome.failure}")
        lines += [
            f"* {where}, {figure.row}: {figure.error}"
            for figure in outcome.figures
            if figure.error
        ]
    listed = "\n".join(lines) or "Nothing."
    return ["## What failed", listed]


def on_backend(outcome: Outcome) -> str:
    """On which one, if it needs any."""
    return f" on {BACKENDS[outcome.backend]}" if outcome.backend else ""


def tables(figures: Sequence[Figure]) -> list[str]:
    """A table for each title, each with its title above it."""
    titles = dict.fromkeys(figure.table for figure in figures)
    blocks = []
    for title in titles:
        among = [figure for figure in figures if figure.table == title]
        blocks.append(f"**{title}**{pairs_of(among)}")
        blocks.append(table(among))
    return blocks


def pairs_of(figures: Sequence[Figure]) -> str:
    """How many pairs a table is from: its ratios, where it has any."""
    spreads = [figure.spread for figure in figures if figure.unit == RATIO]
    if not spreads:
        # Regrets are not of pairs: their title says of how many tasks they are.
        spreads = [figure.spread for figure in figures if figure.unit != "regret"]
    counts = sorted({spread.pairs for spread in spreads if spread})
    if not counts:
        return ""
    fewest = counts[0]
    most = counts[-1]
    if most == 1:
        return " (1 pair)"
    return f" ({most} pairs)" if fewest == most else f" ({fewest} to {most} pairs)"


def table(figures: Sequence[Figure]) -> str:
    """Rows and columns in the order in which they first appear."""
    rows = dict.fromkeys(figure.row for figure in figures)
    columns = dict.fromkeys(figure.column for figure in figures)
    cells = {(figure.row, figure.column): cell(figure) for figure in figures}
    lines = [["", *columns], ["---", *["---:"] * len(columns)]]
    for row in rows:
        lines.append([row, *(cells.get((row, column), "") for column in columns)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines
    )


def cell(figure: Figure) -> str:
    """What a table shows of a figure."""
    if figure.error:
        return FAILED
    if figure.spread is None:
        return figure.text
    return spread_text(figure.spread, figure.unit)


def spread_text(spread: Spread, unit: str) -> str:
    """Median with its unit, and the percentiles in brackets."""
    shown = [number(value, unit) for value in (spread.median, spread.low, spread.high)]
    median, low, high = shown
    named = "" if unit in ("", RATIO, "regret") else f" {unit}"
    if spread.pairs == 1:
        return f"{median}{named}"
    return f"{median}{named} ({low} .. {high})"


def number(value: float, unit: str) -> str:
    """Three digits, or what a ratio needs."""
    if unit == RATIO and 0.1 <= abs(value) < 10:
        return f"{value:.2f}"
    if unit == "regret" or abs(value) < 0.1:
        return f"{value:.3f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"
