"""The benchmark of finders counts what it says it counts, on curves made up."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.finder import rivals, tables
from benchmarks.finder.regret import Truth, stored_truths
from benchmarks.finder.score import show
from benchmarks.finder.short import LENGTH, PIECE, ShortTrainings
from benchmarks.finder.tables import Measured, Score
from benchmarks.finder.tasks import TASKS, by_name

BEST = 0.03


def valley(rate: float) -> float:
    """Lowest at a rate of 0.03; lost from 3 on."""
    return math.log10(rate / BEST) ** 2 if rate < 3 else math.inf


def test_regret_is_the_share_of_what_could_be_learned() -> None:
    truth = Truth(
        rates=[0.01, 0.1, 1.0],
        reference=10.0,
        losses={"constant": [[4.0, 6.0], [1.0, 3.0], [None, 1e9]]},
    )
    assert truth.regret("constant", 0.1) == 0.0
    assert truth.regret("constant", 0.01) == pytest.approx((5 - 2) / (10 - 2))
    # Halfway in the logarithm; lost trainings count as nothing learned, not as more.
    assert truth.regret("constant", 10**-0.5) == pytest.approx(0.5)
    assert truth.regret("constant", 1e6) == truth.regret("constant", None) == 1.0
    assert truth.regret("constant", math.nan) == 1.0
    # What another optimizer came to: better than the best rate is no gain.
    assert truth.regret_of_losses("constant", [0.5, 0.5]) == 0.0
    assert truth.regret_of_losses("constant", [2.0, math.nan]) == pytest.approx(0.5)


def test_each_task_has_a_truth_and_one_is_erratic() -> None:
    assert {task.name for task in TASKS} <= set(stored_truths())
    erratic = [task.name for task in TASKS if task.erratic]
    assert erratic == ["raw features breast cancer, Adam"]


def test_plain_searches_take_the_lowest_and_count_every_update() -> None:
    asked: list[float] = []

    def loss_of(rate: float) -> float:
        asked.append(rate)
        return valley(rate)

    assert rivals.grid(loss_of) == rivals.Found(0.01, 700)
    assert np.allclose(asked, 10.0 ** np.arange(-5, 2))
    asked.clear()
    found = rivals.random_search(loss_of, seed=3)
    assert found == rivals.Found(min(asked, key=valley), 700)
    assert len(set(asked)) == 7
    assert all(1e-6 <= rate <= 10 for rate in asked)
    assert rivals.random_search(valley, seed=3) == found
    assert rivals.random_search(valley, seed=4) != found
    assert rivals.grid(lambda rate: math.inf) == rivals.Found(None, 700)
    assert rivals.scaled(found, "constant").rate == pytest.approx(0.47 * found.rate)


def test_optuna_pays_for_trials_that_it_prunes() -> None:
    pytest.importorskip("optuna")
    drawn: dict[float, int] = {}

    def losses_of(rate: float) -> Iterator[float]:
        for piece in range(1, LENGTH // PIECE + 1):
            drawn[rate] = piece
            yield 1 + valley(rate) / 100 * piece if rate < 3 else math.inf

    found = rivals.optuna_search(losses_of, seed=0)
    assert found.updates == PIECE * sum(drawn.values())
    assert rivals.BUDGET <= found.updates < rivals.BUDGET + LENGTH
    assert min(drawn.values()) < LENGTH // PIECE, "no trial was pruned"
    finished = [rate for rate, pieces in drawn.items() if pieces == LENGTH // PIECE]
    assert found.rate == min(finished, key=valley)
    assert rivals.optuna_search(losses_of, seed=0) == found
    lost = rivals.optuna_search(lambda rate: iter([math.inf] * 10), seed=0)
    assert lost.rate is None


def test_folk_rates_are_by_optimizer() -> None:
    kinds = {
        kind: type(kind, (), {"momentum": momentum})()
        for kind, momentum in (("Adam", 0), ("RMSprop", 0.0), ("SGD", 0.0))
    }
    rates = {kind: rivals.folk_rate(optimizer) for kind, optimizer in kinds.items()}
    assert rates == {"Adam": 1e-3, "RMSprop": 1e-3, "SGD": 1e-1}
    kinds["SGD"].momentum = 0.9
    assert rivals.folk_rate(kinds["SGD"]) == 1e-2


class Line:
    """A trainer of one weight, whose loss is its square; it keeps what it is given."""

    def __init__(self, updates: int = LENGTH) -> None:
        rows = np.arange(100)
        self.data = [rows, rows, rows[:20], rows[:20]]
        self.task = SimpleNamespace(updates=updates)
        self.rates: list[float] = []
        self.trained: set[int] = set()
        self.judged: set[int] = set()

    def begin(self, seed: int) -> tuple[Any, Any, Any]:
        return [np.float32(seed)], [], []

    def batches(self, seed: int, updates: int, rows: int = 100) -> Any:
        return np.random.default_rng(seed).integers(0, rows, (updates, 4))

    def advance(self, state: Any, rates: Any, batches: Any) -> tuple[Any, Any]:
        self.rates += list(rates)
        self.trained |= set(np.ravel(batches))
        return state, np.zeros(len(rates))

    def value(self, state: Any, x: Any, y: Any) -> float:
        self.judged |= set(x)
        return float(state[0][0] ** 2)

    def gradients(self, weights: Any, others: Any, x: Any, y: Any) -> Any:
        return (weights[0] ** 2, others), [2 * weights[0]]


def test_short_trainings_follow_the_schedule_and_are_judged_on_other_rows() -> None:
    trainer: Any = Line()
    whole = ShortTrainings(trainer, 1, "one-cycle")
    assert whole.loss(0.5) == 1.0
    assert len(trainer.rates) == LENGTH
    assert max(trainer.rates) == pytest.approx(0.5, rel=1e-2)
    assert trainer.rates[-1] < 1e-3
    assert len(trainer.judged) == 20
    assert not trainer.judged & trainer.trained
    # Who stops asking stops training.
    trainer.rates.clear()
    next(ShortTrainings(trainer, 1, "constant").losses(0.5))
    assert trainer.rates == [0.5] * PIECE


def test_optimizers_without_a_rate_train_to_the_end_from_each_seed() -> None:
    pytest.importorskip("optax")
    from benchmarks.finder import rate_free

    trainer: Any = Line(updates=400)
    for name in ("DoG", "schedule-free AdamW"):
        one, two = rate_free.final_losses(name, trainer, [1, 2])
        assert one < 0.8, name
        assert one < two < 4, name


def test_the_erratic_task_is_in_no_mean(capsys: pytest.CaptureFixture[str]) -> None:
    def score(regret: float, rates: list[float | None]) -> Score:
        both = {"constant": [regret] * 2, "one-cycle": [regret] * 2}
        return Score({"constant": rates}, both, [600, 800])

    steady = by_name("mlp digits, Adam")
    free = Score({}, {"constant": [0.25]}, [0])
    measured = [
        Measured(steady, {"find_lr": score(0.1, [0.1, 1.0]), "DoG": free}),
        Measured(
            dataclasses.replace(steady, name="wild", erratic=True),
            {"find_lr": score(1.0, [0.1, None]), "DoG": free},
        ),
    ]
    show(measured)
    means, apart = capsys.readouterr().out.split("counted apart: wild")
    assert "| find_lr | 0.100 | 0.100 | 0% | 1.00 | 700 |  |" in means
    assert "| DoG | 0.250 |  | 0% |  | 0 |  |" in means
    assert "| ordinary (1) | find_lr | 0.100 | 0.100 | 700 | 70% |" in means
    assert "| find_lr | 1.000 | 1.000 | 100% | 0.00 | 700 |  |" in apart
    assert tables.by_task(measured).count("\n") == 3


def test_folk_rates_are_counted_by_kind_of_task() -> None:
    kinds = ("mlp digits, SGD", "raw pixels digits, SGD", "fine-tuning digits, SGD")
    tasks = [by_name(name) for name in kinds]
    regrets = [
        (task, {"constant": regret, "one-cycle": 2 * regret})
        for task in tasks
        for regret in (0.0, 0.01, 0.2)
    ]
    lines = tables.of_folk_rates(regrets).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        f"| {task.kind}" for task in tasks
    ]
    assert lines[2] == "| ordinary | 0.070, 0.010 | 0.140, 0.020 | 1 of 3 |"
