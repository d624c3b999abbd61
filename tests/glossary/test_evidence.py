import json
import random
from dataclasses import replace

import numpy as np
import pytest

import glossary
from glossary import evidence
from glossary.errors import DemoError
from glossary.evidence import Evidence, judge
from tests.kit.page_kit import HEARS_CTRL_C

CLAIMS = {one.id: one for term in glossary.terms() for one in term.claims}
CORE = [term for term in glossary.terms() if term.source == "core"]


#: Those that train with Keras run on every backend.
MARKED = [
    pytest.param(one, marks=[pytest.mark.backend] if claim.backend else [])
    for one, claim in CLAIMS.items()
]


@pytest.mark.parametrize("claim", MARKED)
def test_every_claim_comes_out_as_documented(claim):
    found = CLAIMS[claim].check()
    assert found.as_documented, str(found)
    assert len(found.figure().axes) == 2


def test_every_term_has_claims_and_the_core_at_least_three():
    assert all(term.claims for term in glossary.terms())
    assert all(len(term.claims) >= 3 for term in CORE)
    assert sum(len(term.claims) for term in CORE) >= 50


@pytest.mark.backend
def test_the_evidence_of_a_backend_names_it():
    import keras

    found = CLAIMS["batch-normalization/inference"].check()
    assert found.versions["backend"] == keras.backend.backend()
    assert "backend" not in CLAIMS["adam/bound"].check().versions


