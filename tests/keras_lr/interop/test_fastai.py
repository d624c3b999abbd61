"""fastai's ways to fit, against its numbers and closed forms of its annealers."""

import numpy as np
import pytest

from keras_lr.interop import from_fastai
from keras_lr.interop.fastai_fits import RECIPES
from keras_lr.plan.duration import Clock
from tests.keras_lr.test_golden import FILES

CASES = {case["name"]: case for case in FILES["fastai_schedules"]["cases"]}
CALLS = {
    "fit_one_cycle_default": ("fit_one_cycle", {"lr_max": 0.1}),
    "fit_flat_cos_default": ("fit_flat_cos", {"lr": 0.1}),
    "poly_p2": ("SchedPoly", {"start": 0.1, "end": 0.001, "power": 2}),
    "lr_find_sweep": ("SchedExp", {"start": 1e-7, "end": 10}),
}


def close(values, expected, rtol=1e-6):
    np.testing.assert_allclose(values, expected, rtol=rtol, atol=1e-9)
    return True


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_golden_rates_and_momenta_are_met(name, faithful):
    case = CASES[name]
    fit, arguments = CALLS[name]
    schedule = from_fastai(fit, faithful=faithful, **arguments)
    assert close(schedule.values(len(case["value"]), base_lr=7.0), case["value"])
    if "mom" in case:
        assert close(schedule.momentum_values(len(case["mom"])), case["mom"])


def test_annealers_are_their_closed_forms():
    p = np.arange(8) / 8
    ways = {
        "SchedLin": 0.1 - 0.09 * p,
        "SchedCos": 0.01 + 0.09 * np.cos(np.pi * p / 2) ** 2,
        "SchedNo": np.full(8, 0.1),
        "SchedExp": 0.1 ** (1 + p),
    }
    for name, way in ways.items():
        assert close(from_fastai(name, start=0.1, end=0.01).values(8), way)
    ends = {"start": 0.1, "end": 0.01}
    assert close(from_fastai("SchedPoly", power=3, **ends).values(8), 0.1 - 0.09 * p**3)


def test_annealers_combine_as_pairs_or_as_what_they_have_become():
    up = {"start": 0.0, "end": 1.0}
    flat = {"start": 1.0, "end": 1.0}
    pairs = [("SchedLin", up), ["SchedNo", flat]]
    made = [from_fastai("SchedLin", **up), from_fastai("SchedNo", **flat)]
    for scheds in (pairs, made):
        values = from_fastai("combine_scheds", pcts=[0.5, 0.5], scheds=scheds).values(8)
        assert close(values, [0, 0.25, 0.5, 0.75, 1, 1, 1, 1])
    both = from_fastai("combined_cos", pct=0.5, start=0.1, middle=1.0, end=0.1)
    scheds = [
        ("SchedCos", {"start": 0.1, "end": 1.0}),
        ("SchedCos", {"start": 1.0, "end": 0.1}),
    ]
    combined = from_fastai("combine_scheds", pcts=[0.5, 0.5], scheds=scheds)
    assert close(both.values(30), combined.values(30), 1e-12)
    nested = from_fastai(
        "combine_scheds", pcts=[0.5, 0.5], scheds=[combined, ("SchedNo", flat)]
    )
    assert close(nested.values(60)[:30], combined.values(30))


def test_the_rate_is_the_own_one_where_none_is_given():
    for fit, peak in (("fit_one_cycle", "lr_max"), ("fit_flat_cos", "lr")):
        given = from_fastai(fit, **{peak: 0.1}).values(20, base_lr=3.0)
        assert close(from_fastai(fit).values(20, base_lr=0.1), given, 1e-12)
        assert given.max() == pytest.approx(0.1)
    restarts = {"n_cycles": 2, "cycle_len": 1}
    given = from_fastai("fit_sgdr", lr_max=0.1, **restarts).values(9, base_lr=3.0)
    own = from_fastai("fit_sgdr", **restarts).values(9, base_lr=0.1)
    assert close(own, given, 1e-12)


