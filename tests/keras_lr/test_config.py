import inspect
import json
from collections import UserList
from decimal import Decimal
from fractions import Fraction

import keras
import numpy as np
import pytest

import keras_lr as k
from keras_lr.phases import cosine, exponential, function, hold, linear, repeat, tanh
from keras_lr.plan import config as _config
from tests.kit.names import name_of, schedules


@keras.saving.register_keras_serializable("tests")
def slowly(step):
    return 1 / (1 + step)


SCHEDULES = [
    k.Warmup(4, start=0.5, curve="cosine", since="fit"),
    k.OneCycle(max_lr=0.1, warmup="20%", momentum=(0.8, 0.9), phases="three"),
    k.OneCycle(momentum=None, min_lr=0.001),
    k.CyclicalLR(max_lr=0.1, min_lr=0.01, half_cycle=3, half_cycle_down="5 steps"),
    k.CyclicalLR(half_cycle=3, mode="exp_range", gamma=0.9),
    k.CyclicalLR(half_cycle=3, scale_fn=slowly, scale_by="step", on_cycle_end=slowly),
    k.CosineDecay(max_lr=0.1, exponent=2.0, decay="50%"),
    k.CosineRestarts(first_cycle=5, t_mul=1.0, m_mul=0.5, endpoint=False),
    k.CosineRestarts(first_cycle=9, warmup=2, t_mul=0.5),
    k.WarmupCosine(0.1, warmup=3, min_lr=0.01, on_extend="continue"),
    k.WarmupLinear(0.1, warmup="1 epoch"),
    k.WarmupStableDecay(shape="1-square"),
    k.FlatCosine(decay=0.5),
    k.LinearDecay(horizon="3 epochs"),
    k.PolynomialDecay(power=3.0, hyperparameter="weight_decay"),
    k.ExponentialDecay(rate=0.5, every=4),
    k.InverseTimeDecay(min_lr=0.1),
    k.InverseSqrt(warmup=5, timescale="50%"),
    k.StepDecay(every=0.25, rate=0.5),
    k.PiecewiseConstant([3, "50%"], [1.0, 0.5, 0.25]),
    k.PiecewiseLinear([(0, 0.5), ("25%", 1.0), (20, 0.0)]),
    k.Plateau("loss", 0.5, 3, max_lr=0.1, warmup=3, decay="25%", convention="torch"),
    k.Rex(max_lr=0.1),
    k.Function(slowly, max_lr=0.3),
    k.Function(slowly, of="progress"),
    k.Schedule(linear(4), hold(), cosine("50%", to=0.0, exponent=2.0), start=0.5),
    k.Schedule(repeat(linear(3), linear(2, to=0.5), grow=2.0, shrink=0.5, fixed=1)),
    k.Schedule(tanh(9, to=0.1, start=1.0, lower=-2.0, endpoint=False), max_lr=0.1),
    k.Schedule(exponential(to=0.1, start=1.0), hyperparameter="momentum", max_lr=0.9),
]


with_name = pytest.mark.parametrize("schedule", SCHEDULES, ids=name_of)


def same(one, other):
    assert type(one) is type(other)
    assert repr(one) == repr(other)
    arguments = {"steps": 40, "steps_per_epoch": 10}
    assert one.values(**arguments).tolist() == other.values(**arguments).tolist()
    momenta = (s.momentum_values(**arguments).tolist() for s in (one, other))
    assert next(momenta) == next(momenta)


def plain(schedule):
    """As JSON gives it back, where lists stand for tuples."""
    return json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))


def test_every_schedule_is_here():
    names = {type(schedule).__name__ for schedule in SCHEDULES}
    assert names == set(schedules())


@with_name
def test_a_schedule_is_rebuilt_from_its_config(schedule):
    same(type(schedule).from_config(schedule.get_config()), schedule)


@with_name
def test_a_schedule_survives_keras_serialization_and_json(schedule):
    rebuilt = keras.saving.deserialize_keras_object(plain(schedule))
    assert type(rebuilt) is type(schedule)
    arguments = {"steps": 40, "steps_per_epoch": 10}
    assert rebuilt.values(**arguments).tolist() == schedule.values(**arguments).tolist()


@with_name
def test_a_config_names_the_arguments_of_the_constructor(schedule):
    parameters = list(inspect.signature(type(schedule)).parameters)
    assert sorted(schedule.get_config()) == sorted(parameters)


@with_name
def test_building_a_config_changes_nothing(schedule):
    before = repr(schedule)
    type(schedule).from_config(schedule.get_config())
    schedule.values(40, steps_per_epoch=10)
    assert repr(schedule) == before


