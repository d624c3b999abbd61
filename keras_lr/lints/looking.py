"""All findings of a fit."""

from __future__ import annotations

from collections.abc import Sequence

from keras_lr.lints import joins, lengths, resumed, sizes, values, writers
from keras_lr.lints.finding import Finding, in_order
from keras_lr.lints.scene import Scene


def findings_of(scene: Scene, refusals: Sequence[Finding]) -> tuple[Finding, ...]:
    """What is odd about a fit, the worst first.

    Args:
        scene: The fit.
        refusals: What it would refuse, as far as that is known already.
    """
    found = [*refusals, *writers.find(scene)]
    for lane in scene.lanes:
        found += values.find(lane)
        found += joins.find(lane)
        found += lengths.find(lane, scene)
        found += sizes.find(lane)
        found += resumed.find(lane)
    return in_order(found)
