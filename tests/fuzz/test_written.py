"""The command line of keras-lr: schedules as text and in files."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from keras_lr.__main__ import main
from keras_lr.cli.files import described
from keras_lr.cli.written import schedules_in
from tests.fuzz.examples import FILES, TEXTS
from tests.kit.fuzzing import cases, check_message, told_apart, understood
from tests.kit.mutations import mutated, mutated_text, plain_poison, texts

#: Texts that are files would be read as files.
written = (
    st.sampled_from(TEXTS)
    .flatmap(mutated_text)
    .filter(lambda text: not text.strip().lower().endswith((".toml", ".yaml", ".yml")))
)


@cases(400)
@given(written)
def test_a_text_is_schedules_or_refused(text):
    schedules = understood("schedules as text", schedules_in, text)
    for one in schedules or []:
        understood("values of it", lambda it: it.values(9, steps_per_epoch=4), one)


def as_toml(value, place=""):
    """A value as TOML writes it in one line."""
    if isinstance(value, dict):
        pairs = [f"{json.dumps(str(key))} = {as_toml(value[key])}" for key in value]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, float) else json.dumps(value)


def file_of(folder, told, ending):
    """A file that says something, which may be no table at all."""
    if ending == ".toml":
        pairs = told.items() if isinstance(told, dict) else [("told", told)]
        lines = [f"{json.dumps(str(key))} = {as_toml(one)}" for key, one in pairs]
        content = "\n".join(lines)
    else:
        content = yaml.safe_dump(told, allow_unicode=True)
    path = Path(folder) / f"a{ending}"
    path.write_text(content, "utf-8", errors="surrogatepass")
    return path


endings = st.sampled_from([".toml", ".yaml"])


@cases(250)
@given(st.data(), endings)
def test_a_file_is_schedules_or_refused(tmp_path_factory, data, ending):
    told = data.draw(mutated(data.draw(st.sampled_from(FILES)), plain_poison))
    path = file_of(tmp_path_factory.getbasetemp(), told, ending)
    understood(f"file {ending}", described, str(path))


@cases(150)
@given(st.data(), endings)
def test_the_text_of_a_file_is_schedules_or_refused(tmp_path_factory, data, ending):
    told = data.draw(st.sampled_from(FILES))
    path = file_of(tmp_path_factory.getbasetemp(), told, ending)
    content = data.draw(mutated_text(path.read_text("utf-8")))
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    understood(f"text of a file {ending}", described, str(path))


arguments = st.sampled_from(
    [
        ["--epochs", "2", "--steps-per-epoch", "5"],
        ["--epochs", "1.5", "--steps-per-epoch", "4", "--base-lr", "0.1"],
    ]
)


@cases(80)
@given(st.data())
def test_the_command_line_answers_or_refuses_with_its_code(data):
    command = data.draw(st.sampled_from(["values", "values", "lint"]))
    argv = [command, data.draw(written), *data.draw(arguments)]
    place = data.draw(st.integers(0, len(argv) - 1))
    if data.draw(st.booleans()):
        argv[place] = data.draw(texts)
    output = io.StringIO()
    errors = io.StringIO()
    run = told_apart(main, output, errors)
    code = understood("command line", run, argv, ())
    said = errors.getvalue()
    assert code in (0, 1, 2)
    if code == 2:
        assert output.getvalue() == ""
        check_message(said)
        assert said.startswith("keras-lr: ")
        assert said.count("\n") == 1
