"""All findings of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from keras_lr.lints import joins, lengths, resumed, sizes, values, writers
from keras_lr.lints.finding import Finding, in_order
from keras_lr.lints.scene import Lane, Scene


def findings_of(scene: Scene, refusals: Sequence[Finding]) -> tuple[Finding, ...]:
    """What is odd about a fit, the worst first.

    Args:
        scene: The fit.
        refusals: What it would refuse, as far as that is known already.
    """
    lanes = _unlike(scene.lanes)
    found = [*refusals, *writers.find(scene, lanes)]
    for lane in lanes:
        of_lane = [
            *values.find(lane),
            *joins.find(lane),
            *lengths.find(lane, scene),
            *sizes.find(lane),
            *resumed.find(lane),
        ]
        found += [_within(finding, lane) for finding in of_lane]
    return in_order(found)


def _within(finding: Finding, lane: Lane) -> Finding:
    """A finding at an update of the fit: what lies before it shows from its begin."""
    if finding.update is None:
        return finding
    update = min(max(finding.update, lane.first), lane.total - 1)
    return replace(finding, update=update)


def _unlike(lanes: Sequence[Lane]) -> list[Lane]:
    """Of optimizers that follow the same schedules the one with the highest rate.

    What would be said of the others is the same, but for their ratio to it.
    """
    alike: dict[object, list[Lane]] = {}
    for lane in lanes:
        names = tuple(plan.name for plan in lane.plans)
        kind = (names, lane.total, lane.accumulation, lane.own_schedule)
        alike.setdefault(kind, []).append(lane)
    return [_of_all(some) for some in alike.values()]


def _of_all(lanes: Sequence[Lane]) -> Lane:
    """The one with the highest rate, which is not named where it stands for others."""
    highest = max(lanes, key=lambda lane: float(lane.rates.max()))
    return highest if len(lanes) == 1 else replace(highest, label=None)
