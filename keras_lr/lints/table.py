"""A report as text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from keras_lr.lints.finding import Finding
from keras_lr.lints.shown import Shown

#: Characters of a line.
WIDTH = 88
#: Joins that are shown at most.
MOST_JOINS = 6


def text(report: Shown) -> str:
    """The report: what it is of, rates at the places that matter, and findings."""
    head = [*textwrap.wrap(report.title, WIDTH), *textwrap.wrap(report.about, WIDTH)]
    return "\n".join([*head, "", *_rates(report), "", *_findings(report.findings)])


def _rates(report: Shown) -> list[str]:
    rates = {report.name: report.rates, **report.others}
    columns = {
        name.removeprefix("learning_rate_").replace("learning_rate", "rate"): values
        for name, values in rates.items()
    }
    for name, values in report.beside.items():
        columns[name.replace("_", " ")] = values
    rows = [["update", "epoch", *columns, ""]]
    for at, names in _places(report).items():
        update = report.first + at
        numbers = [f"{values[at]:.4g}" for values in columns.values()]
        epoch = f"{update / report.steps_per_epoch:.2f}"
        rows.append([str(update), epoch, *numbers, ", ".join(names)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for *cells, words in rows:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*padded, words]).rstrip())
    return lines


def _places(report: Shown) -> dict[int, list[str]]:
    """The updates that are shown, and why."""
    last = len(report.rates) - 1
    found: dict[int, list[str]] = {0: ["first"]}
    for update in report.joins[:MOST_JOINS]:
        found.setdefault(update - report.first, []).append("join")
    found.setdefault(int(np.argmax(report.rates)), []).append("highest")
    found.setdefault(last, []).append("last")
    return dict(sorted(found.items()))


def _findings(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for number, finding in enumerate(findings, 1):
        where = "" if finding.update is None else f", at update {finding.update}"
        lines.append(f"{number}. {finding.severity}: {finding.code}{where}")
        for sentence in (finding.message, finding.advice):
            lines += textwrap.wrap(
                sentence, WIDTH, initial_indent="   ", subsequent_indent="   "
            )
    return lines or ["Nothing was found."]
