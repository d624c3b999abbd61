"""Ask the glossary: look up, search, follow relations, compute, export.

python examples/glossary_lookup.py
"""

from __future__ import annotations

import glossary
from glossary.show import cards


def main() -> None:
    """Print some answers."""
    term = glossary.term("BN")  # alias, acronym, plural, British spelling: all work
    print(f"{term.name}: {term.summary}\n")

    for match in glossary.search("how do I find a good step size", limit=3):
        print(f"{match.score:.2f}  {match.term.name}: {match.reason}")

    print("\nFrom warm restarts to the batch size:")
    for link in glossary.path("SGDR", "batch size"):
        print(f"  {link}")

    schedule = glossary.term("cosine annealing").formula
    if schedule is not None:
        rates = schedule(min_lr=0.0, max_lr=0.1, steps=4, t=[0, 1, 2, 3, 4])
        print("\nCosine annealing:", [round(rate, 4) for rate in rates])

    try:
        glossary.term("random forest")
    except glossary.UnknownTerm as error:
        print(f"\n{error}")

    basics = glossary.terms(level="beginner")
    print(f"\n{len(basics)} terms of beginners as cards for Anki:")
    print("\n".join(cards.anki(basics).splitlines()[:6]))


if __name__ == "__main__":
    main()
