"""The command line: what is written down, what comes back, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_lr
from keras_lr.__main__ import main
from keras_lr.cli import files
from keras_lr.cli.names import CALLABLES
from keras_lr.cli.written import schedules_in
from keras_lr.starting import settings
from tests.kit.names import schedules

ROOT = Path(__file__).parents[2]
RUN = ["--epochs", "2", "--steps-per-epoch", "5"]


def lists_of(capsys, *arguments):
    assert main(["values", *arguments, "--json"]) == 0
    return {name: np.array(one) for name, one in json.loads(_out(capsys)).items()}


def _out(capsys):
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def refused(capsys, *arguments):
    """What is said of a wrong call: one line on standard error, and code 2."""
    try:
        code = main([*arguments])
    except SystemExit as stop:
        code = stop.code
    shown = capsys.readouterr()
    assert code == 2
    assert shown.out == ""
    assert shown.err.startswith("keras-lr: ")
    assert shown.err.count("\n") == 1
    return shown.err


# What is written.


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("OneCycle(max_lr=0.1)", keras_lr.OneCycle(max_lr=0.1)),
        ("keras_lr.Warmup('5%')", keras_lr.Warmup("5%")),
        (
            "LinearDecay().extend(done=3, total=9, warmup=2)",
            keras_lr.LinearDecay().extend(done=3, total=9, warmup=2),
        ),
        (
            "Schedule(linear(2), phases.hold(1), keras_lr.phases.cosine(to=0.0), "
            "max_lr=+0.5)",
            keras_lr.Schedule(
                keras_lr.phases.linear(2),
                keras_lr.phases.hold(1),
                keras_lr.phases.cosine(to=0.0),
                max_lr=0.5,
            ),
        ),
        (
            "\n CyclicalLR(max_lr=1,\n  half_cycle='2 epochs', momentum=None) # mine\n",
            keras_lr.CyclicalLR(max_lr=1, half_cycle="2 epochs", momentum=None),
        ),
        (
            "PiecewiseConstant([1, 3], (1.0, 0.5, 0.25), hyperparameter='momentum')",
            keras_lr.PiecewiseConstant(
                [1, 3], (1.0, 0.5, 0.25), hyperparameter="momentum"
            ),
        ),
        (
            "from_keras('CosineDecay', initial_learning_rate=0.5, decay_steps=4)",
            keras_lr.interop.from_keras(
                "CosineDecay", initial_learning_rate=0.5, decay_steps=4
            ),
        ),
        (
            "interop.from_optax('join_schedules', schedules=[('linear_schedule', "
            "{'init_value': 0.0, 'end_value': 1.0, 'transition_steps': 2}), "
            "('constant_schedule', {'value': 1.0})], boundaries=[2])",
            keras_lr.interop.from_optax(
                "join_schedules",
                schedules=[
                    (
                        "linear_schedule",
                        {"init_value": 0.0, "end_value": 1.0, "transition_steps": 2},
                    ),
                    ("constant_schedule", {"value": 1.0}),
                ],
                boundaries=[2],
            ),
        ),
        (
            "combine(Warmup(2), LinearDecay())",
            keras_lr.combine(keras_lr.Warmup(2), keras_lr.LinearDecay()),
        ),
    ],
)
def test_what_is_written_as_in_python_is_what_python_makes(text, schedule):
    (found,) = schedules_in(text)
    assert repr(found) == repr(schedule)
    assert found.hyperparameter == schedule.hyperparameter


def test_every_schedule_that_takes_no_function_can_be_written():
    assert set(schedules()) - set(CALLABLES) == {"Function"}
    assert {f"from_{peer}" for peer in ("torch", "timm", "optax")} < set(CALLABLES)


@pytest.mark.parametrize(
    "text", ["Warmup(2), LinearDecay()", "[Warmup(2), LinearDecay()]"]
)
def test_several_are_what_will_be_in_force(text, capsys):
    shown = lists_of(capsys, text, *RUN, "--base-lr", "0.1")
    product = keras_lr.combine(keras_lr.Warmup(2), keras_lr.LinearDecay())
    np.testing.assert_array_equal(shown["learning_rate"], product.values(10, 0.1))


# What is refused: nothing is executed, and the place is told.


def deep(count):
    return "[" * count + "]" * count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('id')", r"an attribute, .* at column 1\."),
        ("__import__('os')", r"Received: '__import__' at column 1\. There are Cosine"),
        ("open('/etc/passwd').read()", r"an attribute"),
        ("Warmup(open('x'))", r"Received: 'open' at column 8"),
        ("Warmup(3).__class__", r"an attribute, 'Warmup\(3\).__class__'"),
        ("Warmup(3).__init__(4)", r"an attribute, 'Warmup\(3\).__init__'"),
        ("Warmup.__subclasses__()", r"an attribute"),
        ("keras_lr.fit.loan.restored(3)", r"an attribute"),
        ("combine(Warmup(2)).extend(1, 2)", r"`extend` of what is no schedule"),
        ("().__class__.__base__()", r"an attribute"),
        ("(lambda: 3)()", r"a lambda, 'lambda: 3' at column 2"),
        ("[Warmup(i) for i in (1, 2)]", r"a comprehension"),
        ("Warmup(*[3])", r"an unpacking, '\*\[3\]' at column 8"),
        ("Warmup(**{'warmup': 3})", r"an unpacking"),
        ("OneCycle(max_lr={**{'a': 1}})", r"something else"),
        ("OneCycle(max_lr={[]: 1})", r"something else"),
        ("Warmup({3})", r"a set"),
        ("Warmup(9 ** 9 ** 9)", r"arithmetic, '9 \*\* 9 \*\* 9' at column 8"),
        ("Warmup(f'{3}')", r"a formatted string"),
        ("Warmup(-True)", r"an operator"),
        ("Warmup(1j)", r"something else, '1j'"),
        ("Warmup(b'5')", r"something else"),
        ("Warmup(x := 3)", r"an assignment"),
        ("Warmup(warmup)", r"a name that is not called, 'warmup'"),
        ("Warmup('5%')[0]", r"an index"),
        ("Warmup(3) if 1 else 2", r"a condition"),
        ("Warmup(3) and Warmup(4)", r"logic"),
        ("Warmup(\n lambda: 3)", r"at line 2, column 2"),
        ("import os", r"Python, which says 'invalid syntax'\. .* at column 1"),
        ("Warmup(3); Warmup(4)", r"which says 'invalid syntax'"),
        ("Warmup(", r"'\(' was never closed"),
        ("Warmup(3)\0", r"cannot read this|null bytes"),
        ("", r"invalid syntax"),
        ("[]", r"A schedule must be written\. Received: none"),
        ("3", r"A schedule must be written\. Received: 3"),
        ("cosine(to=0.5)", r"A schedule must be written\. Received: cosine\(to=0\.5\)"),
        (deep(25), r"A schedule must be written\. Received: \[\["),
        (deep(60), r"at most 30 calls and brackets .* more at column 32"),
        (deep(4000), r"which says 'too many nested parentheses'|cannot read this"),
        ("(" + "-" * 5000 + "3)", r"an operator|cannot read this"),
        ("Warmup(3)" + ".extend(1, 2)" * 500, r"at most 30 calls"),
        ("Warmup(" + "9" * 5000 + ")", r"which says 'Exceeds the limit|cannot read"),
        ("Warmup(" + "9" * 400 + ")", r"Warmup: `warmup` must"),
        ("Warmup(" + "9" * 20000 + ")", r"at most 10000 characters. Received: 20008"),
        ("Warmup(1e999)", r"`warmup` must be finite"),
        ("Warmpu(3)", r"Received: 'Warmpu' at column 1\. Did you mean Warmup\?"),
        ("Warmup(warmpu=3)", r"Warmup has no argument `warmpu`\. It takes warmup"),
        ("Warmup(3, warmup=3)", r"Warmup got multiple values"),
        ("PiecewiseConstant([3])", r"PiecewiseConstant is missing 1 req.*'factors'"),
        ("Schedule(hold(1, 2, 3, 4))", r"hold takes from 0 to 2 positional"),
        ("Function(lambda step: 1)", r"a lambda"),
        ("Function(3)", r"Function takes a function, which cannot be written down"),
        ("from_keras('CosineDcay')", r"from_keras knows .*Did you mean CosineDecay"),
        ("OneCycle(max_lr={'a': 1, 'b': 2})", r"it must have one peak"),
        ("OneCycle(max_lr='1e-3')", r"must be a number, not text"),
    ],
    ids=lambda value: value[:30].replace("\0", "0") if isinstance(value, str) else "",
)
def test_whatever_else_is_written_is_refused_in_one_sentence(text, message, capsys):
    told = refused(capsys, "values", text, *RUN)
    assert len(told) < 1200
    with pytest.raises((TypeError, ValueError), match=message):
        raise ValueError(told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["values", "Warmup(3)"], "no `epochs`. Give --epochs, or write it into"),
        (["values", "Warmup(3)", "--epochs", "1"], "Give --steps-per-epoch"),
        (["values", "Warmup(3)", *RUN, "--epochs", "nan"], "`epochs` must be finite"),
        (["values", "Warmup(3)", *RUN, "--epochs", "1e9"], "at most 10000000 updates"),
        (["values", "Warmup(3)", *RUN, "--base-lr", "0"], "`base_lr` must be finite"),
        (["values", "Warmup(3)", "--epochs", "x"], "invalid float value: 'x'. See"),
        (["values", "Warmup(3)", *RUN, "--json", "--csv"], "not allowed with"),
        (["plot", "Warmup(3)", *RUN], "required: -o/--output"),
        (["plot", "Warmup(3)", *RUN, "-o", "no/such/a.png"], "No such file"),
        (["plot", "Warmup(3)", *RUN, "-o", "a.xyz"], "is not supported"),
        (["values", "no.toml", *RUN], "No such file"),
        (["draw"], "invalid choice: 'draw'"),
        ([], "required: COMMAND"),
    ],
)
def test_a_wrong_call_is_one_line_and_code_2(arguments, message, capsys):
    assert message in refused(capsys, *arguments)


# What comes back.


def test_values_come_as_a_table_as_csv_and_as_json(capsys):
    schedule = keras_lr.OneCycle(max_lr=0.1)
    expected = schedule.values(10, steps_per_epoch=5)
    momentum = schedule.momentum_values(10, steps_per_epoch=5)
    text = "OneCycle(max_lr=0.1)"
    told = lists_of(capsys, text, *RUN)
    np.testing.assert_array_equal(told["learning_rate"], expected)
    np.testing.assert_array_equal(told["momentum"], momentum)
    assert main(["values", text, *RUN, "--csv"]) == 0
    head, *rows = csv.reader(io.StringIO(_out(capsys)))
    assert head == ["update", "learning_rate", "momentum"]
    numbers = np.array(rows, float)
    np.testing.assert_array_equal(numbers, np.c_[range(10), expected, momentum])
    assert main(["values", text, *RUN]) == 0
    head, *lines = _out(capsys).splitlines()
    assert head.split() == ["update", "learning_rate", "momentum"]
    assert len({len(line) for line in [head, *lines]}) == 1
    numbers = np.array([line.split() for line in lines], float)
    np.testing.assert_allclose(numbers[:, 1], expected, rtol=1e-5)


def test_a_schedule_of_something_else_is_called_so(capsys):
    told = lists_of(capsys, "LinearDecay(max_lr=0.5, hyperparameter='momentum')", *RUN)
    assert list(told) == ["momentum"]
    assert told["momentum"][0] == 0.5


def test_a_picture_is_drawn_of_what_will_be_in_force(tmp_path, capsys):
    path = tmp_path / "rates.png"
    text = "Warmup('10%'), CosineDecay(max_lr=0.1)"
    assert main(["plot", text, *RUN, "-o", str(path)]) == 0
    assert _out(capsys).strip() == str(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_command_runs_as_a_module_and_a_reader_may_stop_early():
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    # Nobody has chosen a backend.
    environ.pop("KERAS_BACKEND", None)
    command = f"{shlex.quote(sys.executable)} -m keras_lr values"
    done = subprocess.run(
        f"{command} 'OneCycle()' --epochs 20 --steps-per-epoch 1000 | head -2",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environ,
    )
    assert done.stdout.splitlines()[0].split()[0] == "update"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("argv", "orig_argv", "environ", "backend"),
    [
        (["-m"], ["python", "-m", "keras_lr", "values"], {}, "jax"),
        (["-m"], ["python", "-X", "dev", "-m", "keras_lr"], {}, "jax"),
        (["/usr/bin/keras-lr", "values"], ["python", "/usr/bin/keras-lr"], {}, "jax"),
        (["/usr/bin/keras-lr"], [], {"KERAS_BACKEND": "torch"}, None),
        (["-m"], ["python", "-m", "keras_lr.demos"], {}, None),
        (["train.py"], ["python", "train.py", "-m", "keras_lr"], {}, None),
        ([""], ["python"], {}, None),
        (["-c"], ["python", "-c", "import keras_lr"], {}, None),
        ([], [], {}, None),
    ],
)
def test_only_the_command_chooses_a_backend_and_only_where_nobody_has(
    argv, orig_argv, environ, backend
):
    assert settings(argv, orig_argv, environ).get("KERAS_BACKEND") == backend


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (["LinearDecay(max_lr=0.1)"], 0, ["Nothing was found."]),
        (["WarmupCosine(max_lr=0.01, decay='50%')"], 1, ["warning: ends-early"]),
        (["LinearDecay(max_lr=0.0)"], 2, None),
        # A note alone may well be meant; what Adam remembers is known with its name.
        (["Warmup('20%', max_lr=0.001)"], 0, ["Nothing was found."]),
        (
            ["Warmup('20%', max_lr=0.001)", "--optimizer", "adam"],
            0,
            ["note: short-warmup", "memory of Adam, 2 / (1 - beta_2) = 2000"],
        ),
        (
            ["CosineDecay()", "--optimizer", "adamw", "--base-lr", "0.5"],
            1,
            ["own rate is 0.5", "warning: far-from-usual", "usual for AdamW"],
        ),
        (["Warmup(3)", "--optimizer", "adm"], 2, None),
        (["Warmup(3)", "--epochs", "1.5"], 2, None),
    ],
)
def test_lint_says_what_is_odd_and_its_code_tells(arguments, code, found, capsys):
    run = ["--epochs", "2", "--steps-per-epoch", "100"]
    assert main(["lint", *run, *arguments]) == code
    shown = capsys.readouterr()
    assert (shown.err == "") == (code != 2)
    assert all(each in shown.out for each in found or [])


# Files.

TOML = """
epochs = 2
steps_per_epoch = 5
base_lr = 0.5

