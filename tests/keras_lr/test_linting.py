from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import matplotlib as mpl
import numpy as np
import pytest

import keras_lr as k
from keras_lr.finder import search
from keras_lr.fit.past import past_of
from keras_lr.interop import (
    from_keras,
    from_optax,
    from_timm,
    from_torch,
    from_transformers,
)
from keras_lr.lints.finding import CODES, SEVERITIES
from keras_lr.phases import cosine, hold, linear, repeat
from tests.kit.names import name_of, schedules

mpl.use("Agg")

from matplotlib import pyplot as plt

DOCS = Path(k.__file__).parents[1] / "docs"
RUN = {"epochs": 20, "steps_per_epoch": 100}
FIRST = {
    "Function": [lambda update: 1 / (1 + update / 100)],
    "PiecewiseConstant": [[500, 1000], [1, 0.5, 0.1]],
    "PiecewiseLinear": [[(0, 1.0), (1000, 0.2)]],
    "Schedule": [linear("5%"), cosine(to=0.0)],
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def compiled(optimizer):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse")
    return model


def codes(report, *severities):
    return [
        finding.code
        for finding in report.findings
        if finding.severity in (severities or SEVERITIES)
    ]


def only(report, code):
    (found,) = [each for each in report.findings if each.code == code]
    return found


# What is odd, and beside it what is not.
ODD = {
    "all at zero": ("zero-run", lambda: k.Schedule(hold(value=0.0)), 0),
    "first at zero": (
        "zero-first",
        lambda: k.Schedule(linear(100, start=0.0, endpoint=False), cosine(to=0.0)),
        0,
    ),
    "a jump down": ("jump", lambda: k.Schedule(linear(50), hold(value=0.3)), 50),
    "a jump up": (
        "jump",
        lambda: k.Schedule(cosine(500, to=0.0, start=1.0), linear(to=0.0, start=1.0)),
        500,
    ),
    "a jump into cycles": (
        "jump",
        lambda: k.Schedule(linear(100), repeat(linear(99, to=0.5), linear(9, to=0.2))),
        100,
    ),
    "a jump where it was extended": (
        "jump",
        lambda: k.LinearDecay().extend(1000, 2000, warmup=1),
        1000,
    ),
    "a short decay": ("ends-early", lambda: k.CosineDecay(decay=500), 500),
    "a short horizon": ("ends-early", lambda: k.Rex(horizon="5 epochs"), 500),
    "a long warmup": ("cut-short", lambda: k.Warmup(3000), 1999),
    "a peak beyond the run": ("no-peak", lambda: k.CyclicalLR(half_cycle=3000), None),
    "two that meet half-way": (
        "no-peak",
        lambda: k.combine(k.Warmup("50%"), k.LinearDecay()),
        999,
    ),
    "a floor left out": (
        "no-floor",
        lambda: k.CosineRestarts(min_lr=0.01, first_cycle=100, endpoint=False),
        1499,
    ),
    "epochs as updates": (
        "epochs-as-updates",
        lambda: k.PiecewiseConstant([10, 15], [1.0, 0.1, 0.01]),
        10,
    ),
    "a warmup in epochs": ("epochs-as-updates", lambda: k.WarmupCosine(warmup=5), 5),
    "a horizon in epochs": ("epochs-as-updates", lambda: k.Rex(horizon=20), 20),
}
FINE = [
    k.Schedule(linear(50), hold(50), cosine(to=0.0)),
    k.Schedule(hold(100, 1.0), repeat(cosine(50, to=0.0, start=1.0)), max_lr=0.1),
    k.Schedule(
        linear("3 steps"), linear("2 steps", to=0.5), cosine("1 epochs", to=0.4), hold()
    ),
    k.StepDecay(every="5 epochs"),
    k.StepDecay(min_lr=1e-6),
    k.CyclicalLR(min_lr=0.1, half_cycle=100, scale_fn=lambda n: 1 / n),
    k.PiecewiseConstant([500, 1000], [1.0, 0.1, 0.01]),
    k.PiecewiseConstant(["10 epochs"], [0.5, 0.05]),
    k.CosineRestarts(first_cycle=100, m_mul=0.5),
    k.CyclicalLR(min_lr=0.1, half_cycle=100, mode="triangular2"),
    k.WarmupCosine(warmup="5 steps"),
    k.WarmupStableDecay(decay="1%"),
    k.InverseSqrt(warmup=100),
    k.LinearDecay().extend(1000, 2000),
    k.combine(k.Warmup("5%"), k.CosineDecay()),
]


@pytest.mark.parametrize(("code", "make", "update"), ODD.values(), ids=ODD)
def test_what_is_odd_is_found_where_it_lies(code, make, update):
    schedule = make()
    finding = only(k.lint(schedule, **RUN), code)
    assert finding.update == update
    assert finding.message.endswith(".")
    assert finding.advice.endswith(".")
    if finding.schedule is not None:
        assert finding.schedule in finding.message


@pytest.mark.parametrize("schedule", FINE, ids=name_of)
def test_what_is_meant_is_not_found(schedule):
    assert not k.lint(schedule, **RUN).findings


@pytest.mark.parametrize(("length", "warmup"), [(100, 20), (300, 20)])
def test_a_peak_that_falls_under_a_warmup_of_epochs_is_a_warning(length, warmup):
    arguments = {"t_initial": length, "warmup_t": warmup, "warmup_lr_init": 1e-6}
    schedule = from_timm("CosineLRScheduler", **arguments)
    report = k.lint(schedule, epochs=length, steps_per_epoch=10, base_lr=0.1)
    found = [(one.code, one.severity) for one in report.findings]
    assert found == [("no-peak", "warning")]
    prefixed = from_timm("CosineLRScheduler", warmup_prefix=True, **arguments)
    options = {"epochs": length + warmup, "steps_per_epoch": 10, "base_lr": 0.1}
    assert k.lint(prefixed, **options).findings == ()


WARM = {"warmup_t": 600, "warmup_lr_init": 1e-4, "t_in_epochs": False}
CYCLES = {"init_value": 0.1, "peak_value": 0.1, "warmup_steps": 0, "decay_steps": 500}
LEVELS = ("constant_schedule", {"value": 0.1})
FALL = ("cosine_decay_schedule", {"init_value": 1.0, "decay_steps": 1000})
#: Schedules of other libraries, and what is odd about them.
OTHERS = {
    "timm's cosine that has been running under its warmup": (
        lambda: from_timm("CosineLRScheduler", t_initial=2000, **WARM),
        ["jump", "no-peak"],
    ),
    "the same by epochs": (
        lambda: from_timm("CosineLRScheduler", t_initial=20, warmup_t=6),
        ["no-peak", "zero-first"],
    ),
    "with a prefix": (
        lambda: from_timm(
            "CosineLRScheduler", t_initial=1400, warmup_prefix=True, **WARM
        ),
        [],
    ),
    "restarts": (
        lambda: from_optax("sgdr_schedule", cosine_kwargs=[CYCLES] * 4),
        [],
    ),
    "restarts by epochs": (
        lambda: from_timm("CosineLRScheduler", t_initial=5, cycle_limit=4),
        [],
    ),
    "stairs": (
        lambda: from_keras("PiecewiseConstantDecay", boundaries=[900], values=[1, 0.1]),
        [],
    ),
    "stairs by epochs": (
        lambda: from_timm("StepLRScheduler", decay_t=5, decay_rate=0.1),
        [],
    ),
    "a level and then a fall from another": (
        lambda: from_optax(
            "join_schedules", schedules=[LEVELS, FALL], boundaries=[1000]
        ),
        ["jump"],
    ),
    "a first update at zero": (
        lambda: from_transformers(
            "cosine", num_warmup_steps=100, num_training_steps=2000
        ),
        ["zero-first"],
    ),
    "a rate below zero": (
        lambda: from_optax(
            "linear_schedule", init_value=1, end_value=-1, transition_steps=2000
        ),
        ["negative-rate"],
    ),
    "steps that are epochs": (
        lambda: from_keras(
            "CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=10
        ),
        ["epochs-as-updates"],
    ),
    "too long": (
        lambda: from_keras("CosineDecay", initial_learning_rate=0.1, decay_steps=5000),
        ["cut-short"],
    ),
}


@pytest.mark.parametrize(("make", "expected"), OTHERS.values(), ids=OTHERS)
def test_schedules_of_other_libraries_are_looked_over(make, expected):
    assert sorted(codes(k.lint(make(), **RUN))) == expected


def test_the_advice_is_in_the_words_of_the_other_library():
    steps = from_torch("MultiStepLR", milestones=[10, 15])
    finding = only(k.lint(steps, **RUN), "epochs-as-updates")
    assert "counts `milestones` (10, 15) in updates" in finding.message
    assert "10 epochs are 1000) or give per='epoch'" in finding.advice
    by_epoch = from_torch("MultiStepLR", milestones=[10, 15], per="epoch")
    assert not k.lint(by_epoch, **RUN).findings


@pytest.mark.parametrize("name", schedules())
@pytest.mark.parametrize("max_lr", [None, 1e-3])
def test_no_preset_is_odd_in_an_ordinary_run(name, max_lr):
    schedule = getattr(k, name)(*FIRST.get(name, []), max_lr=max_lr)
    model = compiled(keras.optimizers.Adam(1e-3))
    report = k.lint(schedule, model=model, **RUN)
    assert codes(report, "error", "warning") == []


def test_rates_and_momentum_are_the_values():
    cycle = k.OneCycle(warmup=7)
    report = k.lint([cycle, k.Warmup("10%")], base_lr=0.3, **RUN)
    product = k.combine(cycle, k.Warmup("10%"))
    expected = product.values(2000, base_lr=0.3, steps_per_epoch=100)
    np.testing.assert_allclose(report.rates, expected, rtol=1e-12)
    np.testing.assert_allclose(report.momentum, cycle.momentum_values(2000))
    assert k.lint(product, base_lr=0.3, **RUN).rates.tolist() == report.rates.tolist()
    assert report.rates.dtype == np.float64
    assert k.lint(k.Rex(), **RUN).momentum is None


def test_without_a_rate_it_says_which_is_taken():
    assert "taken for 1.0, since neither" in str(k.lint(k.Rex(), **RUN))
    assert "own rate is 0.5." in str(k.lint(k.Rex(), base_lr=0.5, **RUN))
    assert "own rate" not in str(k.lint(k.Rex(max_lr=0.5), **RUN))


def test_a_run_that_goes_on_is_looked_at_from_there():
    schedule = k.LinearDecay(horizon="5 epochs")
    report = k.lint(schedule, initial_epoch=3, **{**RUN, "epochs": 4})
    assert report.first == 300
    assert report.rates.tolist() == schedule.values(500, 1.0, 100)[300:400].tolist()
    assert not report.findings
    late = k.lint(schedule, initial_epoch=5, **RUN)
    assert only(late, "starts-at-floor").update == 500
    anew = k.lint(k.Warmup(10, since="fit"), initial_epoch=19, **RUN)
    assert anew.rates[:2].tolist() == [0.1, 0.2]


# Two writers.


def scheduler():
    return keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)


