"""Requests to the server of pages: never an error of its own, and nothing is run."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

import glossary
from glossary.serve.app import Door, application
from tests.kit.fuzzing import cases, understood
from tests.kit.mutations import mutated, mutated_text, plain_poison, texts

DOOR = Door(8000)
#: The worker is a program that is not there: to start it would be an error.
APPLICATION = application(
    [glossary.term("adam")], DOOR, worker=("/nowhere/is-not-there",)
)
REQUEST = {
    "method": "POST",
    "path": "/run",
    "query": f"token={DOOR.link_token}",
    "host": DOOR.names[0],
    "origin": f"http://{DOOR.names[0]}",
    "cookie": f"{DOOR.cookie}={DOOR.session}",
    "x-glossary-token": DOOR.page_token,
    "content-type": "application/json",
    "accept-encoding": "gzip",
}
HEADERS = [name for name in REQUEST if name not in ("method", "path", "query")]
BODY = {"claim": "adam/no-such-claim", "size": "fast"}


def answered(runner, request, body):
    """Status and body of what the application says."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    fields = [
        (name.encode(), str(request[name]).encode("utf-8", "surrogatepass"))
        for name in HEADERS
        if name in request
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        # As a server hands them on: nothing that is no text, and a path from the root.
        "method": request["method"].encode("ascii", "replace").decode(),
        "path": "/" + request["path"].lstrip("/").encode("utf-8", "replace").decode(),
        "raw_path": b"",
        "query_string": request["query"].encode("utf-8", "surrogatepass"),
        "headers": [*fields, (b"content-length", str(len(body)).encode())],
    }
    runner.run(APPLICATION(scope, receive, send))
    content = b"".join(part.get("body", b"") for part in sent[1:])
    return sent[0]["status"], content


@cases(250)
@given(st.data())
def test_any_request_is_answered_or_refused_in_a_sentence(data):
    request = dict(REQUEST)
    for name in data.draw(st.lists(st.sampled_from([*REQUEST]), max_size=2)):
        request[name] = data.draw(texts | mutated_text(request[name]))
    body = json.dumps(data.draw(mutated(BODY, plain_poison))).encode()
    if data.draw(st.integers(0, 3)) == 0:
        body = data.draw(st.binary(max_size=20) | st.just(b"[" * 4000))
    with asyncio.Runner() as runner:
        runner.get_loop()  # which opens sockets of its own
        status, content = understood(
            "request", lambda given: answered(runner, *given), (request, body), ()
        )
    assert status in (200, 307, 400, 403, 404, 405, 413, 415)
    if status >= 400 and request["method"] != "HEAD":
        said = json.loads(content)["error"]
        assert 10 < len(said) < 1000
