from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import glossary
from glossary import _page_html, export
from glossary import page as pages
from glossary.__main__ import main
from glossary._page_svg import slim, svg
from tests.kit import page_kit
from tests.kit.page_kit import CLAIMS, EVIDENCE, HOSTILE, hostile_evidence, hostile_term

if TYPE_CHECKING:
    from glossary.evidence import Evidence

TERMS = page_kit.terms()
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
        return " ".join(kept)


@pytest.fixture(scope="module")
def page() -> str:
    return pages.page(TERMS, EVIDENCE)


@pytest.fixture(scope="module")
def read(page: str) -> Read:
    return Read(page)


def article(
    slug: str, evidence: Evidence | None, drawn: str = "", **options: bool
) -> str:
    [claim] = [claim for claim in CLAIMS if claim.id == f"batch-size/{slug}"]
    [term] = [term for term in TERMS if term.id == "batch-size"]
    return _page_html.article(claim, term, evidence, drawn, **options)


def test_every_term_has_a_section_and_an_entry_in_the_list(read: Read) -> None:
    sections = [found["id"] for found in read.all("section")]
    assert sorted(sections) == sorted(term.id for term in TERMS)
    entries = [found["id"].removeprefix("_list-") for found in read.all("li")
               if "id" in found]  # fmt: skip
    assert entries == sections
    titles = {text for tag, text in read.texts if tag == "a"}
    assert {term.name for term in TERMS} <= titles


def test_every_claim_is_shown_with_its_sentence_and_its_command(read: Read) -> None:
    assert [found["id"] for found in read.all("article")] == [c.id for c in CLAIMS]
    shown = [text for tag, text in read.texts if tag == "h4"]
    assert shown == [claim.sentence for claim in CLAIMS]
    commands = [
        text for tag, text in read.texts if tag == "code" and " --claim " in text
    ]
    assert commands == [
        f"glossary demo batch-size --claim {claim.id} --full" for claim in CLAIMS
    ]


@pytest.mark.parametrize(
    ("slug", "looks", "words"),
    [
        ("held", "held", "held"),
        ("popular", "documented", "failed, as documented"),
        ("unsure", "documented", "inconclusive, as documented"),
        ("broken", "unexpected", "failed, though documented as held"),
        ("unmeasured", "unknown", "not measured yet"),
    ],
)
def test_a_claim_stands_as_it_is(slug: str, looks: str, words: str) -> None:
    read = Read(article(slug, EVIDENCE.get(f"batch-size/{slug}")))
    assert read.all("article")[0]["class"] == f"claim {looks}"
    badges = [text for tag, text in read.texts if tag == "span"]
    assert badges == [words] + ["contested"] * (slug == "popular")


def test_a_measured_claim_tells_number_threshold_margin_and_source() -> None:
    text = Read(article("held", EVIDENCE["batch-size/held"])).text()
    for part in (
        "\N{MINUS SIGN}1.02 , slope of log variance over log batch size",
        "between \N{MINUS SIGN}1.1 and \N{MINUS SIGN}0.9; margin 40 % of the width",
        "two-layer net on digits",
        "McCandlish (2018)",
        "10 seeds, 3.21 s of processor time; python 3.11.2, numpy 2.4.0",
    ):
        assert part in text


def test_an_inconclusive_claim_tells_the_reason_and_no_margin() -> None:
    text = Read(article("unsure", EVIDENCE["batch-size/unsure"])).text()
    assert "The control diverged." in text
    assert "margin" not in text


@pytest.mark.parametrize(
    ("comparison", "words"),
    [("<", "below 2"), ("<=", "at most 2"), (">", "above 2"), (">=", "at least 2")],
)
def test_thresholds_are_told_in_words(comparison: str, words: str) -> None:
    claim = page_kit.claim("x", comparison=comparison, threshold=2.0)
    assert _page_html.wanted(claim) == words


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
    claim = page_kit.claim("x", threshold=threshold)
    assert _page_html.distance(claim, margin) == words


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
    assert _page_html.number(value) == shown


def test_the_tally_counts_terms_claims_and_verdicts(read: Read) -> None:
    [tally] = [text for tag, text in read.texts if text.startswith(f"{len(TERMS)} te")]
    assert tally.split("; ") == [
        f"{len(TERMS)} terms",
        "5 claims",
        "1 held",
        "1 failed, as documented",
        "1 inconclusive, as documented",
        "1 failed, though documented as held",
        "1 not measured yet",
    ]


def test_links_within_the_page_resolve_and_ids_are_unique(read: Read) -> None:
    ids = read.values("id")
    assert len(ids) == len(set(ids))
    inner = [h[1:] for h in read.values("href") if h.startswith("#")]
    assert len(inner) > 3 * len(TERMS)
    assert set(inner) <= set(ids)
    for name in ("aria-labelledby", "for"):
        assert set(read.values(name)) <= set(ids)
    assert set(re.findall(r"#([^)]+)", " ".join(read.values("clip-path")))) <= set(ids)


