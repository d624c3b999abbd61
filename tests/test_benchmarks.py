"""The benchmark counts what it says it counts, and shows everyone and what failed."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import combinations
from types import SimpleNamespace
from xml.etree import ElementTree

import keras
import pytest

import glossary
import keras_lr
from benchmarks import pictures, report, run
from benchmarks.figures import Figure, compared, from_json, to_json
from benchmarks.lexicon import as_lmf, made_up, names_of
from benchmarks.machine import this_machine
from benchmarks.nets import dense
from benchmarks.paced import in_turns
from benchmarks.pairs import Spread, orders, ratios, spread
from benchmarks.parts import (
    compiles,
    finders,
    imports,
    loops,
    search,
    steps,
    sweeps,
)
from benchmarks.report import Outcome, Run
from benchmarks.sections import ALL, SECTIONS
from benchmarks.steps import keras_fit
from benchmarks.turns import Reading, message_of, readable, take_turns

pytestmark = pytest.mark.backend


def on(backend):
    """For what is the same on all: it runs where it is quickest."""
    is_there = keras.backend.backend() == backend
    return pytest.mark.skipif(not is_there, reason=f"run on {backend}")


class Work:
    """A clock that counts work instead of seconds."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> Reading:
        return Reading(self.done, 2 * self.done)

    def do(self, amount: int) -> None:
        self.done += amount


@on("torch")
def test_everyone_stands_before_everyone_else_as_often_as_behind():
    names = ["a", "b", "c", "d"]
    rounds = orders(names, 6)
    before = Counter(pair for order in rounds for pair in combinations(order, 2))
    assert set(before.values()) == {3}
    assert rounds[1] == rounds[0][::-1]
    assert len({tuple(order) for order in rounds}) > 2
    assert all(sorted(order) == names for order in rounds)
    assert orders(names, 6) == rounds
    assert orders(names, 6, seed=1) != rounds


@on("torch")
def test_a_spread_is_the_percentiles_of_an_arithmetic_row():
    assert spread([float(n) for n in range(11)][::-1]) == Spread(5.0, 1.0, 9.0, 11)
    assert spread([2.0]) == Spread(2.0, 2.0, 2.0, 1)
    assert ratios([3.0, 8.0], [2.0, 4.0]) == [1.5, 2.0]
    for wrong in ([], [1.0, float("nan")]):
        with pytest.raises(ValueError, match="at least one value, all finite"):
            spread(wrong)
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


@on("torch")
def test_turns_count_what_is_run_and_not_what_prepares_it():
    work = Work()

    def prepare(amount):
        work.do(1000)
        return partial(work.do, amount)

    def broken():
        raise OSError("no room in /home/somebody/data/x.txt\nand more")

    tasks = {"one": partial(prepare, 1), "five": partial(prepare, 5), "none": broken}
    turns = take_turns(tasks, 4, work)
    assert turns.readings == {"one": [Reading(1, 2)] * 4, "five": [Reading(5, 10)] * 4}
    assert turns.errors == {"none": "OSError: no room in ..."}
    both = compared(turns, "table", "five", "one")
    assert [figure.spread for figure in both] == [Spread(5.0, 5.0, 5.0, 4)] * 2
    (failed,) = compared(turns, "table", "none", "one")
    assert failed.error == turns.errors["none"]
    assert failed.spread is None
    # And one whose baseline has failed.
    assert compared(turns, "table", "one", "none")[0].error


@on("torch")
def test_a_step_with_three_times_the_work_shows_as_three_times_slower():
    work = Work()

    class Worker(keras.callbacks.Callback):
        def __init__(self, amount):
            super().__init__()
            self.amount = amount

        def on_train_batch_end(self, batch, logs=None):
            work.do(self.amount)

    def training(amount, epochs):
        fit = keras_fit(lambda total: dense(1), lambda total: [Worker(amount)])
        return fit(2, epochs)

    def broken(epochs):
        raise TypeError("never begins")

    starts = {str(n): partial(training, n) for n in (1, 3)}
    counted, first = in_turns({**starts, "broken": broken}, 2, 1, work)
    assert counted.readings["1"] == [Reading(2, 4)] * 2
    assert counted.readings["3"] == [Reading(6, 12)] * 2
    assert first.readings["3"] == [Reading(6, 12)]
    assert counted.errors == {"broken": "TypeError: never begins"}
    slower, _ = compared(counted, "table", "3", "1")
    assert slower.spread == Spread(3.0, 3.0, 3.0, 2)


@on("torch")
def test_figures_come_through_json_as_they_were():
    figures = [
        Figure("table", "a", "time", Spread(1.5, 1.0, 2.0, 7), "ms"),
        Figure("table", "b", "time", error="OSError: gone"),
        Figure("table", "c", "counted", text="1, 0"),
    ]
    assert from_json(to_json(figures)) == figures


