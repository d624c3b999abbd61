"""A site for a class: some terms, measured here, to hand out or to put on a drive.

python examples/glossary_teacher.py [--out out/class] [--full] [TERM ...]

The pages need no network: students open index.html in a browser, on a phone as well.
Needs pip install "keras-lr[page,demos]".
"""

from __future__ import annotations

import argparse

import glossary
from glossary.show import site


def main() -> None:
    """Measure the claims of the chosen terms here, and write their pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["chain rule", "backprop"])
    parser.add_argument("--out", default="out/class")
    parser.add_argument("--full", action="store_true", help="ten seeds, not one")
    arguments = parser.parse_args()

    chosen = [glossary.term(name) for name in arguments.names]
    size = "full" if arguments.full else "fast"
    for term in chosen:
        for evidence in term.demo(size):
            as_before = "as recorded" if evidence.as_documented else "NOT as recorded"
            print(f"{evidence.verdict:12} {as_before}: {evidence.claim.sentence}")

    for path in site.write(arguments.out, site.Site(chosen)):
        print(path)


if __name__ == "__main__":
    main()
