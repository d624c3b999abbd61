"""Ask the glossary for a word, its neighbours, and what holds of what is said."""

from __future__ import annotations

import glossary


def main() -> None:
    term = glossary.term("BN")  # any spelling
    print(term.summary)
    print("near:", ", ".join(other.name for other in term.related))
    print("why does it match?", glossary.search("step size")[0].reason)

    # Each claim is measured here and now.
    for evidence in glossary.term("weight decay").demo():
        print(evidence)

    # What was measured when the package was made, for all terms.
    claims = [claim for other in glossary.terms() for claim in other.claims]
    failed = [c for c in claims if c.recorded and c.recorded.verdict == "failed"]
    print(f"{len(claims)} claims; commonly said, and does not hold:")
    for claim in failed:
        print(f"  {claim.sentence}")


if __name__ == "__main__":
    main()
