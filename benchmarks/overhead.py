"""What schedules, fits an epoch at a time, and sweeps cost, against plain training.

Run once for each backend: ``KERAS_BACKEND=jax python benchmarks/overhead.py``.

Schedules, by the time of a step. Each way of setting the rate has its own model and
fit. The fits stand still at the end of every epoch and are let on one at a time, in a
random order each round, so that a round compares epochs of one moment on one machine,
all compiled. Two fits of the same thing can differ for good by some percent (where
their memory lies); hence several of each. A second one at a constant rate, the same in
everything, shows what is still noise.

Sweeps, by the time of a whole fit. A round makes a plain fit and a sweep of the same
updates on new models, in random order, so that both compile; then each model once more.
Snapshot, looks, restore and judgement are part of the sweep, which ends far below the
edge, so that it never stops early.

Fits an epoch at a time, by the time of a loop of 16 fits of one epoch each, under a
schedule with a horizon. Each way has several models, made beforehand, and each model
runs the loop once, which compiles. Then each round runs one model of each way, in
random order. A plain loop once more shows what is still noise. Unless ``--clock`` is
given, loops are timed by processor time, since a fit of few updates is mostly Python.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_lr

BATCH, FEATURES, CLASSES, RATE = 32, 64, 10, 1e-3
BASELINE, NOISE = "constant rate", "constant rate, again (noise)"
OWN = "Keras' own CosineDecay, at compile"
NAIVE = "callback that assigns the rate at each batch"
#: On a machine that others use too, processor time is the steadier measure.
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
#: Of the updates asked for, how many an epoch has, by layers.
SHARE = {2: 1.0, 50: 0.125}
#: Sweeps that are timed: layers, 0 for a convolutional net, and updates.
SWEEPS = ((2, 200), (2, 2000), (20, 200), (0, 200))
PLAIN = "plain"
PLAIN_NOISE = "plain, again (noise)"
#: Fits of a loop, an epoch each, and what a schedule of that loop has as its horizon.
LOOP_FITS = 16
HORIZON = f"{LOOP_FITS} epochs"
#: Models of each way that run loops.
LOOP_MODELS = 3
#: Of the updates asked for, how many an epoch of a loop has.
LOOP_SHARES = (0.125, 1.0)


class Naive(keras.callbacks.Callback):
    """What people write by hand: a cosine assigned before each batch."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total, self.step = total, 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Assign the rate of this batch."""
        fall = 0.5 * (1.0 + np.cos(np.pi * min(self.step / self.total, 1.0)))
        self.model.optimizer.learning_rate = float(RATE * fall)
        self.step += 1


#: By name: the callbacks of a fit of so many updates.
Ways = Mapping[str, Callable[[int], list[Any]]]

WAYS: Ways = {
    BASELINE: lambda total: [],
    NOISE: lambda total: [],
    "Warmup": lambda total: [keras_lr.Warmup()],
    "OneCycle, with momentum": lambda total: [keras_lr.OneCycle(max_lr=RATE)],
    "CyclicalLR, with momentum": lambda total: [
        keras_lr.CyclicalLR(max_lr=RATE, half_cycle="0.5 epochs")
    ],
    "Warmup and CosineDecay": lambda total: [keras_lr.Warmup(), keras_lr.CosineDecay()],
    "Plateau": lambda total: [keras_lr.Plateau("loss", warmup=100)],
    "Plateau, per update": lambda total: [
        keras_lr.Plateau("loss", patience=100, per="update", smoothing=0.9)
    ],
    OWN: lambda total: [],
    NAIVE: lambda total: [Naive(total)],
}

#: By name: the callbacks of a loop of fits.
LOOPS: dict[str, Callable[[], list[Any]]] = {
    PLAIN: lambda: [],
    PLAIN_NOISE: lambda: [],
    "OneCycle, with momentum": lambda: [
        keras_lr.OneCycle(max_lr=RATE, horizon=HORIZON)
    ],
    "WarmupCosine": lambda: [keras_lr.WarmupCosine(max_lr=RATE, horizon=HORIZON)],
}


class Counted(keras.Sequential):
    """Counts how often its step is traced; on torch, how often it is run."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.traced = 0

    def train_step(self, *args: Any) -> Any:
        """Count, and do what a model does."""
        self.traced += 1
        return super().train_step(*args)


def network(layers: int, way: str, total: int, cls: Any = keras.Sequential) -> Any:
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(layers - 1)]
    model = cls([keras.Input((FEATURES,)), *hidden, keras.layers.Dense(CLASSES)])
    own = keras.optimizers.schedules.CosineDecay(RATE, total)
    model.compile(
        optimizer=keras.optimizers.Adam(own if way == OWN else RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def convolutional() -> Any:
    layers = [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(CLASSES),
    ]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss)
    return model


def data(steps: int, shape: tuple[int, ...] = (FEATURES,)) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps * BATCH, *shape)).astype("float32")
    return x, generator.integers(0, CLASSES, size=steps * BATCH)


class Gate(keras.callbacks.Callback):
    """Stops a fit before each epoch until it is let on."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Wait to be let on."""
        self.arrived.release()
        self.go.acquire()


