"""The site: what `make docs` builds is whole, and reads without a network."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import glossary
import glossary.lab
import keras_lr
from glossary.latex import Node, parse
from tests.glossary import test_glossary_surface
from tests.keras_lr import test_surface
from tests.kit.built_site import (
    Page,
    broken_links,
    doubled,
    fetched,
    read_page,
    read_site,
)
from tests.kit.names import schedules

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
EXTENSIONS = sorted(
    path.stem for path in (DOCS / "_ext").glob("*.py") if path.stem != "__init__"
)
SCHEDULES = schedules()
#: Seconds after which a build hangs; it takes half a minute on a quiet core.
LONGEST_BUILD = 500

PUBLIC = [f"keras_lr.{name}" for name in test_surface.PUBLIC]
PUBLIC += [f"glossary.{name}" for name in test_glossary_surface.NAMES]
PUBLIC += [
    f"{module.__name__}.{name}"
    for module in (
        keras_lr.phases,
        keras_lr.curves,
        keras_lr.interop,
        glossary.lab,
    )
    for name in module.__all__
]


@pytest.fixture
def extensions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The modules of the site's extensions, as its build imports them."""
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    yield
    for name in EXTENSIONS:
        sys.modules.pop(name, None)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs` does."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n"]
    command += ["-d", str(folder / "doctrees"), "-b", "html"]
    return subprocess.run(
        [*command, str(DOCS), str(folder / "html")],
        cwd=REPOSITORY,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=LONGEST_BUILD,
        check=False,
    )


# One test, and not one for each thing that is asked: the build takes its time, and
# tests are shared by processes, each of which would build.
def test_the_site_is_whole(tmp_path: Path) -> None:
    built = build(tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    folder = tmp_path / "html"
    pages = read_site(folder)
    assert broken_links(folder, pages) == []
    assert fetched(folder, pages) == []
    assert doubled(pages) == []
    anchors = {anchor for page in pages.values() for anchor in page.ids}
    modules = {name for name in PUBLIC if inspect.ismodule(named(name))}
    assert {*PUBLIC} - modules - anchors == set()
    assert {f"module-{name}" for name in modules - {"keras_lr.interop"}} <= anchors
    assert undocumented_members(anchors) == []
    assert [name for name in SCHEDULES if not has_picture(pages, name)] == []
    assert [name for name in SCHEDULES if not has_formula(pages, name)] == []
    assert missing_terms(pages) == []
    index = search_index(folder)
    names = set(index["docnames"])
    assert {f"glossary/{term.id}" for term in glossary.terms()} <= names
    assert {"index", "measured", "reference/cycle", "elsewhere/changelog"} <= names


def named(name: str) -> Any:
    """What a public name stands for, without an import: ``glossary.terms`` is a folder,
    too."""
    package, _, rest = name.partition(".")
    return attrgetter(rest)(sys.modules[package])


def undocumented_members(anchors: set[str]) -> list[str]:
    """Public methods and properties of ours that no page has."""
    missing = []
    for name in PUBLIC:
        cls = named(name)
        if not inspect.isclass(cls):
            continue
        is_schedule = issubclass(cls, keras_lr.Schedule)
        for member in members_of(cls):
            # What all schedules have is explained once.
            of_all = is_schedule and hasattr(keras_lr.Schedule, member)
            owner = "keras_lr.Schedule" if of_all else name
            if f"{owner}.{member}" not in anchors:
                missing.append(f"{name}.{member}")
    return missing


def members_of(cls: type) -> list[str]:
    """Public methods and properties of a class, but those that others define."""
    kinds = (property, cached_property, classmethod, staticmethod, FunctionType)
    foreign = {
        member
        for base in cls.__mro__
        if not base.__module__.startswith(("keras_lr", "glossary"))
        for member in vars(base)
    }
    return [
        member
        for member, value in vars(cls).items()
        if isinstance(value, kinds)
        and not member.startswith("_")
        and member not in foreign
    ]


def section_of(pages: dict[str, Page], name: str) -> str:
    """What is said of a name: from its anchor to that of the next one."""
    anchor = f'id="keras_lr.{name}"'
    (page,) = [page for page in pages.values() if anchor in page.text]
    said = page.text.split(anchor, 1)[1]
    return re.split(r'<section id="', said, maxsplit=1)[0]


def has_formula(pages: dict[str, Page], name: str) -> bool:
    # `Schedule` is whatever its phases are; theirs stand with the curves.
    return name == "Schedule" or '<math display="block">' in section_of(pages, name)


def has_picture(pages: dict[str, Page], name: str) -> bool:
    figure = rf'<figure class="schedule" id="picture-{name}"><svg class="chart"[^>]* '
    drawn = rf'{figure}role="img" aria-label="Learning rate over [^"]*{name}\('
    return any(re.search(drawn, page.text) for page in pages.values())


def missing_terms(pages: dict[str, Page]) -> list[str]:
    """Terms without a page, and claims that are not on it, or without their picture."""
    missing = []
    for term in glossary.terms():
        page = pages.get(f"glossary/{term.id}.html")
        if page is None:
            missing.append(term.id)
            continue
        missing += [claim.id for claim in term.claims if claim.id not in page.ids]
        # All claims of the installed terms were measured, and drawn.
        figures = page.text.count('<figure><div class="panels')
        missing += [f"figures of {term.id}"] * (figures != len(term.claims))
    return missing


def search_index(folder: Path) -> dict[str, list[str]]:
    text = (folder / "searchindex.js").read_text("utf-8")
    found: dict[str, list[str]] = json.loads(
        text.removeprefix("Search.setIndex(").removesuffix(")")
    )
    return found


def test_a_link_to_nothing_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="here"></p><a href="#here"></a><a href="b.html#there"></a>'
        '<a href="b.html#nowhere"></a><a href="c.html"></a><img src="d.png">'
        '<a href="https://example.org/x"></a><a href="../a.html"></a>'
    )
    (tmp_path / "b.html").write_text('<p id="there"></p><a href="a.html#gone"></a>')
    broken = broken_links(tmp_path, read_site(tmp_path))
    assert [line.split(": ")[1] for line in broken] == [
        "../a.html",
        "b.html#nowhere",
        "c.html",
        "d.png",
        "a.html#gone",
    ]


@pytest.mark.parametrize(
    "loading",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/x.css">',
        '<link rel="preload" href="http://example.org/font.woff2">',
        '<img src="https://example.org/badge.svg">',
        '<svg><use href="https://example.org/a.svg#b"/></svg>',
    ],
)
def test_what_is_fetched_from_elsewhere_is_noticed(loading, tmp_path) -> None:
    pages = {"a.html": read_page(loading)}
    assert len(fetched(tmp_path, pages)) == 1


def test_a_link_to_elsewhere_and_data_in_the_page_are_not_fetched(tmp_path) -> None:
    page = '<a href="https://example.org"></a><img src="data:image/png;base64,AA">'
    (tmp_path / "a.css").write_text("b { background: url(data:image/png;base64,AA) }")
    assert fetched(tmp_path, {"a.html": read_page(page)}) == []
    (tmp_path / "b.css").write_text('@import "https://example.org/c.css";')
    (tmp_path / "c.css").write_text("b { background: url('http://example.org/d') }")
    assert len(fetched(tmp_path, {})) == 2


@pytest.mark.parametrize("name", EXTENSIONS)
def test_what_an_extension_shows_is_so(name, extensions) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_schedule_is_drawn(extensions) -> None:
    pictures = importlib.import_module("schedule_pictures")
    assert set(pictures.EXPRESSIONS) == set(SCHEDULES)
    for name, expressions in pictures.EXPRESSIONS.items():
        assert all(text.startswith(f"{name}(") for text in expressions)


def test_a_picture_shows_the_values_of_the_schedule(extensions) -> None:
    pictures = importlib.import_module("schedule_pictures")
    drawn = pictures.figure("StepDecay")
    (path, _) = re.findall(r'<path class="line line-\d" d="(M\d[^"]{99,})"', drawn)
    heights = [float(point.split()[1]) for point in re.split("[ML]", path)[1:]]
    values = keras_lr.StepDecay(max_lr=0.1).values(200, steps_per_epoch=20)
    # A line through 200 updates; higher is a smaller y.
    assert len(heights) == 200
    top, bottom = min(heights), max(heights) - min(heights)
    shares = [1 - (height - top) / bottom for height in heights]
    wanted = (values - values.min()) / (values.max() - values.min())
    assert shares == pytest.approx(wanted, abs=0.01)
    assert 'aria-label="Learning rate over 200 updates' in drawn
    assert "begins at 0.1, its highest, and ends at 0.0001" in drawn


def test_a_formula_out_of_the_subset_fails_the_build(extensions, caplog) -> None:
    formulas = importlib.import_module("formulas")
    nodes = importlib.import_module("docutils.nodes")
    good = nodes.math("", r"\tfrac12 \eta_{max}")
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in formulas.mathml(good, "inline")
    with caplog.at_level("WARNING"):
        formulas.mathml(nodes.math("", r"\oint x"), "block")
    assert r"cannot read the formula" in caplog.text


def letters(node: Node) -> Iterator[str]:
    """The names in a formula, each with an index that is a word: p, or eta_max."""
    if node.kind == "sub" and node.parts[1].kind == "word":
        yield f"{node.parts[0].text}_{node.parts[1].text}"
    elif node.kind == "name":
        yield node.text
    else:
        for part in node.parts:
            yield from letters(part)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "Schedule"])
def test_every_symbol_of_a_formula_is_bound(name, extensions) -> None:
    in_subset = importlib.import_module("formulas").in_subset
    text = inspect.getdoc(getattr(keras_lr, name))
    formula = re.search(r"\.\. math:: (.*?)\n\n", text, re.DOTALL)
    assert formula, "there is no formula"
    symbols = set(letters(parse(in_subset(formula.group(1)))))
    prose = text.replace(formula.group(0), "")
    # What stands in front of a sign of equality is what the formula says.
    said = re.findall(r"(?:^|quad)\s*(\\?[a-z]+)(?:\(.\))? =", formula.group(1))
    said += re.findall(r":math:`(.*?)`", prose, re.DOTALL)
    bound = {symbol for part in said for symbol in letters(parse(in_subset(part)))}
    bound |= set(re.findall(r"(?<![\w`])([A-Za-z])(?![\w`])", prose))
    # An index of a list that is written out needs no word.
    assert symbols - bound - {"π", "i"} == set()
