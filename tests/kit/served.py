"""The server of pages in a thread, and a client that poses as a page of it."""

from __future__ import annotations

import gc
import http.client
import json
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from glossary.model import Term
from glossary.serve.app import Door, application, listen, prepared


@contextmanager
def served(terms: Sequence[Term], worker: Sequence[str]) -> Iterator[Door]:
    listening = listen(0)
    door = Door(listening.getsockname()[1])
    server = prepared(application(terms, door, worker))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield door
    server.should_exit = True
    thread.join()
    listening.close()
    # A browser may connect at the last moment: that socket goes with the server's loop.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Client:
    """Our own page, unless told to pose as something else."""

    def __init__(self, door: Door) -> None:
        self.netloc = door.names[0]
        self.headers = {
            "Host": self.netloc,
            "Origin": f"http://{self.netloc}",
            "Cookie": f"{door.cookie}={door.session}",
            "X-Glossary-Token": door.page_token,
            "Content-Type": "application/json",
        }

    def sent(
        self, method: str, path: str, body: object = None, **changes: str | None
    ) -> http.client.HTTPConnection:
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        merged = {**self.headers, **named}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {**merged, "Content-Length": str(len(data))}.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(data)
        return connection

    def ask(
        self, method: str, path: str, body: object = None, **changes: str | None
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = self.sent(method, path, body, **changes)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        kind = answer.headers.get_content_type()
        if kind == "application/json" and text:
            return answer.status, json.loads(text), answer.headers
        if kind == "application/jsonl":
            told = [json.loads(line) for line in text.splitlines()]
            return answer.status, told, answer.headers
        return answer.status, text, answer.headers

    def run(self, claim: object, size: str = "fast") -> tuple[int, Any]:
        return self.ask("POST", "/run", {"claim": claim, "size": size})[:2]