WRITERS = {
    "two peaks": (lambda: [k.Rex(max_lr=0.1), k.OneCycle(max_lr=0.2)], "error"),
    "one of Keras'": (lambda: [k.Rex(), scheduler()], "warning"),
    "a plateau of Keras'": (
        lambda: [k.Rex(), keras.callbacks.ReduceLROnPlateau()],
        "warning",
    ),
    "after a warmup": (
        lambda: [k.Warmup(), keras.callbacks.ReduceLROnPlateau()],
        "note",
    ),
    "two plateaus": (
        lambda: [k.Plateau(), keras.callbacks.ReduceLROnPlateau()],
        "warning",
    ),
    "twice": (lambda: [k.Rex()] * 2, "error"),
}


@pytest.mark.parametrize(("make", "severity"), WRITERS.values(), ids=WRITERS)
def test_two_writers_of_one_rate_are_found(make, severity):
    assert only(k.lint(make(), **RUN), "two-writers").severity == severity


def test_whoever_writes_no_rate_is_none():
    others = [keras.callbacks.EarlyStopping(), keras.callbacks.TerminateOnNaN()]
    assert not k.lint([k.Warmup(), k.Rex(max_lr=0.1), *others], **RUN).findings
    assert not k.lint([k.Plateau(), k.Warmup()], **RUN).findings


