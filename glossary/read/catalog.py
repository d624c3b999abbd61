"""All the terms there are, as the checks need to look at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property

from glossary.find import fold
from glossary.find.labels import Labels
from glossary.model import Term


class Catalog:
    """Terms that are checked together.

    Args:
        terms: Those being checked, and those with which they may not collide.
        around: Further terms, with which they may collide and to which relations may
            lead.
        targets: Ids of terms that are not read yet, to which relations may lead.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        around: Sequence[Term] = (),
        targets: Iterable[str] = (),
    ) -> None:
        self.terms = terms
        self.labels = Labels(terms).by_key
        self.times = Counter(term.id for term in terms)
        self.by_id = {term.id: term for term in terms}
        self.claims = Counter(claim.id for term in terms for claim in term.claims)
        self._all = [*terms, *around]
        self.targets = {*(term.id for term in self._all), *targets}

    def meant(self, name: str) -> str:
        """Which id was meant by a name that is none, as a question; or empty."""
        numbers = self._names.find(name)
        ids = [self._all[number].id for number in numbers] or self._nearly(name)
        listed = " or ".join(repr(id) for id in dict.fromkeys(ids))
        return f"Did you mean {listed}?" if listed else ""

    @cached_property
    def _names(self) -> Labels:
        return Labels(self._all)

    def _nearly(self, name: str) -> list[str]:
        """The id whose name is spelled nearly so, if any is."""
        ids = {fold.key(id): id for id in self.targets}
        ids |= {
            key: self._all[at[0].number].id for key, at in self._names.by_key.items()
        }
        close = get_close_matches(fold.key(name), ids, 1, 0.75)
        return [ids[key] for key in close]
