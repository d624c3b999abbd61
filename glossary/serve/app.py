"""The pages from a server on this machine, with a button that runs each claim.

Running a claim runs code, so that only the person who started the server may ask for
it. The server listens on the loopback address alone; the address that it prints holds a
token that opens the pages once; they then show a cookie, and a second token that no
other page can read. What comes by another name of this machine, or from another page,
is refused.
"""

from __future__ import annotations

import gzip
import hmac
import json
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from glossary.measure.running import SIZES
from glossary.model import Term
from glossary.serve.runner import WORKER, Runner
from glossary.show.site import INDEX, Site

_LONGEST_BODY = 4096
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def serve(terms: Sequence[Term], port: int) -> None:
    """Serve the pages until Ctrl-C, which is raised again when all is closed.

    Args:
        terms: What the pages show.
        port: Where to listen; 0 for any that is free.
    """
    listening = listen(port)
    door = Door(listening.getsockname()[1])
    # A polite end by another program is the same as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"{door.address}\nOpen it in a browser; Ctrl-C stops.", flush=True)
    prepared(application(terms, door)).run(sockets=[listening])


def listen(port: int) -> socket.socket:
    """A socket of the loopback address.

    Args:
        port: 0 for any that is free.

    Raises:
        ValueError: If the port is none, or taken.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"`--port` must be from 0 to 65535. Received: {port}.")
    listening = socket.socket()
    try:
        if os.name == "posix":  # else the port of a server just stopped is taken
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(1024)  # who comes at once waits in the queue
    except OSError as error:
        listening.close()
        raise ValueError(
            f"`--port` must be one that is free. Received: {port} "
            f"({error.strerror}). Leave it out to have one found."
        ) from None
    return listening


def prepared(application: Starlette) -> uvicorn.Server:
    """The server of an application, which is yet to be run."""
    config = uvicorn.Config(
        application,
        log_config=None,
        server_header=False,
        log_level="critical",  # requests are not logged: addresses hold the token
        timeout_graceful_shutdown=1,  # a run that is on is broken off
    )
    return uvicorn.Server(config)


class Door:
    """Who is let in: one person, by one browser.

    Args:
        port: Where the server listens.
    """

    def __init__(self, port: int) -> None:
        self.names = (f"127.0.0.1:{port}", f"localhost:{port}")
        # Browsers share cookies among the ports of a machine.
        self.cookie = f"glossary_{port}"
        self.link_token = secrets.token_urlsafe(32)
        self.page_token = secrets.token_urlsafe(32)
        self.session = secrets.token_urlsafe(32)

    @property
    def address(self) -> str:
        """Where to open the pages, once."""
        return f"http://{self.names[0]}/?token={self.link_token}"

    def check_host(self, request: Request) -> None:
        """Refuse other names: a page elsewhere may have its name lead here."""
        host = request.headers.get("host", "")
        if host not in self.names:
            names = " or ".join(self.names)
            raise HTTPException(
                403, f"`Host` must be {names}. Received: {host[:80]!r}."
            )

    def check_reader(self, request: Request) -> str:
        """Refuse who has neither cookie nor link; the cookie for who has the link."""
        if self._is_known(request):
            return ""
        given = request.query_params.get("token", "")
        if not (self.link_token and _same(given, self.link_token)):
            raise HTTPException(
                403,
                "Open the address that `glossary serve` printed; it works once, so "
                "that another browser needs another start of it.",
            )
        self.link_token = ""
        return f"{self.cookie}={self.session}; HttpOnly; SameSite=Strict; Path=/"

    def check_page(self, request: Request) -> None:
        """Refuse what our own pages did not send."""
        origin = request.headers.get("origin", "")
        own = f"http://{request.headers['host']}"
        if origin != own:
            raise HTTPException(
                403, f"`Origin` must be {own}. Received: {origin[:80]!r}."
            )
        token = request.headers.get("x-glossary-token", "")
        if not (self._is_known(request) and _same(token, self.page_token)):
            raise HTTPException(
                403, "The token is not that of this server: load the page again."
            )

    def _is_known(self, request: Request) -> bool:
        return _same(request.cookies.get(self.cookie, ""), self.session)


def application(
    terms: Sequence[Term], door: Door, worker: Sequence[str] = WORKER
) -> Starlette:
    """The pages, and runs of their claims.

    Args:
        terms: What the pages show.
        door: Who is let in.
        worker: The command that runs a claim; its id and the size are appended.
    """
    site = Site(terms, door.page_token)
    page = cache(site.page)  # a page is made when it is first asked for
    packed = cache(lambda name: gzip.compress(page(name).encode()))
    claims = {claim.id for term in terms for claim in term.claims if claim.demo}
    runner = Runner(worker)

    async def show(request: Request) -> Response:
        door.check_host(request)
        name = request.path_params.get("name", INDEX)
        cookie = door.check_reader(request)
        if name not in site.names:
            raise HTTPException(404, f"There is nothing here. Received: {name[:80]!r}.")
        kind = "text/html" if name.endswith(".html") else "text/javascript"
        headers = _HEADERS | {"Vary": "Accept-Encoding"}
        if cookie:
            headers["Set-Cookie"] = cookie
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(page(name), media_type=kind, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(packed(name), media_type=kind, headers=headers)

    async def run(request: Request) -> Response:
        door.check_host(request)
        door.check_page(request)
        asked = await _body(request)
        claim = asked.get("claim")
        size = asked.get("size", "fast")
        if not isinstance(claim, str) or claim not in claims:
            raise HTTPException(
                404, f"No claim that can be run has this id: {claim!r:.80}."
            )
        if size not in SIZES:
            sizes = " or ".join(SIZES)
            raise HTTPException(400, f"`size` must be {sizes}. Received: {size!r:.80}.")
        lines = await runner.start(claim, str(size))
        return StreamingResponse(
            lines, media_type="application/jsonl", headers=_HEADERS
        )

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await runner.stop()

    return Starlette(
        lifespan=life,
        routes=[
            Route("/", show),
            Route("/run", run, methods=["POST"]),
            Route("/{name:path}", show),
        ],
        exception_handlers={HTTPException: _refused, Exception: _broken},
    )


async def _refused(request: Request, error: Exception) -> Response:
    """One sentence."""
    assert isinstance(error, HTTPException)  # noqa: S101
    said = error.detail
    if not said.endswith("."):  # by starlette itself
        said = f"{said}: {request.method} {request.url.path[:80]}."
    return JSONResponse({"error": said}, error.status_code, _HEADERS)


async def _broken(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"{type(error).__name__}: {error}."}, 500, _HEADERS)


async def _body(request: Request) -> dict[str, object]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json":  # which no form can send
        raise HTTPException(415, "The body must be JSON, and say so in `Content-Type`.")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _LONGEST_BODY:
        raise HTTPException(413, f"The body must have at most {_LONGEST_BODY} bytes.")
    try:  # who sends it slowly keeps nobody waiting
        asked = json.loads(await request.body())
    except (ValueError, RecursionError, ClientDisconnect):  # brackets in brackets, too
        asked = None
    if not isinstance(asked, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return asked


def _same(given: str, known: str) -> bool:
    """Whether two secrets agree, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), known.encode())
