from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import glossary
from glossary.__main__ import main
from glossary.read import load

Record = dict[str, Any]
Capture = pytest.CaptureFixture[str]
EXAMPLE = Path(__file__).parents[2] / "examples" / "add_terms_plugin"


def test_a_plugin_adds_terms_without_being_imported(
    install: Callable[..., Path], fresh: Record
) -> None:
    install("more-words", "more_words.data.words", fresh)  # deeper in the package
    term = glossary.term("fresh term")
    assert (term.id, term.source) == ("fresh", "more-words")
    assert glossary.term("weight decay") in term.related
    assert term in glossary.term("weight decay").related
    assert "more_words" not in sys.modules


def collide_id(record: Record) -> None:
    record["id"] = "adam"


def collide_alias(record: Record) -> None:
    record["aliases"] = ["Learning Rates"]


def collide_name(record: Record) -> None:
    record["name"] = "learning rate"


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
    fresh: Record,
    other: Record,
    breakage: Callable[[Record], None],
    code: str,
    capsys: Capture,
) -> None:
    breakage(fresh)
    other |= {"id": "sound", "name": "sound term", "aliases": ["all right"]}
    install("bad-words", "bad_words.terms", fresh, other)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert glossary.term("learning rate").id == "learning-rate"
        assert glossary.term("sound term").source == "bad-words"
        assert glossary.term("adam").source == "core"
    assert [warning.category for warning in caught] == [glossary.PluginWarning]
    assert str(caught[0].message).startswith(f"bad-words 2.5: 0.json:1: {code} ")
    select = ["--select", "E0", "E1"]  # without importing what API links name
    assert main(["check", *select]) == 0
    assert main(["check", "--plugins", *select]) == 1
    assert f"bad-words 2.5: 0.json:1: {code}" in capsys.readouterr().out


def remove_package(folder: Path, patch: pytest.MonkeyPatch) -> None:
    folder.rmdir()
    (folder.parent / "__init__.py").unlink()
    folder.parent.rmdir()


def keep_empty(folder: Path, patch: pytest.MonkeyPatch) -> None:
    pass


def tear_toml(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "torn.toml").write_text("id =\n")


def list_no_tables(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "a.toml").write_text('terms = ["batch size"]')


def write_latin_1(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "a.toml").write_bytes('# ä\nid = "x"'.encode("latin-1"))


def make_a_folder_of_a_file(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "a.toml").mkdir()


def nest_deeply(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "a.json").write_text("[" * 5000 + "]" * 5000)


