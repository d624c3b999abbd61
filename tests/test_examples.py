from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import pytest

import glossary

pytestmark = pytest.mark.backend

ROOT = Path(__file__).parents[1]


def output_of(script: str, *arguments: str) -> str:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_here(script, tmp_path, monkeypatch, capsys):
    """The same without a process of its own, which takes longer than the example."""
    monkeypatch.setattr(sys, "argv", [script, "--fast", "--out", str(tmp_path)])
    runpy.run_path(str(ROOT / script), run_name="__main__")
    return capsys.readouterr().out


def on(backend):
    """For what has nothing of a backend in it, and is long: it runs on one of them."""
    is_there = keras.backend.backend() == backend
    return pytest.mark.skipif(not is_there, reason=f"the same on all: run on {backend}")


@on("tensorflow")
def test_quickstart_trains_three_ways_and_draws_them(tmp_path):
    shown = output_of("examples/quickstart.py", "--fast", "--out", str(tmp_path))
    rows = shown[shown.index("validation accuracy") :]
    for name in ("constant rate", "warmup + cosine", "one-cycle"):
        assert re.search(rf"{re.escape(name)} +[\d.]+ +[\d.]+ +[\d.]+% +[\d.]+\n", rows)
    assert "What next?" in rows
    assert (tmp_path / "quickstart.png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path / "quickstart.png") in shown


@on("torch")
def test_quickstart_says_what_to_install(tmp_path):
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError(name='sklearn')")
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/quickstart.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "The quickstart needs scikit-learn: pip install 'keras-lr[demos]'."
    )


@on("torch")
def test_own_schedules_end_where_they_say():
    lines = output_of("examples/own_schedule.py").splitlines()
    assert [line[:24].strip() for line in lines] == [
        "own phases",
        "warmup, then on plateau",
        "own loop",
    ]
    rates = [[float(word) for word in line[46:].split()[:8]] for line in lines]
    assert rates[0][-1] == pytest.approx(0.0002)
    assert rates[1][0] == pytest.approx(0.05)
    assert rates[2][-1] == 0


@on("torch")
def test_find_then_train_learns_the_digits():
    shown = output_of("examples/find_then_train.py").splitlines()
    assert any(line.startswith("find_lr: Learning rate") for line in shown)
    assert float(shown[-1].split()[-1].rstrip("%")) > 85


@on("torch")
def test_the_plateau_example_cuts_and_draws(tmp_path, monkeypatch, capsys):
    shown = run_here("examples/plateau.py", tmp_path, monkeypatch, capsys)
    constant, keras_own, ours, _ = shown.splitlines()[-4:]
    assert "cuts after updates [] " in constant
    assert "validation loss" in keras_own
    assert ours.startswith("Plateau: warmup, best weights, decay")
    assert (tmp_path / "plateau.png").read_bytes().startswith(b"\x89PNG")


@on("jax")
def test_the_example_of_batch_sizes_measures_and_draws(tmp_path):
    shown = output_of("examples/batch_size.py", "--fast", "--out", str(tmp_path))
    lines = shown.splitlines()
    assert lines[0].startswith("Learning rates by batch size: ")
    assert lines[1].startswith("Gradient noise scale ")
    assert "batch size  128: linear rule" in shown
    assert "An epoch of 56 updates has 14 at 128 rows." in lines
    assert (tmp_path / "batch_size.png").read_bytes().startswith(b"\x89PNG")


def test_the_rates_of_a_gan_are_in_its_logs_as_its_schedules_say(
    tmp_path, monkeypatch, capsys
):
    shown = run_here("examples/gan.py", tmp_path, monkeypatch, capsys)
    lines = [line for line in shown.splitlines() if "after epoch" in line]
    # Two epochs of one fit, and one of the other, which ends at 0.
    assert len(lines) == 3
    for line in lines:
        d_logged, d_value, g_logged, g_value = map(float, line.split()[-4:])
        assert (d_logged, g_logged) == (d_value, g_value)
        assert (d_value == g_value == 0) == (line is lines[-1])
    assert (tmp_path / "gan.png").read_bytes().startswith(b"\x89PNG")


@on("torch")
def test_more_epochs_end_at_the_floor_without_a_jump(tmp_path, monkeypatch, capsys):
    shown = run_here("examples/more_epochs.py", tmp_path, monkeypatch, capsys)
    assert shown.count("goes over into a plan for") == 1
    lines = [line for line in shown.splitlines() if "last rate" in line]
    assert [line.split("last rate")[1].split()[0] for line in lines] == ["0.0000"] * 2
    assert (tmp_path / "changing_plans.png").read_bytes().startswith(b"\x89PNG")


