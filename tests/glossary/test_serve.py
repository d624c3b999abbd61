from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from glossary.__main__ import main
from glossary.serve import Server
from tests.kit.page_kit import HEARS_CTRL_C

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Stands in for the process that runs a claim: the id tells it what to do.
WORKER = """
import json, sys, time
claim, size = sys.argv[1:]
print("a demo may print", 1)
print(json.dumps({"done": 1, "of": 2}), flush=True)
if claim == "slow/claim":
    time.sleep(60)
if claim == "bad/claim":
    sys.exit("ValueError: no such thing")
print(json.dumps({"html": f"<p>{claim} {size}</p>", "verdict": "held"}))
"""
CLAIMS = ("quick/claim", "slow/claim", "bad/claim")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(0, CLAIMS, [sys.executable, "-c", WORKER])
    server.page = b"<!DOCTYPE html><title>page</title>"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.stop()


class Client:
    """Our own page, unless told to pose as something else."""

    def __init__(self, server: Server) -> None:
        self.port = server.server_address[1]
        self.headers = {
            "Host": f"127.0.0.1:{self.port}",
            "Origin": f"http://127.0.0.1:{self.port}",
            "Cookie": f"{server.cookie}={server.session}",
            "X-Glossary-Token": server.page_token,
            "Content-Type": "application/json",
        }

    def ask(
        self, method: str, path: str, body: object = None, **changes: str | None
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        headers = {
            name: value for name, value in {**self.headers, **named}.items() if value
        }
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        for name, value in {**headers, "Content-Length": str(len(sent))}.items():
            connection.putheader(name, value)
        connection.endheaders(sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(text) if is_json else text, answer.headers

    def run(self, claim: str, size: str = "fast") -> tuple[int, Any]:
        return self.ask("POST", "/run", {"claim": claim, "size": size})[:2]

    def finished(self) -> dict[str, Any]:
        end = time.monotonic() + 30
        while True:
            status, told, _ = self.ask("GET", "/progress")
            assert status == 200
            if told["state"] != "running":
                return told
            assert time.monotonic() < end
            time.sleep(0.02)


def test_only_this_machine_can_connect(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_the_printed_address_opens_the_page_once(server: Server) -> None:
    client = Client(server)
    link = urlsplit(server.address)
    path = f"{link.path}?{link.query}"
    assert link.netloc == f"127.0.0.1:{client.port}"
    status, text, headers = client.ask("GET", path, Cookie=None)
    assert (status, text.encode()) == (200, server.page)
    cookie = headers["Set-Cookie"]
    assert cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")
    # With the cookie the page can be loaded again; without it the link is spent.
    assert client.ask("GET", path, Cookie=cookie.split(";")[0])[0] == 200
    assert client.ask("GET", "/", Cookie=cookie.split(";")[0])[0] == 200
    status, told, _ = client.ask("GET", path, Cookie=None)
    assert status == 403
    assert "it works once" in told["error"]


@pytest.mark.parametrize("query", ["", "?token=", "?token=guess", "?token=%C3%A9"])
def test_the_page_needs_the_token(server: Server, query: str) -> None:
    assert Client(server).ask("GET", f"/{query}", Cookie=None)[0] == 403


def test_a_claim_runs_and_its_result_is_fetched(server: Server) -> None:
    client = Client(server)
    assert client.ask("GET", "/progress")[1] == {"state": "idle"}
    status, told = client.run("quick/claim", "full")
    assert (status, told["state"], told["claim"]) == (202, "running", "quick/claim")
    assert client.finished() == {
        "state": "done",
        "claim": "quick/claim",
        "done": 1,
        "of": 2,
        "html": "<p>quick/claim full</p>",
        "verdict": "held",
    }
    assert client.run("quick/claim")[0] == 202  # the next one may start
    assert client.finished()["html"] == "<p>quick/claim fast</p>"


def test_a_run_that_breaks_says_why(server: Server) -> None:
    client = Client(server)
    assert client.run("bad/claim")[0] == 202
    told = client.finished()
    assert told["state"] == "failed"
    assert told["error"].endswith("ValueError: no such thing")
    assert client.run("quick/claim")[0] == 202
    assert client.finished()["state"] == "done"


def test_two_runs_at_once_are_refused(server: Server) -> None:
    client = Client(server)
    assert client.run("slow/claim")[0] == 202
    status, told = client.run("quick/claim")
    assert status == 409
    assert told["error"].startswith("slow/claim is running: wait until it is over")
    server.runner.stop()
    assert client.finished()["state"] == "failed"


def test_stopping_ends_the_run(server: Server) -> None:
    assert Client(server).run("slow/claim")[0] == 202
    process = server.runner._process
    assert process is not None
    assert process.poll() is None
    server.runner.stop()
    assert process.poll() is not None


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"Host": "evil.example"}, "`Host`"),
        ({"Host": "127.0.0.1"}, "`Host`"),
        ({"Host": "127.0.0.1.evil.example:80"}, "`Host`"),
        ({"Host": None}, "`Host`"),
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
    server: Server, headers: dict[str, str | None], word: str
) -> None:
    client = Client(server)
    body = {"claim": "quick/claim"}
    status, told, answered = client.ask("POST", "/run", body, **headers)
    assert status == 403
    assert word in told["error"]
    assert "Access-Control-Allow-Origin" not in answered
    assert server.runner.progress() == {"state": "idle"}


