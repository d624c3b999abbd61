"""A glossary: terms by name, by filter, by search, and along their relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from glossary.errors import AmbiguousTerm, DemoError, UnknownTerm
from glossary.extras import missing
from glossary.find.graph import links_by_id, shortest_path
from glossary.find.labels import Labels
from glossary.find.search import Search
from glossary.measure import recorded, running
from glossary.model import INVERSES, LEVELS, Claim, Evidence, Link, Match, Term
from glossary.read import load
from glossary.show import forms
from glossary.shown import shown

_SUGGESTIONS = 3
_NEAR = 0.1  # below, a word in common is a coincidence


class Glossary:
    """A collection of terms that answers questions.

    Without arguments it holds the core terms and those of every installed
    plug-in; the arguments narrow it down.

    Args:
        sources: Where terms come from: ``"core"`` and names of plug-ins.
        category: Keep the terms of this category only.
        level: Keep the terms of this level only.

    Raises:
        ValueError: If a filter names nothing that there is.

    Example:
        >>> import glossary
        >>> core = glossary.Glossary(sources=["core"])
        >>> "BN" in core, "warmup" in core
        (True, False)
    """

    __module__ = "glossary"

    def __init__(
        self,
        *,
        sources: Iterable[str] | None = None,
        category: str | None = None,
        level: str | None = None,
    ) -> None:
        kept = _filtered(_installed(), category=category, level=level)
        if sources is not None:
            names = [sources] if isinstance(sources, str) else list(sources)
            known = dict.fromkeys(term.source for term in _installed())
            for name in names:
                _check_choice("source", name, known)
            kept = [term for term in kept if term.source in names]
        self._terms = tuple(kept)

    @classmethod
    def from_terms(cls, terms: Iterable[Term]) -> Glossary:
        """A glossary of exactly these terms.

        Args:
            terms: In the order in which they will be listed. Their relations
                are followed within this glossary, unless they already belong
                to another one.

        Returns:
            The glossary.
        """
        glossary = cls.__new__(cls)
        glossary._terms = tuple(_at_home(term, glossary) for term in terms)
        return glossary

    @classmethod
    def from_files(cls, *paths: str | PathLike[str]) -> Glossary:
        """A glossary of the terms in files, which are read and never executed.

        Nothing that a file mentions is imported: formulas are arithmetic,
        demos and API links stay names.

        Args:
            *paths: TOML or JSON files, or folders of them.

        Returns:
            The glossary, without the installed terms. Relations to these are
            allowed; they lead nowhere here.

        Raises:
            InvalidTerms: If a file breaks a rule of validation.
            FileNotFoundError: If there is no such file.
        """
        return cls.from_terms(load.read_checked(paths))

    @cached_property
    def _labels(self) -> Labels:
        return Labels(self._terms)

    @cached_property
    def _search(self) -> Search:
        return Search(self._terms, self._labels)

    @cached_property
    def _packages(self) -> list[Path]:
        """Where evidence lies; to look through what is installed takes 10 ms."""
        return load.packages()

    @cached_property
    def _links(self) -> dict[str, list[Link]]:
        """Links from each id, as stated and as implied from the other side."""
        return links_by_id(self._terms)

    def term(self, name: str) -> Term:
        """The one term that this name stands for.

        Args:
            name: A name, alias, acronym, id or known misspelling. Case, accents,
                hyphens, plurals and British spelling do not matter.

        Returns:
            The term.

        Raises:
            UnknownTerm: If there is none; the message suggests the closest.
            AmbiguousTerm: If there are several; the message lists them.

        Example:
            >>> import glossary
            >>> glossary.term("Learning-Rates")
            Term('learning-rate')
        """
        if not isinstance(name, str):
            raise TypeError(f"`name` must be a string. Received: {shown(name)}.")
        return self._labels.exact.get(name) or self._resolve(name)

    def _resolve(self, name: str) -> Term:
        numbers = self._labels.find(name)
        if len(numbers) == 1:
            return self._terms[numbers[0]]
        if len(numbers) > 1:
            raise AmbiguousTerm(name, [self._terms[number] for number in numbers])
        raise UnknownTerm(
            name,
            suggestions=self._named(self._search.spelled_like(name, _SUGGESTIONS)),
            near=[
                match.term.name
                for match in self.search(name, limit=_SUGGESTIONS)
                if match.score >= _NEAR
            ],
            see=self._named(self._labels.led_to(name)),
        )

    def _named(self, numbers: Iterable[int]) -> list[str]:
        return [self._terms[number].name for number in numbers]

    def terms(
        self,
        *,
        category: str | None = None,
        level: str | None = None,
        relation: str | None = None,
        to: str | None = None,
    ) -> list[Term]:
        """The terms that pass every filter, in a fixed order.

        Args:
            category: Such as ``"optimization"``.
            level: ``beginner``, ``intermediate`` or ``advanced``.
            relation: A kind of relation that the terms have to another one.
            to: Name of that other term; any if not given.

        Returns:
            The terms; possibly none.

        Raises:
            ValueError: If a filter names nothing that there is.
            UnknownTerm: If there is no term called ``to``.

        Example:
            >>> import glossary
            >>> glossary.terms(relation="uses", to="momentum")
            [Term('one-cycle-policy')]
        """
        found = _filtered(self._terms, category=category, level=level)
        if relation is None and to is None:
            return found
        if relation is not None:
            _check_choice("relation", relation, INVERSES)
        goal = self.term(to) if to is not None else None
        return [
            term
            for term in found
            if any(
                relation in (None, link.kind) and goal in (None, link.target)
                for link in self.links(term)
            )
        ]

    def search(self, text: str, *, limit: int = 10) -> list[Match]:
        """The terms that best answer a question in words, best first.

        Args:
            text: Anything: a name, a misspelling, a description, a question.
            limit: How many answers at most.

        Returns:
            Matches, each with its term, a score from 0 to 1, and the reason;
            empty if nothing matches. `glossary.find.search` documents the ranking.

        Raises:
            ValueError: If ``limit`` is below 1.

        Example:
            >>> import glossary
            >>> match = glossary.search("step size")[0]
            >>> match.term, match.reason
            (Term('learning-rate'), "alias 'step size'")
        """
        if limit < 1:
            raise ValueError(f"`limit` must be at least 1. Received: limit={limit}.")
        return [
            Match(self._terms[found.number], found.score, found.reason)
            for found in self._search.find(text, limit)
        ]

    def links(self, term: Term) -> list[Link]:
        """The relations of a term to others of this glossary, from both sides.

        Args:
            term: One of this glossary's terms.

        Returns:
            Links that start at the term; none for a term from elsewhere.
        """
        return self._links.get(term.id, [])

    def shown(self, term: Term, form: str) -> Any:
        """A term as ``plain``, ``markdown``, ``html`` or ``rich``.

        Args:
            term: One of this glossary's terms.
            form: The name of the form.

        Returns:
            Text, or what rich prints; None for HTML where jinja2 is not installed.
        """
        return forms.shown(term, form)

    def recorded(self, claim: Claim) -> Evidence | None:
        """What was measured of this very claim when its package was made.

        Args:
            claim: A claim of an installed term; one of a user's own file has none.

        Returns:
            The evidence, or None where the claim says something else by now.
        """
        return recorded.recorded(claim, self._packages)

    def check(self, claim: Claim, size: str = "fast", seed: int = 0) -> Evidence:
        """Run the demo of a claim; see `Claim.check`.

        Args:
            claim: A claim of an installed term: a file that was read runs nothing.
            size: ``"fast"`` or ``"full"``.
            seed: The first seed.

        Returns:
            The evidence.
        """
        if not any(claim in term.claims for term in _installed()):
            raise DemoError(
                "A demo runs only for terms that are installed. Received: the claim "
                f"{claim.id}, read from a file. Install its package."
            )
        return running.check(claim, size, seed)

    def figure(self, evidence: Evidence) -> Any:
        """A matplotlib figure of evidence; see `Evidence.figure`.

        Args:
            evidence: What was measured.

        Returns:
            The figure.
        """
        try:
            from glossary.measure.drawing import draw  # matplotlib is an extra
        except ModuleNotFoundError as error:
            raise missing("A figure", error) from error
        return draw(evidence)

    def picture(self, evidence: Evidence) -> str | None:
        """The picture of evidence as the text of an SVG.

        Args:
            evidence: What was measured.

        Returns:
            One ``svg`` element; None where matplotlib is not installed.
        """
        try:
            from glossary.measure import recording  # matplotlib is an extra
        except ModuleNotFoundError:
            return None
        return recording.picture(evidence)

    def path(self, start: str, end: str) -> list[Link]:
        """The shortest chain of relations from one term to another.

        Args:
            start: Name of the first term.
            end: Name of the last term.

        Returns:
            The steps; none where both names mean the same term.

        Raises:
            UnknownTerm: If a name is unknown or ambiguous.
            NoPath: If no chain joins them.

        Example:
            >>> import glossary
            >>> for link in glossary.path("WSD", "Adam"):
            ...     print(link)
            warmup-stable-decay uses warmup
            warmup related Adam
        """
        return shortest_path(self._links, self.term(start), self.term(end))

    def get(self, name: str, default: Term | None = None) -> Term | None:
        """The term called so, or a default where no single term is.

        Args:
            name: As for `term`.
            default: What to return instead.

        Returns:
            The term, or the default.
        """
        numbers = self._labels.find(name)
        return self._terms[numbers[0]] if len(numbers) == 1 else default

    def __getitem__(self, name: str) -> Term:
        return self.term(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[Term]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def __repr__(self) -> str:
        return f"<Glossary of {len(self)} terms>"


@cache
def _installed() -> tuple[Term, ...]:
    """Core terms and those of plug-ins, at home in the glossary of them all."""
    return Glossary.from_terms(load.installed())._terms


def _at_home(term: Term, home: Glossary) -> Term:
    """The term and its claims, asking this glossary from now on.

    Those of another glossary stay there: a filter does not cut their relations.
    """
    if term.home is not None:
        return term
    claims = tuple(replace(claim, home=home) for claim in term.claims)
    return replace(term, claims=claims, home=home)


def _filtered(
    terms: Iterable[Term], *, category: str | None, level: str | None
) -> list[Term]:
    found = list(terms)
    if level is not None:
        _check_choice("level", level, LEVELS)
        found = [term for term in found if term.level == level]
    if category is not None:
        _check_choice("category", category, {term.category for term in terms})
        found = [term for term in found if term.category == category]
    return found


def _check_choice(what: str, value: str, choices: Iterable[str]) -> None:
    known = list(choices)
    if value not in known:
        listed = ", ".join(repr(choice) for choice in sorted(known))
        raise ValueError(f"`{what}` must be one of {listed}. Received: {shown(value)}.")
