from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from glossary import DemoError, Glossary, InvalidTerms
from glossary.read import load

Record = dict[str, Any]
TOML = '''
id = "dropout"
name = "dropout"
category = "regularization"
level = "beginner"
summary = """
Dropout switches off
random units."""
definition = """
First
paragraph.

Second one.
"""
mistake = """
To forget it
at inference."""
[[references]]
title = "Improving neural networks"
author = "Hinton"
year = 2012
arxiv = "1207.0580"
'''


def test_terms_are_read_from_toml_and_prose_is_reflowed(tmp_path: Path) -> None:
    (tmp_path / "dropout.toml").write_text(TOML)
    term = Glossary.from_files(tmp_path / "dropout.toml").term("Dropouts")
    assert term.summary == "Dropout switches off random units."
    assert term.definition == "First paragraph.\n\nSecond one."
    assert term.source == "dropout.toml"
    assert term.mistake == "To forget it at inference."


def test_files_of_several_terms_and_folders_are_read(
    tmp_path: Path, record: Record, other: Record
) -> None:
    (tmp_path / "all.json").write_text(json.dumps({"terms": [record, other]}))
    (tmp_path / "notes.txt").write_text("not read")
    mine = Glossary.from_files(str(tmp_path))
    assert [term.id for term in mine] == ["dropout", "weight-decay"]
    assert mine.term("dropout").related == (mine.term("weight decay"),)


def test_core_terms_are_not_mixed_in_but_may_be_related_to(
    tmp_path: Path, record: Record
) -> None:
    record["relations"] = {"uses": ["learning-rate"]}
    (tmp_path / "a.json").write_text(json.dumps(record))
    mine = Glossary.from_files(tmp_path)
    assert len(mine) == 1
    assert "learning rate" not in mine
    assert mine.term("dropout").related == ()


def test_nothing_that_a_file_mentions_is_imported_or_run(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap_module.py").write_text("raise SystemExit('executed')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    record["api"] = ["trap_module.thing"]
    record["claims"][0]["demo"] = "trap_module:demo"
    (tmp_path / "a.json").write_text(json.dumps(record))
    mine = Glossary.from_files(tmp_path / "a.json")
    term = mine.term("dropout")
    assert term.formula is not None
    assert term.formula(mask=1, x=3.0, keep=0.5) == 6.0
    assert mine.search("random units")
    assert str(term)
    assert term._repr_markdown_()
    with pytest.raises(DemoError, match=r"Received: the claim dropout/keeps-the-mean"):
        term.claims[0].check()
    load.check_files([tmp_path / "a.json"])
    assert "trap_module" not in sys.modules


@pytest.mark.parametrize(
    "expression",
    ["__import__('os')._exit(1)", "(lambda: 1)()", "x.__class__", "[x] * 9"],
)
def test_a_formula_can_do_nothing_but_arithmetic(
    tmp_path: Path, record: Record, expression: str
) -> None:
    record["formula"]["expression"] = expression
    (tmp_path / "a.json").write_text(json.dumps(record))
    with pytest.raises(InvalidTerms, match=r"a\.json:1: E40[12]"):
        Glossary.from_files(tmp_path)


def test_all_errors_of_all_files_are_told_at_once(
    tmp_path: Path, record: Record, other: Record
) -> None:
    record["level"] = "expert"
    del other["name"]
    (tmp_path / "a.json").write_text(json.dumps(record))
    (tmp_path / "b.json").write_text(json.dumps(other))
    with pytest.raises(InvalidTerms) as caught:
        Glossary.from_files(tmp_path)
    told = {(problem.file, problem.code) for problem in caught.value.problems}
    assert told >= {("a.json", "E105"), ("b.json", "E003")}
    assert isinstance(caught.value, ValueError)


def test_warnings_do_not_refuse_a_file(tmp_path: Path, record: Record) -> None:
    del record["references"]
    del record["claims"]
    (tmp_path / "a.json").write_text(json.dumps(record | {"relations": {}}))
    with pytest.raises(InvalidTerms, match="E005"):
        Glossary.from_files(tmp_path)
    del record["relations"]
    (tmp_path / "a.json").write_text(json.dumps(record))
    assert len(Glossary.from_files(tmp_path)) == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        Glossary.from_files(tmp_path / "nowhere.toml")
