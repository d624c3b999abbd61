from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from glossary.__main__ import main
from glossary.serve.app import Door
from tests.kit import page_kit
from tests.kit.page_kit import HEARS_CTRL_C
from tests.kit.served import Client, served

# Stands in for the process that runs a claim: the id tells it what to do.
WORKER = """
import json, sys, time
claim, size = sys.argv[1:]
print("a demo may print", 1)
print(json.dumps({"done": 1, "of": 2}), flush=True)
if claim == "batch-size/unsure":
    time.sleep(60)
if claim == "batch-size/broken":
    sys.exit("ValueError: no such thing")
print(json.dumps({"html": f"<p>{claim} {size}</p>", "verdict": "held"}))
"""
QUICK = "batch-size/held"
SLOW = "batch-size/unsure"


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with served(page_kit.terms(), [sys.executable, "-c", WORKER]) as door:
        yield door


@pytest.fixture
def client(door: Door) -> Client:
    return Client(door)


def test_the_printed_address_opens_the_pages_once(client: Client, door: Door) -> None:
    link = urlsplit(door.address)
    assert link.hostname == "127.0.0.1"
    path = f"{link.path}?{link.query}"
    status, _, headers = client.ask("GET", path, Cookie=None)
    assert status == 200
    cookie = headers["Set-Cookie"]
    assert cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")
    # With the cookie pages can be loaded again; without it the link is spent.
    for name in ("/", "/adam.html", "/search.js", path):
        assert client.ask("GET", name, Cookie=cookie.split(";")[0])[0] == 200
    status, told, _ = client.ask("GET", path, Cookie=None)
    assert status == 403
    assert "it works once" in told["error"]


@pytest.mark.parametrize("query", ["", "?token=", "?token=guess", "?token=%C3%A9"])
def test_the_pages_need_the_token(client: Client, query: str) -> None:
    for path in ("/", "/adam.html", "/search.js"):
        assert client.ask("GET", f"{path}{query}", Cookie=None)[0] == 403


def test_a_page_has_buttons_its_token_and_leave_to_ask_its_server(
    client: Client, door: Door
) -> None:
    page = client.ask("GET", "/batch-size.html")[1]
    assert page.count('data-size="fast"') == page.count('data-size="full"') == 5
    assert f'data-token="{door.page_token}"' in page
    assert "connect-src &#39;self&#39;" in page


def test_a_claim_runs_and_tells_how_it_goes_line_by_line(client: Client) -> None:
    assert client.run(QUICK, "full") == (
        200,
        [{"done": 1, "of": 2}, {"html": f"<p>{QUICK} full</p>", "verdict": "held"}],
    )
    assert client.run(QUICK)[0] == 200  # the next one may start at once


def test_a_run_that_breaks_says_why(client: Client) -> None:
    status, told = client.run("batch-size/broken")
    assert status == 200
    assert told[-1]["error"].endswith("ValueError: no such thing")
    assert client.run(QUICK)[0] == 200


def test_two_runs_at_once_are_refused_and_who_hangs_up_stops_a_run(
    client: Client,
) -> None:
    connection = client.sent("POST", "/run", {"claim": SLOW})
    answer = connection.getresponse()
    assert json.loads(answer.readline()) == {"done": 1, "of": 2}
    status, told = client.run(QUICK)
    assert status == 409
    assert told["error"].startswith(f"{SLOW} is running: wait until it is over")
    answer.close()
    connection.close()
    end = time.monotonic() + 10
    while client.run(QUICK)[0] == 409:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"Host": "evil.example"}, "`Host`"),
        ({"Host": "127.0.0.1"}, "`Host`"),
        ({"Host": "127.0.0.1.evil.example:80"}, "`Host`"),
        ({"Origin": "https://evil.example"}, "`Origin`"),
        ({"Origin": "http://127.0.0.1:1"}, "`Origin`"),
        ({"Origin": "null"}, "`Origin`"),
        ({"Origin": None}, "`Origin`"),
        ({"X_Glossary_Token": "guess"}, "token"),
        ({"X_Glossary_Token": None}, "token"),
        ({"Cookie": None}, "token"),
        ({"Cookie": "glossary_1=x"}, "token"),
        ({"Cookie": "\x7f==;;\xff"}, "token"),
    ],
)
def test_runs_asked_for_from_elsewhere_are_refused(
    client: Client, headers: dict[str, str | None], word: str
) -> None:
    status, told, answered = client.ask("POST", "/run", {"claim": QUICK}, **headers)
    assert status == 403
    assert word in told["error"]
    assert "Access-Control-Allow-Origin" not in answered