def test_links_that_leave_are_plain_anchors_to_known_places(read: Read) -> None:
    anchors = [a for a in read.all("a") if not a["href"].startswith("#")]
    assert len(anchors) > len(TERMS)
    starts = (
        "https://arxiv.org/abs/",
        "https://doi.org/10.",
        "https://www.tensorflow.org/api_docs/python/tf/keras/",
    )
    assert all(a["href"].startswith(starts) for a in anchors)
    assert {a["rel"] for a in anchors} == {"noreferrer"}


def test_nothing_is_loaded_from_anywhere(read: Read, page: str) -> None:
    assert read.values("src") == []
    assert [found["href"] for found in read.all("link")] == ["data:,"]
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#", "", page)
    [policy] = [m["content"] for m in read.all("meta") if "http-equiv" in m]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "connect-src" not in rules
    assert "unsafe" not in policy
    assert read.values("style") == []  # the policy would refuse them
    assert not [name for _, found in read.tags for name in found if name[:2] == "on"]


def embedded(page: str, kind: str) -> Any:
    [written] = re.findall(rf'<script type="{kind}"[^>]*>(.*?)</script>', page)
    return json.loads(written)


def test_the_page_holds_the_json_ld_of_its_terms(page: str) -> None:
    found = embedded(page, re.escape("application/ld+json"))
    terms = sorted(TERMS, key=lambda term: term.id)
    found["hasDefinedTerm"].sort(key=lambda item: item["@id"])
    assert found == json.loads(export.to_jsonld(terms))


def test_the_same_input_gives_the_same_page(page: str) -> None:
    assert pages.page(reversed(TERMS), EVIDENCE) == page


