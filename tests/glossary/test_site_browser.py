"""The pages in a real browser: Debian's `chromium`, without a network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import glossary
from glossary.read import load
from glossary.serve.app import Door
from glossary.show import site
from tests.kit import page_kit
from tests.kit.chromium import Browser, Tab, program, running
from tests.kit.page_kit import CLAIMS, EVIDENCE, hostile_evidence, hostile_term
from tests.kit.served import Client, served

pytestmark = pytest.mark.skipif(
    program() is None, reason="needs a browser: apt-get install chromium"
)
EVIL = hostile_term()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(str(program()), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site, with a term that tries to break out of it."""
    package = page_kit.record(tmp_path_factory.mktemp("package"), hostile_evidence())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "packages", lambda: [package])
        made = site.Site(page_kit.terms(EVIL))
        folder = tmp_path_factory.mktemp("site")
        for _ in site.write(folder, made):
            pass
    return folder


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    tab.looks()
    yield tab
    tab.close()


def go(tab: Tab, folder: Path, place: str = "index.html") -> None:
    file, mark, anchor = place.partition("#")
    tab.go((folder / file).as_uri() + mark + anchor)


def ask(tab: Tab, text: str) -> list[str]:
    """The names under the question when somebody has typed."""
    tab.value("document.getElementById('_question').value = ''")
    tab.value("document.getElementById('_question').focus()")
    tab.type(text)
    shown: list[str] = tab.value(
        "[...document.querySelectorAll('#_answers a')].map(a => a.textContent)"
    )
    return shown


def test_pages_open_without_complaint_and_ask_nobody(tab: Tab, folder: Path) -> None:
    go(tab, folder)
    ask(tab, "adam")
    tab.value("document.querySelector('#_theme select').focus()")
    go(tab, folder, "batch-size.html")
    assert tab.value("document.querySelectorAll('article').length") == len(CLAIMS)
    pictures = "document.querySelectorAll('article [role=img] svg').length"
    assert tab.value(pictures) == 2 * len(EVIDENCE)
    names = ("index.html", "search.js", "batch-size.html")
    own = {(folder / name).as_uri() for name in names}
    # The empty icon in the page itself is no request.
    assert set(tab.requests()) - {"data:,"} == own
    assert tab.complaints() == []


def test_the_search_answers_as_the_library_does(tab: Tab, folder: Path) -> None:
    go(tab, folder)
    assert tab.value("document.getElementById('_answers').children.length") == 0
    for text in ("bachnorm", "BN", "learning rates", "vanishing gradients"):
        matches = glossary.search(text)
        sure = [match.term.id for match in matches if match.score >= 0.5]
        ask(tab, text)
        hrefs = tab.value(
            "[...document.querySelectorAll('#_answers a')]"
            ".map(a => a.getAttribute('href'))"
        )
        if sure:
            assert hrefs[0] == f"{sure[0]}.html"
        else:
            assert hrefs == []
    ask(tab, "BN")
    assert tab.value("document.getElementById('_terms').hidden")
    assert tab.value("document.getElementById('_count').textContent").endswith(
        ("1 term", "terms")
    )
    tab.value("document.getElementById('_question').select()")
    tab.press("Backspace", 8)
    assert not tab.value("document.getElementById('_terms').hidden")


def test_what_is_not_here_is_told_with_where_it_is_mentioned(
    tab: Tab, folder: Path
) -> None:
    go(tab, folder)
    assert ask(tab, "xyzzy") == []
    count = "document.getElementById('_count').textContent"
    assert tab.value(count) == "Not in this glossary."
    assert tab.value("document.getElementById('_mentions').hidden")
    unsure = next(
        word
        for word in ("unusual sparse", "convex", "hardware", "poor regions", "sparse")
        if (found := glossary.search(word)) and found[0].score < 0.5
    )
    assert ask(tab, unsure) == []
    told = "document.getElementById('_mentions').innerText"
    assert "Not in this glossary; mentioned in" in tab.value(told)
    assert tab.value("document.querySelectorAll('#_mentions li').length") > 0