def test_localhost_is_this_machine_too_and_names_are_not_mixed(client: Client) -> None:
    name = client.netloc.replace("127.0.0.1", "localhost")
    own = {"Host": name, "Origin": f"http://{name}"}
    assert client.ask("GET", "/", **own)[0] == 200
    assert client.ask("POST", "/run", {"claim": QUICK}, **own)[0] == 200
    assert client.ask("POST", "/run", {"claim": QUICK}, Host=name)[0] == 403
    assert client.ask("GET", "/", Host="evil.example")[0] == 403


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"claim": "no/claim"}, 404, "No claim that can be run has this id: 'no/cla"),
        ({"claim": None}, 404, "No claim"),
        ({"claim": [QUICK]}, 404, "No claim"),
        ({"claim": QUICK, "size": "huge"}, 400, "`size` must be fast or full"),
        ([], 400, "must be a JSON object"),
        (b"{", 400, "must be a JSON object"),
        (b"\xff", 400, "must be a JSON object"),
        (b"", 400, "must be a JSON object"),
        (b" " * 5000, 413, "at most 4096 bytes"),
    ],
)
def test_requests_that_make_no_sense_are_refused_in_a_sentence(
    client: Client, body: object, status: int, words: str
) -> None:
    answered, told, _ = client.ask("POST", "/run", body)
    assert answered == status
    assert words in told["error"]
    assert told["error"].endswith(".")


def test_a_form_cannot_start_a_run(client: Client) -> None:
    # Other pages can send forms and plain text without asking first; not JSON.
    body = {"claim": QUICK}
    assert client.ask("POST", "/run", body, Content_Type="text/plain")[0] == 415
    assert client.ask("POST", "/run", body, Content_Type=None)[0] == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/etc/passwd", 404), ("GET", "/run", 404), ("POST", "/", 405),
     ("GET", "/../site.py", 404), ("PUT", "/run", 405), ("OPTIONS", "/run", 405)],
)  # fmt: skip
def test_there_is_nothing_else(
    client: Client, method: str, path: str, status: int
) -> None:
    answered, told, _ = client.ask(method, path)
    assert answered == status
    assert told["error"].endswith(".")


def test_heads_are_answered_without_a_body(client: Client) -> None:
    whole = client.ask("GET", "/adam.html")[2]["Content-Length"]
    status, text, headers = client.ask("HEAD", "/adam.html")
    assert (status, text, headers["Content-Length"]) == (200, "", whole)


def test_pages_travel_compressed_to_who_takes_that(client: Client) -> None:
    plain = client.ask("GET", "/")[1]
    connection = client.sent("GET", "/", Accept_Encoding="gzip, deflate")
    answer = connection.getresponse()
    packed = answer.read()
    connection.close()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed).decode() == plain


