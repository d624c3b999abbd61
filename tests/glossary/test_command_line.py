from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import glossary
from glossary.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

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
    assert ids == [
        "activation-function",
        "backpropagation",
        "batch-size",
        "learning-rate",
    ]


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


def test_search_tells_score_and_reason(capsys: Capture) -> None:
    assert main(["search", "step", "size", "--limit", "1"]) == 0
    assert capsys.readouterr().out == "learning-rate\t0.9700\talias 'step size'\n"


def test_search_as_json(capsys: Capture) -> None:
    assert main(["search", "bachnorm", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)[0]
    assert best["id"] == "batch-normalization"
    assert best["reason"] == "alias 'batch norm', but for a slip"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "bachnorm"], "No term named 'bachnorm'. Did you mean 'batch norm"),
        (["show", "batch"], "'batch' may mean any of 'batch normalization', 'batch si"),
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
        (["check", "nowhere.toml"], "nowhere.toml"),
        (["export", "json", "-o", "no/such/folder/x"], "no/such/folder/x"),
    ],
)
def test_wrong_values_exit_with_2_and_a_message(
    arguments: list[str], message: str, capsys: Capture
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


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
    tmp_path: Path, record: dict, capsys: Capture
) -> None:
    record["level"] = "expert"
    record["relations"] = {"uses": ["adam"]}
    (tmp_path / "a.json").write_text(json.dumps(record))
    assert main(["check", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        "a.json: E105 Level is not beginner, intermediate or advanced. "
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


def test_a_screen_without_greek_letters_gets_question_marks() -> None:
    done = run("show", "adam", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert b"?_1" in done.stdout


@pytest.mark.parametrize("columns", [30, 40, 100])
@pytest.mark.parametrize("command", [["list"], ["show", "1cycle"], ["search", "batch"]])
def test_lines_fit_the_terminal(columns: int, command: list[str]) -> None:
    for kind in ("xterm", "dumb"):
        shown = re.sub(r"\x1b\[[\d;]*m", "", in_terminal(columns, *command, TERM=kind))
        assert max(map(len, shown.splitlines())) <= columns


def test_a_terminal_gets_colour_and_no_color_is_respected() -> None:
    pytest.importorskip("rich")
    assert "\x1b[" in in_terminal(80, "show", "adam")
    plain = in_terminal(80, "show", "adam", NO_COLOR="1")
    assert "\x1b[1;36m" not in plain


def test_a_terminal_without_rich_gets_plain_text(tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    shown = in_terminal(60, "show", "adam", PYTHONPATH=path)
    assert "\x1b[" not in shown
    assert "adaptive moment estimation" in shown


def test_bash_completes_commands_and_terms(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    (tmp_path / "glossary").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m glossary "$@"\n'
    )
    (tmp_path / "glossary").chmod(0o755)
    script = """
        source <(glossary completion bash)
        COMP_WORDS=(glossary show batch-); COMP_CWORD=2; _glossary
        echo "${COMPREPLY[*]}"
        COMP_WORDS=(glossary ex); COMP_CWORD=1; _glossary
        echo "${COMPREPLY[*]}"
    """
    done = subprocess.run(
        [bash, "-c", script],
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["batch-normalization batch-size", "export"]
