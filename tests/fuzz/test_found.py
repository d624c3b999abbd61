"""What fuzzing has found, each by itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from glossary import formula
from glossary.__main__ import main as glossary_main
from glossary.errors import FormulaError, InvalidTerms
from glossary.measure import recorded
from glossary.read import load
from keras_lr import Schedule
from keras_lr.__main__ import main
from keras_lr.cli.files import described
from keras_lr.cli.written import schedules_in
from keras_lr.finder.result import LRFinderResult
from keras_lr.interop import from_optax, from_transformers
from keras_lr.interop.imported import Imported
from tests.fuzz.test_glossary import CLAIM, line_of_evidence
from tests.fuzz.test_schedules import RESULT
from tests.glossary.conftest import RECORD
from tests.kit.fuzzing import check_message

LONG = "x" * 10**6

MESSAGES = {
    "a key of a config": lambda path: Schedule.from_config({LONG: 1}),
    "many keys of a config": lambda path: Schedule.from_config(
        {f"key {i}": i for i in range(1000)}
    ),
    "a key of a phase": lambda path: Schedule.from_config(
        {"phases": [{"part": "Phase", LONG: 1}]}
    ),
    "a key of a result": lambda path: LRFinderResult.from_dict({**RESULT, LONG: 1}),
    "an argument of ours": lambda path: schedules_in(f"OneCycle({LONG[:5000]}=1)"),
    "an argument of another library": lambda path: from_optax(
        "linear_schedule", **{LONG: 1}
    ),
    "an expression": lambda path: formula.names("(" * 1_999),
    "a value of a formula": lambda path: formula.call("x", ["x"], {"x": LONG}),
    "a list that a formula takes": lambda path: formula.call(
        "sqrt(x)", ["x"], {"x": [-1.0] * 10**5}
    ),
}


@pytest.mark.parametrize("fails", MESSAGES.values(), ids=MESSAGES)
def test_a_message_shows_so_much_of_a_value_as_can_be_read(fails, tmp_path):
    with pytest.raises((ValueError, TypeError)) as error:
        fails(tmp_path)
    check_message(str(error.value))


def test_a_problem_is_one_line_whatever_keys_a_file_has(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**RECORD, "a\nb": 1, LONG: 1}))
    told = [str(problem) for problem in load.check_files([path]).problems]
    assert max(map(len, told)) < 1000
    assert not any("\n" in one for one in told)


def test_a_thousand_problems_are_told_by_the_first_eight_and_their_number():
    with pytest.raises(InvalidTerms) as error:
        load.from_json(json.dumps({"terms": [{}] * 1000}))
    lines = str(error.value).split("\n")
    assert len(lines) == 9
    assert lines[-1] == f"And {len(error.value.problems) - 8} more, in `problems`."


def test_a_list_in_lists_in_lists_is_no_value_of_a_formula():
    deep: list[object] = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(FormulaError, match="has no value here"):
        formula.call("x", ["x"], {"x": deep})


CHANGES = {
    "more numbers than seeds": {"by_seed": [0.1] * 50},
    "fewer reasons than seeds": {"unmet": ["Nothing was learned."]},
    "no seed": {"seeds": [], "by_seed": []},
    "a word for a number": {"by_seed": ["much"] * 10},
    "no text": {"seen": 7},
    "an int that is no float": {"seconds": 10**400},
    "panels of nothing": {"panels": [{}]},
}


def written(folder, *lines):
    path = recorded.evidence_path(folder, "adam")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_line_of_evidence_that_was_changed_is_none(tmp_path, change):
    written(tmp_path, json.dumps({**line_of_evidence(), **change}))
    assert recorded.recorded(CLAIM, [tmp_path]) is None


def test_evidence_goes_past_lines_that_are_torn_and_is_written_without_them(tmp_path):
    evidence = CLAIM.recorded
    whole = recorded.encode(evidence)
    path = written(tmp_path, whole[:100], "[" * 5000, '{"claim": 7}', whole)
    assert recorded.recorded(CLAIM, [tmp_path]) is None
    recorded.write(tmp_path, [evidence])
    assert recorded.recorded(CLAIM, [tmp_path]) == evidence
    assert whole in path.read_text("utf-8").split("\n")


def test_a_mark_that_ends_lines_elsewhere_ends_no_line_of_evidence(tmp_path):
    evidence = CLAIM.recorded
    runs = [replace(run, seen="One line.\u2028Another.\x85") for run in evidence.runs]
    recorded.write(tmp_path, [replace(evidence, runs=tuple(runs))])
    again = recorded.recorded(CLAIM, [tmp_path])
    assert again is not None
    assert again.seen == "One line.\u2028Another.\x85"


def test_a_file_of_brackets_in_brackets_is_refused_in_a_line(tmp_path, capsys):
    path = tmp_path / "a.toml"
    path.write_text("schedules = " + "[" * 15_000)
    assert main(["values", str(path), "--epochs", "1", "--steps-per-epoch", "9"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("keras-lr: a.toml: The file is no TOML: ")
    assert said.count("\n") == 1


def test_a_file_that_takes_a_parser_minutes_is_not_parsed(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("a." * 100_000 + "b = 1")
    with pytest.raises(ValueError, match=r"20000 characters\. Received: 200005"):
        described(str(path))


REFUSED = {
    "no mapping of further arguments": (
        lambda: from_transformers(
            "warmup_stable_decay",
            num_warmup_steps=2,
            num_training_steps=9,
            scheduler_specific_kwargs=True,
        ),
        "`scheduler_specific_kwargs` must be a mapping. Received: scheduler_s",
    ),
    "no mapping of arguments": (
        lambda: Imported("torch", "StepLR", None),
        "`arguments` must be a mapping. Received: arguments=None",
    ),
    "no mapping of boundaries": (
        lambda: from_optax(
            "piecewise_constant_schedule", init_value=1.0, boundaries_and_scales=[2]
        ),
        "`boundaries_and_scales` must be a mapping",
    ),
    "a boundary that is no step": (
        lambda: from_optax(
            "piecewise_constant_schedule",
            init_value=1.0,
            boundaries_and_scales={float("inf"): 0.5},
        ),
        "must be a whole number of steps. Received: boundary=inf",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_mapping_and_no_number_is_refused_by_its_name(call, message):
    with pytest.raises((ValueError, TypeError)) as error:
        call()
    assert message in str(error.value)


def test_a_name_that_matches_nothing_is_cut_on_the_command_line(capsys):
    with pytest.raises(SystemExit):
        glossary_main(["search" * 1000])
    assert len(capsys.readouterr().err) < 1000
    assert glossary_main(["search", "zq" * 5000]) == 1
    assert len(capsys.readouterr().err) < 1000