def test_the_command_line_takes_the_backend():
    import os
    import subprocess
    import sys

    wanted = ["demo", "BN", "--claim", "batch-normalization/inference", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "glossary", *wanted, "--backend", "torch"],
        capture_output=True, text=True, env={**os.environ, "KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["versions"]["backend"] == "torch"


def test_every_claim_cites_a_reference_of_its_term():
    for term in glossary.terms():
        known = {one.id for one in term.references} | {""}
        assert {one.reference for one in term.claims} <= known


@pytest.mark.parametrize(
    ("measured", "comparison", "threshold", "verdict", "margin"),
    [
        (0.25, "<", 0.5, "held", 0.5),
        (0.75, "<", 0.5, "failed", -0.5),
        (0.5, "<", 0.5, "failed", 0.0),
        (0.5, "<=", 0.5, "held", 0.0),
        (3.0, ">", 2.0, "held", 0.5),
        (-3.0, ">", -2.0, "failed", -0.5),
        (0.25, "<", 0.0, "failed", -0.25),
        (1.5, "between", (1.0, 2.0), "held", 0.5),
        (2.5, "between", (1.0, 2.0), "failed", -0.5),
    ],
)
def test_a_verdict_is_a_comparison(measured, comparison, threshold, verdict, margin):
    assert judge(measured, comparison, threshold) == (verdict, margin)


@pytest.mark.parametrize("measured", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_decides_nothing(measured):
    assert judge(measured, "<", 1.0)[0] == "inconclusive"


def test_a_control_that_fails_makes_it_inconclusive(monkeypatch):
    run = {"measured": 0.0, "data": {}, "figure": {}, "inconclusive": "No control."}
    monkeypatch.setattr(evidence, "_demo", lambda claim: lambda seed: run)
    found = CLAIMS["adam/first-step"].check()
    assert (found.verdict, found.reason) == ("inconclusive", "No control.")


def test_ten_seeds_are_judged_by_their_median(monkeypatch):
    claim = replace(CLAIMS["adam/first-step"], threshold=7.0)
    run = {"data": {}, "figure": {}}
    monkeypatch.setattr(
        evidence, "_demo", lambda claim: lambda seed: {**run, "measured": seed}
    )
    found = claim.check("full", seed=2)
    assert found.seeds == tuple(range(2, 12))
    assert (found.measured, found.verdict) == (6.5, "held")


def test_evidence_survives_json_and_draws_the_same():
    found = CLAIMS["attention-mechanism/scaling"].check("full")
    again = Evidence.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.to_dict() == found.to_dict()
    left, right = again.figure().axes
    assert left.get_xlabel() == "size of a key"
    heights = [line.get_ydata()[0] for line in right.get_lines()[1:]]
    assert heights == [found.threshold]
    assert len(right.get_lines()[0].get_ydata()) == 10


def test_numbers_that_are_not_finite_survive_json():
    found = CLAIMS["adam/first-step"].check()
    lost = replace(found, measured=float("inf"), by_seed=(float("inf"),))
    again = Evidence.from_dict(json.loads(json.dumps(lost.to_dict())))
    assert again.measured == float("inf")


def test_random_state_is_left_alone():
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()
    glossary.term("batch size").demo()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


@pytest.mark.parametrize("given", [None, 3.0, {"measured": 1.0}])
def test_a_demo_must_return_what_was_agreed(monkeypatch, given):
    monkeypatch.setattr(evidence, "_demo", lambda claim: lambda seed: given)
    with pytest.raises(DemoError, match="measured, data and figure"):
        CLAIMS["adam/first-step"].check()


def test_a_claim_from_a_file_runs_nothing():
    claim = replace(CLAIMS["adam/first-step"], demo="antigravity:geohash")
    with pytest.raises(DemoError, match="only for terms that are installed"):
        claim.check()


def test_a_claim_without_a_demo_says_so():
    with pytest.raises(DemoError, match="without one"):
        replace(CLAIMS["adam/first-step"], demo="").check()


def test_a_missing_package_names_what_to_install(monkeypatch):
    claim = replace(CLAIMS["adam/first-step"], demo="not_there_at_all:demo")
    term = replace(glossary.term("adam"), claims=(claim,))
    monkeypatch.setattr(evidence.load, "installed", lambda: (term,))
    with pytest.raises(DemoError, match=r"keras-lr\[demos\]"):
        claim.check()


def test_an_unknown_size_is_refused():
    with pytest.raises(ValueError, match="'fast' or 'full'"):
        CLAIMS["adam/first-step"].check("huge")


def test_evidence_shows_itself_in_a_notebook():
    shown = CLAIMS["adam/first-step"].check()._repr_html_()
    assert "held" in shown
    assert "<svg" in shown


def test_the_command_line_measures_saves_and_prints_json(tmp_path, capsys):
    from glossary.__main__ import main

    wanted = ["--claim", "adam/bound", "--save", str(tmp_path), "--format", "svg"]
    assert main(["demo", "adam", *wanted]) == 0
    assert "held: No step of Adam" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "adam-bound.svg").read_text()
    assert main(["demo", "adam", "--claim", "adam/bound", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)[0]
    assert record["verdict"] == "held"
    assert main(["demo", "adam", "--claim", "adam/nothing"]) == 1
    assert "adam/bound" in capsys.readouterr().err


def test_claims_run_side_by_side_and_are_written_down_in_order(
    monkeypatch, tmp_path, capsys
):
    from glossary.__main__ import main

    # The slow ones first, so that others end before them. All claims are checked one
    # by one above; here they need not be all, but some must train with Keras.
    names = ["activation function", "one-cycle policy", "early stopping", "momentum"]
    some = [glossary.term(name) for name in names]
    monkeypatch.setattr(glossary, "Glossary", lambda **options: some)
    path = tmp_path / "evidence.json"
    assert main(["check", "--demos", "--evidence", str(path)]) == 0
    claims = [claim for term in some for claim in term.claims]
    assert {claim.backend for claim in claims} == {True, False}
    records = json.loads(path.read_text())
    assert [record["claim"] for record in records] == [claim.id for claim in claims]
    assert "the slowest" in capsys.readouterr().out


def test_with_json_only_records_go_to_the_screen(monkeypatch, capsys):
    from glossary.__main__ import main

    some = [glossary.term("momentum")]
    monkeypatch.setattr(glossary, "Glossary", lambda **options: some)
    assert main(["check", "--demos", "--json"]) == 0
    shown, told = capsys.readouterr()
    found = [Evidence.from_dict(record) for record in json.loads(shown)]
    assert [one.claim for one in found] == [one.id for one in some[0].claims]
    assert all(one.as_documented for one in found)
    assert f"{len(found)} claims, 0 not as documented" in told
    assert "the slowest" in told


def test_ctrl_c_stops_with_its_own_code(monkeypatch, capsys):
    from glossary.__main__ import main

    def stop(claim):
        raise KeyboardInterrupt

    monkeypatch.setattr(evidence, "_demo", stop)
    assert main(["demo", "adam"]) == 130
    assert capsys.readouterr().err.endswith("stopped.\n")


def test_ctrl_c_ends_the_workers_too(tmp_path):
    import os
    import signal
    import subprocess
    import sys
    import time

    process = subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, "check", "--demos", "--full"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    shown, errors = process.communicate(timeout=60)
    assert (process.returncode, shown, errors) == (130, "", "glossary: stopped.\n")

    def still_there():
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    end = time.monotonic() + 30
    while still_there():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("sklearn.datasets", "sklearn", "demos"), ("torch", "torch", "torch")],
    ids=["package", "backend"],
)
def test_what_a_demo_misses_names_its_extra(monkeypatch, module, name, extra):
    def demo(seed):
        raise ModuleNotFoundError(f"No module named {name!r}", name=module)

    monkeypatch.setattr(evidence, "_demo", lambda claim: demo)
    with pytest.raises(DemoError, match=rf"needs {name}: .*keras-lr\[{extra}\]"):
        CLAIMS["adam/first-step"].check()


