"""Why a sweep is judged as it is, and what to do about it, in words."""

from __future__ import annotations

from dataclasses import dataclass

#: A rate that is too low to harm any training: to begin lower cannot help.
HARMLESS = 1e-6

LOOK_AT_DATA = "look at the data (a constant or unscaled column) and the optimizer"


@dataclass(frozen=True)
class Advice:
    """What can be done about a sweep, in the words of the function that was called.

    Attributes:
        begin_lower: Where the first rates were too high.
        begin_higher: Where they were too low for the optimizer.
        go_higher: Where the loss still falls at the last rate.
        less_noise: Where noise hides the answer.
    """

    begin_lower: str
    begin_higher: str
    go_higher: str
    less_noise: str


#: Of ``LRFinder``.
FOR_SWEEP = Advice(
    begin_lower="begin lower, with a smaller `min_lr`",
    begin_higher="begin higher, with a `min_lr` of 0.001 or more",
    go_higher="sweep higher, with a larger `max_lr`",
    less_noise="use larger batches, or more `steps` and several `updates_per_rate`",
)
#: Of ``find_lr``, whose sweep has one range.
FOR_SEARCH = Advice(
    begin_lower="scale the inputs and targets, or clip the gradients",
    begin_higher="use an optimizer whose update shrinks with the rate",
    go_higher="scale the inputs and targets, or give the search a larger `budget`",
    less_noise="use a larger `batch_size` or a larger `budget`",
)


def not_finite(rate: float, updates: int, advice: Advice) -> str:
    """Losses are not finite from the first updates on.

    Args:
        rate: Of the last update before that.
        updates: Before that.
        advice: What the caller can do.
    """
    if rate > HARMLESS:
        first = "the first update" if updates < 2 else f"{updates} updates"
        return (
            f"the loss is not finite after {first}, at a rate of {rate:.2g}: "
            f"{advice.begin_lower}"
        )
    when = "at any rate that was tried" if updates < 2 else f"after {updates} updates"
    return (
        f"the loss is not finite {when}, though {rate:.2g} is too low a rate to be the "
        f"cause: {LOOK_AT_DATA}"
    )


def ruined(first: float, behind: float, rate: float, advice: Advice) -> str:
    """The very first updates changed the loss for good.

    Args:
        first: The loss before any update.
        behind: The loss after them.
        rate: The first one.
        advice: What the caller can do.
    """
    went = (
        f"the loss went from {first:.3g} to {behind:.3g} with the very first updates, "
        f"at a rate of {rate:.2g}"
    )
    if rate > HARMLESS:
        return f"{went}: {advice.begin_lower}"
    return (
        f"{went}, which is too low to be the cause: where the optimizer's update does "
        f"not shrink with the rate, as Ftrl's, {advice.begin_higher}"
    )


def rose(rate: float, advice: Advice) -> str:
    """The loss rose, from a rate on that is almost the first."""
    lower = advice.begin_lower
    if rate <= HARMLESS:
        lower = f"{LOOK_AT_DATA}, or {lower}"
    return f"the loss rose almost from the start, at a rate of {rate:.2g}: {lower}"


def still_falling(rate: float, advice: Advice) -> str:
    """The loss had not reached its minimum at the last rate."""
    return (
        f"the loss was still falling at the last rate, {rate:.2g}: {advice.go_higher}"
    )


def in_order(lowest: float, highest: float) -> str:
    """The losses of the batches change, whatever the rate."""
    return (
        f"the loss moved between {lowest:.3g} and {highest:.3g} at rates too low to "
        "change it, so that the batches come in an order: shuffle the rows"
    )


def anywhere(fall: float, noise: float, decades: float, advice: Advice) -> str:
    """The loss fell, and noise hides where."""
    return (
        f"the loss fell by {fall:.3g}, but its noise of {noise:.2g} lets the minimum "
        f"lie anywhere within {decades:.1f} decades: {advice.less_noise}"
    )


def hidden(
    level: float,
    noise: float,
    sure: float,
    rises: bool,
    cannot_fall: bool,
    advice: Advice,
) -> str:
    """Noise hides whether the loss fell.

    Args:
        level: The loss at the start.
        noise: Of one loss.
        sure: The fall that noise alone does not make.
        rises: Whether the loss rose in the end.
        cannot_fall: Whether no loss that is not negative could fall by so much.
        advice: What the caller can do.
    """
    unless = ", unless the model has learned all it can" if cannot_fall else ""
    return (
        f"the loss of {level:.3g} has a noise of {noise:.2g}, which hides any fall "
        f"below {sure:.2g}{_before(rises)}: {advice.less_noise}{unless}"
    )


def flat(level: float, sure: float, low: float, high: float, rises: bool) -> str:
    """The loss did not move, and noise would have hidden little."""
    return (
        f"the loss stayed at {level:.4g} for all rates from {low:.2g} to {high:.2g}"
        f"{_before(rises)}, give or take {sure:.2g}: the model does not learn, or not "
        "within so few updates"
    )


def trusted(fall: float, noise: float, rate: float) -> str:
    """The loss fell by more than noise explains.

    Args:
        fall: By how much.
        noise: Of one loss, not 0.
        rate: Of the minimum.
    """
    times = fall / noise
    clear = f"{times:.1f} times its noise" if times < 1000 else "with hardly any noise"
    return f"the loss fell by {fall:.3g}, {clear}, to a minimum at a rate of {rate:.2g}"


def _before(rises: bool) -> str:
    return " before it rose" if rises else ""
