"""From one batch size to another: what becomes of a rate, and of a length."""

from __future__ import annotations

from keras_lr.plan.checks import check_at_least, check_choice, check_int, check_rate
from keras_lr.plan.duration import LONGEST, Duration, parse

#: By rule: the power of the batch size that the rate grows with.
EXPONENTS = {"linear": 1.0, "sqrt": 0.5}


def scale_lr(lr: float, from_batch: int, to_batch: int, rule: str = "linear") -> float:
    r"""A rate that is good at one batch size, for another one.

    .. math:: \eta' = \eta (B' / B)^p

    with :math:`\eta` the rate at batch size :math:`B`, :math:`\eta'` that at
    :math:`B'`, and p = 1 by the linear rule, p = 1/2 by the square-root rule.

    * ``"linear"`` assumes SGD, with or without momentum, and a gradient that hardly
      changes over B' / B small steps, so that one large step can go as far as all of
      them. That holds below the critical batch size (:class:`GradientNoiseScale`
      measures it) and not in the first epochs, hence the warmup that goes with it. The
      number of epochs stays, that of updates falls (:func:`scale_length`).
    * ``"sqrt"`` keeps the noise of an update, which falls as the root of the batch
      size. It is the rule for Adam, RMSprop and their kin, whose updates do not grow
      with the gradient, and assumes that noise is most of the gradient: again, a batch
      below the critical size. Its derivation for Adam changes the betas and epsilon as
      well, which this function leaves to you.

    Neither knows where it ends. ``GradientNoiseScale().result.rate_at(batch_size)``
    has a law that levels off.

    Args:
        lr: The rate, in the optimizer's own unit; finite and not negative. 0 stays 0.
        from_batch: Rows of a batch that it is good for, at least 1: of all devices and
            of all batches that are accumulated to one update.
        to_batch: Rows of a batch to train with, at least 1.
        rule: ``"linear"`` or ``"sqrt"``.

    Returns:
        The rate at the other batch size.

    Raises:
        TypeError: If the rate is no number, or a batch size no int.
        ValueError: If one of them is out of range, or the rule is another.

    Example:
        >>> scale_lr(0.1, 256, 1024)
        0.4
        >>> scale_lr(0.001, 32, 128, rule="sqrt")
        0.002

    Source: Goyal et al. 2017, arXiv:1706.02677, sec. 2.1 (linear); Krizhevsky 2014,
    arXiv:1404.5997 (square root, for SGD), and Malladi et al. 2022, arXiv:2205.10287
    (square root, for Adam and RMSprop).
    """
    check_rate("lr", lr, above=None)
    _check_batches(from_batch, to_batch)
    check_choice("rule", rule, tuple(EXPONENTS))
    return float(lr * (to_batch / from_batch) ** EXPONENTS[rule])


def scale_length(length: Duration, from_batch: int, to_batch: int) -> Duration:
    r"""A length of a training at one batch size, for another one.

    .. math:: n' = n B / B'

    with n updates of B rows and n' of B' rows: both see as many rows. What is given in
    epochs, or as a fraction of the run, sees as many rows at any batch size and is
    returned as it is: only a count of updates changes.

    Args:
        length: A duration, as schedules take it: updates as an int or ``"500 steps"``,
            a fraction as ``0.05`` or ``"5%"``, or ``"2 epochs"``.
        from_batch: Rows of a batch that it was meant for, at least 1.
        to_batch: Rows of a batch to train with, at least 1.

    Returns:
        Updates as an int, rounded to the nearest and at least 1; anything else as it
        was given.

    Raises:
        TypeError: If the length is no duration, or a batch size no int.
        ValueError: If one of them is out of range.

    Example:
        >>> scale_length(500, 32, 128), scale_length("5%", 32, 128)
        (125, '5%')
    """
    unit, updates, _ = parse(length, "length")
    _check_batches(from_batch, to_batch)
    if unit != "updates":
        return length
    # By whole numbers: exact however long, halves up.
    scaled = (2 * int(updates) * from_batch + to_batch) // (2 * to_batch)
    return min(max(scaled, 1), LONGEST)


def _check_batches(from_batch: int, to_batch: int) -> None:
    for name, size in {"from_batch": from_batch, "to_batch": to_batch}.items():
        check_int(name, size)
        check_at_least(name, size, 1)
