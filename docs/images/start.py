"""Draws the pictures of docs/start.md, by running that page.

Run it as ``python docs/images/start.py``; needs matplotlib and scikit-learn. The
pictures in the repository were made with ``KERAS_BACKEND=jax``.
"""

from __future__ import annotations

import doctest
import os
import sys
import tempfile
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any

# Nets this small are faster on one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

HERE = Path(__file__).parent
PAGE = HERE.parent / "start.md"


def run_page() -> dict[str, Any]:
    """What the names of the page stand for after all of its sessions."""
    names: dict[str, Any] = {}
    examples = doctest.DocTestParser().get_examples(PAGE.read_text("utf-8"))
    # The page writes files.
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for example in examples:
            # One of them is a crash, which the page resumes from.
            expected = (Exception,) if example.exc_msg else ()
            with suppress(*expected):
                exec(compile(example.source, str(PAGE), "single"), names)
    return names


def losses_and_rates(
    exploded: list[float], trained: dict[str, list[float]], rates: Any
) -> Figure:
    """The losses of both runs beside the rates of the second.

    Args:
        exploded: The loss of each epoch of the run that failed.
        trained: The history of the run that did not.
        rates: Of each update of that one.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    first_epochs = range(1, len(exploded) + 1)
    epochs = range(1, len(trained["loss"]) + 1)
    left.plot(first_epochs, exploded, "C3o-", label="at 0.3: training")
    left.plot(epochs, trained["loss"], "C0:", label="one-cycle: training")
    left.plot(epochs, trained["val_loss"], "C0o-", label="one-cycle: test")
    left.set(title="Loss after each epoch", xlabel="epoch", yscale="log")
    left.set_ylabel("cross-entropy (nats)")
    left.legend()
    per_epoch = len(rates) / len(epochs)
    right.plot([update / per_epoch for update in range(len(rates))], rates)
    right.set(title="Rate of each update", xlabel="epoch", ylabel="learning rate")
    right.set_ylim(0, None)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def main() -> None:
    """Run the page and draw both pictures beside this file."""
    # The page's net must be the one that is trained, whatever the shell's folder.
    sys.path.insert(0, str(HERE.parents[1]))
    names = run_page()
    names["result"].plot().figure.savefig(HERE / "start_finder.png", dpi=100)
    rates = names["one_cycle"].values(steps=450)
    figure = losses_and_rates(names["exploded"]["loss"], names["trained"], rates)
    figure.savefig(HERE / "start_losses.png", dpi=100)


if __name__ == "__main__":
    main()
