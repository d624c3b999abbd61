"""The glossary as a small site: an index, and a page a term. The extra ``page``.

The pages need nothing else, neither a network nor a server. Their style and scripts
stand in them, since a strict policy can allow no more to a page that is opened as a
file than an element by its digest. Figures are those that were drawn when evidence was
recorded.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

from markupsafe import Markup

from glossary.find.fold import key
from glossary.find.labels import Labels
from glossary.find.search import Search
from glossary.measure import recorded, svg
from glossary.model import Claim, Evidence, Term
from glossary.read import load
from glossary.show import html
from glossary.show.html import Setting
from glossary.show.mentions import Mentions

INDEX = "index.html"
SEARCH = "search.js"
_ENGINE = Path(__file__).parent.parent / "find" / "search.js"


@dataclass(frozen=True)
class Site:
    """The pages of some terms.

    Args:
        terms: What the pages show.
        token: What a page shows to its server before claims are run; empty where there
            is no server.

    Example:
        >>> import glossary
        >>> site = Site(glossary.terms(level="beginner"))
        >>> site.names[0], "<h1>" in site.page("backpropagation.html")
        ('index.html', True)
    """

    terms: Sequence[Term]
    token: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the files, the index first."""
        return (INDEX, SEARCH, *self._by_page)

    @cached_property
    def _by_page(self) -> dict[str, Term]:
        """The terms in alphabetical order, by the name of their page."""
        ordered = sorted(self.terms, key=lambda term: (key(term.name), term.id))
        return {f"{html.anchor(term.id)}.html": term for term in ordered}

    @cached_property
    def _evidence(self) -> dict[str, Evidence | None]:
        """What was recorded, by the id of the claim; files are read once."""
        claims = [claim for term in self.terms for claim in term.claims]
        return {claim.id: claim.recorded for claim in claims}

    @cached_property
    def _setting(self) -> Setting:
        return Setting(
            pages=frozenset(term.id for term in self.terms),
            mentions=Mentions(self.terms),
            evidence=lambda claim: self._evidence[claim.id],
            figure=lambda claim: self._figures[claim.id],
            runs=bool(self.token),
        )

    @cached_property
    def _folders(self) -> list[Path]:
        return load.packages()

    @cached_property
    def _figures(self) -> dict[str, tuple[str, ...]]:
        """What was drawn of each claim that was measured, by its id."""
        drawn = {}
        for claim, evidence in self._evidence.items():
            text = recorded.recorded_figure(claim, self._folders) if evidence else None
            drawn[claim] = svg.parts(text or "")
        return drawn

    def page(self, name: str) -> str:
        """The text of one page, or of the script that searches.

        Args:
            name: One of `names`.
        """
        if name == SEARCH:
            return self._search
        if name == INDEX:
            return self._written(
                INDEX,
                scripts=["page.js", "index.js"],
                terms=self._by_page.values(),
                tally=self._tally(),
                notices=self.notices(),
                search=SEARCH,
                nonce=_sha256(self._search),
            )
        term = self._by_page[name]
        return self._written(
            "entry.html",
            scripts=["page.js", *(["run.js"] if self.token else [])],
            term=term,
            setting=self._setting,
            notices=self._notices(term.claims),
        )

    @cached_property
    def _search(self) -> str:
        """The engine of `glossary.find.search`, with what it looks up."""
        index = Search(self.terms, Labels(self.terms)).index()
        data = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
        engine = _ENGINE.read_text("utf-8")
        return f"{engine}\nconst searchTerms = createSearch({data});\n"

    def _written(
        self, template: str, scripts: list[str], nonce: str = "", **said: object
    ) -> str:
        style = _template("style.css")
        theme = _template("theme.js")
        script = "\n".join(map(_template, scripts))
        allowed = [f"'sha256-{_sha256(text)}'" for text in (theme, script)]
        if nonce:
            allowed.append(f"'nonce-{nonce}'")
        return (
            html.environment()
            .get_template(template)
            .render(
                style=Markup(style),
                theme=Markup(theme),
                script=Markup(script),
                policy=_policy(style, allowed),
                token=self.token,
                nonce=nonce,
                **said,
            )
        )

    def _tally(self) -> str:
        """How many terms and claims there are, and how the claims stand."""
        claims = [claim for term in self.terms for claim in term.claims]
        standings = [html.standing(one, self._evidence[one.id]) for one in claims]
        counts = Counter(stands.words for stands in standings)
        told = [f"{len(self.terms)} terms", f"{len(claims)} claims"]
        return "; ".join(told + [f"{n} {words}" for words, n in counts.most_common()])

    def notices(self) -> list[str]:
        """What is missing in all pages, and how to have it; one sentence each."""
        return self._notices([claim for term in self.terms for claim in term.claims])

    def _notices(self, claims: Sequence[Claim]) -> list[str]:
        measured = [claim for claim in claims if self._evidence[claim.id]]
        drawn = [claim for claim in measured if self._figures[claim.id]]
        notices = []
        if len(measured) < len(claims):
            notices.append(
                f"{_some(len(claims) - len(measured), len(claims))} not measured yet: "
                "glossary check --demos --record DIR measures claims."
            )
        if len(drawn) < len(measured):
            notices.append(
                f"{_some(len(measured) - len(drawn), len(measured))} shown without "
                "their figure, which is drawn when evidence is recorded: "
                "glossary check --demos --record DIR, with matplotlib installed."
            )
        return notices


def write(directory: str | PathLike[str], site: Site) -> Iterator[Path]:
    """Write the files of a site, one after the other.

    Args:
        directory: Where they go; made if it is not there.
        site: The pages.

    Yields:
        The path of each file that is written, that of the index first.

    Example:
        >>> import tempfile
        >>> import glossary
        >>> site = Site([glossary.term("Adam")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [path.name for path in write(folder, site)]
        ['index.html', 'search.js', 'adam.html']
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name in site.names:
        path = folder / name
        path.write_text(site.page(name), "utf-8")
        yield path


def _some(number: int, of: int) -> str:
    if number == of:
        return "The claim is" if of == 1 else f"All {of} claims are"
    return f"{number} of {of} claims {'is' if number == 1 else 'are'}"


def _policy(style: str, scripts: Sequence[str]) -> str:
    """The content security policy: this style and these scripts, nothing else.

    The script that searches is a file of its own, since it is larger than all else in
    the index. No browser lets a page that is a file allow another file by its digest;
    a nonce they do. It is the digest of that script, so that nobody can know it who
    writes a term, whose text is in there.
    """
    rules = [
        "default-src 'none'",
        f"script-src {' '.join(scripts)}",
        f"style-src 'sha256-{_sha256(style)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "connect-src 'self'",  # to run a claim, where there is a server
    ]
    return "; ".join(rules)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _template(name: str) -> str:
    return (html.TEMPLATES / name).read_text("utf-8")
