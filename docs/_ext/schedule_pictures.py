"""A picture of every schedule, drawn from the schedule itself while the site is built.

``.. schedule-picture:: OneCycle`` draws what :data:`EXPRESSIONS` says of it,
``.. schedule-gallery:: OneCycle CyclicalLR`` a small one of each, with a link. They are
SVG in the page, in the colours of the page, light or dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from docutils import nodes
from docutils.parsers.rst import Directive
from line_charts import Line, chart, sparkline

import keras_lr

if TYPE_CHECKING:
    from sphinx.application import Sphinx

EPOCHS = 10
STEPS_PER_EPOCH = 20
STEPS = EPOCHS * STEPS_PER_EPOCH
#: The optimizer's own momentum, in force where a schedule leaves it alone.
MOMENTUM = 0.9

#: What is drawn of each schedule: expressions as a user writes them, at most three.
EXPRESSIONS: Mapping[str, Sequence[str]] = {
    "Warmup": (
        "Warmup('20%', max_lr=0.1)",
        "Warmup('4 epochs', curve='cosine', max_lr=0.1)",
        "Warmup('60%', curve='exponential', start=0.01, max_lr=0.1)",
    ),
    "WarmupCosine": (
        "WarmupCosine(max_lr=0.1)",
        "WarmupCosine(max_lr=0.1, warmup='3 epochs', min_lr=0.02)",
    ),
    "WarmupLinear": (
        "WarmupLinear(max_lr=0.1, warmup='10%')",
        "WarmupLinear(max_lr=0.1, warmup=0, decay='50%')",
    ),
    "WarmupStableDecay": (
        "WarmupStableDecay(max_lr=0.1)",
        "WarmupStableDecay(max_lr=0.1, decay='50%', shape='linear')",
        "WarmupStableDecay(max_lr=0.1, decay='40%', shape='1-square')",
    ),
    "InverseSqrt": (
        "InverseSqrt(max_lr=0.1, warmup=20)",
        "InverseSqrt(max_lr=0.1, timescale=100)",
    ),
    "CosineDecay": (
        "CosineDecay(max_lr=0.1)",
        "CosineDecay(max_lr=0.1, min_lr=0.01, decay='60%')",
        "CosineDecay(max_lr=0.1, exponent=3.0)",
    ),
    "LinearDecay": (
        "LinearDecay(max_lr=0.1)",
        "LinearDecay(max_lr=0.1, min_lr=0.02, decay='5 epochs')",
    ),
    "PolynomialDecay": (
        "PolynomialDecay(max_lr=0.1)",
        "PolynomialDecay(max_lr=0.1, power=0.5)",
    ),
    "ExponentialDecay": (
        "ExponentialDecay(max_lr=0.1)",
        "ExponentialDecay(max_lr=0.1, rate=0.5, every='2 epochs', min_lr=0.01)",
    ),
    "InverseTimeDecay": (
        "InverseTimeDecay(max_lr=0.1)",
        "InverseTimeDecay(max_lr=0.1, rate=1.0, every='2 epochs')",
    ),
    "StepDecay": (
        "StepDecay(max_lr=0.1)",
        "StepDecay(max_lr=0.1, every='2 epochs', rate=0.5, min_lr=0.01)",
    ),
    "Rex": ("Rex(max_lr=0.1)", "Rex(max_lr=0.1, min_lr=0.02, decay='7 epochs')"),
    "FlatCosine": (
        "FlatCosine(max_lr=0.1)",
        "FlatCosine(max_lr=0.1, decay='50%', min_lr=0.02)",
    ),
    "OneCycle": (
        "OneCycle(max_lr=0.1)",
        "OneCycle(max_lr=0.1, phases='three', annealing='linear')",
    ),
    "CyclicalLR": (
        "CyclicalLR(max_lr=0.1, min_lr=0.01)",
        "CyclicalLR(max_lr=0.1, min_lr=0.01, mode='triangular2', half_cycle=20)",
    ),
    "CosineRestarts": (
        "CosineRestarts(max_lr=0.1)",
        "CosineRestarts(max_lr=0.1, first_cycle='25%', t_mul=1.0, m_mul=0.7, "
        "warmup='5%')",
    ),
    "Plateau": (
        "Plateau('loss', max_lr=0.1, warmup='1 epochs', decay='20%')",
        "Plateau('loss', max_lr=0.1)",
    ),
    "PiecewiseConstant": (
        "PiecewiseConstant(['50%', '75%'], [1.0, 0.1, 0.01], max_lr=0.1)",
    ),
    "PiecewiseLinear": (
        "PiecewiseLinear([(0, 0.1), ('30%', 1.0), ('60%', 0.5), ('100%', 0.0)], "
        "max_lr=0.1)",
    ),
    "Function": (
        "Function(lambda p: (1 - p) ** 2, of='progress', max_lr=0.1)",
        "Function(lambda step: 1.0 if step < 120 else 0.2, max_lr=0.1)",
    ),
    "Schedule": (
        "Schedule(linear('10%'), hold('2 epochs'), cosine(to=0.1), max_lr=0.1)",
        "Schedule(exponential(0.3, start=0.1), linear(0.3, to=0.2), hold(), "
        "max_lr=0.1)",
    ),
}


def evaluated(expression: str) -> keras_lr.Schedule:
    """The schedule that an expression of :data:`EXPRESSIONS` makes."""
    names = {name: getattr(keras_lr, name) for name in keras_lr.__all__}
    phases = {name: getattr(keras_lr.phases, name) for name in keras_lr.phases.__all__}
    # The text stands above, and nowhere else.
    schedule: keras_lr.Schedule = eval(expression, {**names, **phases})
    return schedule


def line_of(expression: str) -> Line:
    """The rate of every update, as the schedule itself gives it."""
    values = evaluated(expression).values(STEPS, steps_per_epoch=STEPS_PER_EPOCH)
    return Line(expression, values)


def momentum_of(expression: str) -> Line | None:
    """The momentum of every update; None where the schedule leaves it alone."""
    values = evaluated(expression).momentum_values(
        STEPS, MOMENTUM, steps_per_epoch=STEPS_PER_EPOCH
    )
    return None if np.ptp(values) == 0 else Line(expression, values)


def description(line: Line) -> str:
    """What a line does, for who cannot see it.

    Example:
        >>> description(line_of("LinearDecay(max_lr=0.1)"))
        'LinearDecay(max_lr=0.1) begins at 0.1, its highest, and ends at 0'
    """
    first = f"{line.values[0]:.3g}"
    last = f"{line.values[-1]:.3g}"
    top = int(np.argmax(line.values))
    if top == 0:
        return f"{line.name} begins at {first}, its highest, and ends at {last}"
    if top == len(line.values) - 1:
        return f"{line.name} begins at {first} and ends at {last}, its highest"
    return (
        f"{line.name} begins at {first}, is highest at update {top} with "
        f"{line.values[top]:.3g}, and ends at {last}"
    )


def figure(name: str) -> str:
    """The picture of a schedule, its rates and where it swings it the momentum.

    Args:
        name: Of the schedule, a key of :data:`EXPRESSIONS`.

    Returns:
        A ``figure`` element.
    """
    rates = [line_of(expression) for expression in EXPRESSIONS[name]]
    swings = [momentum_of(expression) for expression in EXPRESSIONS[name]]
    told = "; ".join(map(description, rates))
    label = f"Learning rate over {STEPS} updates, {EPOCHS} epochs: {told}."
    drawn = [chart(rates, EPOCHS, "learning rate", label)]
    momenta = [line for line in swings if line is not None]
    if momenta:
        told = "; ".join(map(description, momenta))
        drawn.append(chart(momenta, EPOCHS, "momentum", f"Momentum: {told}."))
    keys = "".join(
        '<li><svg viewBox="0 0 28 8" aria-hidden="true">'
        f'<path class="line line-{place}" d="M0 4H28"/></svg> '
        f"<code>{escape(rate.name)}</code></li>"
        for place, rate in enumerate(rates)
    )
    caption = f"{EPOCHS} epochs of {STEPS_PER_EPOCH} updates."
    return (
        f'<figure class="schedule" id="picture-{name}">{"".join(drawn)}'
        f'<figcaption><ul class="keys">{keys}</ul>{caption}</figcaption></figure>'
    )


class SchedulePicture(Directive):
    """The picture of one schedule, by its name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The picture, as HTML."""
        return [nodes.raw("", figure(self.arguments[0]), format="html")]


class ScheduleGallery(Directive):
    """A small picture of each schedule that is named, with a link to it."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {"page": str}

    def run(self) -> list[nodes.Node]:
        """A list of links, as HTML."""
        items = []
        for name in self.arguments[0].split():
            line = line_of(EXPRESSIONS[name][0])
            address = f"{self.options['page']}.html#keras_lr.{name}"
            items.append(
                f'<li><a href="{address}">{sparkline(line)}<code>{name}</code></a></li>'
            )
        listed = f'<ul class="gallery">{"".join(items)}</ul>'
        return [nodes.raw("", listed, format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the two directives."""
    app.add_directive("schedule-picture", SchedulePicture)
    app.add_directive("schedule-gallery", ScheduleGallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
