import dataclasses

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.finder.climb import lengths
from keras_lr.finder.plan import in_small
from keras_lr.finder.sweep import Sweep
from keras_lr.finder.trainings import Trainings
from keras_lr.finder.verdict import Difference
from tests.kit.sweeps import assert_same, everything, model_of, outside

pytestmark = pytest.mark.backend


def rows(count=400):
    generator = np.random.default_rng(1)
    x = generator.normal(size=(count, 4)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")


def with_nan(row):
    x, y = rows()
    x[row, 2] = np.nan
    return x, y


def batches_of(data):
    x, y = data
    return iter([(x[i : i + 8], y[i : i + 8]) for i in range(0, 400, 8)])


def find(model, *given, **options):
    given = given or rows()
    options = {"batch_size": 8, "budget": 240, "verbose": 0, **options}
    return keras_lr.find_lr(model, *given, **options)


def test_it_finds_a_rate_that_trains():
    model = model_of(keras.optimizers.SGD(1e-6))
    x, y = rows()
    before = model.evaluate(x, y, verbose=0)
    result = find(model, set_rate=True)
    assert result.verdict == "trust"
    low, high = result.interval
    assert low <= result.suggestion <= high
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    assert rate == pytest.approx(result.suggestion, rel=1e-6)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before / 10


def test_the_model_is_unchanged_and_looks_untouched():
    model = model_of(dropout=0.3)
    x, y = rows()
    model.fit(x[:32], y[:32], batch_size=8, verbose=0)
    state, looks, history = everything(model), outside(model), model.history
    momenta = [layer.momentum for layer in model.layers if hasattr(layer, "momentum")]
    find(model)
    assert_same(everything(model), state)
    assert outside(model) == looks
    assert model.history is history
    assert momenta == [x.momentum for x in model.layers if hasattr(x, "momentum")]


def test_the_state_is_copied_once(monkeypatch):
    from keras_lr.finder import borrowed
    from keras_lr.fit.snapshot import Snapshot

    made = []

    class Counted(Snapshot):
        def __init__(self, *args):
            made.append(args)
            super().__init__(*args)

    monkeypatch.setattr(borrowed, "Snapshot", Counted)
    find(model_of())
    assert len(made) == 1


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch runs eagerly")
def test_sweep_and_probes_share_one_compilation():
    traced = []

    class Counts(keras.layers.Layer):
        def call(self, x, training=False):
            traced.append(training)
            return x

    def compiled():
        model = keras.Sequential([keras.Input((4,)), Counts(), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        traced.clear()
        return model

    x, y = rows()
    compiled().fit(x, y, batch_size=8, verbose=0)
    once = traced.count(True)
    model = compiled()
    assert find(model).probes
    assert traced.count(True) == once
    if keras.backend.backend() != "torch":  # There, every call runs through here.
        traced.clear()
        find(model)
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[keras_lr.OneCycle()])
        assert not traced


def test_an_interrupt_in_a_probe_gives_everything_back(monkeypatch):
    model, calls = model_of(), []
    find(model)
    state = everything(model)
    evaluate = Trainings.evaluate

    def interrupted(self):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return evaluate(self)

    monkeypatch.setattr(Trainings, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        find(model)
    assert len(calls) == 4
    assert_same(everything(model), state)


def test_the_same_seed_gives_the_same_answer():
    first, second = find(model_of(), seed=3), find(model_of(), seed=3)
    assert first.suggestion == second.suggestion
    assert first.probes == second.probes


def test_the_budget_bounds_the_updates_that_are_counted():
    model = model_of()
    result = find(model, budget=200)
    assert result.steps <= 200
    assert sum(probe.updates for probe in result.probes) < result.steps


def test_a_one_cycle_peak_is_higher_than_a_constant_rate():
    constant = find(model_of("sgd"))
    peak = find(model_of("sgd"), schedule=keras_lr.OneCycle())
    assert peak.suggestion > constant.suggestion
    assert peak.probes != constant.probes


def test_targets_without_any_relation_give_no_rate():
    generator = np.random.default_rng(0)
    x = np.zeros((200, 4), "float32")
    result = find(model_of("sgd"), x, generator.normal(size=(200, 1)))
    assert result.suggestion is None
    assert result.verdict != "trust"


def test_a_loss_that_is_not_finite_is_said_before_training():
    model = model_of(loss=lambda y, z: keras.ops.mean(y) * float("nan"))
    with pytest.raises(ValueError, match="finite before any training"):
        find(model)


@pytest.mark.parametrize(
    ("budget", "horizon", "updates"),
    [("4 epochs", None, 200), (0.1, "40 epochs", 200), ("10%", 2000, 200)],
)
def test_a_budget_in_epochs_or_of_the_plan_is_turned_into_updates(
    budget, horizon, updates
):
    schedule = keras_lr.OneCycle(horizon=horizon) if horizon else None
    x, y = rows()
    both = [find(model_of(), x, y, budget=b, schedule=schedule)
            for b in (budget, updates)]  # fmt: skip
    assert both[0].probes == both[1].probes


def test_inputs_in_a_dictionary_have_epochs_too():
    keras.utils.set_random_seed(0)
    inputs = {"a": keras.Input((4,), name="a")}
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs["a"]))
    model.compile("sgd", "mse")
    x, y = rows()
    assert find(model, {"a": x}, y, budget="4 epochs").steps <= 200


@pytest.mark.parametrize(
    ("before", "after", "real"),
    [
        ([50.0, 3.0, 80.0, 0.5], [0.1, 0.01, 0.2, 0.004], True),
        ([2.3, 2.4, 2.2, 2.3], [0.3, 0.2, 0.4, 0.3], True),
        ([-1.0, -1.1, -0.9, -1.0], [-2.0, -2.2, -1.9, -2.1], True),
        ([1.0, 2.0, 1.5, 60000.0], [1.1, 1.9, 1.6, 59000.0], False),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], False),
        ([1.0, 1.2, 0.9, 1.1], [0.9, 1.3, 0.8, 1.0], False),
        ([90.0, 70.0, 95.0, 80.0, 75.0, 85.0, 0.0], [0.5] * 7, True),
        ([1.0, 2.0, 1.5, 60000.0], [0.9, 2.1, 1.6, 10.0], False),
    ],
    ids=[
        *("unequal", "plain", "negative", "one huge row", "flat", "chance"),
        *("some began at 0", "a huge row that fell"),
    ],
)
def test_a_fall_is_real_where_most_batches_fall(before, after, real):
    assert Difference(np.array(before), np.array(after)).is_real(2.6) is real