def test_of_two_peaks_the_first_is_drawn():
    both = [k.LinearDecay(max_lr=0.1), k.Rex(max_lr=0.2)]
    report = k.lint(both, **RUN)
    assert report.rates[0] == 0.1
    assert report.findings[0].message.startswith("Only one schedule of a fit can set")


# With a model.


def schedule_of_keras(steps=1000):
    return keras.optimizers.schedules.CosineDecay(0.1, steps)


def test_the_optimizer_tells_its_rate_and_its_memory():
    model = compiled(keras.optimizers.Adam(0.002, beta_2=0.99))
    report = k.lint(k.Warmup(150), model=model, **RUN)
    assert report.rates[-1] == pytest.approx(0.002)
    assert "short-warmup" in codes(report, "note")
    assert "short-warmup" not in codes(k.lint(k.Warmup(200), model=model, **RUN))
    assert not k.lint(k.Warmup(150), **RUN).findings
    higher = k.lint(k.Warmup(150), model=model, base_lr=0.01, **RUN)
    assert higher.rates[-1] == 0.01


def test_rates_far_from_what_is_usual_are_found():
    model = compiled(keras.optimizers.Adam())
    high = k.lint(k.Rex(max_lr=0.1), model=model, **RUN)
    assert only(high, "far-from-usual").severity == "warning"
    low = k.lint(k.Rex(max_lr=1e-5), model=model, **RUN)
    assert only(low, "far-from-usual").severity == "note"
    past_of(model).found[model.optimizer] = 1e-5
    assert not k.lint(k.Rex(max_lr=1e-5), model=model, **RUN).findings
    found = k.lint(k.Rex(max_lr=1e-3), model=model, **RUN)
    assert only(found, "far-from-found").severity == "warning"


