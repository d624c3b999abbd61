"""docs/coming_from.md: theirs and ours, read from the page, agree at every update.

test_docs runs what is ours. Here the lines of the other libraries are read from the
page as well: torch runs them, and optax where it is installed; the calls of the others
must be those that their numbers in tests/data/golden were computed with.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import Any

import keras
import numpy as np
import pytest

import keras_lr
from tests.keras_lr.test_golden import FILES
from tests.kit.probe import data, recorded, watched
from tests.test_docs import TEXTS

pytestmark = pytest.mark.backend

LIBRARIES = ("torch", "Lightning", "transformers", "timm", "fastai", "optax")
UPDATES = 100
EPOCHS = 5
EACH = UPDATES // EPOCHS


@functools.cache
def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", TEXTS["coming_from.md"], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def theirs(library: str) -> str:
    """What the page shows of another library."""
    [code] = re.findall(r"^```py\n(.*?)^```", sections()[library], re.DOTALL | re.M)
    return code


def ours(library: str) -> Any:
    """The recipe that the page makes for it."""
    blocks = re.findall(r"^```python\n(.*?)^```", sections()[library], re.DOTALL | re.M)
    line = ast.parse(blocks[0]).body[0]
    assert isinstance(line, ast.Assign)
    code = compile(ast.Expression(line.value), "coming_from.md", "eval")
    return eval(code, {"interop": keras_lr.interop})


def call_of(library: str, name: str) -> dict[str, Any]:
    """The keywords with which the page calls a function of another library."""
    for node in ast.walk(ast.parse(theirs(library))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
            return {
                keyword.arg: ast.literal_eval(keyword.value)
                for keyword in node.keywords
                if keyword.arg
            }
    raise AssertionError(f"the page does not call {name}")


def golden(file: str, name: str) -> dict[str, Any]:
    [case] = [case for case in FILES[file]["cases"] if case["name"] == name]
    return case


def torch_rates(library: str, name: str) -> tuple[list[float], list[float]]:
    """Rates and momenta of the page's scheduler of torch, stepped so many times."""
    import torch

    weight = torch.zeros(1, requires_grad=True)
    own = call_of(library, "SGD")
    optimizer = torch.optim.SGD([weight], **own)
    make = getattr(torch.optim.lr_scheduler, name)
    scheduler = make(optimizer, **call_of(library, name))
    steps = UPDATES if library == "torch" else EPOCHS
    rates = []
    momenta = []
    for _ in range(steps):
        [group] = optimizer.param_groups
        rates.append(group["lr"])
        momenta.append(group["momentum"])
        optimizer.step()
        scheduler.step()
    return rates, momenta


def rates_of_their_line(library: str) -> np.ndarray:
    """The rate of each of 100 updates, by the other library."""
    if library == "torch":
        pytest.importorskip("torch")
        return np.array(torch_rates("torch", "OneCycleLR")[0])
    if library == "Lightning":
        pytest.importorskip("torch")
        # Its default, which the page writes down, is a step an epoch.
        assert '"interval": "epoch"' in theirs("Lightning")
        return np.repeat(torch_rates("Lightning", "CosineAnnealingLR")[0], EACH)
    if library == "transformers":
        case = golden("hf_transformers", "cosine_half")
        given = call_of("transformers", "get_cosine_schedule_with_warmup")
        assert {"num_cycles": 0.5, **given} == case["kwargs"]
        return np.array(case["lr"][:UPDATES])
    if library == "timm":
        case = golden("timm_schedulers", "cosine_warmup_no_prefix")
        assert call_of("timm", "CosineLRScheduler") == case["kwargs"]
        return np.array(case["lr"][:UPDATES])
    if library == "fastai":
        case = golden("fastai_schedules", "fit_one_cycle_default")
        assert "learn.fit_one_cycle(5, lr_max=0.1)" in theirs("fastai")
        assert "lr_max=0.1" in case["call"]
        assert (case["n_epoch"], len(case["value"])) == (EPOCHS, UPDATES)
        return np.array(case["value"])
    return warmup_cosine(**call_of("optax", "warmup_cosine_decay_schedule"))


