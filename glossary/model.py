"""What a glossary is made of: frozen data, and how it shows itself.

Nothing here reads files or searches. A term finds its neighbours through the
glossary that holds it; how it looks is in `glossary.text`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from glossary._formula import Result, Value
    from glossary.evidence import Evidence
    from glossary.store import Glossary

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
COMPARISONS = ("<", "<=", ">", ">=", "between")
OUTCOMES = ("held", "failed", "inconclusive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A published source, named by its arXiv id or its DOI.

    Args:
        title: Title of the work.
        author: Family name of the first author.
        year: Year of the first public version.
        arxiv: Such as ``"1412.6980"``, without version; or empty.
        doi: Such as ``"10.1038/323533a0"``; or empty.
        section: Where in the work, such as ``"sec. 2.1"``; or empty.
    """

    __module__ = "glossary"

    title: str
    author: str
    year: int
    arxiv: str = ""
    doi: str = ""
    section: str = ""

    @property
    def id(self) -> str:
        """``arXiv:...`` or ``doi:...``, whichever the reference has."""
        return f"arXiv:{self.arxiv}" if self.arxiv else f"doi:{self.doi}"

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
        expression: For computing, in the grammar of `glossary.evaluate`.
        symbols: What each name in the expression stands for.

    Example:
        >>> import glossary
        >>> glossary.term("learning rate").formula(w=1.0, g=2.0, lr=0.25)
        0.5
    """

    __module__ = "glossary"

    latex: str
    expression: str
    symbols: tuple[Symbol, ...] = ()

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
        from glossary._formula import call

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
class Claim:
    """A sentence that an experiment can support or refute.

    Args:
        id: Stable and never reused, such as ``"batch-size/variance-inverse"``.
        sentence: The statement, as a reader meets it.
        quantity: What is measured, with its unit.
        comparison: ``<``, ``<=``, ``>``, ``>=``, or ``between``.
        threshold: The number to compare with; a pair for ``between``.
        conditions: Under which the sentence is claimed; or empty.
        reference: Id of one of the term's references; or empty.
        contested: Whether published work disagrees.
        expected: Documented outcome: ``held``, ``failed`` or ``inconclusive``.
        demo: ``package.module:function`` that measures it; or empty. Imported
            only when the demo is run.
        backend: Whether the demo trains with Keras, on the backend that is set.
    """

    __module__ = "glossary"

    id: str
    sentence: str
    quantity: str
    comparison: str
    threshold: float | tuple[float, float]
    conditions: str = ""
    reference: str = ""
    contested: bool = False
    expected: str = "held"
    demo: str = ""
    backend: bool = False

    @property
    def recorded(self) -> Evidence | None:
        """What was measured when the package was made, or None; nothing is run."""
        from glossary.evidence import recorded

        return recorded().get(self.id)

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
        from glossary.evidence import check

        return check(self, size, seed)


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
        misspellings: Wrong spellings that are understood and never shown.
        formula: Or None.
        relations: Links to other terms, each written on one side only.
        references: Published sources.
        api: Dotted names of objects that implement it.
        claims: Sentences that experiments judge.
        source: ``"core"``, the plug-in or the file it came from.

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
    misspellings: tuple[str, ...] = ()
    formula: Formula | None = None
    relations: tuple[Relation, ...] = ()
    references: tuple[Reference, ...] = ()
    api: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    source: str = ""
    _home: Glossary | None = field(default=None, compare=False)

    @property
    def related(self) -> tuple[Term, ...]:
        """Every term that a relation joins to this one, from either side.

        Example:
            >>> import glossary
            >>> [t.id for t in glossary.term("adapter layers").related]
            ['activation-function', 'backpropagation']
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
        if self._home is None:
            return []
        return [
            link.target
            for link in self._home.links(self)
            if kind is None or link.kind == kind
        ]

    def __repr__(self) -> str:
        return f"Term({self.id!r})"

    def __str__(self) -> str:
        from glossary.text import plain

        return plain(self)

    def _repr_html_(self) -> str:
        from glossary.text import html

        return html(self)

    def _repr_markdown_(self) -> str:
        from glossary.text import markdown

        return markdown(self)

    def __rich__(self) -> object:
        from glossary._terminal import rich_term

        return rich_term(self)


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
