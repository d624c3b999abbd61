"""The pictures of the report, drawn from its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import PROCESSOR, RATIO, WALL, Figure
from benchmarks.report import Outcome, Run
from benchmarks.sections import SECTIONS

OURS = "tab:blue"
THEIRS = "tab:orange"
GREY = "0.4"
DPI = 100


def draw(run: Run, folder: Path) -> list[str]:
    """Draw what there are figures for.

    Args:
        run: What was measured.
        folder: For the pictures; made if it is not there.

    Returns:
        Names of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for section in SECTIONS:
        outcomes = [
            outcome
            for outcome in run.outcomes
            if outcome.part == section.part
            and outcome.figures
            and not outcome.accelerator
        ]
        if section.picture and outcomes:
            figure = DRAWN[section.part](outcomes)
            figure.savefig(folder / section.picture, dpi=DPI)
            drawn.append(section.picture)
    return drawn


def new(rows: float, columns: int = 1) -> tuple[Any, Any]:
    """A figure with axes side by side."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt.subplots(
        1, columns, figsize=(8.5, rows), layout="constrained", squeeze=False
    )


def steps(outcomes: Sequence[Outcome]) -> Any:
    """Ratios to the baseline of each way, a panel for each table."""
    tables: dict[str, list[Figure]] = {}
    for outcome in outcomes:
        for figure in outcome.figures:
            tables.setdefault(figure.table, []).append(figure)
    heights = [
        len(dict.fromkeys(each.row for each in among)) for among in tables.values()
    ]
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    picture, axes = plt.subplots(
        len(tables),
        1,
        figsize=(8.5, 1.2 + 0.3 * sum(heights)),
        layout="constrained",
        squeeze=False,
        height_ratios=heights,
        sharex=True,
    )
    for ax, (title, among) in zip(axes[:, 0], tables.items(), strict=True):
        _ratios(ax, title, among)
    # A line that ends at the edge goes on: on a busy machine some go far.
    axes[-1, 0].set_xlim(0, max(2.5, 1.2 * _highest_median(outcomes)))
    axes[-1, 0].set_xlabel("time of a step over that of its baseline (1)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower right", ncols=2, frameon=False)
    return picture


def _highest_median(outcomes: Sequence[Outcome]) -> float:
    return max(
        figure.spread.median
        for outcome in outcomes
        for figure in outcome.figures
        if figure.spread and figure.unit == RATIO
    )


def _ratios(ax: Any, title: str, figures: Sequence[Figure]) -> None:
    ratios = [figure for figure in figures if figure.unit == RATIO and figure.spread]
    rows = list(dict.fromkeys(figure.row for figure in ratios))
    styles = {PROCESSOR: ("o", 0.12, True), WALL: ("o", -0.12, False)}
    for clock, (marker, shift, filled) in styles.items():
        for figure in ratios:
            if figure.column == clock and figure.spread:
                spread = figure.spread
                color = OURS if "keras_lr" in figure.row else GREY
                place = len(rows) - 1 - rows.index(figure.row) + shift
                ax.plot([spread.low, spread.high], [place, place], color=color, lw=1.2)
                ax.plot(
                    spread.median,
                    place,
                    marker,
                    color=color,
                    markerfacecolor=color if filled else "white",
                )
        ax.plot([], [], marker, color=GREY, label=clock,
                markerfacecolor=GREY if filled else "white")  # fmt: skip
    ax.axvline(1, color="black", lw=0.8)
    labels = [row.replace("`", "") for row in rows[::-1]]
    ax.set_yticks(range(len(rows)), labels)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_title(title, loc="left", fontsize="medium")
    ax.grid(axis="x", alpha=0.3)


def finders(outcomes: Sequence[Outcome]) -> Any:
    """Mean regret of each finder, at a constant rate and under one-cycle."""
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    means = [figure for figure in figures if figure.column.endswith(", mean")]
    rows = list(dict.fromkeys(figure.row for figure in means))[::-1]
    spent = {
        figure.row: figure.text
        for figure in figures
        if figure.column == "updates spent"
    }
    columns = list(dict.fromkeys(figure.column for figure in means))
    picture, axes = new(0.9 + 0.25 * len(rows))
    ax = axes[0, 0]
    for column, color in zip(columns, (OURS, THEIRS), strict=True):
        values = {
            figure.row: float(figure.text)
            for figure in means
            if figure.column == column
        }
        places = [rows.index(row) for row in values]
        label = column.removesuffix(", mean")
        ax.plot(list(values.values()), places, "o", color=color, label=label, alpha=0.8)
    labels = [f"{row.replace('`', '')}  ({spent[row]} updates)" for row in rows]
    ax.set_yticks(range(len(rows)), labels)
    ax.set(
        xlabel="mean regret: 0 is the best rate, 1 learned nothing", xlim=(-0.02, 1.02)
    )
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    return picture


def lookups(outcomes: Sequence[Outcome]) -> Any:
    """Times of both, in a logarithm, a panel for each number of entries."""
    figures = [
        figure
        for outcome in outcomes
        for figure in outcome.figures
        if figure.column.endswith(", a lookup") and figure.spread
    ]
    tables = list(dict.fromkeys(figure.table for figure in figures))
    rows = list(dict.fromkeys(figure.row for figure in figures))[::-1]
    picture, axes = new(1.0 + 0.45 * max(1, len(rows)), max(1, len(tables)))
    for ax, table in zip(axes[0], tables, strict=False):
        for name, shift, color in (("glossary", 0.2, OURS), ("wn", -0.2, THEIRS)):
            among = [
                figure
                for figure in figures
                if figure.table == table and figure.column.startswith(f"{name},")
            ]
            places = [rows.index(figure.row) + shift for figure in among]
            medians = [figure.spread.median for figure in among if figure.spread]
            ax.barh(places, medians, height=0.38, color=color, label=name)
        ax.set(xscale="log", xlabel="microseconds a lookup")
        ax.set_title(table.removeprefix("lookups "), fontsize="medium")
        ax.set_yticks(range(len(rows)), rows if ax is axes[0][0] else [""] * len(rows))
        ax.grid(axis="x", alpha=0.3)
    handles, labels = axes[0][0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower right", ncols=2, frameon=False)
    return picture


def imports(outcomes: Sequence[Outcome]) -> Any:
    """Wall and processor time of each import."""
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    timed = [figure for figure in figures if figure.spread]
    rows = list(dict.fromkeys(figure.row for figure in timed))[::-1]
    picture, axes = new(0.9 + 0.32 * max(1, len(rows)))
    ax = axes[0, 0]
    for clock, shift, alpha in ((WALL, 0.2, 0.55), (PROCESSOR, -0.2, 1.0)):
        among = [figure for figure in timed if figure.column == clock]
        places = [rows.index(figure.row) + shift for figure in among]
        spreads = [figure.spread for figure in among if figure.spread]
        medians = [spread.median for spread in spreads]
        below = [spread.median - spread.low for spread in spreads]
        above = [spread.high - spread.median for spread in spreads]
        ax.barh(
            places,
            medians,
            height=0.38,
            xerr=[below, above],
            ecolor=GREY,
            color=[OURS if _is_ours(figure.row) else GREY for figure in among],
            alpha=alpha,
        )
        # A bar of no length: the others have several colors.
        ax.barh([0], [0], color=GREY, alpha=alpha, label=clock)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel="milliseconds beyond an empty process (keras_lr: beyond keras)")
    ax.grid(axis="x", alpha=0.3)
    ax.legend(loc="upper right")
    return picture


def _is_ours(row: str) -> bool:
    return row.startswith(("glossary", "keras_lr"))


#: By part.
DRAWN: dict[str, Callable[[Sequence[Outcome]], Any]] = {
    "steps": steps,
    "finders": finders,
    "lookups": lookups,
    "imports": imports,
}
