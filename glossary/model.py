"""What a glossary is made of: frozen data that imports nothing above it.

A term asks the glossary that holds it, its `Home`, for whatever is more than data: its
neighbours, how it is shown, what was recorded, and the running of a demo.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

from glossary.errors import DemoError
from glossary.formula import Result, Value, call
from glossary.pictures import Measurement
from glossary.verdict import Threshold, in_words, judge

LEVELS = ("beginner", "intermediate", "advanced")
INVERSES = {
    "broader": "narrower",
    "narrower": "broader",
    "part_of": "has_part",
    "uses": "used_by",
    "contrasts_with": "contrasts_with",
    "related": "related",
    # Derived from the other side, never written in a file:
    "has_part": "part_of",
    "used_by": "uses",
}
RELATIONS = ("broader", "narrower", "part_of", "uses", "contrasts_with", "related")
#: How a name that leads to a term, and is not another name for it, lies to it.
SEE_KINDS = ("narrower", "broader", "related")


class Home(Protocol):
    """The glossary that a term belongs to, as far as its data asks for it."""

    def links(self, term: Term) -> list[Link]:
        """The relations of a term, from both sides."""

    def shown(self, term: Term, form: str) -> Any:
        """A term in the form ``plain``, ``markdown``, ``html`` or ``rich``, or None."""

    def recorded(self, claim: Claim) -> Evidence | None:
        """What was measured of this very claim when its package was made."""

    def check(self, claim: Claim, size: str, seed: int) -> Evidence:
        """Run the demo of a claim."""

    def figure(self, evidence: Evidence) -> Any:
        """A matplotlib figure of evidence."""

    def picture(self, evidence: Evidence) -> str | None:
        """The same as the text of an SVG; None if it cannot be drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A source, named by its arXiv id, DOI, ISBN or web address.

    Args:
        title: Title of the work.
        author: Family name of the first author, or the body that publishes it.
        year: Year in which the version that is cited was published.
        arxiv: Such as ``"1412.6980"``, without version; or empty.
        doi: Such as ``"10.1038/323533a0"``; or empty.
        isbn: Of a book, ten or thirteen digits; or empty.
        url: Of a work with none of these, such as documentation; or empty.
        section: Where in the work, such as ``"sec. 2.1"``; or empty.
    """

    __module__ = "glossary"

    title: str
    author: str
    year: int
    arxiv: str = ""
    doi: str = ""
    isbn: str = ""
    url: str = ""
    section: str = ""

    @property
    def id(self) -> str:
        """``arXiv:...``, ``doi:...``, ``isbn:...`` or the address, in this order."""
        if self.arxiv:
            return f"arXiv:{self.arxiv}"
        if self.doi:
            return f"doi:{self.doi}"
        return f"isbn:{self.isbn}" if self.isbn else self.url

    def __str__(self) -> str:
        where = f", {self.section}" if self.section else ""
        return f"{self.cited} {self.id}{where}"

    @property
    def cited(self) -> str:
        """Author, year and title, closed by a stop."""
        stop = "" if self.title.endswith(("?", "!", ".")) else "."
        return f"{self.author} ({self.year}). {self.title}{stop}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """One symbol of a formula.

    Args:
        name: The keyword under which the formula takes its value.
        meaning: What it stands for, with its unit or range.
        latex: How it is written, where that differs from ``name``; or empty.
    """

    __module__ = "glossary"

    name: str
    meaning: str
    latex: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula that can be read, and called.

    Args:
        latex: For readers, in the subset of LaTeX that `glossary` can draw.
        expression: For computing, in the grammar of `glossary.formula`.
        symbols: What each name in the expression stands for.
        note: Where an object that implements it computes something else, with a
            number; or empty.

    Example:
        >>> import glossary
        >>> glossary.term("learning rate").formula(w=1.0, g=2.0, lr=0.25)
        0.5
    """

    __module__ = "glossary"

    latex: str
    expression: str
    symbols: tuple[Symbol, ...] = ()
    note: str = ""

    def __call__(self, **values: Value) -> Result:
        """Value of the formula.

        Args:
            **values: One for each symbol: a number, a list of numbers, a list
                of such lists, or an array (anything that has ``tolist``).

        Returns:
            A float, a bool, or a list of them where a value was a list.

        Raises:
            FormulaError: If a symbol is missing or unknown, or the values lie
                outside the domain of the formula.
        """
        return call(self.expression, [s.name for s in self.symbols], values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A typed link from one term to another.

    Args:
        kind: One of ``broader``, ``narrower``, ``part_of``, ``uses``,
            ``contrasts_with``, ``related``.
        target: Id of the other term.
    """

    __module__ = "glossary"

    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class See:
    """A name that leads to a term without being another name for it.

    Args:
        name: Such as ``"patience"``, which leads to early stopping.
        kind: What it is beside the term: ``narrower``, ``broader`` or ``related``.
    """

    __module__ = "glossary"

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One worked number.

    Args:
        text: The example in words, with its numbers.
        values: What the formula is given, by symbol; empty where there is no formula.
        result: What the formula then gives; None where there is no formula.
    """

    __module__ = "glossary"

    text: str
    # Not hashed, since they may be lists: a term is looked up in sets.
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)
    result: Result | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence that an experiment can support or refute.

    Args:
        id: Stable and never reused, such as ``"batch-size/variance-inverse"``.
        sentence: The statement, as a reader meets it: exactly what is measured.
        quantity: What is measured, with its unit.
        comparison: ``<``, ``<=``, ``>``, ``>=``, or ``between``.
        threshold: The number to compare with; a pair for ``between``.
        conditions: Under which the sentence is claimed; or empty.
        reference: Id of one of the term's references; or empty, for what nobody but
            the demo has shown.
        contested: Whether published work disagrees.
        expected: Documented outcome: ``held``, ``failed`` or ``inconclusive``.
        demo: ``package.module:function`` that measures it; or empty. Imported
            only when the demo is run.
        backend: Whether the demo trains with Keras, on the backend that is set.
        home: The glossary that holds it, if any does.
    """

    __module__ = "glossary"

    id: str
    sentence: str
    quantity: str
    comparison: str
    threshold: Threshold
    conditions: str = ""
    reference: str = ""
    contested: bool = False
    expected: str = "held"
    demo: str = ""
    backend: bool = False
    home: Home | None = field(default=None, compare=False, repr=False)

    @property
    def condition(self) -> str:
        """The comparison in words, such as ``"< 0.5"``."""
        return in_words(self.comparison, self.threshold)

    @property
    def content(self) -> str:
        """A short digest of what is claimed: evidence of anything else is not its own.

        Sentence, quantity, comparison, threshold and conditions count; the id does not.
        """
        said = [
            self.sentence,
            self.quantity,
            self.comparison,
            self.threshold,
            self.conditions,
        ]
        text = json.dumps(said, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def recorded(self) -> Evidence | None:
        """What was measured when the package was made, or None; nothing is run."""
        return self.home.recorded(self) if self.home else None

    def check(self, size: str = "fast", seed: int = 0) -> Evidence:
        """Run the demo and judge what it measures (needs the extra ``demos``).

        Args:
            size: ``"fast"``, one seed; or ``"full"``, ten, whose median is judged.
            seed: The first seed.

        Raises:
            DemoError: If there is no demo, its packages are missing, or the claim was
                read from a file and is not installed.

        Example:
            >>> import glossary
            >>> claim = glossary.term("backpropagation").claims[0]
            >>> claim.check().verdict
            'held'
        """
        if self.home is None:
            raise DemoError(
                f"A demo runs only for terms of a glossary. Received: {self.id}, by "
                "itself. Ask `glossary.term(...)` for it."
            )
        return self.home.check(self, size, seed)


@dataclass(frozen=True, kw_only=True, repr=False)
class Evidence:
    """A claim, measured.

    Args:
        claim: The claim.
        runs: What each seed measured.
        seeds: The seeds.
        seconds: Processor time, without that of importing the backend.
        versions: Of Python and of the packages.
    """

    __module__ = "glossary"

    claim: Claim
    runs: tuple[Measurement, ...]
    seeds: tuple[int, ...]
    seconds: float
    versions: Mapping[str, str]

    @property
    def by_seed(self) -> tuple[float, ...]:
        """What each seed measured."""
        return tuple(run.measured for run in self.runs)

    @property
    def measured(self) -> float:
        """Median over the seeds."""
        return statistics.median(self.by_seed)

    @property
    def reason(self) -> str:
        """Why it is inconclusive: the first control that was not met; or empty."""
        return next((run.reason for run in self.runs if run.reason), "")

    @property
    def verdict(self) -> str:
        """``held``, ``failed``, or ``inconclusive`` where a control was not met."""
        if self.reason:
            return "inconclusive"
        return judge(self.measured, self.claim.comparison, self.claim.threshold)[0]

    @property
    def margin(self) -> float:
        """How far ``measured`` lies on the side of the threshold that holds.

        As a share of the threshold (of 1 where that is 0), negative where it failed;
        for ``between`` the distance to the nearer end as a share of the width.
        """
        return judge(self.measured, self.claim.comparison, self.claim.threshold)[1]

    @property
    def threshold(self) -> Threshold:
        """The claim's threshold."""
        return self.claim.threshold

    @property
    def as_documented(self) -> bool:
        """Whether the verdict is the documented outcome."""
        return self.verdict == self.claim.expected

    @property
    def seen(self) -> str:
        """What the picture shows, as a sentence."""
        return self.runs[0].seen

    @property
    def data(self) -> dict[str, list[tuple[float, ...]]]:
        """The numbers behind the picture, by name: for each seed a tuple."""
        return {
            name: [dict(_series(run))[name] for run in self.runs]
            for name, _ in _series(self.runs[0])
        }

    def figure(self) -> Any:
        """A matplotlib figure of the data, with the seeds and the threshold beside it.

        Raises:
            DemoError: If matplotlib is not installed, or no glossary holds the claim.
        """
        if self.claim.home is None:
            raise DemoError(
                "A figure is drawn for claims of a glossary. Received: "
                f"{self.claim.id}, by itself."
            )
        return self.claim.home.figure(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as values that JSON can hold; what is not finite, as text."""
        claim = self.claim
        return {
            "claim": claim.id,
            "sentence": claim.sentence,
            "quantity": claim.quantity,
            "comparison": claim.comparison,
            "threshold": plain(claim.threshold),
            "conditions": claim.conditions,
            "expected": claim.expected,
            "verdict": self.verdict,
            "measured": plain(self.measured),
            "margin": plain(self.margin),
            "by_seed": plain(self.by_seed),
            "seeds": list(self.seeds),
            "reason": self.reason,
            "seen": self.seen,
            "data": plain(self.data),
            "seconds": self.seconds,
            "versions": dict(self.versions),
        }

    def __repr__(self) -> str:
        return f"Evidence({self.claim.id!r}, {self.verdict!r}, {self.measured:.4g})"

    def __str__(self) -> str:
        claim = self.claim
        surprise = "" if self.as_documented else f", documented as {claim.expected}"
        note = f" ({self.reason})" if self.reason else ""
        return (
            f"{self.verdict}{surprise}: {claim.sentence}\n"
            f"  {claim.quantity}: {self.measured:.4g}, claimed {claim.condition}, "
            f"margin {self.margin:+.2g}{note}"
        )

    def _repr_html_(self) -> str:
        words = f"<p>{escape(str(self))}</p>"
        home = self.claim.home
        return words + ((home.picture(self) or "") if home else "")


def _series(run: Measurement) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Each row of numbers of a measurement, under a name of its own."""
    for number, panel in enumerate(run.panels, start=1):
        before = f"{panel.title or number}: " if len(run.panels) > 1 else ""
        if hasattr(panel, "x"):
            yield f"{before}{panel.x_label}", panel.x
        for name, values in panel.ys.items():
            yield f"{before}{name}", values


def plain(value: Any) -> Any:
    """A value as JSON can hold it: what is not finite becomes text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Term:
    """One entry of a glossary.

    Args:
        id: Lower-case words joined by hyphens, unique.
        name: As it is written in running text.
        category: Lower-case words, such as ``"optimization"``.
        level: ``beginner``, ``intermediate`` or ``advanced``.
        summary: The definition in one sentence.
        definition: The full definition; paragraphs are set apart by blank lines.
        aliases: Other names for the same thing.
        acronyms: Short forms in capitals.
        see: Names that lead here and mean something narrower, broader or related.
        misspellings: Wrong spellings that are understood and never shown.
        keywords: Further words that people ask with, for the search alone.
        formula: Or None.
        example: One worked number; or None.
        mistake: A common mistake, as a sentence; or empty.
        relations: Links to other terms, each written on one side only.
        references: Published sources.
        api: Dotted names of objects that implement it.
        claims: Sentences that experiments judge.
        source: ``"core"``, the plug-in or the file it came from.
        home: The glossary that holds it, if any does.

    Example:
        >>> import glossary
        >>> term = glossary.term("BN")
        >>> term.name, term.level
        ('batch normalization', 'intermediate')
    """

    __module__ = "glossary"

    id: str
    name: str
    category: str
    level: str
    summary: str
    definition: str
    aliases: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()
    see: tuple[See, ...] = ()
    misspellings: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    formula: Formula | None = None
    example: Example | None = None
    mistake: str = ""
    relations: tuple[Relation, ...] = ()
    references: tuple[Reference, ...] = ()
    api: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    source: str = ""
    home: Home | None = field(default=None, compare=False)

    @property
    def related(self) -> tuple[Term, ...]:
        """Every term that a relation joins to this one, from either side.

        Example:
            >>> import glossary
            >>> glossary.term("learning rate") in glossary.term("adam").related
            True
        """
        return tuple(dict.fromkeys(self._neighbours()))

    def demo(self, size: str = "fast", seed: int = 0) -> list[Evidence]:
        """Check all claims, one after the other; see `Claim.check`."""
        return [claim.check(size, seed) for claim in self.claims]

    def related_by(self, kind: str) -> tuple[Term, ...]:
        """The terms joined to this one by one kind of relation.

        Args:
            kind: One of the kinds a file may state, or ``has_part`` and
                ``used_by``, which are derived from the other side.

        Returns:
            The terms, in the order of their glossary.

        Raises:
            ValueError: If there is no such kind of relation.

        Example:
            >>> import glossary
            >>> glossary.term("momentum").related_by("used_by")
            (Term('one-cycle-policy'),)
        """
        if kind not in INVERSES:
            kinds = ", ".join(INVERSES)
            raise ValueError(f"`kind` must be one of {kinds}. Received: {kind!r}.")
        return tuple(self._neighbours(kind))

    def _neighbours(self, kind: str | None = None) -> list[Term]:
        if self.home is None:
            return []
        return [
            link.target
            for link in self.home.links(self)
            if kind is None or link.kind == kind
        ]

    def __repr__(self) -> str:
        return f"Term({self.id!r})"

    def __str__(self) -> str:
        if self.home is None:
            return f"{self.name}\n\n{self.summary}"
        text: str = self.home.shown(self, "plain")
        return text

    def _repr_html_(self) -> str | None:
        return self.home.shown(self, "html") if self.home else None

    def _repr_markdown_(self) -> str | None:
        return self.home.shown(self, "markdown") if self.home else None

    def __rich__(self) -> object:
        return self.home.shown(self, "rich") if self.home else str(self)


@dataclass(frozen=True, slots=True)
class Link:
    """One step from a term to a neighbour.

    Args:
        source: Where the step starts.
        kind: Which relation it follows.
        target: Where it ends.
    """

    __module__ = "glossary"

    source: Term
    kind: str
    target: Term

    def __str__(self) -> str:
        return f"{self.source.name} {self.kind.replace('_', ' ')} {self.target.name}"


@dataclass(frozen=True, slots=True)
class Match:
    """One answer of a search.

    Args:
        term: What was found.
        score: From 0 to 1; comparable within one search.
        reason: Why it was found, in words.
    """

    __module__ = "glossary"

    term: Term
    score: float
    reason: str