@on("torch")
def test_a_recipe_of_torch_is_carried_over_linted_and_trained_with(
    tmp_path, monkeypatch, capsys
):
    shown = run_here("examples/from_torch.py", tmp_path, monkeypatch, capsys)
    assert "160 updates: 4 epochs of 40; the optimizer's own rate is 0.1." in shown
    assert "Nothing was found." in shown
    if "Torch is not installed" not in shown:
        apart = shown.split("Farthest from torch's own rate: ")[1].split()[0]
        assert float(apart) < 1e-7
    assert shown.count("loss on the test images") == 3
    assert (tmp_path / "from_torch.png").read_bytes().startswith(b"\x89PNG")


@on("torch")
@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="newer than this Keras"
)
def test_fine_tuning_compares_its_ways_and_draws_them(tmp_path, monkeypatch, capsys):
    shown = run_here("examples/fine_tune.py", tmp_path, monkeypatch, capsys)
    lines = shown.splitlines()
    assert lines[0].startswith("2 rows of each class")
    assert [line[:23].strip() for line in lines[1:3]] == ["one rate", "backbone at 0.1"]
    assert "better in" in lines[2]
    assert (tmp_path / "fine_tune.png").read_bytes().startswith(b"\x89PNG")


@on("torch")
def test_an_ensemble_of_snapshots_is_one_training(tmp_path, monkeypatch, capsys):
    shown = run_here("examples/snapshot_ensemble.py", tmp_path, monkeypatch, capsys)
    lines = shown.splitlines()
    updates = [int(line.split()[2]) for line in lines if line.startswith("snapshot")]
    assert updates == [15, 30, 45, 60, 75, 90]
    assert lines[6].startswith("ensemble of 6")
    assert (tmp_path / "snapshot_ensemble.png").read_bytes().startswith(b"\x89PNG")


@on("torch")
def test_branches_of_one_trunk_are_compared_with_whole_runs(
    tmp_path, monkeypatch, capsys
):
    shown = run_here("examples/cooldown_branches.py", tmp_path, monkeypatch, capsys)
    ((budget, branch, whole, *_),) = [
        line.split() for line in shown.splitlines() if "%" in line
    ]
    assert budget == "126"
    assert float(branch) == pytest.approx(float(whole), rel=0.2)
    assert "189 in all, against 126 on whole runs" in shown
    png = (tmp_path / "cooldown_branches.png").read_bytes()
    assert png.startswith(b"\x89PNG")


@on("torch")
def test_a_run_in_two_pieces_is_watched_as_one(tmp_path, monkeypatch, capsys):
    shown = run_here("examples/watch_rates.py", tmp_path, monkeypatch, capsys)
    assert shown.splitlines()[0].endswith("12 samples, updates 0 to 110")
    rows = (tmp_path / "watch_rates.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(0, 114, 10))
    assert (tmp_path / "watching.png").read_bytes().startswith(b"\x89PNG")


def test_a_loop_of_ones_own_trains_as_fit_does():
    loop, fit, difference = output_of("examples/custom_loop.py").splitlines()
    for name, line in {"own loop": loop, "fit": fit}.items():
        assert line.startswith(name)
        assert float(line.split()[-1].rstrip("%")) > 80
    assert float(difference.split()[-1]) < 1e-3


@on("jax")
def test_the_tour_shows_what_held_and_what_failed():
    shown = output_of("examples/glossary_tour.py")
    assert "held: " in shown
    assert "failed: " in shown


@on("torch")
def test_the_cells_of_the_learners_notebook_run_in_order():
    notebook = json.loads((ROOT / "examples/glossary_learner.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] for cell in cells), "shipped as it was run"
    seen: dict[str, Any] = {}
    shown = []
    for cell in cells:
        *body, last = ast.parse("".join(cell["source"])).body
        exec(compile(ast.Module(body, []), "cell", "exec"), seen)
        assert isinstance(last, ast.Expr)
        shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), seen))
    assert shown[0] is glossary.term("gradient descent")
    assert shown[4] == 1.5
    evidence = shown[5]
    assert evidence.verdict == "held"
    assert "<svg" in evidence._repr_html_()
    belief, result, accuracy = shown[-3:]
    assert belief.verdict == "failed"
    assert "<img" in result._repr_html_()
    assert accuracy > 0.85
