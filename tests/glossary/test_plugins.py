from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import glossary
from glossary.read import load
from glossary.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
EXAMPLE = Path(__file__).parents[2] / "examples" / "add_terms_plugin"
#: The command line for ``python -c``, where nothing is drawn.
WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
from glossary.__main__ import main
sys.exit(main())
"""


def test_a_plugin_adds_terms_without_being_imported(
    install: Callable[..., Path], record: Record
) -> None:
    install("more-words", "more_words.terms", record)
    term = glossary.term("droput")
    assert (term.id, term.source) == ("dropout", "more-words")
    assert glossary.term("weight decay") in term.related
    assert term in glossary.term("weight decay").related
    assert glossary.search("switches off random units")[0].term is term
    assert "more_words" not in sys.modules


def test_a_plugin_may_keep_its_files_deeper_in_the_package(
    install: Callable[..., Path], record: Record
) -> None:
    install("deep", "deep_package.data.words", record)
    assert glossary.term("dropout").source == "deep"


def collide_id(record: Record) -> None:
    record["id"] = "adam"


def collide_alias(record: Record) -> None:
    record["aliases"] = ["Learning Rates"]


def collide_name(record: Record) -> None:
    record["name"] = "step size"


def malform(record: Record) -> None:
    del record["definition"]


@pytest.mark.parametrize(
    ("breakage", "code"),
    [
        (collide_id, "E101"),
        (collide_alias, "E102"),
        (collide_name, "E103"),
        (malform, "E003"),
    ],
)
def test_a_broken_plugin_is_one_warning_and_the_rest_works(
    install: Callable[..., Path],
    record: Record,
    other: Record,
    breakage: Callable[[Record], None],
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    breakage(record)
    other |= {"id": "sound", "name": "sound term", "aliases": ["all right"]}
    install("bad-words", "bad_words.terms", record, other)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert glossary.term("learning rate").id == "learning-rate"
        assert glossary.term("step size").id == "learning-rate"
        assert glossary.term("sound term").source == "bad-words"
        assert glossary.term("adam").source == "core"
    assert [warning.category for warning in caught] == [glossary.PluginWarning]
    assert str(caught[0].message).startswith(f"bad-words 2.5: 0.json: {code} ")
    select = ["--select", "E0", "E1"]  # without importing what API links name
    assert main(["check", *select]) == 0
    assert main(["check", "--plugins", *select]) == 1
    assert f"bad-words 2.5: 0.json: {code}" in capsys.readouterr().out


def test_a_plugin_whose_package_is_missing_is_one_warning(
    install: Callable[..., Path], tmp_path: Path
) -> None:
    install("gone", "gone_words.terms")
    for path in sorted((tmp_path / "gone_words").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "gone_words").rmdir()
    with pytest.warns(glossary.PluginWarning, match=r"^gone 2\.5: E701 .*gone_words"):
        assert glossary.term("BN").id == "batch-normalization"


def test_a_plugin_without_files_is_one_warning(install: Callable[..., Path]) -> None:
    install("empty", "empty_words.terms")
    with pytest.warns(glossary.PluginWarning, match=r"^empty 2\.5: E702 "):
        assert glossary.term("BN").id == "batch-normalization"


def test_a_file_that_is_no_toml_is_one_warning(install: Callable[..., Path]) -> None:
    folder = install("torn", "torn_words.terms")
    (folder / "torn.toml").write_text("id = ")
    with pytest.warns(glossary.PluginWarning, match=r"^torn 2\.5: torn\.toml: E001 "):
        assert glossary.term("BN").id == "batch-normalization"


def test_several_problems_of_one_plugin_are_one_warning_with_a_count(
    install: Callable[..., Path], record: Record, other: Record
) -> None:
    malform(record)
    other["id"] = "adam"
    install("worse", "worse_words.terms", record, other)
    with pytest.warns(glossary.PluginWarning, match=r"\(and \d+ more\)") as caught:
        glossary.term("adam")
    assert len(caught) == 1


def test_the_terms_of_keras_lr_come_through_the_public_path_only() -> None:
    assert ("keras_lr", "keras_lr.terms") in [
        (p.name, p.folder) for p in load.plugins()
    ]
    core = {term.id for term in load.core()}
    added = {term.id for term in glossary.terms()} - core
    assert "warmup" in added
    assert len(core) == 9


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += ["--no-build-isolation", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*command, "--target", str(target), str(EXAMPLE)], check=True)
    return target


def glossary_with(
    site: Path, *arguments: str, run: tuple[str, str] = ("-m", "glossary")
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-W", "error", *run, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_package_installs_and_adds_its_terms(example: Path) -> None:
    shown = glossary_with(example, "show", "Layer Norms", "GN")
    assert shown.stderr == ""
    assert shown.stdout.startswith("layer normalization (LN)")
    assert "contrasts with: batch normalization" in shown.stdout
    assert "from normalization_terms" in shown.stdout
    listed = glossary_with(example, "list", "--source", "normalization_terms").stdout
    assert [line.split("\t")[0] for line in listed.splitlines()] == [
        "group-normalization",
        "layer-normalization",
    ]


def test_the_claim_of_the_example_package_is_measured_and_recorded(
    example: Path, tmp_path: Path
) -> None:
    shown = glossary_with(example, "demo", "layer norm")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("held: The output for one example")
    path = example / "normalization_terms" / "evidence.json"
    options = ["--source", "normalization_terms", "--evidence", str(path)]
    assert glossary_with(example, "check", "--demos", *options).returncode == 0
    # The figures of all terms would take half a minute.
    undrawn = ("-c", WITHOUT_MATPLOTLIB)
    assert glossary_with(example, "page", str(tmp_path), run=undrawn).returncode == 0
    path.unlink()
    page = (tmp_path / "index.html").read_text("utf-8")
    at = page.index("largest change when the others are exchanged")
    assert "held" in page[at - 2000 : at + 2000]


def test_the_example_package_passes_every_check(example: Path) -> None:
    codes = ["E0", "E1", "E2", "E3", "E4", "E5", "E601", "E7", "W1", "W2", "W3", "W4"]
    checked = glossary_with(example, "check", "--plugins", "--select", *codes)
    assert (checked.returncode, checked.stdout) == (0, "")