def warmup_cosine(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float,
) -> np.ndarray:
    """What optax means by it, in closed form; decay_steps counts the warmup as well."""
    steps = np.arange(UPDATES)
    rise = init_value + (peak_value - init_value) * steps / warmup_steps
    progress = (steps - warmup_steps) / (decay_steps - warmup_steps)
    fall = end_value + (peak_value - end_value) * (1 + np.cos(np.pi * progress)) / 2
    return np.where(steps < warmup_steps, rise, fall)


def test_the_closed_form_of_optax_is_what_its_line_gives():
    names: dict[str, Any] = {"optax": pytest.importorskip("optax")}
    exec(theirs("optax"), names)
    rates = [float(names["schedule"](step)) for step in range(UPDATES)]
    np.testing.assert_allclose(
        rates, rates_of_their_line("optax"), rtol=1e-6, atol=1e-8
    )


#: The rate that their optimizer is given, where the schedule scales it.
OWN_RATES = {"torch": 0.1, "Lightning": 0.1, "transformers": 1e-3, "timm": 0.5}


@pytest.mark.parametrize("library", LIBRARIES)
def test_ours_trains_at_their_rate_at_every_update(library):
    if keras.backend.backend() != "torch":
        pytest.skip("run on torch; tests/keras_lr/interop has fits on each backend")
    expected = rates_of_their_line(library)
    own = OWN_RATES.get(library, 7.0)
    model = watched(keras.optimizers.SGD(own, momentum=0.9), UPDATES)
    # timm's run is one of 100 epochs.
    epochs = UPDATES if library == "timm" else EPOCHS
    x, y = data(UPDATES // epochs)
    model.fit(x, y, batch_size=2, epochs=epochs, callbacks=[ours(library)], verbose=0)
    # The optimizer's rates are float32, as optax' are.
    np.testing.assert_allclose(recorded(model), expected, rtol=2e-6, atol=2e-8)


@pytest.mark.parametrize("library", OWN_RATES)
def test_the_page_compiles_with_the_rate_of_their_optimizer(library):
    own = OWN_RATES[library]
    assert f"({own:g}" in sections()[library].replace("1e-3", "0.001")


def test_momentum_goes_where_theirs_goes():
    pytest.importorskip("torch")
    _, momenta = torch_rates("torch", "OneCycleLR")
    np.testing.assert_allclose(ours("torch").momentum_values(UPDATES), momenta)
    case = golden("fastai_schedules", "fit_one_cycle_default")
    momenta = ours("fastai").momentum_values(UPDATES)
    np.testing.assert_allclose(momenta, case["mom"], rtol=1e-6)


def test_what_the_page_says_of_the_new_lines_is_so():
    one_cycle = keras_lr.OneCycle(max_lr=0.1)
    np.testing.assert_allclose(
        one_cycle.values(UPDATES), rates_of_their_line("torch"), rtol=1e-12
    )
    cosine = keras_lr.CosineDecay(max_lr=0.1).values(UPDATES)
    stairs = rates_of_their_line("Lightning")
    assert cosine[-1] == 0.0
    assert len(set(stairs)) == EPOCHS
    assert stairs[-1] == pytest.approx(0.1 * 0.0955, rel=1e-3)
    warmup = keras_lr.WarmupCosine(max_lr=1e-3, warmup="10%").values(UPDATES)
    assert rates_of_their_line("transformers")[0] == 0.0
    assert (warmup[0], warmup[-1]) == (pytest.approx(1e-4), 0.0)
    as_fastai = keras_lr.OneCycle(0.1, warmup=0.25, final_div_factor=4000.0)
    ends = as_fastai.values(10_000)[[0, -1]]
    np.testing.assert_allclose(ends, [0.1 / 25, 0.1 / 1e5])
    assert max(rates_of_their_line("timm")) == pytest.approx(0.475, abs=5e-4)
    report = keras_lr.lint(ours("timm"), epochs=100, steps_per_epoch=10, base_lr=0.5)
    assert [finding.code for finding in report.findings] == ["no-peak"]
