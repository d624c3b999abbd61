"""The parts of the benchmark, in the order of the report, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass

ALL = ("tensorflow", "jax", "torch")
#: Of a part that needs no backend.
NONE = ("",)
DEFAULT = "default"


@dataclass(frozen=True)
class Section:
    """A part, and its place in the report.

    Attributes:
        part: Module of ``benchmarks.parts``.
        title: Its heading.
        text: What was done, and how to read it.
        backends: On each of which it runs in a process of its own.
        sizes: In which it runs when nobody asks for it by name.
        picture: File beside the report, or none.
    """

    part: str
    title: str
    text: str
    backends: tuple[str, ...] = ALL
    sizes: tuple[str, ...] = ("quick", DEFAULT, "full")
    picture: str = ""


SECTIONS = (
    Section(
        "steps",
        "What a step costs",
        """
A net of dense layers of 64, Adam, batches of 32, no shuffling, the same rows and
threads for all. Epochs alternate in one process; each ratio is of two epochs of one
round. A row "again" is its baseline once more: what it differs from 1 is noise. The
plain torch loop (a DataLoader, `zero_grad`, `backward`, `step`) is compared with
itself without a scheduler; what `fit` of Keras does besides shows in the column "a
step", which is processor time. The first epoch, in which TensorFlow and JAX compile,
is in no other column.
""",
        picture="steps.png",
    ),
    Section(
        "compiles",
        "How often a step is compiled",
        """
Five fits of one model: under a cosine, a linear and an exponential schedule, without
one, and under the cosine again. Each update of the probe lowers its weight by the
rate times a known number, so that the weight tells whether it trained at the rates
asked for. Keras' schedules count the updates of the optimizer, which is set back to 0
before each fit. Ours traces a step of its own once, and the plain step once in the
fit without a schedule.
""",
    ),
    Section(
        "sweeps",
        "What a sweep costs",
        """
A fit under `LRFinder` over a plain fit of as many updates: copying, looking at the
losses, restoring and judging included.
""",
    ),
    Section(
        "loops",
        "A fit an epoch at a time",
        """
A loop of fits of one epoch each, with `initial_epoch`, under a schedule with a
horizon, over the same loop without callbacks. Every model has run the loop once
before.
""",
    ),
    Section(
        "search",
        "What a search costs",
        """
`find_lr` with its defaults on scikit-learn's digits. *Compiled*: on a model that was
searched before, over a plain fit of as many updates of a trained one. *New model*:
compiling included, over a whole training of 20 epochs, compiling included as well.
The updates are those of the search and those of the fit beside it.
""",
    ),
    Section(
        "finders",
        "How good the rates are, in short",
        """
Regret is the share of what could be learned that training at the suggested rate
loses: 0 is the best rate of a grid search, 1 learned nothing. One seed, and one in
three of the tasks on which nothing was tuned, by their place in the list: too few to
tell neighbours apart. All tasks, five seeds and optimizers without a rate are in
[docs/measured.md](../docs/measured.md) (`make bench-finder`).
""",
        backends=("jax",),
        picture="finders.png",
    ),
    Section(
        "lookups",
        "The glossary beside wn",
        """
[wn](https://github.com/goodmami/wn) holds wordnets in a database; here it has the
glossary's own terms, with the same names, definitions and relations. Both are open
and warm. What each is for differs: wn reads only what it is asked for, and has room
for millions of words; the glossary keeps all of its terms in memory, and knows
spellings. Times are of the processor. "Answered" is ours, then that of wn; where ours
answers and wn does not, the times are not of the same work.
""",
        backends=NONE,
        picture="lookups.png",
    ),
    Section(
        "imports",
        "What imports cost",
        """
Each in a process of its own, in turns. Times are beyond those of the process that is
named in the first column, started in the same round. Keras imports TensorFlow where
it is installed, whatever its backend.
""",
        backends=NONE,
        picture="imports.png",
    ),
    Section(
        "monitor",
        "What a monitor costs",
        """
A step with a `RateMonitor` over that of the same fit without: under a one-cycle, or,
where it is alone, a plain fit.
""",
        sizes=("full",),
    ),
    Section(
        "noise_scale",
        "What a noise scale costs",
        """
A step with a `GradientNoiseScale`, which measures every 10th batch, over a plain one.
""",
        sizes=("full",),
    ),
)


def by_part(name: str) -> Section:
    """The section of that part."""
    return next(section for section in SECTIONS if section.part == name)