def test_its_length_is_its_epochs_or_else_the_run():
    run = from_fastai("fit_one_cycle").values(20)
    four = from_fastai("fit_one_cycle", n_epoch=4)
    assert close(four.values(20), run, 1e-12)
    longer = four.values(30, steps_per_epoch=5)
    assert close(longer, np.append(run, np.full(10, run[-1])), 1e-12)
    assert close(four.values(10, steps_per_epoch=5), run[:10], 1e-12)
    rate = RECIPES["fit_one_cycle"](False).rate
    with pytest.raises(ValueError, match=r"whose length is not known: .* `horizon=`"):
        rate(np.arange(3), 1.0, Clock(None, 5.0))


def test_cycles_restart_at_their_step_and_do_not_get_to_zero():
    restarts = {"n_cycles": 3, "cycle_len": 1, "lr_max": 0.1}
    values = from_fastai("fit_sgdr", **restarts).values(70, steps_per_epoch=10)
    lengths = (10, 20, 40)
    cycles = [0.1 * np.cos(np.pi * np.arange(n) / n / 2) ** 2 for n in lengths]
    assert close(values, np.concatenate(cycles), 1e-4)
    # Positions in float32: 3 / 7 of the run comes before 3 / 7.
    as_it_is = from_fastai("fit_sgdr", faithful=True, **restarts)
    late = np.abs(as_it_is.values(70, steps_per_epoch=10) - values) > 1e-6
    assert np.flatnonzero(late).tolist() == [30]
    equal = from_fastai("fit_sgdr", n_cycles=3, cycle_len=1, cycle_mult=1).values(12)
    assert close(equal, np.tile(np.cos(np.pi * np.arange(4) / 8) ** 2, 3), 1e-5)


def test_what_fastai_fails_at_is_refused_where_it_is_to_be_faithful():
    with pytest.raises(ValueError, match="divides by zero where cycles do not grow"):
        from_fastai("fit_sgdr", faithful=True, n_cycles=2, cycle_len=1, cycle_mult=1)
    flat = ("SchedNo", {"start": 1.0, "end": 1.0})
    tenths = {"pcts": [0.1] * 10, "scheds": [flat] * 10}
    assert sum(tenths["pcts"]) != 1.0
    assert from_fastai("combine_scheds", **tenths).values(5).tolist() == [1.0] * 5
    with pytest.raises(ValueError, match="add up to 1 but for rounding"):
        from_fastai("combine_scheds", faithful=True, **tenths)


def test_a_part_of_no_length_is_passed_over():
    for pct_start, expected in ((0.0, 0.1), (1.0, 0.1 / 25)):
        first = from_fastai("fit_one_cycle", lr_max=0.1, pct_start=pct_start).values(9)
        assert first[0] == pytest.approx(expected)
        assert np.isfinite(first).all()


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("fine_tune", {}, ValueError, "two trainings, the first of them with frozen"),
        ("fit_one_cycle", {"wd": 0.1}, TypeError, "no argument `wd`; it takes n_epoch"),
        ("fit_one_cycle", {"n_epoch": 0}, ValueError, "`n_epoch` must be at least 1"),
        ("fit_one_cycle", {"n_epoch": 1.5}, TypeError, "`n_epoch` must be an int"),
        ("fit_one_cycle", {"lr_max": slice(1e-3)}, TypeError, "`lr_max` must be a"),
        ("fit_one_cycle", {"pct_start": 1.5}, ValueError, r"must lie in \[0, 1\]"),
        ("fit_one_cycle", {"moms": (0.9, 0.8)}, ValueError, "three momenta"),
        ("fit_sgdr", {"n_cycles": 2}, ValueError, "needs `cycle_len`"),
        ("SchedExp", {"start": 0.0, "end": 1.0}, ValueError, "`start` must be"),
        (
            "combine_scheds",
            {"pcts": [0.5, 0.4], "scheds": [1, 2]},
            ValueError,
            "must add up to 1",
        ),
        (
            "combine_scheds",
            {"pcts": [1.0], "scheds": ["SchedCos"]},
            ValueError,
            "pair of a name and its arguments",
        ),
        (
            "combine_scheds",
            {"pcts": [1.0], "scheds": [("SchedLin", {"start": 0.1})]},
            ValueError,
            "SchedLin needs `end`",
        ),
        (
            "combine_scheds",
            {"pcts": [1.0], "scheds": []},
            ValueError,
            "Received: 1 and 0",
        ),
    ],
)
def test_bad_input_is_refused_with_the_reason(name, arguments, error, message):
    with pytest.raises(error, match=message):
        from_fastai(name, **arguments)
