from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import glossary
from glossary import Claim, Evidence, Glossary
from glossary.__main__ import main
from glossary.errors import DemoError
from glossary.lab import Bars, Control, Lines, Measurement
from glossary.measure import recorded, running
from glossary.verdict import judge
from tests.kit.full_disk import full_after
from tests.kit.page_kit import HEARS_CTRL_C

CLAIMS = {claim.id: claim for term in glossary.terms() for claim in term.claims}
FIRST = CLAIMS["adam/first-step"]
#: Those that train with Keras run on every backend.
MARKED = [
    pytest.param(id, marks=[pytest.mark.backend] if claim.backend else [])
    for id, claim in CLAIMS.items()
]


def shown(values: list[float] | None = None) -> Lines:
    xs = [1.0, 2.0, 3.0]
    return Lines(x=xs, ys={"a": values or xs}, x_label="x", y_label="y")


def measurement(measured: float = 0.0, *controls: Control) -> Measurement:
    return Measurement(
        measured=measured, panels=(shown(),), seen="A line.", controls=controls
    )


def demo_is(monkeypatch: pytest.MonkeyPatch, demo: Callable[[int], object]) -> None:
    monkeypatch.setattr(running, "demo_of", lambda claim: demo)


@pytest.mark.parametrize("id", MARKED)
def test_every_claim_comes_out_as_documented_and_as_recorded(id: str) -> None:
    claim = CLAIMS[id]
    evidence = claim.check()
    assert evidence.as_documented, str(evidence)
    assert evidence.runs[0].controls, "a demo without a control"
    before = claim.recorded
    assert before is not None, "not recorded: glossary demo TERM --full --record DIR"
    assert before.verdict == evidence.verdict


@pytest.mark.parametrize("id", MARKED)
def test_no_seed_takes_more_than_two_seconds(id: str) -> None:
    evidence = CLAIMS[id].recorded
    assert evidence is not None
    assert evidence.seconds / len(evidence.seeds) <= 2.0


def test_the_glossary_is_broad_and_every_term_claims_something() -> None:
    assert len(glossary.terms()) >= 72
    assert len(CLAIMS) >= 200
    assert sum(claim.expected == "failed" for claim in CLAIMS.values()) >= 15
    for term in glossary.terms():
        assert len(term.claims) >= 2, term.id


def test_every_claim_cites_a_reference_of_its_term_or_was_measured_here() -> None:
    for term in glossary.terms():
        known = {reference.id for reference in term.references} | {""}
        assert {claim.reference for claim in term.claims} <= known


def test_every_recorded_claim_has_its_picture_and_tells_what_is_seen() -> None:
    import importlib.util

    for package in ("glossary", "keras_lr"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        source = "core" if package == "glossary" else package
        for term in Glossary(sources=[source]):
            for claim in term.claims:
                picture = recorded.recorded_figure(claim.id, [folder])
                assert picture, claim.id
                assert "<svg" in picture


@pytest.mark.backend
def test_the_evidence_of_a_backend_names_it() -> None:
    import keras

    claim = next(claim for claim in CLAIMS.values() if claim.backend)
    assert claim.check().versions["backend"] == keras.backend.backend()
    assert "backend" not in FIRST.check().versions


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
def test_a_verdict_is_a_comparison(
    measured: float,
    comparison: str,
    threshold: float | tuple[float, float],
    verdict: str,
    margin: float,
) -> None:
    assert judge(measured, comparison, threshold) == (verdict, margin)


@pytest.mark.parametrize("measured", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_decides_nothing(measured: float) -> None:
    assert judge(measured, "<", 1.0)[0] == "inconclusive"


def test_a_control_that_is_not_met_makes_it_inconclusive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    met = Control(True, "Never said.")
    unmet = Control(False, "The other arm did it as well.")
    demo_is(monkeypatch, lambda seed: measurement(0.0, met, unmet))
    evidence = FIRST.check()
    assert (evidence.verdict, evidence.reason) == ("inconclusive", unmet.otherwise)


def test_ten_seeds_are_judged_by_their_median(monkeypatch: pytest.MonkeyPatch) -> None:
    demo_is(monkeypatch, lambda seed: measurement(float(seed)))
    evidence = running.check(replace(FIRST, threshold=7.0), "full", seed=2)
    assert evidence.seeds == tuple(range(2, 12))
    assert (evidence.measured, evidence.verdict) == (6.5, "held")


# ---- what a demo returns


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (lambda: Lines(x=[1], ys={}, x_label="x", y_label="y"), "show something"),
        (lambda: Lines(x=[1], ys={"a": [1, 2]}, x_label="x", y_label="y"), "as many"),
        (lambda: Lines(x=[1], ys={"a": [1]}, x_label="", y_label="y"), "x_label"),
        (lambda: Lines(x=[1], ys={"a": [1]}, x_label="x", y_label=""), "y_label"),
        (
            lambda: Lines(x=[1], ys={"a": [1]}, x_label="x", y_label="y", log="z"),
            "log='z'",
        ),
        (lambda: shown([1.0, math.inf, 2.0]), "infinity in 'a'"),
        (lambda: Bars(labels=["a"], ys={"b": [1, 2]}, y_label="y"), "as many"),
        (lambda: Bars(labels=["a"], ys={"b": [1]}, y_label="y", log="x"), "log='x'"),
        (lambda: Measurement(measured=1.0, panels=(), seen="x"), "1 to 3 pictures"),
        (lambda: Measurement(measured=1.0, panels=(shown(),), seen=""), "seen"),
    ],
)
def test_a_picture_that_would_show_nothing_is_refused(
    wrong: Callable[[], object], rule: str
) -> None:
    with pytest.raises(ValueError, match=rule):
        wrong()