def test_a_search_leaves_its_answer_to_lint(monkeypatch):
    model = compiled(keras.optimizers.Adam())
    result = SimpleNamespace(suggestion=1e-3)
    monkeypatch.setattr(search, "_search", lambda *args, **options: result)
    k.find_lr(model, np.ones((4, 4)), np.ones((4, 2)))
    report = k.lint(k.Rex(max_lr=0.031), model=model, **RUN)
    assert only(report, "far-from-found").update == 0


def test_batches_that_make_an_update_are_not_updates():
    model = compiled(keras.optimizers.SGD(gradient_accumulation_steps=4))
    report = k.lint(k.LinearDecay(horizon=2000), model=model, **RUN)
    assert report.rates.shape == (500,)
    assert report.steps_per_epoch == 25
    assert "Write horizon=500," in only(report, "batches-as-updates").advice
    assert not k.lint(k.LinearDecay(horizon=500), model=model, **RUN).findings


def test_a_schedule_in_the_optimizer_is_looked_at():
    rate = schedule_of_keras()
    each = 2
    model = compiled(keras.optimizers.SGD(rate, gradient_accumulation_steps=each))
    report = k.lint([k.Warmup("10%")], model=model, **RUN)
    assert codes(report) == ["batches-as-updates", "two-writers"]
    ours = k.LinearDecay(max_lr=0.1).as_keras_schedule(1000, accumulation=each)
    model = compiled(keras.optimizers.SGD(ours, gradient_accumulation_steps=each))
    report = k.lint([], model=model, **RUN)
    assert not report.findings
    np.testing.assert_allclose(
        report.rates, k.LinearDecay(max_lr=0.1).values(1000), rtol=1e-6
    )


