from __future__ import annotations

import random
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glossary
from glossary.__main__ import main
from glossary.measure import curves, drawing, recorded, recording, svg
from glossary.pictures import Bars, Lines
from glossary.read import load
from glossary.show import html, site
from glossary.show.mentions import Mentions
from tests.kit import page_kit
from tests.kit.page_kit import CLAIMS, EVIDENCE, hostile_evidence, hostile_term

TERMS = page_kit.terms()
EVIL = f"{html.anchor(hostile_term().id)}.html"
VOID = {"meta", "link", "img", "input", "br"}


class Read(HTMLParser):
    """A page as a browser reads it: tags, attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.append((self._open[-1], data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, name: str) -> list[str]:
        return [found[name] for _, found in self.tags if name in found]

    def text(self) -> str:
        kept = [text for tag, text in self.texts if tag not in ("script", "style")]
        return re.sub(r"\s+", " ", " ".join(kept))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with the evidence of all terms of these tests, drawn."""
    return page_kit.record(tmp_path_factory.mktemp("package"), hostile_evidence())


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    monkeypatch.setattr(load, "packages", lambda: [package])


@pytest.fixture
def pages() -> dict[str, str]:
    made = site.Site(page_kit.terms(hostile_term()))
    return {name: made.page(name) for name in made.names if name != site.SEARCH}


@pytest.fixture
def read(pages: dict[str, str]) -> dict[str, Read]:
    return {name: Read(page) for name, page in pages.items()}


def articles(page: str) -> dict[str, str]:
    found = re.findall(r'(<article class="claim.*?</article>)', page, re.DOTALL)
    return {Read(one).all("article")[0]["id"]: one for one in found}


def test_an_index_leads_to_a_page_for_each_term_and_links_resolve(
    read: dict[str, Read],
) -> None:
    entries = [one["id"] for one in read["index.html"].all("li")]
    assert len(entries) == len(TERMS) + 1
    assert {f"{html.anchor(id)}.html" for id in entries} == read.keys() - {"index.html"}
    for name, page in read.items():
        ids = page.values("id")
        assert len(ids) == len(set(ids)), name
        near = [href for href in page.values("href") if not href.startswith("https:")]
        for href in near:
            file, _, anchor = href.partition("#")
            assert href == "data:," or (file or name) in read
            assert not anchor or anchor in read[file or name].values("id")


def test_links_that_leave_are_plain_anchors_to_known_places(
    read: dict[str, Read],
) -> None:
    anchors = [a for page in read.values() for a in page.all("a")]
    away = [a for a in anchors if a["href"].startswith("http")]
    assert len(away) > len(TERMS)
    assert all(a["href"].startswith("https://") for a in away)
    keras = "https://www.tensorflow.org/api_docs/python/tf/keras/"
    for start in ("https://arxiv.org/abs/", "https://doi.org/10.", keras):
        assert any(a["href"].startswith(start) for a in away)
    assert {a["rel"] for a in away} == {"noreferrer"}


def test_a_claim_stands_as_it_is(pages: dict[str, str]) -> None:
    found = articles(pages["batch-size.html"])
    assert list(found) == [claim.id for claim in CLAIMS]
    expected = {
        "held": ("held", ["held"]),
        "popular": ("documented", ["failed, as documented", "contested"]),
        "unsure": ("documented", ["inconclusive, as documented", "measured here"]),
        "broken": ("unexpected", ["failed, though documented as held"]),
        "unmeasured": ("unknown", ["not measured yet"]),
    }
    for slug, (looks, badges) in expected.items():
        one = Read(found[f"batch-size/{slug}"])
        assert one.all("article")[0]["class"] == f"claim {looks}"
        assert [text for tag, text in one.texts if tag == "span"] == badges


def test_a_claim_tells_number_threshold_conditions_source_and_how_to_run_it(
    pages: dict[str, str],
) -> None:
    found = articles(pages["batch-size.html"])
    text = Read(found["batch-size/held"]).text()
    for part in (
        "\N{MINUS SIGN}1.02 , slope of log variance over log batch size",
        "between \N{MINUS SIGN}1.1 and \N{MINUS SIGN}0.9; margin 42.2 % of the width",
        "two-layer net on digits",
        "McCandlish (2018)",
        "10 seeds, 3.21 s of processor time; python 3.11.2, numpy 2.4.0",
        "glossary demo batch-size --claim batch-size/held --full",
    ):
        assert part in text
    unsure = Read(found["batch-size/unsure"]).text()
    assert "The control diverged." in unsure
    assert "margin" not in unsure


