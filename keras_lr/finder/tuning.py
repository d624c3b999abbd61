"""Every tuned number of the finder, and what chose it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuning:
    """The numbers.

    Those of the data and of the verdict of a search, up to ``noisy_spread``, were set
    by hand on the cases of ``tests/keras_lr/finder/test_verdicts.py``; those of the
    sweep, from ``window`` on, on the tasks to tune on of ``benchmarks/finder`` by an
    earlier benchmark, and on sweeps that begin in ruins.

    Those of the search, from ``sweep_share`` on, were chosen on tasks that are there to
    tune on, five seeds each: a score is the mean regret at a constant rate / over one
    cycle where the planned length is not known, as it is .026 / .025
    (``benchmarks/finder/designs.md``).

    A point is a third of a decade: the rate of point k is ``10 ** (k / points)``.

    Attributes:
        share_held: Of the rows, to hold out.
        most_rows_held: Rows to hold out at most.
        most_batches_held: The same of batches that are drawn.
        parts: That the rows held out make: how they differ tells what is noise.
        larger: Times the user's batch size that such a part has at most.
        sure: Standard deviations of a normal distribution that a fall must have.
        sure_if_clear: The same where the targets of other rows fit worse for sure.
        clear_fall: The relative fall that it must have then.
        surer_by_share: The same in addition, for the relative fall.
        noisy: Of the loss: a fall that noise would hide, for the data to be noisy.
        sure_of_inputs: Standard deviations by which the targets of other rows must fit
            worse. 2.6: one search of ten on raw targets says that it learned nothing.
        nothing: The relative difference to the targets of other rows that is none.
            Random labels: below 0.03. Whatever learned: 0.3 and more.
        noisy_spread: Of the loss: standard deviation of the parts' losses, the same.
        statistics: The momentum of batch normalization in short trainings, at most. At
            its usual 0.99 moving statistics would still be mostly their initial values
            when they are judged.
        window: Of a sweep, that the smoother looks at around each point.
        fallen: Of the fall, that is made at the rate that our own rule begins with.
        divisor_stays: What that rate is divided by, for a rate that stays: .043 of
            regret on the tasks for reporting, the best of 3 to 10 on those to tune on.
        divisor_down: The same for a peak that the rate comes down from: .049.
        sweep_sure: Times its own standard error that the fall of a sweep must have.
        widest: Decades that the interval of a sweep may have.
        ruined: Times the noise of one loss that the losses jump by where the first
            updates ruined the model: 0 false alarms on 108 sweeps from 1e-7.
        as_low: Of the later losses, that may be as low as the first one then.
        several: Times the first loss that they jump by where they are too wild to tell.
        least_fall: Of the loss, that a fall must have to count where there is no noise:
            the collapse of Ftrl falls by .0006.
        hides: Noise, as a share of the loss, above which a fall may be hidden.
        ordered: Times the noise between neighbours that losses spread by, at rates too
            low to change them, where the batches come in an order.
        sweep_share: Of the budget, for the sweep: 100 of 800 updates. 160 of them, with
            shorter trainings: .026 / .025, and seeds differ more.
        sweep_least: Updates of a sweep at least: judged on fewer, it says nothing.
        start_divisor: Short trainings are centred on the rate where the sweep has
            fallen over this. 2 and 6: within .0005.
        points: To a decade.
        around: Points of short trainings, from their centre. Nine of them, or five that
            are two thirds of a decade apart: within .0005.
        short_share: Of the updates after the sweep, for one short training: 20 of 700.
            10 of them: .030 / .023. 30: .028 / .027.
        short_least: Updates of a short training at least.
        walk: Points that a walk of short trainings takes at once, beyond an edge that
            wins. One at a time: .027 / .026.
        kept: Short trainings beyond those around, for which updates are kept.
        longs: Long trainings. Five of them: .029 / .025. Four: .034 / .025. Three of
            twice the length: .056 / .034. Eight of 67 updates: .030 / .029.
        longs_least: Long trainings for which a walk leaves updates.
        wide: Points of the look where the sweep says nothing: 1e-6 to 4.6. After a
            "noisy" one, too: .026 / .027. After every one: .030 / .026. Whole decades
            see the narrow valley of Ftrl from three seeds of five, these from four.
        near: A long training counts by how near it comes to the best: e-fold less for
            this share of the gain. 0.01 and 0.1: within .0005.
        errors: The same for so many paired standard errors of the gap, in addition.
            None: .031 / .027, and seeds differ by .43 decades instead of .31. 0.5:
            .028 / .026. 3: .026 / .024.
        exponent: A training that is longer by the factor f bears a rate that is lower
            by f to this. Where the length is known: .021 / .023. 0.4: .024 / .024.
            0.75: .019 / .022, and further off on lengths that no task has. A fixed
            factor of .47 / .68: .037 / .035.
        scale_stays: What a training of the planned length bears, over what a long one
            bears best, were both of one length. 1.1 makes 0.39 of it for 500 updates
            planned and long trainings of 90. 0.36 and 0.42 of it: .025 and .028.
        scale_down: The same where the rate comes down. 1.35 makes 0.48. 0.43 and 0.5 of
            it: .025.
        longest: Times a long training's updates that are believed of a planned one:
            none of the tasks has more than twenty times.
        planned_least: Updates that are planned at least where nothing is known. 1000:
            .025 / .025, but .018 / .021 on the tasks that are scored, .014 / .016 so.
        off_scale: The excess from which on a model is off scale. Raw features, tuned
            on: 84 to 1240. All others tuned on or beside: 97 of 100 below 30, none of
            the former and one search of 320 of the latter above.
        easy: Of the loss that training at about any rate leads to: where the best rate
            leaves less, the task is easy and no excess means anything.
    """

    share_held: float = 0.2
    most_rows_held: int = 1000
    most_batches_held: int = 16
    parts: int = 10
    larger: int = 4
    sure: float = 2.6
    sure_if_clear: float = 1.6
    clear_fall: float = 0.02
    surer_by_share: float = 1.2
    noisy: float = 0.1
    sure_of_inputs: float = 2.0
    nothing: float = 0.1
    noisy_spread: float = 0.25
    statistics: float = 0.9

    window: float = 0.1
    fallen: float = 0.97
    divisor_stays: float = 6.0
    divisor_down: float = 2.0
    sweep_sure: float = 5.0
    widest: float = 1.5
    ruined: float = 4.0
    as_low: float = 0.01
    several: float = 3.0
    least_fall: float = 0.002
    hides: float = 0.05
    ordered: float = 3.0

    sweep_share: float = 1 / 8
    sweep_least: int = 20
    start_divisor: float = 3.0
    points: int = 3
    around: tuple[int, ...] = (0, -1, 1, -2, 2, -3, 3)
    short_share: float = 1 / 35
    short_least: int = 5
    walk: int = 2
    kept: int = 1
    longs: int = 6
    longs_least: int = 3
    wide: tuple[int, ...] = (-18, -16, -14, -12, -10, -8, -6, -4, -2, 0, 2)
    near: float = 0.03
    errors: float = 1.5
    exponent: float = 0.6
    scale_stays: float = 1.1
    scale_down: float = 1.35
    longest: float = 33.0
    planned_least: int = 700
    off_scale: float = 75.0
    easy: float = 0.2


TUNING = Tuning()