@on("torch")
@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("cannot open /home/me/my.db, locked", "cannot open ..., locked"),
        (r"cannot open C:\Users\me\my.db", "cannot open ..."),
        ("5 / 3 and 1/2 of a cosine", "5 / 3 and 1/2 of a cosine"),
        ("first\nsecond", "first"),
        ("", ""),
    ],
)
def test_messages_are_a_line_without_paths(message, shown):
    assert readable(message) == shown
    assert len(message_of(ValueError("x" * 1000))) <= 160


def made_run(*outcomes, gpu=False):
    return Run(outcomes, this_machine(), "1 May 2026", "default", ("0.1", "1.5"), gpu)


@on("torch")
def test_the_report_has_every_figure_and_says_what_failed():
    ratio = Figure("2 layers", "ours", "time", Spread(1.021, 0.994, 1.05, 16), "ratio")
    figures = (
        ratio,
        Figure("2 layers", "ours", "a step", Spread(1234.5, 99.94, 0.5, 8), "us"),
        Figure("2 layers", "theirs", "time", error="TypeError: no"),
        Figure("2 layers", "theirs", "traces", text="1, 0"),
    )
    took = Reading(90.0, 60.0)
    text = report.markdown(
        made_run(
            Outcome("steps", "jax", figures, took),
            Outcome("steps", "torch", (), took, "not done after 9 seconds"),
        ),
        ["steps.png"],
    )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "**2 layers** (16 pairs)" in lines
    assert "| ours | 1.02 (0.99 .. 1.05) | 1,234 us (99.9 .. 0.50) | |" in lines
    assert "| theirs | failed | | 1, 0 |" in lines
    assert "* steps on JAX, theirs: TypeError: no" in lines
    assert "* steps on torch: not done after 9 seconds" in lines
    assert "![What a step costs](pictures/steps.png)" in lines
    assert report.NO_GPU in lines
    assert "in 3 minutes (2 of the processor)" in text.replace("\n", " ")
    # The same table on a GPU, apart from that of the CPU.
    on_gpu = Outcome("steps", "jax", (ratio,), took, accelerator="Some GPU")
    text = report.markdown(made_run(on_gpu, gpu=True))
    assert report.NO_GPU not in text
    assert text.index("## On a GPU") < text.index("1.02 (0.99 .. 1.05)")
    assert "Nothing." in text
    assert report.NOT_ASKED in report.markdown(made_run(gpu=True))


@on("torch")
def test_a_part_that_cannot_run_is_a_line():
    outcome = run.run_part("no_such_part", "", "quick")
    assert outcome.failure.startswith("ModuleNotFoundError: No module named")
    assert not outcome.figures


@on("torch")
def test_a_lexicon_has_every_name_and_both_sides_of_a_relation():
    terms = [*glossary.terms(), *made_up(5)]
    root = ElementTree.fromstring(as_lmf(terms, "ours").split("\n", 2)[2])
    written = Counter(lemma.get("writtenForm") for lemma in root.iter("Lemma"))
    assert written == Counter(name for term in terms for name in names_of(term))
    links = {
        (synset.get("id"), relation.get("target"))
        for synset in root.iter("Synset")
        for relation in synset.iter("SynsetRelation")
    }
    assert ("ours-adam", "ours-learning-rate") in links
    assert {(target, own) for own, target in links} == links
    definitions = {
        one.get("id"): one.findtext("Definition") for one in root.iter("Synset")
    }
    assert definitions["ours-adam"] == glossary.term("Adam").definition
    assert len(definitions) == len(terms)


def rows_of(figures):
    return {figure.row for figure in figures}


def errors_of(figures):
    return {figure.row: figure.error for figure in figures if figure.error}


@on("torch")
def test_steps_show_ours_and_every_peer(tmp_path):
    # The smallest sizes, in this process: how long it takes to start others is known.
    figures = [*steps.measure("quick"), *loops.measure("quick")]
    assert not errors_of(figures)
    ways = [steps.CONSTANT, steps.NOISE, steps.OURS, steps.ONE_CYCLE, steps.KERAS]
    ways += [steps.NAIVE, steps.LOOP, steps.LOOP_ONE_CYCLE]
    assert set(ways) < rows_of(figures)
    medians = [one.spread.median for one in figures if one.unit == "ratio"]
    assert len(medians) == 2 * (5 + 1 + 3)
    assert min(medians) > 0
    result = made_run(Outcome("steps", "torch", tuple(figures), Reading(1.0, 1.0)))
    text = run.write(result, tmp_path).read_text()
    assert "](pictures/steps.png)" in text
    assert (tmp_path / "pictures" / "steps.png").read_bytes().startswith(b"\x89PNG")
    for way in ways:
        assert f"| {way} " in text
    for section in SECTIONS:
        assert section.picture in ("", *(f"{part}.png" for part in pictures.DRAWN))