class PacedFit:
    """A fit in a thread of its own, which runs only while an epoch is asked for."""

    def __init__(
        self, layers: int, way: str, steps: int, epochs: int, ways: Ways = WAYS
    ) -> None:
        total = steps * epochs
        self.gate = Gate()
        self.error: BaseException | None = None
        self.model = network(layers, way, total)
        self.options = {
            "batch_size": BATCH,
            "epochs": epochs,
            "shuffle": False,
            "verbose": 0,
            "callbacks": [*ways[way](total), self.gate],
        }
        self.thread = threading.Thread(target=self._fit, args=data(steps), daemon=True)
        self.thread.start()
        self._wait()

    def _fit(self, x: Any, y: Any) -> None:
        try:
            self.model.fit(x, y, **self.options)
        except BaseException as error:
            self.error = error
        self.gate.arrived.release()

    def _wait(self) -> None:
        self.gate.arrived.acquire()
        if self.error is not None:
            raise self.error

    def epoch(self, clock: str) -> float:
        """Seconds of one epoch, from its begin to the begin of the next."""
        begin = CLOCKS[clock]()
        self.gate.go.release()
        self._wait()
        return CLOCKS[clock]() - begin


def measure(
    layers: int, steps: int, rounds: int, fits: int, clock: str, ways: Ways = WAYS
) -> dict[str, list[float]]:
    """Seconds of each round's epoch, by the way of setting the rate."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    order = random.Random(0)
    for number in range(fits):
        say(f"{layers} layers: fits {number + 1} of {fits}")
        found = measure_once(layers, steps, -(-rounds // fits), order, clock, ways)
        for way, each in found.items():
            seconds[way] += each
    return seconds


def measure_once(
    layers: int, steps: int, rounds: int, order: random.Random, clock: str, ways: Ways
) -> dict[str, list[float]]:
    """The same for one fit of each."""
    # The first two epochs compile and fill the caches; the last ends the fit.
    epochs = rounds + 3
    fits = {
        way: PacedFit(layers, way, steps, epochs, ways)
        for way in order.sample(list(ways), len(ways))
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(epochs):
        gc.collect()
        gc.disable()
        for way in order.sample(list(fits), len(fits)):
            seconds[way].append(fits[way].epoch(clock))
        gc.enable()
    for fit in fits.values():
        fit.thread.join()
    return {way: each[2:-1] for way, each in seconds.items()}


def measure_sweep(
    layers: int, updates: int, rounds: int, clock: str
) -> dict[str, list[list[float]]]:
    """Seconds of fits and sweeps, by round: the first of a model, and the second."""
    order = random.Random(0)
    seconds: dict[str, list[list[float]]] = {"fit": [], "sweep": []}
    for number in range(rounds + 1):
        say(f"{net_name(layers)}, {updates} updates: round {number} of {rounds}")
        models = {
            way: network(layers, BASELINE, updates) if layers else convolutional()
            for way in order.sample(list(seconds), len(seconds))
        }
        for model in models.values():
            # Else a plain fit on TensorFlow makes these on the way, and traces twice.
            model.optimizer.build(model.trainable_variables)
        for way in models:
            seconds[way].append([])
        for way, model in [*models.items(), *models.items()]:
            finder = keras_lr.LRFinder(1e-9, 1e-5, steps=updates, verbose=0)
            x, y = data(updates, model.input_shape[1:])
            callbacks = [finder] if way == "sweep" else []
            gc.collect()
            gc.disable()
            begin = CLOCKS[clock]()
            model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=callbacks)
            seconds[way][-1].append(CLOCKS[clock]() - begin)
            gc.enable()
    # The first round imports and warms up.
    return {way: each[1:] for way, each in seconds.items()}


def net_name(layers: int) -> str:
    return f"{layers} layers" if layers else "convolutional net"


def traces(way: str, fits: int = 3, steps: int = 8) -> list[int] | None:
    """How often each of several fits of one model traces its step."""
    if keras.backend.backend() == "torch":
        return None  # Nothing is compiled: Python runs at each step.
    model = network(2, way, steps, Counted)
    found = []
    for _ in range(fits):
        before = model.traced
        callbacks = WAYS[way](steps)
        model.fit(*data(steps), batch_size=BATCH, verbose=0, callbacks=callbacks)
        found.append(model.traced - before)
    return found


class Loop:
    """One model that is trained an epoch at a time, again and again."""

    def __init__(self, way: str, steps: int) -> None:
        self.way = way
        self.data = data(steps)
        self.model = network(2, BASELINE, steps, Counted)
        #: How often each loop has traced the step.
        self.traces: list[int] = []

    def seconds(self, clock: str) -> float:
        """Seconds of a loop of fits."""
        before = self.model.traced
        gc.collect()
        gc.disable()
        begin = CLOCKS[clock]()
        self._fits()
        seconds = CLOCKS[clock]() - begin
        gc.enable()
        self.traces.append(self.model.traced - before)
        return seconds

    def _fits(self) -> None:
        callbacks = LOOPS[self.way]()
        for epoch in range(LOOP_FITS):
            self.model.fit(
                *self.data,
                batch_size=BATCH,
                initial_epoch=epoch,
                epochs=epoch + 1,
                verbose=0,
                callbacks=callbacks,
            )


def measure_loops(
    steps: int, rounds: int, clock: str
) -> tuple[dict[str, list[float]], dict[str, list[list[int]]]]:
    """Seconds of each round's loop, and each model's traces by loop, by way."""
    order = random.Random(0)
    sets = [
        {way: Loop(way, steps) for way in order.sample(list(LOOPS), len(LOOPS))}
        for _ in range(min(LOOP_MODELS, rounds))
    ]
    for number, loops in enumerate(sets):
        say(f"{steps} updates an epoch: models {number + 1} of {len(sets)}")
        for loop in loops.values():
            loop.seconds(clock)
    seconds: dict[str, list[float]] = {way: [] for way in LOOPS}
    for number in range(rounds):
        say(f"{steps} updates an epoch: round {number + 1} of {rounds}")
        loops = sets[number % len(sets)]
        for way in order.sample(list(loops), len(loops)):
            seconds[way].append(loops[way].seconds(clock))
    return seconds, {way: [loops[way].traces for loops in sets] for way in LOOPS}


def summary(
    seconds: dict[str, list[float]], baseline: str = BASELINE
) -> dict[str, list[float]]:
    """Quartiles of the ratios to the baseline's time of the same round."""
    base = np.array(seconds[baseline])
    return {
        way: np.percentile(np.array(each) / base, [25, 50, 75]).tolist()
        for way, each in seconds.items()
        if way != baseline
    }