def test_arrays_become_plain_numbers() -> None:
    lines = Lines(
        x=np.arange(2), ys={"a": np.ones(2, "float32")}, x_label="x", y_label="y"
    )
    assert lines.x == (0.0, 1.0)
    assert lines.ys == {"a": (1.0, 1.0)}
    assert Control(np.bool_(True), "Said.").met is True


@pytest.mark.parametrize("given", [None, 3.0, {"measured": 1.0}])
def test_a_demo_must_return_a_measurement(
    monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    demo_is(monkeypatch, lambda seed: given)
    with pytest.raises(DemoError, match=r"glossary\.lab\.Measurement"):
        FIRST.check()


# ---- evidence in files


def made(claim: Claim = FIRST, seeds: int = 3, moving: bool = False) -> Evidence:
    runs = []
    for seed in range(seeds):
        moved = float(seed) if moving else 0.0
        lines = Lines(
            x=[1.0 + moved, 2.0, 3.0],
            ys={"a": [1.0, math.nan, seed]},
            x_label="x",
            y_label="y",
            marks={"bound": 0.5},
        )
        bars = Bars(labels=["u", "v"], ys={"b": [0.0, seed]}, y_label="z", log="y")
        control = Control(seed != 1, "Seed 1 did not.")
        runs.append(
            Measurement(
                measured=0.1 * seed,
                panels=(lines, bars),
                seen="Two panels.",
                controls=(control,),
            )
        )
    return Evidence(
        claim=claim,
        runs=tuple(runs),
        seeds=tuple(range(seeds)),
        seconds=0.5,
        versions={"python": "3"},
    )


@pytest.mark.parametrize("moving", [False, True])
def test_evidence_survives_its_line_in_a_file(moving: bool) -> None:
    evidence = made(moving=moving)
    line = recorded.encode(evidence)
    assert "\n" not in line
    again = recorded.decode(json.loads(line), FIRST)
    assert again.by_seed == evidence.by_seed
    assert (again.verdict, again.reason) == ("inconclusive", "Seed 1 did not.")
    assert again.runs[2].panels[1] == evidence.runs[2].panels[1]
    assert recorded.encode(again) == line
    assert json.loads(json.dumps(again.to_dict())) == again.to_dict()


def test_what_is_not_finite_survives_as_well() -> None:
    run = replace(made().runs[0], measured=math.inf)
    lost = replace(made(seeds=1), runs=(run,))
    again = recorded.decode(json.loads(recorded.encode(lost)), FIRST)
    assert again.measured == math.inf
    assert again.verdict == "inconclusive"


def test_writing_one_claim_keeps_the_lines_of_others(tmp_path: Path) -> None:
    other = replace(FIRST, id="adam/another")
    recorded.write(tmp_path, [made(other), made()])
    before = recorded.evidence_path(tmp_path, "adam").read_text()
    recorded.write(tmp_path, [made()])
    assert recorded.evidence_path(tmp_path, "adam").read_text() == before
    assert [json.loads(line)["claim"] for line in before.splitlines()] == [
        "adam/another",
        "adam/first-step",
    ]


def test_where_the_disk_is_full_the_evidence_of_before_stays(tmp_path: Path) -> None:
    recorded.write(tmp_path, [made()])
    path = recorded.evidence_path(tmp_path, "adam")
    before = path.read_text()
    with pytest.raises(OSError, match="too large"), full_after(len(before) // 2):
        recorded.write(tmp_path, [made()])
    assert path.read_text() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "change",
    [
        {"sentence": "Adam never forgets anything."},
        {"threshold": 2e-06},
        {"comparison": "<="},
        {"conditions": "on Sundays"},
        {"quantity": "something else"},
    ],
)
def test_evidence_belongs_to_what_is_claimed_and_not_to_the_id(
    tmp_path: Path, change: dict[str, object]
) -> None:
    recorded.write(tmp_path, [made()])
    assert recorded.recorded(FIRST, [tmp_path]) is not None
    changed = replace(FIRST, **change)  # type: ignore[arg-type]
    assert recorded.recorded(changed, [tmp_path]) is None
    assert replace(FIRST, demo="a.b:c").content == FIRST.content


def test_a_file_that_reuses_an_id_shows_no_verdict_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        id = "adam"
        name = "Adam"
        category = "optimization"
        level = "beginner"
        summary = "Adam is mine."
        definition = "It is."
        [[claims]]
        id = "adam/first-step"
        sentence = "Adam never forgets anything."
        quantity = "memory"
        comparison = "<"
        threshold = 1e-06
        """
    )
    term = Glossary.from_files(path).term("adam")
    assert term.claims[0].recorded is None
    assert "held" not in str(term)
    with pytest.raises(DemoError, match="only for terms that are installed"):
        term.claims[0].check()


# ---- running


def test_random_state_is_left_alone() -> None:
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    FIRST.check()
    after = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    assert after == before


def test_a_claim_by_itself_says_where_to_ask() -> None:
    with pytest.raises(DemoError, match=r"glossary\.term"):
        replace(FIRST, home=None).check()


def test_a_claim_without_a_demo_says_so() -> None:
    with pytest.raises(DemoError, match="without one"):
        running.check(replace(FIRST, demo=""))


def test_a_demo_that_is_not_there_says_so() -> None:
    with pytest.raises(DemoError, match="must be a function"):
        running.check(replace(FIRST, demo="glossary.demos.adam:nothing"))


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("sklearn.datasets", "sklearn", "demos"), ("torch", "torch", "torch")],
    ids=["package", "backend"],
)
def test_what_a_demo_misses_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, extra: str
) -> None:
    def demo(seed: int) -> Measurement:
        raise ModuleNotFoundError(f"No module named {name!r}", name=module)

    demo_is(monkeypatch, demo)
    with pytest.raises(DemoError, match=rf"needs {name}: .*keras-lr\[{extra}\]"):
        FIRST.check()


def test_an_unknown_size_and_a_negative_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="'fast' or 'full'"):
        FIRST.check("huge")
    with pytest.raises(ValueError, match="0 or above"):
        FIRST.check(seed=-1)


# ---- looking


def test_a_figure_has_its_panels_and_the_seeds() -> None:
    figure = made(FIRST).figure()
    assert len(figure.axes) == 3


def test_evidence_shows_itself_in_a_notebook() -> None:
    notebook = FIRST.check()._repr_html_()
    assert "held" in notebook
    assert "<svg" in notebook


def test_a_figure_without_matplotlib_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evidence = FIRST.check()
    for name in ("drawing", "recording", "svg"):
        monkeypatch.delitem(sys.modules, f"glossary.measure.{name}", raising=False)
        monkeypatch.delattr(f"glossary.measure.{name}", raising=False)
    for name in ("matplotlib", "matplotlib.axes", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DemoError, match=r"A figure needs matplotlib: .*\[demos\]"):
        evidence.figure()
    assert "held" in evidence._repr_html_()


# ---- at the command line


def test_the_command_line_measures_saves_and_prints_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--claim", "first-step", "--save", str(tmp_path), "--format", "svg"]
    assert main(["demo", "adam", *wanted]) == 0
    assert capsys.readouterr().out.startswith("held: ")
    assert "<svg" in (tmp_path / "adam-first-step.svg").read_text()
    assert main(["demo", "adam", "--claim", "adam/first-step", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)[0]
    assert record["verdict"] == "held"
    assert main(["demo", "adam", "--claim", "adam/nothing"]) == 1
    assert "adam/first-step" in capsys.readouterr().err


def test_claims_run_side_by_side_and_are_recorded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [glossary.term(name) for name in ("momentum", "weight decay")]
    monkeypatch.setattr(glossary, "Glossary", lambda **options: some)
    assert main(["check", "--demos", "--record", str(tmp_path)]) == 0
    assert "the slowest" in capsys.readouterr().out
    for term in some:
        for claim in term.claims:
            assert recorded.recorded(claim, [tmp_path]) is not None
            assert recorded.recorded_figure(claim.id, [tmp_path])
    assert main(["check", "--demos", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    claims = [claim.id for term in some for claim in term.claims]
    assert [record["claim"] for record in records] == claims


@pytest.mark.backend
def test_the_command_line_takes_the_backend() -> None:
    claim = next(claim for claim in CLAIMS.values() if claim.backend)
    command = [sys.executable, "-m", "glossary", "demo", claim.id, "--json"]
    done = subprocess.run(
        [*command, "--backend", "torch"],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["versions"]["backend"] == "torch"


def test_ctrl_c_stops_with_its_own_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(claim: Claim) -> Callable[[int], Measurement]:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "demo_of", stop)
    assert main(["demo", "adam"]) == 130
    assert capsys.readouterr().err.endswith("stopped.\n")


def test_ctrl_c_ends_the_workers_too() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, "check", "--demos", "--full"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    shown, errors = process.communicate(timeout=60)
    assert (process.returncode, shown, errors) == (130, "", "glossary: stopped.\n")

    def still_there() -> bool:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    end = time.monotonic() + 30
    while still_there():
        assert time.monotonic() < end
        time.sleep(0.1)