@on("jax")
def test_fits_in_a_row_tell_their_traces_and_whether_their_rates_were_right():
    figures = compiles.measure("quick")
    told = {(one.row, one.column): one.text for one in figures}
    traces = "traces of fits 1 to 5"
    right = "trained at the rates asked for"
    assert told[compiles.OURS, traces] == "1, 0, 0, 1, 0"
    assert told[compiles.COMPILED_ANEW, traces] == "1, 1, 1, 1, 1"
    assert told[compiles.NAIVE, traces] == "1, 0, 0, 0, 0"
    for way in (compiles.OURS, compiles.COMPILED_ANEW, compiles.NAIVE):
        assert told[way, right] == "yes"
    # What Keras ignores and refuses.
    assert told[compiles.ASSIGNED, right].startswith("no: fits 2 (linear")
    assert "fit 4: TypeError" in errors_of(figures)[compiles.ASSIGNED]


@on("torch")
def test_imports_are_measured_beyond_their_baseline_and_failures_shown(monkeypatch):
    among = imports.imports(ALL)
    names = {each.name for each in among}
    assert {"glossary", "wn", "torch.optim", "optax", "keras on torch"} < names
    beside = {each.name: each.beside for each in among}
    assert beside["keras_lr beside it, JAX"] == "keras on JAX"
    few = [each for each in among if each.name in (imports.EMPTY, "glossary")] + [
        imports.Import("gone", "import no_such_module")
    ]
    monkeypatch.setattr(imports, "imports", lambda backends: few)
    figures = imports.measure("quick")
    assert rows_of(figures) == {"glossary", "gone"}
    assert "No module named 'no_such_module'" in errors_of(figures)["gone"]
    assert {one.column for one in figures if one.spread} == {
        "wall time",
        "processor time",
    }


@on("torch")
def test_both_glossaries_answer_the_same_questions_in_a_process_of_their_own():
    pytest.importorskip("wn")
    outcome = run.run_part("lookups", "", "quick")
    assert not outcome.failure
    assert outcome.took.processor > 0
    figures = outcome.figures
    assert not errors_of(figures)
    answered = {
        one.row: one.text
        for one in figures
        if one.column == "answered" and one.table.endswith("82 entries")
    }
    assert answered["its definition, by a name"] == "100%, 100%"
    assert answered["its definition, by any of its names"] == "100%, 100%"
    assert answered["what it is related to"] == "100%, 100%"
    otherwise = "by a name with capitals, hyphens and a plural"
    assert answered[otherwise].startswith("100%, ")
    assert answered["whether a word is there that is not"] == "0%, 0%"
    assert min(one.spread.low for one in figures if one.unit == "ratio") > 0


@on("jax")
def test_finders_are_scored_by_the_stored_truth(monkeypatch):
    def ours(trainer, seed):
        rates = {"constant": 1e9, "one-cycle": None}
        return {"find_lr": finders.Answer(rates, 7)}

    def broken(trainer, seed):
        raise ModuleNotFoundError("No module named 'optuna'")

    asked = {**finders.ASKED, "plain searches": broken, "ours": ours}
    assert set(asked) == set(finders.ASKED)
    monkeypatch.setattr(finders, "ASKED", asked)
    figures = finders.measure("quick")
    told = {(one.row, one.column): one.text for one in figures}
    assert told["find_lr", "one-cycle, mean"] == "1.000"
    assert told["find_lr", "updates spent"] == "7"
    assert told["fastai valley", "updates spent"] == "100"
    assert 0 <= float(told["fastai valley", "constant rate, mean"]) < 0.5
    assert "optuna" in errors_of(figures)["plain searches"]


@on("torch")
def test_a_sweep_is_compared_with_a_fit_of_as_many_updates():
    figures = sweeps.measure("quick")
    assert not errors_of(figures)
    assert {one.column.split(",")[0] for one in figures if one.unit == "ratio"} == {
        "both compile",
        "neither compiles",
    }


@on("torch")
def test_a_search_is_told_in_updates_of_fit(monkeypatch):
    def found(model, x, y, verbose):
        model.fit(x[:64], y[:64], verbose=verbose)
        return SimpleNamespace(steps=2)

    monkeypatch.setattr(keras_lr, "find_lr", found)
    figures = search.measure("quick")
    assert not errors_of(figures)
    for row, updates, beside in (("compiled", 2, 2), ("new model", 2, 43)):
        among = {one.column: one for one in figures if one.row == f"dense net, {row}"}
        told = among["updates of the search, of the fit"].text
        assert told == f"{updates}, {beside}"
        in_updates = among["as many updates of fit as"].spread
        ratio = among["processor time"].spread
        assert in_updates.median == pytest.approx(ratio.median * beside)