def test_a_schedule_in_the_optimizer_beside_a_peak_is_refused_in_the_fits_words():
    model = compiled(keras.optimizers.SGD(schedule_of_keras()))
    finding = only(k.lint(k.Rex(max_lr=0.1), model=model, **RUN), "two-writers")
    assert finding.severity == "error"
    assert "needs an optimizer compiled with a float" in finding.message


def test_a_schedule_of_keras_past_its_end_begins_at_its_floor():
    model = compiled(keras.optimizers.SGD(schedule_of_keras(100)))
    assert "starts-at-floor" not in codes(k.lint([], model=model, **RUN))
    model.optimizer.iterations.assign(100)
    assert codes(k.lint([], model=model, **RUN)) == ["zero-run", "starts-at-floor"]
    model.optimizer.iterations.assign(50)
    assert not k.lint([], model=model, **RUN).findings


# What tells how long an epoch is.


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        return np.ones((2, 4)), np.ones((2, 2))


@pytest.mark.parametrize(
    ("data", "updates"),
    [
        (np.ones((65, 4)), 3),
        ((np.ones((64, 4)), np.ones((64, 2))), 2),
        ((np.ones((64, 4)), np.ones((64, 2)), 16), 4),
        ({"a": np.ones((33, 4))}, 2),
        (Batches(), 7),
    ],
    ids=["arrays", "a tuple", "a batch size", "a dict", "a PyDataset"],
)
def test_data_tell_how_long_an_epoch_is(data, updates):
    assert k.lint(k.Rex(), epochs=1, data=data).rates.shape == (updates,)


# What is refused.

WRONG = {
    "no schedule": (
        lambda: k.lint(3, **RUN),
        TypeError,
        r"a list of callbacks\. Received: 3\.",
    ),
    "no callback": (lambda: k.lint([k.Rex(), 3], **RUN), TypeError, r"Received: 3\."),
    "no epochs": (
        lambda: k.lint(k.Rex(), epochs=0, steps_per_epoch=3),
        ValueError,
        r"`epochs` must be above.*Received: epochs=0, initial_epoch=0\.",
    ),
    "no length": (
        lambda: k.lint(k.Rex(), epochs=1),
        ValueError,
        r"neither `steps_per_epoch` nor `data`.*Give one of them\.",
    ),
    "data without one": (
        lambda: k.lint(k.Rex(), epochs=1, data=iter([])),
        ValueError,
        r"`data` must tell.*Give `steps_per_epoch` instead",
    ),
    "half a batch": (
        lambda: k.lint(k.Rex(), epochs=1, steps_per_epoch=0.5),
        TypeError,
        r"`steps_per_epoch` must be an int\.",
    ),
    "a rate of 0": (
        lambda: k.lint(k.Rex(), base_lr=0, **RUN),
        ValueError,
        r"`base_lr` must be finite and above 0\.",
    ),
    "what no fit can lay out": (
        lambda: k.lint(k.Schedule(linear("60%"), linear("60%")), **RUN),
        ValueError,
        r"Fractions must not add up",
    ),
    "an optimizer that is not there": (
        lambda: k.lint(
            k.Rex(optimizer="d"), model=compiled(keras.optimizers.SGD()), **RUN
        ),
        ValueError,
        r"`optimizer` must name an attribute",
    ),
    "no update": (
        lambda: k.lint(
            k.Rex(),
            epochs=1,
            steps_per_epoch=3,
            model=compiled(keras.optimizers.SGD(gradient_accumulation_steps=4)),
        ),
        ValueError,
        r"must make an update.*than the 4 of an update.*Give it more\.",
    ),
    "a model that is not compiled": (
        lambda: k.lint(k.Rex(), model=keras.Sequential(), **RUN),
        RuntimeError,
        r"must be compiled",
    ),
    "a check that is none": (
        lambda: k.Rex(check="yes"),
        TypeError,
        r"^Rex: `check` must be True or False",
    ),
}