@pytest.mark.parametrize("schedule", SCHEDULES[:22], ids=name_of)
def test_a_repr_is_the_call_that_made_it(schedule):
    names = {**vars(k), "slowly": slowly}
    if getattr(schedule, "scale_fn", None) is None:
        same(eval(repr(schedule), names), schedule)


def test_a_repr_of_own_phases_can_be_read():
    schedule = k.Schedule(
        linear("5%"),
        repeat(cosine(3, to=0.0, start=1.0), duration=9, grow=2.0),
        function(slowly),
        max_lr=0.1,
    )
    assert repr(schedule) == (
        "Schedule(linear('5%', to=1.0), repeat(cosine(3, to=0.0, start=1.0), "
        "duration=9, grow=2.0), function(slowly), max_lr=0.1)"
    )
    assert repr(hold(3)) == "constant(3)"


@pytest.mark.parametrize(
    "part",
    [
        linear("5%", to=0.5, endpoint=False),
        cosine(to=0.0, start=1.0, exponent=2.0),
        repeat(linear(3), linear(2, to=0.0), grow=2.0, shrink=0.5),
        function(slowly, 3, unit="1 epoch"),
        _config.Points(((0, 1.0), ("50%", 0.5)), "hold"),
    ],
    ids=name_of,
)
def test_a_part_is_rebuilt_from_its_config(part):
    assert _config.from_config(_config.to_config(part)) == part


of_rates = pytest.mark.parametrize(
    "schedule",
    [s for s in SCHEDULES if s.hyperparameter == "learning_rate"],
    ids=name_of,
)


@pytest.mark.backend
@of_rates
def test_a_keras_schedule_gives_the_same_values(schedule):
    rate = schedule.as_keras_schedule(40, 0.5, steps_per_epoch=10)
    got = [float(rate(step)) for step in range(42)]
    expected = schedule.values(40, 0.5, steps_per_epoch=10)
    np.testing.assert_allclose(got[:40], expected, rtol=1e-6)
    assert got[40:] == [got[39]] * 2


@pytest.mark.backend
@of_rates
def test_a_keras_schedule_survives_serialization(schedule):
    rate = schedule.as_keras_schedule(40, 0.5, steps_per_epoch=10)
    again = keras.saving.deserialize_keras_object(plain(rate))
    assert [float(again(t)) for t in (0, 7, 39)] == [float(rate(t)) for t in (0, 7, 39)]


@pytest.mark.backend
def test_a_keras_schedule_takes_a_tensor_or_a_variable():
    rate = k.LinearDecay().as_keras_schedule(steps=5, base_lr=0.5)
    assert float(rate(keras.ops.convert_to_tensor(2, dtype="int32"))) == 0.25
    assert float(rate(keras.Variable(2, dtype="int32", trainable=False))) == 0.25


@pytest.mark.backend
def test_an_optimizer_with_a_keras_schedule_is_rebuilt_from_its_config():
    rate = k.WarmupCosine(0.1, warmup=2).as_keras_schedule(10)
    optimizer = keras.optimizers.SGD(rate)
    again = keras.optimizers.SGD.from_config(optimizer.get_config())
    assert float(again.learning_rate) == pytest.approx(0.05)


def test_a_lambda_is_saved_under_protest():
    with pytest.warns(UserWarning, match="includes a `lambda`. This is unsafe"):
        keras.saving.serialize_keras_object(k.Function(lambda step: 1.0))


@pytest.mark.backend
def test_a_keras_schedule_that_was_saved_from_its_former_module_loads():
    saved = plain(k.LinearDecay().as_keras_schedule(steps=5))
    saved["module"] = "keras_lr.schedule"
    assert float(keras.saving.deserialize_keras_object(saved)(2)) == 0.5


def test_numbers_and_lists_of_other_packages_are_kept_as_plain_ones():
    schedules = [
        k.OneCycle(max_lr=np.float32(0.5), warmup=np.int64(3), momentum=np.ones(2) / 2),
        k.PiecewiseConstant(np.array([3, 5]), UserList([1, 0.5, Fraction(1, 4)])),
        k.PiecewiseLinear(UserList([UserList(["50%", Decimal("0.5")]), [9, 1.0]])),
        k.Schedule(
            linear(np.int32(4), to=np.float32(0.5)), repeat(hold(2, np.ones(())))
        ),
    ]
    for schedule in schedules:
        config = json.loads(json.dumps(schedule.get_config()))
        same(type(schedule).from_config(config), schedule)
        assert "np." not in repr(schedule)
    assert type(schedules[0].max_lr) is float
    assert schedules[1].get_config()["boundaries"] == [3, 5]
