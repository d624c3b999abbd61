"""The page in a real browser: Debian's `chromium`, without a network."""

from __future__ import annotations

import csv
import json
import random
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from glossary import _fold
from glossary import page as pages
from glossary.serve import Server
from tests.kit import page_kit
from tests.kit.chromium import Browser, Tab, program, running
from tests.kit.page_kit import CLAIMS, EVIDENCE, hostile_evidence, hostile_term

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    program() is None, reason="needs a browser: apt-get install chromium"
)
TERMS = page_kit.terms()
QUESTIONS = Path(__file__).parents[1] / "data" / "glossary" / "questions.csv"
HIDDEN = "[...document.querySelectorAll('main section')].filter(s => s.hidden)"
SHOWN = "[...document.querySelectorAll('main section:not([hidden])')].map(s => s.id)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(str(program()), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = pages.write(tmp_path_factory.mktemp("page"), TERMS, EVIDENCE)
    return path.as_uri()


@pytest.fixture
def blank(browser: Browser) -> Iterator[Tab]:
    tab = Tab(browser)
    tab.looks()
    yield tab
    tab.close()


@pytest.fixture
def tab(blank: Tab, address: str) -> Tab:
    blank.go(address)
    return blank


def ask(tab: Tab, text: str) -> list[str]:
    """The terms that are left when somebody types."""
    tab.value("document.getElementById('_filter').value = ''")
    tab.value("document.getElementById('_filter').focus()")
    tab.type(text)
    shown: list[str] = tab.value(SHOWN)
    return shown


def test_it_opens_without_complaint_and_asks_nobody(tab: Tab, address: str) -> None:
    assert tab.value("document.querySelectorAll('main section').length") == len(TERMS)
    assert tab.value("document.querySelectorAll('article').length") == len(CLAIMS)
    assert tab.value("document.querySelectorAll('article svg').length") == len(EVIDENCE)
    assert tab.value("document.querySelectorAll('math').length") > len(TERMS)
    ask(tab, "adam")
    tab.value("document.getElementById('_theme').click()")
    # The empty icon in the page itself is all that the page loads.
    assert set(tab.requests()) <= {address, "data:,"}
    assert tab.complaints() == []


def test_every_inner_link_leads_to_its_place(tab: Tab) -> None:
    lost = tab.value(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".filter(a => !document.getElementById(a.getAttribute('href').slice(1)))"
        ".map(a => a.href)"
    )
    assert lost == []
    tab.value("document.querySelector('#_list a[href=\"#momentum\"]').click()")
    top = "document.getElementById('momentum').getBoundingClientRect().top"
    assert 0 <= tab.value(top) < 100


def test_typing_filters_and_says_how_many_are_left(tab: Tab) -> None:
    assert ask(tab, "xyzzy") == []
    assert tab.value("document.getElementById('_count').textContent") == (
        "No term matches."
    )
    assert ask(tab, "Batch-Normalisation") == ["batch-normalization"]
    assert tab.value("document.getElementById('_count').textContent") == (
        f"1 of {len(TERMS)} terms"
    )
    listed = "document.querySelectorAll('#_list li:not([hidden])').length"
    assert tab.value(listed) == 1
    assert tab.value("document.getElementById('_count').getAttribute('role')") == (
        "status"
    )
    tab.value("document.getElementById('_filter').select()")
    tab.press("Backspace", 8)
    assert len(tab.value(SHOWN)) == len(TERMS)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("BN", "batch-normalization"),
        ("Bacth Size", "batch-size"),
        ("L.R.", "learning-rate"),
        ("stepsize", "learning-rate"),
        ("optimis", "adam"),
        ("minibatches", "batch-size"),
        ("normalising batches", "batch-normalization"),
    ],
)
def test_the_filter_knows_other_spellings(tab: Tab, text: str, term: str) -> None:
    found = ask(tab, text)
    assert term in found
    assert len(found) < len(TERMS) / 2


def test_enter_goes_to_the_first_term_and_links_show_what_is_hidden(tab: Tab) -> None:
    ask(tab, "warm restarts")
    tab.press("Enter", 13)
    assert tab.value("location.hash") == "#warm-restarts"
    assert tab.value(f"{HIDDEN}.length") > 0
    tab.value(
        "document.querySelector('#warm-restarts .relations a').click(); "
        "new Promise(done => setTimeout(done, 50))"
    )
    assert tab.value("document.querySelector(':target').hidden") is False


def samples() -> list[str]:
    """Questions of the table, single words, and random text."""
    table = csv.DictReader(QUESTIONS.read_text(encoding="utf-8").splitlines())
    found = [row["question"] for row in table]
    found += list(_fold._IRREGULAR)
    found += ["Adam's", "users\u2019", "l'été", "STRASSE", "Straße", "ΣΊΣΥΦΟΣ", "ﬁne"]
    found += [
        "naïve",
        "x\u0301",
        "\uff11\uff12",
        "Å",
        "don's_x",
        "İstanbul",
        "学习率",
        "²",
        "½",
    ]
    drawn = random.Random(5)
    endings = "ise ised isation yse our ours oured tre tred lled ogue ies sses s us"
    words = [word for word in endings.split() for _ in range(20)]
    found += ["".join(drawn.choices("abgmorsty", k=3)) + word for word in words]
    letters = "aeiouslrtyzeisn'\u2019_-. ÉßſςΣéïµ\u0301\u0327ﬀⅣ٣あ語\u2013\t🙂"
    found += [
        "".join(drawn.choices(letters, k=drawn.randint(1, 15))) for _ in range(800)
    ]
    return found