def test_answers_forbid_frames_caches_and_guesses(client: Client) -> None:
    for path in ("/", "/search.js", "/nowhere"):
        headers = client.ask("GET", path)[2]
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_two_hundred_at_once_are_answered_and_slow_ones_hold_up_nobody(
    client: Client, door: Door
) -> None:
    host, port = door.names[0].split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(20)]
    for connection in slow[:10]:
        connection.send(b"GET / HTT")  # and then nothing, as one byte a second looks
    for connection in slow[10:]:
        length = b"Content-Length: 40\r\n\r\n{"
        fields = "".join(f"{k}: {v}\r\n" for k, v in client.headers.items())
        connection.send(b"POST /run HTTP/1.1\r\n" + fields.encode() + length)
    statuses: list[int] = []
    ask = [
        threading.Thread(
            target=lambda: statuses.append(client.ask("GET", "/adam.html")[0])
        )
        for _ in range(200)
    ]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert statuses == [200] * 200
    assert client.run(QUICK)[0] == 200  # half a request keeps no run from starting
    # A byte now and then, and the whole request is answered after all.
    rest = f"P/1.1\r\nHost: {client.netloc}\r\n\r\n".encode()
    for byte in rest:
        slow[0].send(bytes([byte]))
        time.sleep(0.002)
    assert slow[0].recv(100).startswith(b"HTTP/1.1 403")
    for connection in slow:
        connection.close()


DEMO = """
import os, pathlib, time
from glossary.lab import Lines, Measurement
def measure(seed):
    print("half a line", end="")
    shown = Lines(x=[1, 2], ys={"a": [0.5, 0.1]}, x_label="step", y_label="loss")
    return Measurement(measured=0.01 * seed, panels=(shown,), seen="It falls.")
def sleep(seed):
    pathlib.Path("pid").write_text(str(os.getpid()))
    time.sleep(60)
def broken(seed):
    raise RuntimeError("<b>no</b>")
"""


@pytest.fixture
def site(
    tmp_path: Path, install: Callable[..., Path], record: dict[str, Any]
) -> dict[str, str]:
    """The environment of a process in which a plug-in brings three quick claims."""
    (tmp_path / "quick_demo.py").write_text(DEMO)
    plain = {**record["claims"][0], "contested": False, "expected": "held"}
    quick = {
        "id": "quickness",
        "name": "quickness",
        "claims": [
            {**plain, "id": f"quickness/{name}", "demo": f"quick_demo:{name}"}
            for name in ("measure", "sleep", "broken")
        ],
    }
    for label in ("aliases", "acronyms", "misspellings", "see", "relations"):
        record.pop(label, None)
    install("quick-words", "quick_words.terms", {**record, **quick})
    paths = [str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    paths.append(str(Path(__file__).parents[2]))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def work(site: dict[str, str], claim: str, size: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "glossary.serve.worker", claim, size],
        env=site, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_worker_tells_each_seed_and_then_the_claim_or_what_it_raised(
    site: dict[str, str],
) -> None:
    *steps, last = work(site, "quickness/measure", "full")
    assert steps == [{"done": done, "of": 10} for done in range(1, 11)]
    assert last["verdict"] == "held"
    assert '<article class="claim held" id="quickness/measure"' in last["html"]
    assert "It falls." in last["html"]
    assert last["html"].count("<svg") == 2
    assert 'data-size="full"' in last["html"]
    told = work(site, "quickness/broken", "fast")
    assert told == [{"error": "RuntimeError: <b>no</b>"}]


def test_ctrl_c_stops_the_server_and_the_run(
    site: dict[str, str], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, "serve"],
        env=site, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    address = urlsplit(process.stdout.readline().strip())
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    connection.request("GET", f"/quickness.html?{address.query}")
    answer = connection.getresponse()
    page = answer.read().decode()
    [token] = re.findall(r'data-token="([^"]+)"', page)
    headers = {
        "Origin": f"http://{address.netloc}",
        "Cookie": answer.headers["Set-Cookie"].split(";")[0],
        "X-Glossary-Token": token,
        "Content-Type": "application/json",
    }
    connection.request("POST", "/run", '{"claim": "quickness/sleep"}', headers)
    answer = connection.getresponse()
    assert answer.status == 200
    end = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "glossary: stopped.\n")
    answer.close()
    connection.close()
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_port_that_cannot_be_had_is_told(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    port = door.names[0].split(":")[1]
    assert main(["serve", "--port", port]) == 2
    assert f"must be one that is free. Received: {port}" in capsys.readouterr().err
    assert main(["serve", "--port", "70000"]) == 2
    assert "must be from 0 to 65535. Received: 70000" in capsys.readouterr().err
