"""A page for a class: some terms, measured here, in one file to hand out.

python examples/glossary_teacher.py [--out out/class] [TERM ...]

The file needs no network. Students open it in a browser, on a phone as well.
"""

from __future__ import annotations

import argparse

import glossary
from glossary import page


def main() -> None:
    """Measure the claims of the chosen terms, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["batch size", "backprop"])
    parser.add_argument("--out", default="out/class")
    parser.add_argument("--full", action="store_true", help="ten seeds, not one")
    arguments = parser.parse_args()

    chosen = [glossary.term(name) for name in arguments.names]
    evidence = {}
    for term in chosen:
        for claim in term.claims:
            found = claim.check("full" if arguments.full else "fast")
            evidence[claim.id] = found
            print(f"{found.verdict:12} {claim.sentence}")

    path = page.write(arguments.out, chosen, evidence)
    print(f"\n{path}: {len(chosen)} terms, {len(evidence)} claims")


if __name__ == "__main__":
    main()