[[schedules]]
name = "Warmup"
warmup = "20%"

[[schedules]]
name = "Schedule"
phases = [{name = "hold", duration = 3}, {name = "cosine", to = 0.0}]
"""
YAML = """
epochs: 2
steps_per_epoch: 5
base_lr: 0.5
schedules:
  - name: Warmup
    warmup: 20%
  - name: Schedule
    phases:
      - {name: hold, duration: 3}
      - {name: cosine, to: 0.0}
"""
TEXTS = """
epochs = 2
steps_per_epoch = 5
base_lr = 0.5
schedules = ["Warmup('20%')", "Schedule(hold(3), cosine(to=0.0))"]
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.toml", TOML), ("a.yaml", YAML), ("A.YML", YAML), ("texts.toml", TEXTS)],
)
def test_a_file_says_the_same_in_toml_in_yaml_and_in_texts(
    name, content, tmp_path, capsys
):
    path = tmp_path / name
    path.write_text(content)
    phases = keras_lr.phases
    product = keras_lr.combine(
        keras_lr.Warmup("20%"),
        keras_lr.Schedule(phases.hold(3), phases.cosine(to=0.0)),
    )
    told = lists_of(capsys, str(path))
    np.testing.assert_array_equal(told["learning_rate"], product.values(10, 0.5))
    # What the command line says counts before the file.
    told = lists_of(capsys, str(path), "--epochs", "3", "--base-lr", "0.25")
    np.testing.assert_array_equal(told["learning_rate"], product.values(15, 0.25))