def test_a_figure_says_what_is_seen_and_has_its_numbers_in_a_table(
    pages: dict[str, str],
) -> None:
    one = Read(articles(pages["batch-size.html"])["batch-size/held"])
    [picture] = [d for d in one.all("div") if d.get("role") == "img"]
    assert picture["aria-label"] == EVIDENCE[0].seen
    assert len(one.all("svg")) == 2
    cells = [text for tag, text in one.texts if tag in ("th", "td")]
    assert cells == ["batch size (examples)", "a", "b", "1", "1", "2",
                     "10", "0.1", "0.2", "100", "0.01", "0.02"]  # fmt: skip
    [caption] = [text for tag, text in one.texts if tag == "caption"]
    assert caption == "variance, median of 10 seeds"


def test_long_tables_keep_their_ends_and_say_what_is_left_out() -> None:
    curve = Lines(
        x=range(1000),
        ys={"a": [float("nan"), *range(999)]},
        x_label="step",
        y_label="y",
    )
    [table] = html.tables(page_kit.evidence(panels=(curve,)))
    assert table.rows[0] == ("0", "\N{EN DASH}")
    assert table.rows[-1] == ("999", "998")
    assert len(table.rows) == 13
    assert table.left_out == 1000


@pytest.mark.parametrize(
    ("comparison", "words"),
    [("<", "below 2"), ("<=", "at most 2"), (">", "above 2"), (">=", "at least 2")],
)
def test_thresholds_are_told_in_words(comparison: str, words: str) -> None:
    claim = page_kit.claim("x", comparison=comparison, threshold=2.0)
    assert html.wanted(claim) == words


@pytest.mark.parametrize(
    ("threshold", "margin", "words"),
    [
        ((1.0, 2.0), 0.25, "margin 25 % of the width"),
        ((1.0, 2.0), -2.0, "missed by 200 % of the width"),
        (2.0, 0.5, "margin 50 % of the threshold"),
        (2.0, -0.5, "missed by 50 % of the threshold"),
        (2.0, 1000.0, "margin 1,000 times the threshold"),
        (0.0, 0.5, "margin 0.5"),
    ],
)
def test_margins_are_told_in_words(threshold: Any, margin: float, words: str) -> None:
    assert html.distance(page_kit.claim("x", threshold=threshold), margin) == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1234567.0, "1.23e+06"),
        (-1234.5, "\N{MINUS SIGN}1,234"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        (float("inf"), "infinite"),
        (float("nan"), "no number"),
    ],
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert html.number(value) == shown


def test_the_first_mention_of_another_term_is_a_link_and_no_other_is() -> None:
    found = [
        (piece.text, piece.term)
        for piece in Mentions(TERMS).pieces(
            "A cold learning rate; learning rates, momentum and BN, or "
            "bn, in batch sizes and mini-batch-sizes: learning rate.",
            but=["momentum"],
        )
        if piece.term
    ]
    assert found == [
        ("learning rate", "learning-rate"),
        ("BN", "batch-normalization"),
        ("batch sizes", "batch-size"),
    ]
    text = "Adam, momentum and a learning rate schedule."
    pieces = list(Mentions(TERMS).pieces(text))
    assert "".join(piece.text for piece in pieces) == text
    assert "learning-rate-schedule" in {piece.term for piece in pieces}
    assert [p.text for p in Mentions([]).pieces(text)] == [text]


def test_a_term_shows_all_that_it_says(pages: dict[str, str]) -> None:
    page = pages[EVIL]
    assert page.count("A common mistake") == page.count("In numbers") == 1
    adam = Read(pages["adam.html"]).text()
    for title in ("Relations", "In code", "References"):
        assert title in adam


def test_nothing_is_loaded_from_anywhere(
    pages: dict[str, str], read: dict[str, Read]
) -> None:
    for name, page in read.items():
        sources = page.values("src")
        assert sources == (["search.js"] if name == "index.html" else [])
        assert [found["href"] for found in page.all("link")] == ["data:,"]
        [policy] = [m["content"] for m in page.all("meta") if "http-equiv" in m]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["connect-src"] == "'self'"
        assert "unsafe" not in policy
        assert page.values("style") == []  # the policy would refuse them
        handlers = [n for _, found in page.tags for n in found if n.startswith("on")]
        assert handlers == []
        assert "@import" not in pages[name]


