"""Configs that somebody has changed: either they are understood, or a ValueError."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_lr as k
from keras_lr.finder.result import LRFinderResult
from keras_lr.phases import cosine, function, linear, repeat
from keras_lr.plan import config as parts
from keras_lr.tabulated import TabulatedSchedule
from tests.keras_lr.test_config import SCHEDULES, plain

numbers = st.integers(-3, 30) | st.floats() | st.sampled_from([10**400, 2**70, -0.0])
words = st.sampled_from(["5%", "1 epoch", "2 steps", "linear", "two", "auto", "Phase"])
scalars = st.none() | st.booleans() | numbers | words | st.text(max_size=5)
keys = st.sampled_from(["part", "phases", "class_name", "config", "to", "curve"])
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)

RESULT = LRFinderResult(
    0.01,
    "trust",
    "because",
    (0.001, 0.1),
    [0.1, 0.2],
    [1.0, float("nan")],
    [1.0, float("inf")],
    {"valley": 0.01},
    ({"lr": 0.1, "loss": float("inf"), "updates": 3},),
    5,
).to_dict()
PARTS = [
    parts.to_config(part)
    for part in [
        cosine("5%", to=0.5, endpoint=False, exponent=2.0),
        repeat(linear(3), linear(2, to=0.0), grow=2.0, shrink=0.5),
        function(float, 3, unit="1 epoch"),
        parts.Points(((0, 1.0), ("50%", 0.5)), "hold"),
    ]
]


def changed(data, config):
    """A config of which one thing, somewhere in it, is another, too much or missing."""
    config = copy.deepcopy(config)
    place = config
    while True:
        names = list(place) if isinstance(place, dict) else range(len(place))
        name = data.draw(
            st.sampled_from([*names, "more"]) if names else st.just("more")
        )
        inner = place[name] if name in names else None
        if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
            place = inner
            continue
        if isinstance(place, list):
            place.append(data.draw(anything)) if name == "more" else place.__setitem__(
                name, data.draw(anything)
            )
        elif name == "more" or data.draw(st.booleans()):
            place[name] = data.draw(anything)
        else:
            del place[name]
        return config


def understood(read, config):
    """What a config is read as; None where it is refused as it should be."""
    refusal = ""
    try:
        return read(config)
    except ValueError as error:
        refusal = str(error)
    assert 20 < len(refusal) < 1000
    return None


@settings(max_examples=150)
@given(st.data())
def test_a_schedules_changed_config_is_understood_or_refused(data):
    extended = k.OneCycle(max_lr=0.1).extend(3, "2 epochs", planned=6)
    schedule = data.draw(st.sampled_from([*SCHEDULES, extended]))
    read = type(schedule).from_config
    made = understood(read, changed(data, schedule.get_config()))
    if made is not None:
        # What is understood can be used, up to what only values can tell.
        understood(lambda _: made.values(8, steps_per_epoch=4), None)
        assert repr(read(made.get_config())) == repr(made)


@settings(max_examples=150)
@given(st.data())
def test_a_phases_changed_config_is_understood_or_refused(data):
    config = changed(data, data.draw(st.sampled_from(PARTS)))
    understood(parts.from_config, config)


@settings(max_examples=150)
@given(st.data())
def test_a_changed_result_is_understood_or_refused(data):
    made = understood(LRFinderResult.from_dict, changed(data, RESULT))
    if made is not None:
        assert str(made)
        LRFinderResult.from_dict(made.to_dict())


@settings(max_examples=150)
@given(anything)
def test_anything_is_understood_or_refused(value):
    for read in (k.Schedule.from_config, k.OneCycle.from_config, parts.from_config):
        understood(read, value)
    understood(LRFinderResult.from_dict, value)
    understood(TabulatedSchedule.from_config, value)


WRONG = {
    "no mapping": (k.OneCycle, [], "OneCycle: a config must be a mapping from argume"),
    "no phases": (k.Schedule, {}, "A schedule needs at least one phase"),
    "phases of text": (k.Schedule, {"phases": "two"}, "`phases` in the config must be"),
    "an argument of another": (
        k.LinearDecay,
        {"power": 2.0},
        "LinearDecay: a config has the arguments max_lr, min_lr, decay, horizon, hyper",
    ),
    "a phase without part": (
        k.Schedule,
        {"phases": [{"curve": "linear"}]},
        "Schedule: `part` in a phase's config must be one of Phase, FunctionPhase, Rep",
    ),
    "an unknown curve": (
        k.Schedule,
        {"phases": [{"part": "Phase", "curve": "cosinus"}]},
        "`curve` in a phase's config must be one of constant, linear, cosine, polynom",
    ),
    "an unknown option": (
        k.Schedule,
        {"phases": [{"part": "Phase", "curve": "cosine", "options": {"power": 2}}]},
        "A cosine curve has no option `power`. Received: power=2. It has exponent.",
    ),
    "a cycle of cycles": (
        k.Schedule,
        {"phases": [{"part": "Repeat", "phases": [{"part": "Repeat"}]}]},
        "A cycle is made of phases. Received: part='Repeat'.",
    ),
    "a function that is gone": (
        k.Function,
        {"function": {"class_name": "function", "config": "gone", "module": "nowhere"}},
        "Function: a value in the config cannot be made: ",
    ),
    "a rate as text": (
        k.OneCycle,
        {"max_lr": "1e-3"},
        "OneCycle: `max_lr` must be a number, not text.",
    ),
}


@pytest.mark.parametrize(("cls", "config", "message"), WRONG.values(), ids=WRONG)
def test_a_config_that_cannot_be_read_says_why(cls, config, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011  compared below
        cls.from_config(config)
    assert message in str(error.value)


MISREAD = {
    "no mapping": (None, "A result is read from a mapping. Received: None."),
    "a probe of nothing": ({"probes": [{}]}, "Each of `probes` of a result has `lr`"),
    "a verdict": ({"verdict": 7}, "`verdict` is one of"),
    "lists of several lengths": ({"lrs": [1.0]}, "are of one length"),
    "words for rates": ({"lrs": ["a", "b"]}, "`lrs` must be a number, not text"),
}


@pytest.mark.parametrize(("change", "message"), MISREAD.values(), ids=MISREAD)
def test_a_result_that_cannot_be_read_says_why(change, message):
    values = None if change is None else {**RESULT, **change}
    with pytest.raises(ValueError) as error:  # noqa: PT011  compared below
        LRFinderResult.from_dict(values)
    assert message in str(error.value)


def test_a_function_in_a_phase_survives_keras_serialization():
    schedule = k.Schedule(function(SCHEDULES[5].scale_fn, 3), linear(to=0.0))
    again = k.Schedule.from_config(plain(schedule)["config"])
    assert again.values(6).tolist() == schedule.values(6).tolist()