def test_enter_and_deep_links_lead_to_the_term(tab: Tab, folder: Path) -> None:
    go(tab, folder)
    ask(tab, "warm restarts")
    tab.press("Enter", 13)
    tab.wait("location.pathname.endsWith('/warm-restarts.html')")
    for place, end in (
        ("index.html#Adam", "/adam.html"),
        ("index.html#batch%20size", "/batch-size.html"),
        ("index.html#Batch-Size/Held", "/batch-size.html#batch-size/held"),
    ):
        go(tab, folder, place)
        tab.wait(f"location.href.endsWith('{end}')")
    go(tab, folder)
    go(tab, folder, "batch-size.html#Batch-Size/BROKEN")
    top = "document.getElementById('batch-size/broken').getBoundingClientRect().top"
    tab.wait(f"Math.abs({top}) < 40")


def test_the_theme_follows_the_system_and_a_choice_is_remembered(
    tab: Tab, folder: Path
) -> None:
    lightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"
        ".reduce((sum, part) => sum + Number(part), 0) / 3"
    )
    ink = (
        "getComputedStyle(document.querySelector('article svg text')).fill"
        ".match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0) / 3"
    )
    for dark in (False, True):
        tab.looks(dark=dark)
        go(tab, folder, "batch-size.html")
        assert (tab.value(lightness) < 60) is dark
        assert (tab.value(ink) > 200) is dark  # figures change with the page
    choose = (
        "(() => {{const s = document.querySelector('#_theme select');"
        "s.value = '{}'; s.dispatchEvent(new Event('change'))}})()"
    )
    tab.value(choose.format("light"))
    assert tab.value(lightness) > 200
    go(tab, folder, "adam.html")
    assert tab.value(lightness) > 200
    assert tab.value("document.querySelector('#_theme select').value") == "light"
    tab.value(choose.format("auto"))
    assert tab.value(lightness) < 60