def table(
    results: dict[int, dict[str, list[float]]], counts: dict[str, list[int] | None]
) -> str:
    """Markdown: median of paired ratios, and their quartiles."""
    heads = ["", *(f"{n} layers" for n in results), "traces of fits 1, 2, 3"]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for way in WAYS:
        row = [way]
        for seconds in results.values():
            if way == BASELINE:
                row.append("1")
                continue
            low, middle, high = summary(seconds)[way]
            row.append(f"{middle:.3f} ({low:.3f} .. {high:.3f})")
        found = counts[way]
        row.append("none" if found is None else ", ".join(map(str, found)))
        rows.append(row)
    return markdown(rows)


def sweep_table(results: dict[tuple[int, int], dict[str, list[list[float]]]]) -> str:
    """Markdown: the same for sweeps over plain fits."""
    heads = ["sweep over plain fit", "all compiled anew", "second over second", "fits"]
    rows = [heads, ["---", *["---:"] * 3]]
    for (layers, updates), seconds in results.items():
        fits, sweeps = np.array(seconds["fit"]), np.array(seconds["sweep"])
        quartiles = np.percentile(sweeps / fits, [25, 50, 75], axis=0).T
        ratios = [
            f"{mid:.2f} ({low:.2f} .. {high:.2f})" for low, mid, high in quartiles
        ]
        first, second = 1e3 * np.median(fits, axis=0)
        fit = f"{first:.0f} and {second:.0f} ms"
        rows.append([f"{net_name(layers)}, {updates} updates", *ratios, fit])
    return markdown(rows)


def loop_table(
    results: dict[int, dict[str, list[float]]],
    counts: dict[int, dict[str, list[list[int]]]],
) -> str:
    """Markdown: the same for loops of fits over plain ones."""
    heads = ["", *(f"{n} updates an epoch" for n in results), "traces, first and later"]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for way in LOOPS:
        row = [way]
        for seconds in results.values():
            if way == PLAIN:
                row.append("1")
                continue
            low, middle, high = summary(seconds, PLAIN)[way]
            row.append(f"{middle:.3f} ({low:.3f} .. {high:.3f})")
        row.append(loop_traces([one for each in counts.values() for one in each[way]]))
        rows.append(row)
    return markdown(rows)