def test_figures_keep_their_names_apart() -> None:
    one, other = (
        svg(page_kit.evidence().figure(), prefix, "") for prefix in ("one-", "two-")
    )
    ids = [set(re.findall(r'id="([^"]+)"', drawn)) for drawn in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert one.replace("one-", "two-") == other


def test_a_figure_is_small_labelled_and_without_styles() -> None:
    drawn = svg(page_kit.evidence().figure(), "f-", 'measured "1" < 2')
    read = Read(drawn)
    assert len(drawn) < 12_000
    assert read.all("svg")[0]["aria-label"] == 'measured "1" < 2'
    assert read.all("svg")[0]["role"] == "img"
    assert "batch size (examples)" in read.text()
    assert read.values("style") == []
    assert {tag for tag, _ in read.tags} <= {
        "svg", "g", "defs", "path", "use", "text", "tspan", "clippath", "rect",
        "marker",
    }  # fmt: skip
    assert "currentColor" in drawn
    assert "#000000" not in drawn


def test_a_figure_of_two_thousand_numbers_is_small_enough() -> None:
    # 75 of them and the text stay under 3 MB.
    draw = random.Random(5)
    names = ("a", "b", "c", "d")
    data = {n: [[draw.random() for _ in range(100)] for _ in range(5)] for n in names}
    data["x"] = [list(range(100))] * 5
    drawing = {**page_kit.evidence().drawing, "y": names, "log": ""}
    found = page_kit.evidence(data=data, drawing=drawing)
    assert len(svg(found.figure(), "f-", "")) < 60_000


def test_a_drawing_that_is_more_than_a_drawing_is_cut_down() -> None:
    bad = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"
        xmlns:xlink="http://www.w3.org/1999/xlink" onload="hurt()">
        <script>hurt()</script><foreignObject><p>x</p></foreignObject>
        <style>* {display: none}</style>
        <a xlink:href="javascript:hurt()"><path d="M 0 0 L 1 1" stroke="red"/></a>
        <image xlink:href="https://evil.example/x.png" width="1" height="1"/>
        <image xlink:href="data:image/png;base64,AAAA" width="1" height="1"/>
        <text onclick="hurt()" x="0" y="0">&lt;/svg&gt;&lt;script&gt;</text></svg>"""
    drawn = slim(bad, "f-", "")
    assert "hurt" not in drawn
    assert "evil" not in drawn
    assert "data:image/png;base64,AAAA" in drawn
    assert "&lt;/svg&gt;&lt;script&gt;</text>" in drawn
    assert {tag for tag, _ in Read(drawn).tags} == {"svg", "image", "text"}


def hostile_page() -> str:
    term = hostile_term()
    return pages.page([*TERMS, term], {term.claims[0].id: hostile_evidence()})


def test_a_term_full_of_marks_shows_as_text(read: Read) -> None:
    page = hostile_page()
    hostile = Read(page)
    assert len(hostile.all("script")) == len(read.all("script")) == 3
    assert hostile.all("img") == []
    assert not [n for _, found in hostile.tags for n in found if n.startswith("on")]
    assert not [h for h in hostile.values("href") if h.lower().startswith("javascript")]
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in read.tags}
    assert hostile.text().count(HOSTILE) > 15
    assert HOSTILE in [text for tag, text in hostile.texts if tag == "text"]
    linked = embedded(page, re.escape("application/ld+json"))
    assert HOSTILE in [item["name"] for item in linked["hasDefinedTerm"]]
    assert embedded(page, "application/json")["token"] == ""


def test_hostile_ids_are_linked_and_quoted_for_the_shell() -> None:
    hostile = Read(hostile_page())
    ids = hostile.values("id")
    inner = [h[1:] for h in hostile.values("href") if h.startswith("#")]
    assert set(inner) <= set(ids)
    commands = [text for tag, text in hostile.texts if tag == "code"]
    quoted = "glossary demo 'evil\"><b>' --claim 'evil/claim"
    assert sum(command.startswith(quoted) for command in commands) == 1


def test_headings_are_in_order(read: Read) -> None:
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = [after - before for before, after in pairwise(levels)]
    assert max(steps) == 1


def test_a_page_without_evidence_says_how_to_get_it() -> None:
    read = Read(pages.page(TERMS, {}))
    assert read.all("svg") == []
    assert "glossary check --demos" in read.text()
    assert [found["class"] for found in read.all("article")] == ["claim unknown"] * 5


def test_a_page_without_matplotlib_says_how_to_get_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "find_spec", lambda name: None)
    read = Read(pages.page(TERMS, EVIDENCE))
    assert read.all("svg") == []
    assert "pip install 'keras-lr[plot]'" in read.text()
    assert "1 held" in read.text()


def test_a_page_without_claims_asks_for_nothing() -> None:
    read = Read(pages.page([replace(term, claims=()) for term in TERMS], {}))
    assert "--evidence" not in read.text()
    assert "pip install" not in read.text()


def test_relations_to_terms_that_are_not_on_the_page_are_no_links() -> None:
    read = Read(pages.page([t for t in TERMS if t.id in ("adam", "momentum")], {}))
    inner = {h[1:] for h in read.values("href") if h.startswith("#")}
    assert inner <= set(read.values("id"))
    assert "learning rate" in read.text()


def test_only_a_served_page_has_buttons_and_a_token() -> None:
    assert "<button" not in article("held", None)
    read = Read(article("held", None, runs=True))
    assert [button["data-size"] for button in read.all("button")] == ["fast", "full"]
    page = pages.page(TERMS, {}, token="secret")
    assert embedded(page, "application/json")["token"] == "secret"
    assert "connect-src 'self'" in page


def test_the_folder_is_made_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = pages.write(
        tmp_path / "a" / "b", TERMS, EVIDENCE, lambda *count: told.append(count)
    )
    assert path == tmp_path / "a" / "b" / "index.html"
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert path.read_text(encoding="utf-8") == pages.page(TERMS, EVIDENCE)


def test_a_page_without_figures_needs_the_standard_library_only() -> None:
    script = (
        "import sys, glossary; from glossary import page; import glossary.serve\n"
        "page.page(glossary.terms(), {})\n"
        "assert not {'numpy', 'keras', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_evidence_is_read_from_the_file_of_a_check(tmp_path: Path) -> None:
    records = [evidence.to_dict() for evidence in EVIDENCE.values()]
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(records))
    found = pages.read(path, TERMS)
    assert list(found) == list(EVIDENCE)
    assert found["batch-size/held"].measured == -1.02
    # What was measured of a claim that says something else by now is no evidence.
    records[0]["sentence"] = "It was another sentence."
    records[1]["threshold"] = 3.0
    records[2]["claim"] = "batch-size/gone"
    path.write_text(json.dumps(records))
    assert list(pages.read(path, TERMS)) == ["batch-size/broken"]


@pytest.mark.parametrize("written", ["", "[1]", '[{"claim": "x"}]', "\xff", "3"])
def test_another_file_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "x.json").write_text(written, encoding="latin-1")
    with pytest.raises(ValueError, match=r"`--evidence` must be a file.*x\.json"):
        pages.read(tmp_path / "x.json", TERMS)


def test_the_command_writes_the_installed_terms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evidence.json").write_text("[]")
    options = ["--evidence", str(tmp_path / "evidence.json")]
    assert main(["page", str(tmp_path / "out"), *options]) == 0
    path = tmp_path / "out" / "index.html"
    assert capsys.readouterr().out.startswith(f"{path} (")
    sections = [found["id"] for found in Read(path.read_text("utf-8")).all("section")]
    assert len(sections) == len(TERMS)
    assert main(["page", str(tmp_path), "--evidence", str(path)]) == 2
    assert "`--evidence` must be a file" in capsys.readouterr().err
    assert main(["page", str(tmp_path), "--evidence", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err
    assert main(["page", str(path)]) == 2  # a file is there already


def test_the_page_with_all_recorded_evidence_is_small() -> None:
    terms = glossary.terms()
    recorded = pages.recorded(terms)
    if not recorded:
        pytest.skip("no evidence is recorded")
    assert len(pages.page(terms, recorded).encode()) < 3_000_000


def test_a_teacher_measures_some_terms_and_hands_out_a_page(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "glossary_teacher.py"
    done = subprocess.run(
        [sys.executable, str(example), "backprop", "--out", str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    read = Read((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert [found["id"] for found in read.all("section")] == ["backpropagation"]
    claims = glossary.term("backprop").claims
    assert len(read.all("svg")) == len(claims) > 0
    assert all(claim.sentence in done.stdout for claim in claims)