CONTRAST = """
(() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return parts(color)[3] === 0 ? back(element.parentElement) : color;
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || element.closest("script, svg, .skip, option")) continue;
    const pair = [light(getComputedStyle(element).color), light(back(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.push([element.outerHTML.slice(0, 80), ratio]);
  }
  for (const shape of document.querySelectorAll("svg [stroke], svg rect[fill]")) {
    const faint = shape.matches("[stroke-opacity], [opacity]");
    const color = getComputedStyle(shape).stroke;
    if (faint || !color.startsWith("rgb")) continue;
    const pair = [light(color), light(back(shape.closest("article")))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 3) poor.push([shape.outerHTML.slice(0, 80), ratio]);
  }
  return poor;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_and_all_curves_have_enough_contrast(
    tab: Tab, folder: Path, dark: bool
) -> None:
    tab.looks(dark=dark)
    for name in ("index.html", "batch-size.html"):
        go(tab, folder, name)
        assert tab.value(CONTRAST) == []
    # The measure itself can fail.
    tab.value("document.querySelector('h1').style.color = '#787878'")
    assert len(tab.value(CONTRAST)) == 1


# Far below, the browser lays out only what has been near.
LOOKED_AT = """
(async () => {
  for (const place of document.querySelectorAll("main > *, .claim, .table")) {
    place.scrollIntoView();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
})()
"""


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_sticks_out_and_tab_stops_are_where_something_scrolls(
    tab: Tab, folder: Path, width: int
) -> None:
    tab.looks(width=width)
    for name in ("index.html", "batch-size.html", "adam.html"):
        go(tab, folder, name)
        tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
        tab.value(LOOKED_AT)
        assert tab.value("document.documentElement.scrollWidth") <= width
        idle = tab.value(
            "[...document.querySelectorAll('[tabindex=\"0\"]')]"
            ".filter(e => e.scrollWidth <= e.clientWidth + 1).length"
        )
        stuck = tab.value(
            "[...document.querySelectorAll('main *')].filter(e => "
            "getComputedStyle(e).overflowX === 'auto' && e.tabIndex < 0 && "
            "e.scrollWidth > e.clientWidth + 1).length"
        )
        assert (idle, stuck) == (0, 0)
    if width == 320:  # the formula of Adam is wider than that
        assert tab.value("document.querySelectorAll('[tabindex=\"0\"]').length")


def test_letters_in_pictures_stay_legible_on_a_phone(tab: Tab, folder: Path) -> None:
    tab.looks(width=360)
    go(tab, folder, "batch-size.html")
    figure = "document.querySelector('article svg')"
    scale = tab.value(f"{figure}.getBoundingClientRect().width / 302.4")
    sizes = tab.value(
        "[...document.querySelectorAll('article svg text')]"
        ".map(t => parseFloat(getComputedStyle(t).fontSize))"
    )
    assert min(sizes) * scale >= 7  # the strip's; those of a panel are larger
    assert max(sizes) * scale >= 8.5


def test_pages_can_be_used_without_a_mouse_and_read_aloud(
    tab: Tab, folder: Path
) -> None:
    for name in ("batch-size.html", "index.html"):
        go(tab, folder, name)
        tree = tab.call("Accessibility.getFullAXTree")["nodes"]
        nameless = [
            node
            for node in tree
            if node.get("role", {}).get("value")
            in ("link", "button", "searchbox", "region", "image", "heading", "combobox")
            and not node.get("name", {}).get("value", "").strip()
        ]
        assert nameless == []
        roles = [node.get("role", {}).get("value") for node in tree]
        assert roles.count("main") == 1
        assert tab.value("document.documentElement.lang") == "en"
    assert roles.count("searchbox") == roles.count("search") == 1
    tab.press("Tab", 9)
    assert tab.value("document.activeElement.className") == "skip"
    assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0
    stops = []
    for _ in range(3):
        tab.press("Tab", 9)
        stops.append(
            tab.value("document.activeElement.id || document.activeElement.tagName")
        )
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert tab.value(outline) == "solid"
    assert stops == ["SELECT", "_question", "A"]


def test_a_term_full_of_scripts_shows_as_text(tab: Tab, folder: Path) -> None:
    [page] = [path for path in folder.iterdir() if path.name.startswith("evil")]
    tab.go(page.as_uri().replace("%25", "%25"))
    assert tab.value("document.querySelectorAll('img, main script').length") == 0
    assert tab.value("document.body.innerText.split('window.hurt = 1').length") > 10
    links = "[...document.links].every(a => ['https:', 'file:'].includes(a.protocol))"
    assert tab.value(links)
    go(tab, folder)
    ask(tab, "script window hurt")
    assert tab.value("typeof window.hurt") == "undefined"
    assert tab.complaints() == []


def test_the_policy_stops_a_script_that_got_in(tab: Tab, folder: Path) -> None:
    (folder / "other.js").write_text("window.hurt = 3")
    for name in ("index.html", "adam.html"):
        go(tab, folder, name)
        tab.value(
            "document.body.append(Object.assign(document.createElement('script'), "
            "{textContent: 'window.hurt = 1'})); "
            "document.body.insertAdjacentHTML('beforeend', "
            "'<img src=https://example.invalid/x onerror=\"window.hurt = 2\">'); "
            "document.body.append(Object.assign(document.createElement('script'), "
            "{src: 'other.js'})); "
            "new Promise(done => setTimeout(done, 100))"
        )
        assert tab.value("typeof window.hurt") == "undefined"
    refused = [text for text in tab.complaints() if "Content Security Policy" in text]
    assert len(refused) >= 6


def test_pages_read_without_scripts(tab: Tab, folder: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    for name in ("index.html", "batch-size.html"):
        go(tab, folder, name)
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
        roles = [node.get("role", {}).get("value") for node in nodes]
        assert "heading" in roles
        for role in ("searchbox", "combobox", "button"):
            assert role not in roles  # what needs a script is not offered


def test_a_claim_is_not_broken_by_the_end_of_a_sheet(tab: Tab, folder: Path) -> None:
    go(tab, folder, "batch-size.html")
    tab.call("Emulation.setEmulatedMedia", media="print")
    whole = "getComputedStyle(document.querySelector('.whole')).breakInside"
    assert tab.value(whole) == "avoid"
    assert tab.value("document.querySelector('.whole').offsetHeight") < 900
    shown = "getComputedStyle(document.querySelector('{}')).display"
    assert tab.value(shown.format("header label")) == "none"
    assert tab.value(shown.format("details")) == "none"


WORKER = """
import json, sys, time
sys.path.insert(0, {here!r})
name, size = sys.argv[1:]
if name == "batch-size/broken":
    sys.exit("ValueError: <b>bold</b>")
for done in range(3):
    print(json.dumps({{"done": done, "of": 3}}), flush=True)
    time.sleep(60 if name == "batch-size/unsure" and done == 1 else 0.3)
from tests.kit.page_kit import CLAIMS, evidence, terms
from glossary.show import html
[claim] = [claim for claim in CLAIMS if claim.id == name]
[term] = [term for term in terms() if term.id == "batch-size"]
found = evidence(claim, measured=-1.05, seen="Drawn anew.")
shown = html.measured_article(claim, term, found, ("<svg></svg>",))
print(json.dumps({{"html": shown, "verdict": "held"}}))
"""


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    worker = WORKER.format(here=str(Path(__file__).parents[2]))
    with served(page_kit.terms(), [sys.executable, "-c", worker]) as door:
        yield door


@pytest.fixture
def inside(tab: Tab, door: Door) -> Tab:
    """The page of a term, in a browser that came by the printed link."""
    door.link_token = door.link_token or "again"
    tab.go(door.address)
    tab.go(f"http://{door.names[0]}/batch-size.html")
    return tab


def place(slug: str) -> str:
    return f"document.getElementById('batch-size/{slug}')"


def test_a_button_runs_a_claim_and_the_result_replaces_the_old(
    inside: Tab, door: Door
) -> None:
    claim = place("unmeasured")
    assert "not measured yet" in inside.value(f"{claim}.textContent")
    inside.value(f"{claim}.querySelector('button[data-size=fast]').click()")
    # All buttons rest while it runs, and the bar moves.
    resting = "document.querySelectorAll('button[data-claim]:disabled').length"
    assert inside.value(resting) == 2 * len(CLAIMS)
    inside.wait(f"{claim}.textContent.includes('Seed 2 of 3.')")
    assert inside.value(f"{claim}.querySelector('progress').value") == 1
    inside.wait(f"{claim}.textContent.includes('Measured just now: held.')")
    assert "\N{MINUS SIGN}1.05" in inside.value(f"{claim}.textContent")
    assert "Drawn anew." in inside.value(f"{claim}.textContent")
    assert inside.value("document.activeElement.dataset.claim") == (
        "batch-size/unmeasured"
    )
    assert inside.value("document.querySelectorAll('button:disabled').length") == 0
    own = f"http://{door.names[0]}/"
    assert all(url == "data:," or url.startswith(own) for url in inside.requests())
    assert inside.complaints() == []


def test_a_run_can_be_stopped_breaks_or_is_refused_in_its_place(
    inside: Tab, door: Door
) -> None:
    inside.value(f"{place('broken')}.querySelector('button').click()")
    inside.wait(f"{place('broken')}.textContent.includes('ValueError: <b>bold</b>')")
    inside.value(f"{place('unsure')}.querySelector('button').click()")
    inside.wait(f"{place('unsure')}.textContent.includes('Seed 2 of 3.')")
    status, told = Client(door).run("batch-size/held")
    assert (status, told["error"][:28]) == (409, "batch-size/unsure is running")
    inside.value(f"{place('unsure')}.querySelector('[data-stop]').click()")
    inside.wait(f"{place('unsure')}.textContent.includes('Stopped.')")
    inside.wait(
        f"{place('held')}.querySelector('button').click() || "
        f"new Promise(done => setTimeout(() => done("
        f"{place('held')}.textContent.includes('Seed')), 200))"
    )


def test_another_page_cannot_run_a_claim(inside: Tab, door: Door) -> None:
    with served([], [sys.executable]) as other:  # another port of this machine
        inside.go(other.address)
        run = f"http://{door.names[0]}/run"
        body = json.dumps({"claim": "batch-size/held"})
        inside.value(
            f"fetch('{run}', {{method: 'POST', mode: 'no-cors', credentials: 'include',"
            f" body: '{body}'}}).then(() => 'sent', () => 'stopped')"
        )
        read = f"fetch('http://{door.names[0]}/', {{credentials: 'include'}})"
        assert inside.value(f"{read}.then(() => 'read', () => 'stopped')") == "stopped"