def test_the_page_folds_as_the_library_does(tab: Tab) -> None:
    texts = samples()
    theirs = tab.value(f"{json.dumps(texts)}.map(key)")
    ours = [_fold.key(text) for text in texts]
    assert [pair for pair in zip(texts, ours, theirs, strict=True)
            if pair[1] != pair[2]] == []  # fmt: skip
    assert len(set(ours)) > 700


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_follow_the_system_until_the_button_is_pressed(
    tab: Tab, dark: bool
) -> None:
    tab.looks(dark=dark)
    lightness = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)"
        ".reduce((sum, part) => sum + Number(part), 0) / 3"
    )
    ink = (
        "getComputedStyle(document.querySelector('article svg text')).fill"
        ".match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0) / 3"
    )
    assert (tab.value(lightness) < 60) is dark
    assert (tab.value(ink) > 200) is dark  # figures change with the page
    tab.value("document.getElementById('_theme').click()")
    assert (tab.value(lightness) < 60) is not dark
    assert tab.value("document.getElementById('_theme').textContent") == (
        "Dark theme" if dark else "Light theme"
    )
    tab.call("Page.reload")
    tab.wait("document.readyState === 'complete'")


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
    if (!own || element.closest("script, svg, .skip")) continue;
    const pair = [light(getComputedStyle(element).color), light(back(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.push([element.outerHTML.slice(0, 80), ratio]);
  }
  return poor;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_enough_contrast(tab: Tab, dark: bool) -> None:
    tab.looks(dark=dark)
    assert tab.value(CONTRAST) == []
    # The measure itself can fail.
    tab.value("document.querySelector('h2 a').style.color = '#787878'")
    assert len(tab.value(CONTRAST)) == 1


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_sticks_out_of_a_small_screen(tab: Tab, width: int) -> None:
    tab.looks(width=width)
    tab.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.value("document.documentElement.scrollWidth") <= width
    widest = "Math.max(...[...document.querySelectorAll('main > *, article, .formula')]"
    widest += ".map(e => e.getBoundingClientRect().right))"
    assert tab.value(widest) <= width


def test_it_can_be_used_without_a_mouse_and_read_aloud(tab: Tab) -> None:
    tree = tab.call("Accessibility.getFullAXTree")["nodes"]
    nameless = [
        node
        for node in tree
        if node.get("role", {}).get("value")
        in ("link", "button", "searchbox", "region", "image", "heading", "navigation")
        and not node.get("name", {}).get("value", "").strip()
    ]
    assert nameless == []
    roles = [node.get("role", {}).get("value") for node in tree]
    for role in ("main", "navigation", "search", "searchbox", "status"):
        assert roles.count(role) == 1
    assert tab.value("document.documentElement.lang") == "en"
    tab.press("Tab", 9)
    assert tab.value("document.activeElement.className") == "skip"
    assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0
    seen = []
    for _ in range(3):
        tab.press("Tab", 9)
        seen.append(tab.value("document.activeElement.id"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert tab.value(outline) == "solid"
    assert seen[:2] == ["_theme", "_filter"]


def test_a_term_full_of_scripts_shows_as_text(blank: Tab, tmp_path: Path) -> None:
    term = hostile_term()
    path = pages.write(
        tmp_path, [*TERMS, term], {term.claims[0].id: hostile_evidence()}
    )
    blank.go(path.as_uri())
    ask(blank, "script")
    assert blank.value("document.querySelectorAll('section').length") == len(TERMS) + 1
    assert blank.value("document.querySelectorAll('img, main script').length") == 0
    assert blank.value("document.body.innerText.split('window.hurt = 1').length") > 10
    for link in ("a[href*=hurt]", "a[href*=evil]"):
        assert blank.value(f"document.querySelectorAll('{link}').length") > 0
    assert blank.value(
        "[...document.links].every(a => ['https:', 'file:'].includes(a.protocol))"
    )
    assert blank.value("typeof window.hurt") == "undefined"
    assert set(blank.requests()) <= {path.as_uri(), "data:,"}
    assert blank.complaints() == []


def test_the_policy_stops_a_script_that_got_in(blank: Tab, address: str) -> None:
    blank.go(address)
    blank.value(
        "document.body.append(Object.assign(document.createElement('script'), "
        "{textContent: 'window.hurt = 1'})); "
        "document.body.insertAdjacentHTML('beforeend', "
        "'<img src=https://example.invalid/x onerror=\"window.hurt = 2\">'); "
        "new Promise(done => setTimeout(done, 100))"
    )
    assert blank.value("typeof window.hurt") == "undefined"
    refused = [text for text in blank.complaints() if "Content Security Policy" in text]
    assert len(refused) >= 2


def test_the_page_reads_without_scripts(blank: Tab, address: str) -> None:
    blank.call("Emulation.setScriptExecutionDisabled", value=True)
    blank.go(address)
    shown = blank.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node.get("role", {}).get("value") for node in shown]
    assert roles.count("heading") > 3 * len(TERMS)
    assert "searchbox" not in roles  # what needs a script is not offered
    assert "button" not in roles


WORKER = """
import json, sys, time
sys.path.insert(0, {here!r})
from tests.kit.page_kit import CLAIMS, evidence, terms
from glossary import _page_html, page
name, size = sys.argv[1:]
if name == "batch-size/broken":
    sys.exit("ValueError: <b>bold</b>")
for done in range(3):
    print(json.dumps({{"done": done, "of": 3}}), flush=True)
    time.sleep(0.3)
[claim] = [claim for claim in CLAIMS if claim.id == name]
[term] = [term for term in terms() if term.id == "batch-size"]
drawing = {{**evidence().drawing, "x_label": "drawn anew"}}
found = evidence(claim, measured=-1.05, drawing=drawing)
drawn = page.draw([claim], {{name: found}})[name]
html = _page_html.article(claim, term, found, drawn, runs=True)
print(json.dumps({{"html": html, "verdict": "held"}}))
"""


@pytest.fixture
def server() -> Iterator[Server]:
    worker = WORKER.format(here=str(Path(__file__).parents[2]))
    ids = [claim.id for claim in CLAIMS]
    server = Server(0, ids, [sys.executable, "-c", worker])
    server.page = pages.page(TERMS, EVIDENCE, token=server.page_token).encode()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.stop()


CLAIM = "document.getElementById('batch-size/unmeasured')"


def test_a_button_runs_a_claim_and_the_result_replaces_the_old(
    blank: Tab, server: Server
) -> None:
    blank.go(server.address)
    assert "not measured yet" in blank.value(f"{CLAIM}.textContent")
    blank.value(f"{CLAIM}.querySelector('button[data-size=fast]').click()")
    # All buttons rest while it runs, and the bar moves.
    assert blank.value(
        "document.querySelectorAll('button[data-claim]:disabled').length"
    )
    blank.wait(f"{CLAIM}.textContent.includes('Seed 2 of 3.')")
    assert blank.value(f"{CLAIM}.querySelector('progress').value") == 1
    blank.wait(f"{CLAIM}.textContent.includes('Measured just now: held.')")
    assert "\N{MINUS SIGN}1.05" in blank.value(f"{CLAIM}.textContent")
    assert "drawn anew" in blank.value(f"{CLAIM}.querySelector('svg').textContent")
    assert blank.value("document.activeElement.dataset.claim") == (
        "batch-size/unmeasured"
    )
    assert blank.value("document.querySelectorAll('button:disabled').length") == 0
    own = f"http://127.0.0.1:{server.server_address[1]}/"
    assert all(url == "data:," or url.startswith(own) for url in blank.requests())
    assert blank.complaints() == []
    # The link is spent, and the page can be loaded again all the same.
    blank.go(own)
    assert blank.value("document.querySelectorAll('article').length") == len(CLAIMS)


def test_a_run_that_breaks_or_is_refused_says_so_in_its_place(
    blank: Tab, server: Server
) -> None:
    blank.go(server.address)
    broken = "document.getElementById('batch-size/broken')"
    blank.value(f"{broken}.querySelector('button').click()")
    blank.wait(f"{broken}.textContent.includes('ValueError: <b>bold</b>')")
    server.runner.start("batch-size/held", "fast")
    blank.value(f"{CLAIM}.querySelector('button').click()")
    blank.wait(f"{CLAIM}.textContent.includes('batch-size/held is running')")
    server.runner.stop()


def test_another_page_cannot_run_a_claim(
    blank: Tab, server: Server, tmp_path: Path
) -> None:
    blank.go(server.address)  # this browser has the cookie
    other = Server(0, [], [])  # a page from another port of this machine
    other.page = b"<!DOCTYPE html><title>other</title>"
    thread = threading.Thread(target=other.serve_forever, args=(0.02,))
    thread.start()
    try:
        blank.go(other.address)
        run = f"http://127.0.0.1:{server.server_address[1]}/run"
        body = json.dumps({"claim": "batch-size/held"})
        blank.value(
            f"fetch('{run}', {{method: 'POST', mode: 'no-cors', credentials: 'include',"
            f" body: '{body}'}}).then(() => 'sent', () => 'stopped')"
        )
        assert server.runner.progress() == {"state": "idle"}
        read = f"fetch('{run.replace('run', '')}', {{credentials: 'include'}})"
        assert blank.value(f"{read}.then(() => 'read', () => 'stopped')") == "stopped"
    finally:
        other.shutdown()
        thread.join()
        other.stop()