@pytest.mark.parametrize(("act", "error", "words"), WRONG.values(), ids=WRONG)
def test_bad_input_is_refused_in_a_sentence(act, error, words):
    with pytest.raises(error, match=words):
        act()


# What it shows.


def odd_report():
    schedule = k.Schedule(
        linear("10%"), hold("40%"), cosine(500, to=0.0, start=0.5), max_lr=0.1
    )
    return k.lint(schedule, **RUN)


def test_a_report_is_a_table_with_findings():
    lines = str(odd_report()).splitlines()
    assert lines[1].startswith("max_lr=0.1)")
    assert lines[2] == "2000 updates: 20 epochs of 100."
    assert lines[4].split() == ["update", "epoch", "rate"]
    table = [line.split(maxsplit=3) for line in lines[5:10]]
    assert table == [
        ["0", "0.00", "0.0005", "first"],
        ["199", "1.99", "0.1", "highest"],
        ["200", "2.00", "0.1", "join"],
        ["1000", "10.00", "0.05", "join"],
        ["1999", "19.99", "0", "last"],
    ]
    assert lines[11] == "1. warning: jump, at update 1000"
    assert "2. warning: ends-early, at update 1500" in lines


def test_the_worst_comes_first():
    severities = [f.severity for f in k.lint(WRITERS["twice"][0](), **RUN).findings]
    assert severities == sorted(severities, key=SEVERITIES.index)


def test_a_report_cannot_be_changed():
    report = odd_report()
    with pytest.raises(AttributeError):
        report.first = 3
    with pytest.raises(ValueError, match="read-only"):
        report.rates[0] = 1.0
    assert repr(report) == "Report(2000 updates, findings=['jump', 'ends-early'])"


def test_the_picture_marks_findings_where_they_lie():
    report = odd_report()
    ax = report.plot()
    line = ax.lines[0]
    assert np.array_equal(line.get_ydata(), report.rates)
    marked = {text.get_text(): text.xy for text in ax.texts}
    assert marked["1"] == (1000, report.rates[1000])
    assert marked["2"] == (1500, 0)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [
        "1  warning: jump at update 1000",
        "2  warning: ends-early at update 1500",
    ]


def test_marks_that_would_overlap_are_one():
    schedule = k.WarmupCosine(warmup=5, max_lr=0.1)
    report = k.lint(schedule, model=compiled(keras.optimizers.Adam()), **RUN)
    assert sorted(finding.update for finding in report.findings) == [4, 4, 5]
    assert [text.get_text() for text in report.plot().texts] == ["1, 2, 3"]


def test_the_picture_shows_both_plans_of_what_was_extended():
    ax = k.LinearDecay(max_lr=0.1).extend(1000, 2000).plot()
    expected = {line.get_label(): line.get_ydata() for line in ax.lines}
    report = k.lint(k.LinearDecay(max_lr=0.1).extend(1000, 2000), **RUN)
    drawn = {line.get_label(): line.get_ydata() for line in report.plot().lines}
    for name in ("planned for 1000", "planned for 2000", "extended after 1000"):
        np.testing.assert_allclose(drawn[name], expected[name])
    assert "jump" not in codes(report)


