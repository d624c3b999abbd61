"""The page from a server on this machine, with a button that runs each claim.

Running a claim runs code, so that only the person who started the server may ask
for it. The server listens on the loopback address alone; the address that it
prints holds a token that opens the page once; the page then shows a cookie and a
second token that no other page can read. What comes by another name of this
machine, or from another page, is refused.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from glossary._serve_run import SIZES, Busy, Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_BODY = 4096
_MOST_READ = 1 << 16
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: The status code of HTTP.
        reason: One sentence.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Answer(NamedTuple):
    """What goes back: a status, a body and its type, and perhaps a cookie."""

    status: int
    body: bytes
    kind: str = "application/json"
    cookie: str = ""


class Server(ThreadingHTTPServer):
    """The page and the runs of its claims, for one person on this machine.

    Args:
        port: Where to listen; 0 for any that is free.
        claims: Ids of the claims that may be run.
        worker: The command that runs a claim; its id and the size are appended.
    """

    daemon_threads = True

    def __init__(self, port: int, claims: Sequence[str], worker: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.claims = frozenset(claims)
        self.runner = Runner(worker)
        self.page = b""
        self.link_token = secrets.token_urlsafe(32)
        self.page_token = secrets.token_urlsafe(32)
        self.session = secrets.token_urlsafe(32)

    @property
    def names(self) -> tuple[str, ...]:
        """What a browser may call this server."""
        port = self.server_address[1]
        return f"127.0.0.1:{port}", f"localhost:{port}"

    @property
    def cookie(self) -> str:
        """Name of its cookie. Browsers share cookies among the ports of a machine."""
        return f"glossary_{self.server_address[1]}"

    @property
    def address(self) -> str:
        """Where to open the page, once."""
        return f"http://{self.names[0]}/?token={self.link_token}"

    def stop(self) -> None:
        """End the run that is on, and close the port."""
        self.runner.stop()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle is no news."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = 10
    _sent = b""
    server_version = "glossary"
    sys_version = ""

    def do_GET(self) -> None:
        """The page, or how a run is going."""
        self._reply(self._get)

    def do_POST(self) -> None:
        """Start a run."""
        # Read even what is refused: a reply to half a request may get lost.
        length = self.headers.get("Content-Length", "")
        known = length.isascii() and length.isdigit()
        self._sent = self.rfile.read(min(int(length), _MOST_READ)) if known else b""
        self._reply(self._post)

    def _reply(self, answer_to: Callable[[str], Answer]) -> None:
        try:
            self._check_host()
            answer = answer_to(self.path.partition("?")[0])
        except Refused as refused:
            answer = _told(refused.status, error=str(refused))
        self.send_response(answer.status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if answer.cookie:
            self.send_header("Set-Cookie", answer.cookie)
        self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _get(self, path: str) -> Answer:
        if path == "/":
            return self._page()
        if path == "/progress":
            self._check_page()
            return _told(200, **self.server.runner.progress())
        raise Refused(404, f"There is nothing here. Received: {path[:80]!r}.")

    def _post(self, path: str) -> Answer:
        if path != "/run":
            raise Refused(404, f"There is nothing here. Received: {path[:80]!r}.")
        self._check_page()
        asked = self._body()
        claim, size = asked.get("claim"), asked.get("size", "fast")
        if not isinstance(claim, str) or claim not in self.server.claims:
            raise Refused(404, f"No claim that can be run has this id: {claim!r:.80}.")
        if size not in SIZES:
            sizes = " or ".join(SIZES)
            raise Refused(400, f"`size` must be {sizes}. Received: {size!r:.80}.")
        try:
            self.server.runner.start(claim, str(size))
        except Busy as busy:
            raise Refused(409, str(busy)) from None
        return _told(202, **self.server.runner.progress())

    def _page(self) -> Answer:
        server = self.server
        given = parse_qs(self.path.partition("?")[2]).get("token", [""])[0]
        cookie = ""
        if not self._has_cookie():
            if not (server.link_token and _same(given, server.link_token)):
                raise Refused(
                    403,
                    "Open the address that `glossary serve` printed; it works once, "
                    "so that another browser needs another start of it.",
                )
            server.link_token = ""
            cookie = (
                f"{server.cookie}={server.session}; HttpOnly; SameSite=Strict; Path=/"
            )
        return Answer(200, server.page, "text/html", cookie)

    def _check_host(self) -> None:
        """Refuse other names: a page elsewhere may have its name lead here."""
        host = self.headers.get("Host", "")
        if host not in self.server.names:
            names = " or ".join(self.server.names)
            raise Refused(403, f"`Host` must be {names}. Received: {host[:80]!r}.")

    def _check_page(self) -> None:
        """Refuse what our own page did not send."""
        origin = self.headers.get("Origin", "")
        own = f"http://{self.headers['Host']}"
        if origin != own and (origin or self.command == "POST"):
            raise Refused(403, f"`Origin` must be {own}. Received: {origin[:80]!r}.")
        token = self.headers.get("X-Glossary-Token", "")
        if not (self._has_cookie() and _same(token, self.server.page_token)):
            raise Refused(
                403, "The token is not that of this server: load the page again."
            )

    def _has_cookie(self) -> bool:
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get(
                self.server.cookie
            )
        except CookieError:
            return False
        return morsel is not None and _same(morsel.value, self.server.session)

    def _body(self) -> dict[str, object]:
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "The body must be JSON, and say so in `Content-Type`.")
        if len(self._sent) > _LONGEST_BODY:
            raise Refused(413, f"The body must have at most {_LONGEST_BODY} bytes.")
        try:
            asked = json.loads(self._sent)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise Refused(400, "The body must be a JSON object.")
        return asked

    def log_message(self, *_: object) -> None:
        """Requests are not logged: addresses hold the token."""


def _told(status: int, **told: object) -> Answer:
    return Answer(status, json.dumps(told).encode())


def _same(given: str, known: str) -> bool:
    """Whether two secrets agree, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), known.encode())
