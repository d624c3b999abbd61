"""The commands ``page`` and ``serve``."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from glossary.evidence import Evidence
    from glossary.model import Term


def add(commands: _SubParsersAction) -> None:  # type: ignore[type-arg]
    """Teach the command line the two commands."""
    page = commands.add_parser("page", help="write one HTML file of terms and claims")
    page.add_argument("directory", metavar="DIR", help="where index.html goes")
    page.set_defaults(run=write)

    served = commands.add_parser("serve", help="the page, with buttons that run claims")
    served.add_argument(
        "--port", type=int, default=0, help="any that is free if not given"
    )
    served.set_defaults(run=serve)

    for command in (page, served):
        command.add_argument(
            "--evidence",
            metavar="FILE",
            help="as `glossary check --demos --evidence FILE` wrote it",
        )


def write(arguments: Namespace) -> int:
    """The page as a file."""
    from glossary import page

    terms, evidence = _shown(arguments)
    path = page.write(arguments.directory, terms, evidence, _tell)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def serve(arguments: Namespace) -> int:
    """The page from a server on this machine, until Ctrl-C."""
    from glossary import page
    from glossary.serve import Server

    if not 0 <= arguments.port <= 65535:
        raise ValueError(
            f"`--port` must be from 0 to 65535. Received: {arguments.port}."
        )
    terms, evidence = _shown(arguments)
    claims = [claim.id for term in terms for claim in term.claims if claim.demo]
    worker = [sys.executable, "-m", "glossary._serve_worker"]
    try:
        server = Server(arguments.port, claims, worker)
    except OSError as error:
        raise ValueError(
            f"`--port` must be one that is free. Received: {arguments.port} "
            f"({error.strerror}). Leave it out to have one found."
        ) from None
    try:
        # A polite end by another program is the same as Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        shown = page.page(terms, evidence, tell=_tell, token=server.page_token)
        server.page = shown.encode()
        print(f"{server.address}\nOpen it in a browser; Ctrl-C stops.", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    finally:
        server.stop()
    return 0


def _shown(arguments: Namespace) -> tuple[list[Term], dict[str, Evidence]]:
    import glossary
    from glossary import page

    terms = glossary.terms()
    if arguments.evidence:
        return terms, page.read(arguments.evidence, terms)
    return terms, page.recorded(terms)


def _tell(done: int, of: int) -> None:
    """Progress, on one line of a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        print(f"\rDrawing figure {done} of {of}", end=end, file=sys.stderr, flush=True)