def loop_traces(models: list[list[int]]) -> str:
    """The most traces of any model's first loop, and of any later one."""
    if keras.backend.backend() == "torch":
        return "none"
    first = max(loops[0] for loops in models)
    later = max(max(loops[1:]) for loops in models)
    return f"{first}, {later}"


def markdown(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows
    )


def machine() -> str:
    backend = keras.backend.backend()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    try:
        package = version(backend)
    except ModuleNotFoundError:  # tensorflow-cpu, say
        package = __import__(backend).__version__
    return (
        f"{backend} {package}, Keras {keras.__version__}, "
        f"Python {platform.python_version()}, {cores or os.cpu_count()} cores of "
        f"{names[0] if names else platform.machine()}"
    )


def epoch_steps(layers: int, steps: int) -> int:
    """Updates of an epoch: fewer of a large model, whose single steps last longer."""
    return max(1, int(steps * SHARE.get(layers, 1.0)))


def say(text: str) -> None:
    if os.isatty(2):
        os.write(2, f"\r{text:60}".encode())


def kind_of(clock: str) -> str:
    """What a clock measures, as the tables' heads say it."""
    return "Time" if clock == "wall" else "Processor time"


def schedules(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print what schedules cost."""
    clock = options.clock or "wall"
    results = {}
    for layers in options.models:
        steps = epoch_steps(layers, options.steps)
        results[layers] = measure(layers, steps, options.rounds, options.fits, clock)
    counts = {way: traces(way) for way in WAYS}
    say("")
    print(f"{kind_of(clock)} of a step over that at a constant rate on {machine()}.")
    rounds = len(results[options.models[0]][BASELINE])
    print(f"Adam, batches of {BATCH}; median (quartiles) of {rounds} rounds.")
    for layers, seconds in results.items():
        steps = epoch_steps(layers, options.steps)
        step = np.median(seconds[BASELINE]) / steps
        print(f"{layers} layers: {1e3 * step:.2f} ms a step, {steps} steps an epoch.")
    print(f"\n{table(results, counts)}\n")
    return {"seconds": results, "traces": counts}


def sweeps(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print what sweeps cost."""
    clock = options.clock or "wall"
    results = {
        (layers, updates): measure_sweep(layers, updates, options.sweeps, clock)
        for layers, updates in SWEEPS[: options.sizes]
    }
    say("")
    kind = kind_of(clock)
    print(f"{kind} of a sweep, everything included, over a fit on {machine()}.")
    print(f"Median (quartiles) of {options.sweeps} rounds.\n\n{sweep_table(results)}\n")
    return {f"{net_name(n)}, {u} updates": each for (n, u), each in results.items()}


def loops(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print what fits an epoch at a time cost."""
    clock = options.clock or "cpu"
    results = {}
    counts = {}
    for share in LOOP_SHARES[: options.sizes]:
        steps = max(1, int(options.steps * share))
        results[steps], counts[steps] = measure_loops(steps, options.loops, clock)
    say("")
    print(f"{kind_of(clock)} of a fit an epoch at a time, {LOOP_FITS} epochs,")
    print(f"over the same without callbacks on {machine()}.")
    print(f"2 layers, Adam, batches of {BATCH}; every model has been trained before;")
    print(f"median (quartiles) of {options.loops} rounds.")
    for steps, seconds in results.items():
        fit = np.median(seconds[PLAIN]) / LOOP_FITS
        print(f"{steps} updates an epoch: {1e3 * fit:.1f} ms a plain fit.")
    print(f"\n{loop_table(results, counts)}")
    return {"seconds": results, "traces": counts}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="What schedules, sweeps, and fits an epoch at a time cost."
    )
    parser.add_argument("--rounds", type=int, default=30, help="epochs of each way")
    parser.add_argument("--fits", type=int, default=6, help="that the rounds are from")
    parser.add_argument("--steps", type=int, default=256, help="updates of an epoch")
    parser.add_argument("--models", type=int, nargs="*", default=list(SHARE))
    parser.add_argument("--sweeps", type=int, default=9, help="of each, 0 for none")
    parser.add_argument("--loops", type=int, default=15, help="of each, 0 for none")
    parser.add_argument("--sizes", type=int, default=len(SWEEPS), help="to sweep, loop")
    parser.add_argument("--clock", choices=list(CLOCKS), help="wall; for loops cpu")
    parser.add_argument("--json", type=Path, help="file for every single time")
    options = parser.parse_args()
    found: dict[str, Any] = {"machine": machine()}
    if options.models:
        found |= schedules(options)
    if options.sweeps:
        found["sweeps"] = sweeps(options)
    if options.loops:
        found["loops"] = loops(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
