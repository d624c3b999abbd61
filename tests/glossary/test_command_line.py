from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import glossary
from glossary.__main__ import SHELLS, main
from glossary.records import term_schema
from glossary.show import export

Capture = pytest.CaptureFixture[str]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "glossary", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


def in_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """What a person sees: output to a pseudo-terminal of so many columns."""
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "glossary", *arguments],
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment},
        stdin=child,
        stdout=child,
        stderr=child,
        close_fds=True,
    )
    os.close(child)
    seen = b""
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece
    process.wait()
    os.close(parent)
    return seen.decode().replace("\r\n", "\n")


def test_list_in_a_pipe_is_one_line_a_term(capsys: Capture) -> None:
    assert main(["list"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == [term.id for term in glossary.terms()]
    assert {len(row) for row in rows} == {3}


def test_list_filters(capsys: Capture) -> None:
    assert main(["list", "--level", "beginner", "--source", "core"]) == 0
    ids = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert set(ids) >= {"activation-function", "batch-size", "learning-rate"}
    assert "adam" not in ids


def test_show_prints_terms_in_full(capsys: Capture) -> None:
    assert main(["show", "bn", ["Optimiser", "ADAM"][1]]) == 0
    out = capsys.readouterr().out
    assert out.startswith("batch normalization (BN)\n")
    assert "\nAdam\n" in out


def test_show_as_json_is_what_scripts_read(capsys: Capture) -> None:
    assert main(["show", "adam", "--json"]) == 0
    [record] = json.loads(capsys.readouterr().out)
    assert record["id"] == "adam"
    assert record["source"] == "core"


def test_search_tells_score_reason_and_the_definition(capsys: Capture) -> None:
    assert main(["search", "step", "size", "--limit", "1"]) == 0
    summary = glossary.term("learning rate").summary
    id, score, reason, told = capsys.readouterr().out.rstrip("\n").split("\t")
    assert (id, reason, told) == ("learning-rate", "alias 'step size'", summary)
    assert 0.5 <= float(score) <= 1
    assert main(["search", "step", "size", "--limit", "1", "--json"]) == 0
    [match] = json.loads(capsys.readouterr().out)
    assert (match["id"], match["reason"], match["summary"]) == (id, reason, told)
    shown = in_terminal(80, "search", "step", "size", "--limit", "1")
    assert shown.startswith("learning rate (")
    assert "alias 'step size'" in shown
    assert " ".join(shown.partition(")")[2].split()) == summary


def test_search_says_what_is_not_here_and_where_it_is_mentioned(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    adam = glossary.term("adam")
    match = glossary.Match(adam, 0.49, "'sum' in the full text")
    monkeypatch.setattr(glossary, "search", lambda text, limit: [match])
    assert main(["search", "sums"]) == 0
    told = capsys.readouterr()
    assert told.err == "'sums' is not in this glossary; mentioned in:\n"
    assert told.out.startswith("adam\t0.4900\t")
    match = glossary.Match(adam, 0.5, "alias 'sum'")
    assert main(["search", "sums"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "bachnorm"], "No term named 'bachnorm'. Did you mean 'batch norm"),
        (["show", "normalization rates"], "Near it by meaning: "),
        (["demo", "adam", "--claim", "bond"], "Adam has the claims: adam/first-step, "),
        (["demo", "adam/bond"], "Received: bond."),
        (["new", "batch norm"], "'batch norm', which is 'batch-normalization' of core"),
        (["search", "xyzzyx"], "nothing matches 'xyzzyx'"),
    ],
)
def test_what_is_not_found_exits_with_1_and_a_message(
    arguments: list[str], message: str, capsys: Capture
) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("glossary: ")
    assert message in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--category", "cooking"], "`category` must be one of"),
        (["list", "--source", "pypi"], "`source` must be one of 'core'"),
        (["search", "adam", "--limit", "0"], "Received: limit=0"),
        (["check", "--select", "E9"], "No code starts with 'E9'"),
        (["check", "nowhere.toml"], "No file or folder of terms at 'nowhere.toml'."),
        (
            ["export", "json", "-o", "no/such/x"],
            "must be there. Received: 'no/such/x'.",
        ),
        (["export", "json", "-o", "."], "this is a folder. Received: '.'."),
        (["new", "x", "--to", "pyproject.toml/x"], "this is a file. Received: "),
        (["new", "x", "--to", "pyproject.toml"], "never written over. Received: 'pypr"),
        (["new", "?!"], "A name must have a letter or digit. Received: '?!'."),
    ],
)
def test_wrong_values_exit_with_2_and_a_message(
    arguments: list[str], message: str, capsys: Capture
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Errno" not in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["export", "docx"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: glossary" in capsys.readouterr().err


def test_check_of_sound_terms_exits_with_0(capsys: Capture) -> None:
    select = ["--select", "E0", "E1", "E2", "E3", "E4", "E5", "E601", "W1", "W2"]
    assert main(["check", *select]) == 0
    assert capsys.readouterr().out == ""


def test_check_of_a_broken_file_tells_what_is_wrong(
    tmp_path: Path, fresh: dict, capsys: Capture
) -> None:
    fresh["level"] = "expert"
    fresh["relations"] = {"uses": ["adam"]}
    (tmp_path / "a.json").write_text(json.dumps(fresh))
    assert main(["check", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        "a.json:1: E105 Level is not beginner, intermediate or advanced. "
        "(level = 'expert')\n"
    )
    assert captured.err == "0 terms, 1 errors, 0 warnings\n"
    assert main(["check", str(tmp_path), "--json"]) == 1
    [problem] = json.loads(capsys.readouterr().out)
    assert problem["code"] == "E105"
    assert problem["path"] == "level"
    assert main(["check", str(tmp_path), "--select", "W"]) == 0


def test_check_of_files_sees_collisions_with_the_core(
    tmp_path: Path, record: dict, capsys: Capture
) -> None:
    record |= {"id": "adam", "relations": {"uses": ["learning-rate"]}}
    (tmp_path / "a.json").write_text(json.dumps(record))
    assert main(["check", str(tmp_path), "--select", "E101"]) == 1
    assert "E101 Id is already taken. (id = 'adam')" in capsys.readouterr().out


def test_check_lists_its_codes(capsys: Capture) -> None:
    assert main(["check", "--codes"]) == 0
    assert "E302\tThe arXiv id is not of the form" in capsys.readouterr().out


@pytest.mark.parametrize("format", ["anki", "json", "jsonld", "markdown", "skos"])
def test_export_writes_the_same_to_screen_and_file(
    format: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["export", format]) == 0
    assert main(["export", format, "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == (tmp_path / "out").read_text(encoding="utf-8")


def test_the_module_runs_as_a_program() -> None:
    done = run("show", "bachnorm")
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"glossary: No term named 'bachnorm'.")


def test_a_reader_that_stops_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "glossary", "export", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


def test_a_screen_without_greek_letters_gets_words() -> None:
    for encoding in ("ascii", "cp1252"):
        done = run("show", "adam", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert done.returncode == 0
        assert b"beta_1" in done.stdout
        whole = run("show", "adam", PYTHONIOENCODING="utf-8").stdout
        assert done.stdout.count(b"?") == whole.count(b"?")
        done = run("search", "η", PYTHONIOENCODING=encoding)
        assert b"'eta'" in done.stderr + done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_what_programs_read_is_utf_8_whatever_the_screen_shows(encoding: str) -> None:
    written = export.to_json(glossary.terms())
    assert not written.isascii()
    done = run("export", "json", PYTHONIOENCODING=encoding)
    assert done.stdout.decode("utf-8") == written
    done = run("list", "--json", PYTHONIOENCODING=encoding)
    assert json.loads(done.stdout) == json.loads(written)["terms"]


@pytest.mark.parametrize("columns", [30, 40, 100])
@pytest.mark.parametrize("command", [["list"], ["show", "1cycle"], ["search", "batch"]])
def test_lines_fit_the_terminal(columns: int, command: list[str]) -> None:
    for kind in ("xterm", "dumb"):
        shown = re.sub(r"\x1b\[[\d;]*m", "", in_terminal(columns, *command, TERM=kind))
        assert max(map(len, shown.splitlines())) <= columns


def test_a_terminal_gets_colour_and_no_color_is_respected() -> None:
    pytest.importorskip("rich")
    assert "\x1b[" in in_terminal(80, "show", "adam")
    for arguments in (["show", "adam"], ["list"], ["demo", "adam/first-step"]):
        assert "\x1b" not in in_terminal(80, *arguments, NO_COLOR="1")


def test_a_terminal_without_rich_gets_plain_text(tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    shown = in_terminal(60, "show", "adam", PYTHONPATH=path)
    assert "\x1b[" not in shown
    assert "adaptive moment estimation" in shown


@pytest.fixture
def scripts() -> dict[str, str]:
    pytest.importorskip("shtab")
    done = {shell: run("completion", shell) for shell in SHELLS}
    assert {shell.stderr for shell in done.values()} == {b""}
    return {name: shell.stdout.decode() for name, shell in done.items()}


def test_completion_offers_terms_acronyms_claims_options_and_files(
    scripts: dict[str, str],
) -> None:
    for script in scripts.values():
        for word in ("batch-normalization", "BN", "adam/bound", "optimization"):
            assert word in script
        for word in ("completion", "--claim", "--source", "keras_lr", "E403", "skos"):
            assert word in script
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    cases = {
        "glossary show batch-n": "batch-normalization",
        "glossary show adam GN": "GNS",
        "glossary list --category optimiz": "optimization",
        "glossary list --lev": "--level",
        "glossary demo adam --claim adam/b": "adam/bound",
        "glossary demo adam/bou": "adam/bound",
        "glossary check pyproj": "pyproject.toml",
        "glossary export json -o pyproj": "pyproject.toml",
        "glossary demo adam --record exampl": "examples",
        "glossary expo": "export",
    }
    asked = "\n".join(
        f"COMP_WORDS=({line}); COMP_CWORD={line.count(' ')}; COMP_LINE='{line}'; "
        "COMP_POINT=${#COMP_LINE}; COMPREPLY=(); $complete glossary "
        "${COMP_WORDS[COMP_CWORD]} ${COMP_WORDS[COMP_CWORD - 1]}; "
        'echo "${COMPREPLY[*]}"'
        for line in cases
    )
    script = (
        'compopt() { :; }; complete() { complete="${@: -2:1}"; }\n'
        f"{scripts['bash']}\n{asked}"
    )
    done = subprocess.run([bash], input=script, capture_output=True, text=True)
    replies = done.stdout.splitlines()
    for wanted, reply in zip(cases.values(), replies, strict=True):
        assert wanted in reply.split(), done.stderr


def test_completion_without_shtab_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "shtab.py").write_text("raise ModuleNotFoundError(name='shtab')\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = run("completion", "bash", PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "glossary: Completion needs shtab: pip install 'keras-lr[completion]'.\n"
    )


def uncommented(template: str) -> str:
    """A template with everything that may be left out, filled in."""
    text = re.sub(r"^#(?! |#)", "", template, flags=re.MULTILINE)
    # What is marked so must be an id; every name is written once.
    for kind, id in {"uses": "backpropagation", "part_of": "adam"}.items():
        text = text.replace(f'{kind} = ["TODO"]', f'{kind} = ["{id}"]')
    text = re.sub(r'\n(broader|narrower|contrasts_with|related) = \["TODO"\]', "", text)
    text = text.replace("\n[see]", '\n[see]\nrelated = ["the seen"]')
    text = text.replace("my_package.demos:my_function", "json.tool:main")
    return filled(text)


def filled(template: str) -> str:
    number = iter(range(1000))
    text = template.replace("TODO.", "What it is, in a sentence.")
    return re.sub("TODO", lambda _: f"words {next(number)}", text)


@pytest.mark.parametrize("fill", [filled, uncommented])
def test_a_new_file_explains_every_field_and_is_sound_once_filled(
    fill: Callable[[str], str], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "sharpness-aware.toml"
    assert main(["new", 'Sharpness "aware"', "--to", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"{path}: fill it in, then run: glossary check {path}\n"
    )
    template = path.read_text("utf-8")
    rules = term_schema()["$defs"]
    for name in ("term", "formula", "example", "reference", "claim"):
        for key, rule in rules[name]["properties"].items():
            if key != "source":
                assert re.search(rf"^#?(\[\[?{key}\]|{key} = )", template, re.MULTILINE)
                words = " ".join(re.sub(r"^# ", "", template, flags=re.M).split())
                assert rule["description"] in words
    assert main(["check", str(path)]) == 0  # it is no fault not to be ready
    assert "W104 Text is still to be written." in capsys.readouterr().out
    path.write_text(fill(template), "utf-8")
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == ""
    term = glossary.Glossary.from_files(path).term("sharpness aware")
    assert (term.id, term.name) == ("sharpness-aware", 'Sharpness "aware"')


def test_the_schema_of_a_file_is_what_editors_can_use(
    tmp_path: Path, capsys: Capture
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    check = jsonschema.Draft202012Validator(schema)
    check.check_schema(schema)
    folder = Path(glossary.__file__).parent / "terms"
    for path in folder.glob("*.toml"):
        check.validate(tomllib.loads(path.read_text("utf-8")))
    broken = {"id": "Not A Slug", "nmae": "x"}
    assert len(list(check.iter_errors(broken))) >= 3