def test_momentum_and_other_axes(tmp_path):
    _, ax = plt.subplots()
    report = k.lint(k.OneCycle(max_lr=0.1), **RUN)
    assert report.plot(ax) is ax
    (right,) = [other for other in ax.figure.axes if other is not ax]
    assert np.array_equal(right.lines[0].get_ydata(), report.momentum)
    ax.figure.savefig(tmp_path / "report.png")


def test_a_notebook_shows_table_and_picture(monkeypatch):
    shown = odd_report()._repr_html_()
    assert "<pre>Schedule(" in shown
    assert "data:image/png;base64," in shown
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "<img" not in odd_report()._repr_html_()
    with pytest.raises(ImportError, match=r"pip install 'keras-lr\[plot\]'"):
        odd_report().plot()


# The docs.


def test_every_finding_has_an_entry_in_the_docs_that_triggers_it():
    page = (DOCS / "lint.md").read_text("utf-8")
    entries = re.findall(r"^### `([a-z-]+)`", page, re.MULTILINE)
    assert tuple(entries) == CODES
    for part in page.split("\n### `")[1:]:
        code = part.partition("`")[0]
        assert re.search(rf"'{code}'", part), code
    room = Path(k.__file__).parent / "lints"
    source = "".join(path.read_text("utf-8") for path in room.glob("*.py"))
    assert set(re.findall(r'\n +"([a-z]+(?:-[a-z]+)+)",\n', source)) <= set(CODES)


def test_the_picture_of_the_docs_can_be_drawn():
    drawn = runpy.run_path(str(DOCS / "lint.py"))
    report = k.lint(drawn["FAULTY"], **drawn["RUN"])
    assert codes(report) == ["epochs-as-updates", "jump", "ends-early"]
    assert len(drawn["draw"]().axes) == 2


def test_several_peaks_may_be_extended():
    names = {"backbone": 0.01, "head": 0.1}
    report = k.lint(k.CosineDecay(max_lr=names).extend(1000, 2000), **RUN)
    assert report.extended == 1000
    assert not report.findings


def test_optimizers_of_one_schedule_are_told_once():
    names = {"backbone": 0.01, "head": 0.1}
    report = k.lint(k.CosineDecay(max_lr=names, decay=500), **RUN)
    assert only(report, "ends-early").update == 500
    assert report.rates[0] == 0.1
    assert list(report.others) == ["learning_rate_backbone"]


def test_what_else_is_scheduled_is_shown():
    decay = k.LinearDecay(hyperparameter="weight_decay", max_lr=0.01)
    report = k.lint([decay, k.OneCycle(max_lr=0.1)], **RUN)
    assert report.weight_decay[[0, -1]].tolist() == [0.01, 0.0]
    assert "momentum  weight decay" in str(report)
    axes = report.plot().figure.axes
    assert [ax.get_ylabel() for ax in axes[1:]] == ["momentum", "weight decay"]


def test_the_model_is_left_as_it_is():
    model = compiled(keras.optimizers.Adam(0.01))
    before = vars(model.optimizer).copy(), type(model.optimizer)
    k.lint([k.OneCycle(max_lr=0.1), k.Plateau()], model=model, **RUN)
    assert (vars(model.optimizer), type(model.optimizer)) == before
    assert past_of(model).planned is None


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="this Keras has none"
)
def test_groups_of_layers_keep_their_ratio():
    optimizers = keras.optimizers
    slow, fast = optimizers.SGD(0.01, name="slow"), optimizers.SGD(0.1, name="fast")
    both = optimizers.MultiOptimizer(optimizers.OptimizerMap(slow, {".*kernel": fast}))
    report = k.lint(k.LinearDecay(max_lr=0.2), model=compiled(both), **RUN)
    assert report.name == "learning_rate_fast"
    assert report.rates[0] == pytest.approx(0.2)
    assert report.others["learning_rate_slow"][0] == pytest.approx(0.02)