def test_a_file_has_schedules_of_other_libraries(tmp_path, capsys):
    path = tmp_path / "a.toml"
    path.write_text(
        """
[schedules]
from = "optax"
name = "join_schedules"
boundaries = [2]
schedules = [
  {name = "linear_schedule", init_value = 0.0, end_value = 0.5, transition_steps = 2},
  {name = "constant_schedule", value = 0.5},
]
"""
    )
    told = lists_of(capsys, str(path), "--epochs", "1", "--steps-per-epoch", "4")
    np.testing.assert_allclose(told["learning_rate"], [0.0, 0.25, 0.5, 0.5])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.toml", "epochs = ", r"a\.toml: The file is no TOML: Invalid value \(at"),
        ("a.toml", "epochs = 3", r"must have `schedules`, .*Received: 'epochs'\."),
        ("a.toml", "schedules = 'Warmup(3)'\nepoch = 3", r"may have epochs, steps"),
        ("a.toml", "schedules = []", r"must be one or several"),
        ("a.toml", "schedules = [3]", r"a table with its `name`.* Received: 3"),
        ("a.toml", "schedules = [{warmup = 3}]", r"a table with its `name`"),
        ("a.toml", "[schedules]\nname = 'hold'", r"A schedule must be written"),
        ("a.toml", "[schedules]\nname = 'Warmpu'", r"Did you mean Warmup"),
        (
            "a.toml",
            "[schedules]\nname = 'x'\nfrom = 'os'",
            r"'from_os' for `from` 'os'",
        ),
        ("a.toml", "schedules = 'os.system(3)'", r"an attribute, 'os\.system'"),
        (
            "a.toml",
            "schedules = 'Warmup(3)'\nepochs = 'x'",
            r"`epochs` must be a number",
        ),
        ("a.yaml", "schedules: [", r"a\.yaml: The file is no YAML: while parsing"),
        ("a.yaml", "[1, 2]", r"must be a mapping\. Received: \[1, 2\]"),
        ("a.yaml", "!!python/object/apply:os.system ['id']", r"no YAML: could not det"),
        (
            "a.yaml",
            "schedules: {name: OneCycle, max_lr: 1e-3}",
            r"`max_lr` must be a number, not text.* in YAML with a point, as 1\.0e-3",
        ),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(
    name, content, message, tmp_path, capsys
):
    path = tmp_path / name
    path.write_text(content)
    told = refused(capsys, "values", str(path), "--steps-per-epoch", "5")
    with pytest.raises(ValueError, match=message):
        raise ValueError(told)


def test_yaml_without_pyyaml_says_what_to_install(tmp_path, capsys, monkeypatch):
    path = tmp_path / "a.yaml"
    path.write_text(YAML)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(files.importlib, "import_module", missing)
    told = refused(capsys, "values", str(path))
    assert "pip install pyyaml. Or write it as TOML" in told


# The page.


def test_the_page_shows_what_the_commands_say(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs/command_line.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    for kind in ("toml", "yaml"):
        (content,) = re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)
        (tmp_path / f"rates.{kind}").write_text(content)
    blocks = "".join(re.findall(r"```console\n(.*?)```", page, re.DOTALL))
    (_, *calls) = re.split(r"^\$ keras-lr ", blocks, flags=re.MULTILINE)
    assert len(calls) >= 7
    for call in calls:
        command, _, expected = call.partition("\n")
        code = main(shlex.split(command))
        shown = capsys.readouterr()
        assert shown.out + shown.err == expected, command
        assert (code == 2) == bool(shown.err)
        assert code != 1 or command.startswith("lint")