def lock_the_folder(folder: Path, patch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> Iterator[Path]:
        if self == folder:
            raise PermissionError(13, "Permission denied", str(folder))
        return iterdir(self)

    iterdir = Path.iterdir
    patch.setattr(Path, "iterdir", refuse)


class _Hook:
    """A finder of modules that fails in a way of its own."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "ill_words":
            raise RuntimeError("a hook that fails")


def break_the_import_system(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sys, "meta_path", [_Hook, *sys.meta_path])


def tear_the_evidence(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder.parent / "evidence").mkdir()
    for term, torn in {"adam": b'{"claim"\xff', "batch-normalization": b"[]\n"}.items():
        (folder.parent / "evidence" / f"{term}.jsonl").write_bytes(torn)


def spoil_the_metadata(folder: Path, patch: pytest.MonkeyPatch) -> None:
    info = folder.parents[1] / "ill-2.5.dist-info"
    (info / "METADATA").write_bytes(b"Name: \xff\n")


def spoil_a_check(folder: Path, patch: pytest.MonkeyPatch) -> None:
    def fail(entries: Any, *known: Any, **targets: Any) -> Any:
        if entries and entries[0].source == "ill":
            raise ZeroDivisionError
        return check_entries(entries, *known, **targets)

    check_entries = load.check_entries
    (folder / "a.toml").write_text('id = "x"')
    patch.setattr(load, "check_entries", fail)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (remove_package, r"^ill 2\.5: E701 .*ill_words"),
        (keep_empty, r"^ill 2\.5: E702 "),
        (tear_toml, r"^ill 2\.5: torn\.toml:1: E001 "),
        (list_no_tables, r"^ill 2\.5: a\.toml:1: E004 .*'batch size'"),
        (write_latin_1, r"^ill 2\.5: a\.toml:1: E001 .*utf-8"),
        (make_a_folder_of_a_file, r"^ill 2\.5: a\.toml: E001 "),
        (nest_deeply, r"^ill 2\.5: a\.json(:1)?: E00[14] "),
        (lock_the_folder, r"^ill 2\.5: E703 .*Permission denied"),
        (break_the_import_system, r"^ill 2\.5: E703 .*a hook that fails"),
        (tear_the_evidence, r"^ill 2\.5: E702 "),
        (spoil_the_metadata, r": E702 "),
        (spoil_a_check, r"^ill 2\.5: E703 .*ZeroDivisionError"),
    ],
)
def test_a_plugin_that_cannot_be_read_takes_only_itself_out(
    harm: Callable[[Path, pytest.MonkeyPatch], None],
    told: str,
    install: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harm(install("ill", "ill_words.terms"), monkeypatch)
    with pytest.warns(glossary.PluginWarning, match=told) as caught:
        assert glossary.term("BN").id == "batch-normalization"
    assert glossary.search("learning rate")
    for name in ("adam", "BN"):  # whose evidence is looked for in all packages
        assert str(glossary.term(name))
    mine = [warning for warning in caught if "keras" not in str(warning.message)]
    assert len(mine) == 1
    assert len(str(mine[0].message)) < 500


def test_unreadable_entry_points_of_another_package_stop_nothing(
    install: Callable[..., Path], tmp_path: Path
) -> None:
    install("ill", "ill_words.terms")
    info = tmp_path / "ill-2.5.dist-info"
    (info / "entry_points.txt").write_bytes(b"[glossary.terms]\n\xff = x\n")
    assert glossary.term("BN").id == "batch-normalization"


def test_several_problems_of_one_plugin_are_one_warning_with_a_count(
    install: Callable[..., Path], fresh: Record, other: Record
) -> None:
    malform(fresh)
    other["id"] = "adam"
    install("worse", "worse_words.terms", fresh, other)
    with pytest.warns(glossary.PluginWarning, match=r"\(and \d+ more\)") as caught:
        glossary.term("adam")
    assert len(caught) == 1


def test_the_terms_of_keras_lr_come_through_the_public_path_only() -> None:
    found = [(plugin.name, plugin.folder) for plugin in load.plugins()]
    assert ("keras_lr", "keras_lr.terms") in found
    core = {term.id for term in load.core()}
    assert "warmup" in {term.id for term in glossary.terms()} - core


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += ["--no-build-isolation", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*command, "--target", str(target), str(EXAMPLE)], check=True)
    return target


def glossary_with(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "glossary", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_package_adds_terms_that_keep_every_rule(example: Path) -> None:
    shown = glossary_with(example, "show", "Spectral Norms", "GN")
    assert shown.stderr == ""
    assert shown.stdout.startswith("spectral normalization\n")
    assert "contrasts with: batch normalization" in shown.stdout
    listed = glossary_with(example, "list", "--source", "normalization_terms").stdout
    ids = ["group-normalization", "spectral-normalization"]
    assert [line.split("\t")[0] for line in listed.splitlines()] == ids
    codes = ["E0", "E1", "E2", "E3", "E4", "E5", "E601", "E7", "W1", "W2", "W3", "W4"]
    checked = glossary_with(example, "check", "--plugins", "--select", *codes)
    assert " terms, " in checked.stderr
    assert "normalization-terms" not in checked.stdout


def test_the_claims_of_the_example_package_come_out_as_recorded(example: Path) -> None:
    for term in ("spectral norm", "group norm"):
        shown = glossary_with(example, "demo", term, "--json")
        assert shown.returncode == 0, shown.stderr
        [measured] = json.loads(shown.stdout)
        path = EXAMPLE / "normalization_terms" / "evidence"
        path /= f"{measured['claim'].partition('/')[0]}.jsonl"
        recorded = json.loads(path.read_text("utf-8"))
        assert len(recorded["by_seed"]) == 10
        assert recorded["verdict"] == measured["verdict"] == "held"
        first = pytest.approx(recorded["by_seed"][0], rel=1e-12)
        assert measured["measured"] == first


def test_the_claims_of_the_example_package_can_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from normalization_terms import demos

    assert demos.alone(0).measured < 1e-12
    assert demos.stretches_nothing(0).measured < 1.01
    monkeypatch.setattr(demos, "group_norm", lambda x, groups: demos.batch_norm(x))
    monkeypatch.setattr(demos, "power_iteration", lambda w, rng, n: demos.np.ones(n))
    assert demos.alone(0).measured > 0.01
    assert demos.stretches_nothing(0).measured > 1.5


def test_a_broken_plugin_warns_once_a_command_and_in_short(
    install: Callable[..., Path], fresh: Record, tmp_path: Path
) -> None:
    malform(fresh)
    install("bad-words", "bad_words.terms", fresh)
    (tmp_path / "mine.json").write_text(json.dumps(fresh))
    for arguments in (
        ["show", "adam", "BN"],
        ["search", "learning rate"],
        ["demo", "adam/first-step"],
        ["check", str(tmp_path / "mine.json")],
    ):
        told = glossary_with(tmp_path, *arguments).stderr
        assert told.count("bad-words 2.5") == 1
        assert len(max(told.splitlines(), key=len)) < 300