def test_a_term_full_of_marks_shows_as_text(read: dict[str, Read]) -> None:
    hostile = read[EVIL]
    plain = read["batch-size.html"]
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in plain.tags} | {
        "pre", "h4",
    }  # fmt: skip
    assert hostile.all("img") == []
    hrefs = hostile.values("href") + read["index.html"].values("href")
    assert not [h for h in hrefs if "javascript:" in h.lower() and "arxiv" not in h]
    assert hostile.text().count("window.hurt = 1") > 15
    assert "{{ 7 * 7 }}" in hostile.text()
    drawn = [text for tag, text in hostile.texts if tag in ("text", "tspan")]
    assert any("</script>" in text for text in drawn)
    notebook = Read(html.fragment(hostile_term()))
    assert notebook.text().count("window.hurt = 1") > 10
    assert not notebook.all("script")
    assert not notebook.all("img")


def test_a_figure_in_a_package_that_does_more_than_draw_is_left_out(
    tmp_path: Path,
) -> None:
    good = recorded.figure_path(page_kit.record(tmp_path), CLAIMS[0].id).read_text()
    assert len(svg.parts(good)) == 2
    for bad in (
        good.replace("<path", "<script>hurt()</script><path", 1),
        good.replace("<path", '<path onclick="hurt()"', 1),
        good.replace("<path", '<use href="https://evil.example/x.svg#a"/><path', 1),
        good.replace("</svg>", "", 1),
        good.replace("<svg", "<p>x</p><svg", 1),
    ):
        assert svg.parts(bad) == ()


def test_headings_are_in_order_and_a_description_is_there(
    read: dict[str, Read],
) -> None:
    for page in read.values():
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        steps = [after - before for before, after in pairwise(levels)]
        assert max(steps, default=0) <= 1
        [told] = [
            m["content"] for m in page.all("meta") if m.get("name") == "description"
        ]
        assert told.strip()


def test_what_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load, "packages", lambda: [tmp_path])
    bare = Read(site.Site(page_kit.terms()).page("batch-size.html"))
    assert "All 5 claims are not measured yet: glossary check" in bare.text()
    recorded.write(tmp_path, EVIDENCE)
    undrawn = site.Site(page_kit.terms())
    page = Read(undrawn.page("batch-size.html"))
    assert page.all("svg") == []
    assert "All 4 claims are shown without their figure" in page.text()
    assert EVIDENCE[0].seen in page.text()
    assert any("matplotlib" in notice for notice in undrawn.notices())
    # A term without claims misses nothing.
    assert "not measured" not in Read(undrawn.page("adam.html")).text()


def test_only_a_served_page_has_buttons_and_a_token(pages: dict[str, str]) -> None:
    assert "<button" not in pages["batch-size.html"]
    served = site.Site(page_kit.terms(), token="secret").page("batch-size.html")
    assert served.count("data-claim=") == 2 * len(CLAIMS)
    assert 'data-token="secret"' in served