def test_a_figure_without_matplotlib_names_the_extra(monkeypatch):
    import sys

    found = CLAIMS["adam/first-step"].check()
    monkeypatch.delitem(sys.modules, "glossary.show.figure", raising=False)
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DemoError, match=r"A figure needs matplotlib: .*\[demos\]"):
        found.figure()
    assert "held" in found._repr_html_()


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="0 or above"):
        CLAIMS["adam/first-step"].check(seed=-1)


@pytest.mark.parametrize(
    ("measured", "threshold", "comparison"),
    [(0.0, 1e-12, "<"), (0.0, 0.0, "<="), (5.0, (1.0, 9.0), "between")],
)
def test_the_figure_shows_number_threshold_and_where_it_holds(
    measured, threshold, comparison
):
    found = replace(
        CLAIMS["adam/first-step"].check(),
        by_seed=(measured,), threshold=threshold, comparison=comparison,
    )  # fmt: skip
    axes = found.figure().axes[1]
    low, high = axes.get_ylim()
    assert all(low < one < high for one in np.append(threshold, measured))
    [green] = axes.patches
    assert green.get_y() <= measured <= green.get_y() + green.get_height()


def test_seeds_with_places_of_their_own_are_drawn_one_by_one():
    found = CLAIMS["attention-mechanism/scaling"].check("full")
    x = found.drawing["x"]
    moved = [[one + seed for one in found.data[x][0]] for seed in range(10)]
    apart = replace(found, data={**found.data, x: moved})
    axes = apart.figure().axes[0]
    assert [list(line.get_xdata()) for line in axes.get_lines()[:10]] == moved
    names = [one.get_text() for one in axes.get_legend().get_texts()]
    assert names == ["scaled", "unscaled"]


@pytest.mark.parametrize("threshold", [(0.9999, 1.0501), (-1.0125, 100000.0)])
def test_no_word_of_a_figure_is_cut_off(threshold):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    found = CLAIMS["autoencoder/linear"].check()
    figure = replace(found, comparison="between", threshold=threshold).figure()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    label = figure.axes[1].xaxis.label.get_window_extent(canvas.get_renderer())
    assert figure.bbox.x0 <= label.x0
    assert label.x1 <= figure.bbox.x1
