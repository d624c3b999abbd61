"""Relations as a graph: links from both sides, and the shortest way along them."""

from __future__ import annotations

from collections import deque

from glossary.errors import NoPath
from glossary.model import INVERSES, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from glossary.model import Term


def links_by_id(terms: Sequence[Term]) -> dict[str, list[Link]]:
    """Links from each term, as it states them and as others imply them."""
    place = {term.id: number for number, term in enumerate(terms)}
    links: dict[str, dict[Link, None]] = {id: {} for id in place}
    for term in terms:
        for relation in term.relations:
            if relation.target in place and relation.kind in INVERSES:
                target = terms[place[relation.target]]
                back = Link(target, INVERSES[relation.kind], term)
                links[term.id][Link(term, relation.kind, target)] = None
                links[target.id][back] = None
    order = {kind: number for number, kind in enumerate(INVERSES)}
    return {
        id: sorted(found, key=lambda x: (order[x.kind], place[x.target.id]))
        for id, found in links.items()
    }


def shortest_path(
    links: Mapping[str, Sequence[Link]], start: Term, end: Term
) -> list[Link]:
    """The fewest links that lead from one term to another.

    Raises:
        NoPath: If none do.
    """
    reached: dict[str, Link | None] = {start.id: None}
    waiting = deque([start.id])
    while waiting and end.id not in reached:
        for link in links[waiting.popleft()]:
            if link.target.id not in reached:
                reached[link.target.id] = link
                waiting.append(link.target.id)
    if end.id not in reached:
        raise NoPath(f"No relations join {start.name!r} to {end.name!r}.")
    steps: list[Link] = []
    step = reached[end.id]
    while step is not None:
        steps.append(step)
        step = reached[step.source.id]
    return steps[::-1]