def test_the_command_writes_the_site_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a" / "b"
    assert main(["page", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"{folder / 'index.html'}, with {len(glossary.terms())} terms"
    )
    assert (folder / "search.js").is_file()
    assert (folder / "adam.html").read_text("utf-8") == site.Site(
        glossary.terms()
    ).page("adam.html")
    (tmp_path / "file").write_text("")
    assert main(["page", str(tmp_path / "file")]) == 2
    assert "`DIR` must be a folder. Received:" in capsys.readouterr().err


def test_without_jinja2_notebooks_fall_back_and_the_commands_say_what_is_missing() -> (
    None
):
    script = """
import sys
class Gone:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("jinja2", "starlette"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone())
from importlib import util
util.find_spec, known = (lambda name: None), util.find_spec
import glossary
from glossary.__main__ import main
term = glossary.term("Adam")
assert term._repr_html_() is None and term._repr_markdown_().startswith("## Adam")
util.find_spec = known
print(main(["page", "x"]), main(["serve"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1 1\n"
    assert "`glossary page` needs jinja2: pip install 'keras-lr[page]'." in done.stderr
    assert "`glossary serve` needs" in done.stderr


def test_a_notebook_shows_a_term_without_what_needs_a_page() -> None:
    shown = Read(glossary.term("Adam")._repr_html_() or "")
    assert shown.all("math")
    assert shown.all("details") == []
    assert all(a["href"].startswith("https://") for a in shown.all("a"))


# --- Pictures


def drawn(*panels: Lines | Bars) -> str:
    return recording.picture(page_kit.evidence(panels=panels))


def test_figures_keep_their_names_apart_and_come_out_the_same() -> None:
    bad = page_kit.evidence(CLAIMS[1])
    one = recording.picture(page_kit.evidence())
    assert one == recording.picture(page_kit.evidence())
    other = recording.picture(bad)
    ids = [set(re.findall(r'id="([^"]+)"', text)) for text in (one, other)]
    assert not ids[0] & ids[1]


def test_a_figure_is_small_labelled_and_follows_the_ink_of_the_page() -> None:
    text = drawn(*page_kit.evidence().runs[0].panels)
    whole = Read(text)
    assert len(text) < 5_000
    assert whole.all("svg")[0]["aria-label"] == EVIDENCE[0].seen
    assert "batch size (examples)" in whole.text()
    assert whole.values("style") == []
    assert "currentColor" in text
    assert "#000000" not in text


def test_three_panels_of_noise_from_ten_seeds_stay_small() -> None:
    draw = random.Random(5)
    panels = tuple(
        Lines(
            x=range(1000),
            ys={name: [draw.random() for _ in range(1000)] for name in "ab"},
            x_label="update", y_label="loss", title=title,
        )
        for title in ("one", "two", "three")
    )  # fmt: skip
    assert len(drawn(*panels)) < 30_000


def test_a_curve_that_swings_is_not_drawn_flat() -> None:
    swings = [float(step % 2) for step in range(1000)]
    kept = curves.seen(np.array(swings))
    assert len(kept) <= 210
    assert {swings[place] for place in kept} == {0.0, 1.0}
    assert list(kept) == sorted(set(kept))


def test_exact_zero_has_no_bar_and_is_written() -> None:
    bars = Bars(
        labels=["a", "b", "c"], ys={"d": [0.0, 1e-3, 1.0]}, y_label="y", log="y"
    )
    figure = next(drawing.parts(page_kit.evidence(panels=(bars,))))
    [axes] = figure.axes
    heights = [patch.get_height() for patch in axes.patches]
    assert heights[0] == 0
    assert heights[2] > heights[1] > 0
    assert "0" in [text.get_text() for text in axes.texts]


def test_long_labels_make_bars_lie_and_nothing_is_cut(
    recwarn: pytest.WarningsRecorder,
) -> None:
    labels = ["a convolutional network without any normalization", "short", "another"]
    bars = Bars(
        labels=labels, ys={"one": [1.0, 2.0, -1.0], "two": [2.0, 1.0, 0.0]},
        y_label="validation loss after twenty epochs of training (nats)",
        marks={"chance": 1.5},
    )  # fmt: skip
    text = re.sub(r"\s+", " ", Read(drawn(bars)).text())
    assert "convolutional network" in text
    assert "chance" in text
    assert not recwarn.list


def test_legends_lie_above_the_curves() -> None:
    names = [f"learning rate {10.0**-k:g} with momentum" for k in range(7)]
    curves = Lines(
        x=[0, 1], ys={name: [1.0, 0.5] for name in names}, x_label="x", y_label="y"
    )
    figure = next(drawing.parts(page_kit.evidence(panels=(curves,))))
    figure.draw_without_rendering()
    [axes] = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_window_extent().y0 >= axes.get_window_extent().y1 - 1
    assert axes.get_window_extent().height > 100


def test_gaps_other_places_for_each_seed_and_values_that_are_not_finite() -> None:
    gap = [1.0, float("nan"), 3.0, 4.0]
    drawn(Lines(x=range(4), ys={"a": gap}, x_label="x", y_label="y", log="y"))
    evidence = page_kit.evidence()
    runs = []
    for seed, run in enumerate(evidence.runs):
        curve = Lines(x=[seed, seed + 1.5], ys={"a": [1, 2]}, x_label="x", y_label="y")
        runs.append(replace(run, measured=float("inf"), panels=(curve,)))
    text = recording.picture(replace(evidence, runs=tuple(runs)))
    assert text.count("stroke-opacity") > 0


def test_whole_figures_can_be_drawn_for_a_paper(tmp_path: Path) -> None:
    one = page_kit.evidence(panels=page_kit.evidence().runs[0].panels * 3)
    drawing.draw(one).savefig(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_figures_are_drawn_anew_from_what_is_recorded(tmp_path: Path) -> None:
    page_kit.record(tmp_path)
    paths = sorted(tmp_path.glob("figures/*/*.svg"))
    before = [path.read_text("utf-8") for path in paths]
    for path in paths:
        path.unlink()
    assert recording.redraw(tmp_path, CLAIMS) == len(EVIDENCE)
    assert [path.read_text("utf-8") for path in paths] == before
    changed = replace(CLAIMS[0], sentence="Another sentence.")
    assert recording.redraw(tmp_path, [changed]) == 0
