"""Findings about two writers of one rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keras_lr.lints.finding import Finding
from keras_lr.lints.scene import Lane, Scene


def find(scene: Scene, lanes: Sequence[Lane]) -> Iterator[Finding]:
    """Whatever else changes the rates of schedules.

    Args:
        scene: The fit.
        lanes: Those of its optimizers that are looked at.
    """
    for name in scene.twice:
        yield Finding(
            "two-writers",
            "error",
            f"{name} is in the list of callbacks twice, and would multiply with "
            "itself: a fit refuses it.",
            "Leave one out.",
            None,
            name,
        )
    kinds = [writer.kind for writer in scene.writers]
    if "Plateau" in kinds and "ReduceLROnPlateau" in kinds:
        names = " and ".join(writer.name for writer in scene.writers)
        yield Finding(
            "two-writers",
            "warning",
            f"{names} both cut the rate where a metric has stopped getting better: "
            "the cuts multiply.",
            "Leave ReduceLROnPlateau out.",
            None,
            None,
        )
    for lane in lanes:
        yield from _beside_schedules(lane, scene)
        yield from _in_optimizer(lane)


def _beside_schedules(lane: Lane, scene: Scene) -> Iterator[Finding]:
    plans = lane.rate_plans
    if not plans:
        return
    for writer in scene.writers:
        if writer.kind == "LearningRateScheduler":
            yield Finding(
                "two-writers",
                "warning",
                f"A LearningRateScheduler sets the rate{lane.of} that {lane.name} "
                "multiplies at the begin of each epoch; the rates shown are without "
                "it.",
                "Say both in one schedule, as Function or PiecewiseConstant, or leave "
                "one out.",
                None,
                lane.name,
            )
        elif writer.kind == "ReduceLROnPlateau" and not any(
            other.kind == "Plateau" for other in scene.writers
        ):
            # A warmup and then cuts is what people do.
            is_usual = all(plan.is_warmup for plan in plans)
            yield Finding(
                "two-writers",
                "note" if is_usual else "warning",
                f"A ReduceLROnPlateau cuts the rate{lane.of} that {lane.name} "
                "schedules; the rates shown are without its cuts.",
                "Use Plateau, which waits for the end of a warmup, or leave one out.",
                None,
                lane.name,
            )


def _in_optimizer(lane: Lane) -> Iterator[Finding]:
    """A schedule that the optimizer was compiled with, beside callbacks."""
    if lane.own_schedule is None or not lane.rate_plans:
        return
    if any(plan.course.is_absolute for plan in lane.rate_plans):
        return  # It is refused, and told where that is known.
    yield Finding(
        "two-writers",
        "note",
        f"{lane.name} multiplies what {lane.own_schedule} in the optimizer gives"
        f"{lane.of}.",
        "Compile the optimizer with a number if only one of them is meant.",
        None,
        lane.name,
    )


def refused(error: ValueError, name: str) -> Finding:
    """What a fit refuses, in its words: two values that are both absolute."""
    rule, _, rest = str(error).partition(" Received: ")
    received, _, advice = rest.partition(". ")
    message = f"{rule} Received: {received}." if rest else rule
    return Finding(
        "two-writers", "error", message, advice or "Leave one out.", None, name
    )