def test_localhost_is_this_machine_too(server: Server) -> None:
    client = Client(server)
    name = f"localhost:{client.port}"
    headers = {"Host": name, "Origin": f"http://{name}"}
    assert client.ask("GET", "/", **headers)[0] == 200
    body = {"claim": "quick/claim"}
    assert client.ask("POST", "/run", body, **headers)[0] == 202
    mixed = {"Host": name, "Origin": f"http://127.0.0.1:{client.port}"}
    assert client.ask("POST", "/run", body, **mixed)[0] == 403


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"X_Glossary_Token": None}, {"Cookie": None}]
)
def test_progress_is_not_told_to_others(
    server: Server, headers: dict[str, str | None]
) -> None:
    status, told, _ = Client(server).ask("GET", "/progress", **headers)
    assert status == 403
    assert list(told) == ["error"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"claim": "no/claim"}, 404, "No claim that can be run has this id: 'no/cla"),
        ({"claim": None}, 404, "No claim"),
        ({"claim": "quick/claim", "size": "huge"}, 400, "`size` must be fast or full"),
        ([], 400, "must be a JSON object"),
        (b"{", 400, "must be a JSON object"),
        (b"\xff", 400, "must be a JSON object"),
        (b"", 400, "must be a JSON object"),
        (b" " * 5000, 413, "at most 4096 bytes"),
    ],
)
def test_requests_that_make_no_sense_are_refused(
    server: Server, body: object, status: int, words: str
) -> None:
    answered, told, _ = Client(server).ask("POST", "/run", body)
    assert answered == status
    assert words in told["error"]


def test_a_claim_that_is_no_text_is_refused(server: Server) -> None:
    assert Client(server).run(["quick/claim"])[0] == 404  # type: ignore[arg-type]


def test_a_form_cannot_start_a_run(server: Server) -> None:
    # Other pages can send forms and plain text without asking first; not JSON.
    body = {"claim": "quick/claim"}
    client = Client(server)
    assert client.ask("POST", "/run", body, Content_Type="text/plain")[0] == 415
    assert client.ask("POST", "/run", body, Content_Type=None)[0] == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/etc/passwd", 404), ("GET", "/run", 404), ("POST", "/", 404),
     ("GET", "/../page.py", 404), ("PUT", "/run", 501), ("OPTIONS", "/run", 501)],
)  # fmt: skip
def test_there_is_nothing_else(
    server: Server, method: str, path: str, status: int
) -> None:
    assert Client(server).ask(method, path)[0] == status


def test_answers_forbid_frames_caches_and_guesses(server: Server) -> None:
    for path in ("/", "/progress", "/nowhere"):
        headers = Client(server).ask("GET", path)[2]
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


DEMO = """
import os, pathlib, time
def measure(seed):
    print("half a line", end="")
    return {"measured": 0.01 * seed, "data": {"x": [1.0, 2.0], "y": [0.5, 0.1 * seed]},
            "figure": {"kind": "lines", "x": "x", "y": ["y"], "log": "",
                       "x_label": "step", "y_label": "loss"}}
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
    record["claims"] = [
        {**plain, "id": f"dropout/{name}", "demo": f"quick_demo:{name}"}
        for name in ("measure", "sleep", "broken")
    ]
    install("quick-words", "quick_words.terms", record)
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def work(site: dict[str, str], claim: str, size: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "glossary._serve_worker", claim, size],
        env=site, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_worker_tells_each_seed_and_then_the_claim(site: dict[str, str]) -> None:
    *steps, last = work(site, "dropout/measure", "full")
    assert steps == [{"done": done, "of": 10} for done in range(1, 11)]
    assert last["verdict"] == "held"
    assert last["html"].startswith('<article class="claim held" id="dropout/measure"')
    assert "<svg" in last["html"]
    assert 'data-size="full"' in last["html"]
    assert work(site, "dropout/measure", "fast")[0] == {"done": 1, "of": 1}


def test_the_worker_tells_what_a_demo_raises(site: dict[str, str]) -> None:
    told = work(site, "dropout/broken", "fast")
    assert told == [{"error": "RuntimeError: <b>no</b>"}]


def test_ctrl_c_stops_the_server_and_the_run(
    site: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "none.json").write_text("[]")
    process = subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, "serve", "--evidence", "none.json"],
        env=site, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    address = urlsplit(process.stdout.readline().strip())
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    connection.request("GET", f"/?{address.query}")
    answer = connection.getresponse()
    page = answer.read().decode()
    [token] = re.findall(r'"token":"([^"]+)"', page)
    assert 'data-claim="dropout/sleep"' in page
    headers = {
        "Origin": f"http://{address.netloc}",
        "Cookie": answer.headers["Set-Cookie"].split(";")[0],
        "X-Glossary-Token": token,
        "Content-Type": "application/json",
    }
    connection.request("POST", "/run", '{"claim": "dropout/sleep"}', headers)
    assert connection.getresponse().status == 202
    connection.close()
    end = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "Stopped.\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_port_that_cannot_be_had_is_told(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "none.json").write_text("[]")
    evidence = ["--evidence", str(tmp_path / "none.json")]
    port = server.server_address[1]
    assert main(["serve", "--port", str(port), *evidence]) == 2
    assert f"must be one that is free. Received: {port}" in capsys.readouterr().err
    assert main(["serve", "--port", "70000", *evidence]) == 2
    assert "must be from 0 to 65535. Received: 70000" in capsys.readouterr().err