@pytest.fixture
def flat_sweeps(monkeypatch):
    """Sweeps that saw no fall, whatever there was."""
    judgement = Sweep.judgement
    monkeypatch.setattr(
        Sweep,
        "judgement",
        lambda self, advice: dataclasses.replace(
            judgement(self, advice), verdict="flat"
        ),
    )


@pytest.mark.usefixtures("flat_sweeps")
def test_probes_that_learn_overrule_a_sweep_that_saw_no_fall():
    assert find(model_of("sgd"), budget=800).verdict == "trust"


@pytest.mark.usefixtures("flat_sweeps")
def test_a_fall_that_owes_nothing_to_the_inputs_overrules_no_sweep():
    generator = np.random.default_rng(0)
    x, _ = rows()
    far = 5 + 0.1 * generator.normal(size=(400, 1))
    result = find(model_of("sgd"), x, far.astype("float32"), budget=800)
    assert result.suggestion is None
    assert "the inputs" in result.reason


def test_noise_with_a_few_huge_values_gives_no_rate():
    generator = np.random.default_rng(0)
    x, _ = rows()
    y = generator.standard_cauchy((400, 1)) * 0.5
    result = find(model_of(), x, y, batch_size=2, budget=800)
    assert result.suggestion is None
    assert result.verdict == "noisy"


@pytest.mark.parametrize("kind", ["generator", "list of batches"])
def test_data_that_yield_batches_are_drawn_once(kind):
    x, y = rows()
    batches = [(x[i : i + 8], y[i : i + 8]) for i in range(0, 400, 8)]
    data = iter(batches) if kind == "generator" else Stream(batches)
    assert find(model_of("sgd"), data).verdict == "trust"


class Stream(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        return self.batches[i]


def test_validation_data_and_weights_are_used():
    x, y = rows()
    result = find(
        model_of("sgd"), x, y, validation_data=(x, y), sample_weight=np.ones(400)
    )
    assert result.verdict == "trust"


def test_an_optimizer_compiled_with_a_schedule_works_and_keeps_it():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-5, 10, 0.9)
    model = model_of(keras.optimizers.SGD(schedule))
    assert find(model).verdict == "trust"
    assert model.optimizer._learning_rate is schedule
    with pytest.raises(ValueError, match="compiled with a schedule"):
        find(model, set_rate=True)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ((np.zeros((0, 4)), np.zeros((0, 1))), {}, "at least 5 rows"),
        ((np.zeros((99, 4)), np.zeros((98, 1))), {}, "weights of 99, 98 rows"),
        (rows(), {"budget": 50}, "at least 120 updates"),
        (rows(), {"budget": 0.5}, "no `horizon`"),
        (rows(), {"epochs": 0}, "`epochs` must be at least 1"),
        ((iter([]),), {"budget": "2 epochs"}, "only where the data have a length"),
        (with_nan(17), {}, "in row 17 of the data"),
        (rows(), {"validation_data": with_nan(5)}, "in row 5 of validation_data"),
        ((batches_of(with_nan(100)),), {}, "in batch 12 of the data"),
        ((iter([]),), {}, "ended after 0"),
    ],
)
def test_what_cannot_work_is_said_before_training(given, options, message):
    with pytest.raises(ValueError, match=message):
        find(model_of(), *given, **options)


def test_updates_that_loss_scaling_leaves_out_are_no_fault():
    # The first gradients overflow at this scale.
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(), initial_scale=2.0**127
    )
    result = find(model_of(optimizer), budget=400)
    assert result.verdict == "trust"


def test_the_longer_the_training_is_to_be_the_lower_is_the_answer():
    short, long = (find(model_of("sgd"), epochs=epochs) for epochs in (2, 200))
    assert long.suggestion < short.suggestion
    assert long.probes == short.probes


def test_a_model_that_is_not_compiled_is_refused():
    with pytest.raises(RuntimeError, match="compiled"):
        find(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))


def test_long_probes_follow_the_schedule_and_short_ones_stay(monkeypatch):
    courses, probe = [], Trainings.probe

    def watched(self, rates):
        courses.append(rates / rates.max())
        return probe(self, rates)

    monkeypatch.setattr(Trainings, "probe", watched)
    find(model_of("sgd"), schedule=keras_lr.LinearDecay(), budget=800)
    short, long = lengths(700)
    for course in courses:
        if len(course) == short:
            np.testing.assert_array_equal(course, np.ones(short))
        else:
            np.testing.assert_allclose(course, in_small(keras_lr.LinearDecay(), long))
    assert {len(course) for course in courses} == {short, long}
