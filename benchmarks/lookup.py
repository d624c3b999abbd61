"""How fast the glossary answers: ``python benchmarks/lookup.py``.

Prints the time to import it (beyond starting Python), of the first and of later
lookups, and of searches over 10,000 terms of a plug-in beside the installed ones.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import timeit
from time import perf_counter

TERMS = 10_000
QUESTIONS = (
    "adaptive layer 4711",
    "adaptve layr 4711",
    "bachnorm",
    "learning rate",
    "layer",
    "what is the difference between a sparse gradient and a noisy layer",
    "stop training when the validation loss stops improving",
    "zzzzzzzz",
)
WORDS = [
    "adaptive", "batch", "cyclic", "deep", "dense", "gradient", "hidden", "layer",
    "loss", "mean", "momentum", "network", "noisy", "norm", "optimizer", "output",
    "parameter", "random", "rate", "sparse", "step", "tensor", "update", "weight",
]  # fmt: skip


def main() -> None:
    print(
        f"import glossary          {import_milliseconds():8.2f} ms after Python itself"
    )
    import glossary

    start = perf_counter()
    glossary.term("adam")
    print(f"first lookup, with load  {1e3 * (perf_counter() - start):8.2f} ms")
    for name in ("Adam", "batch normalisation", "Learning-Rates"):
        print(f"lookup {name!r:<24}{microseconds(name):8.2f} us")
    search_many()


def import_milliseconds() -> float:
    """The least of several starts with the import, less the least without."""
    with_import, without = (
        min(seconds(code) for _ in range(15)) for code in ("import glossary", "pass")
    )
    return 1e3 * (with_import - without)


def seconds(code: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - start


def microseconds(name: str) -> float:
    import glossary

    runs = 10_000
    return 1e6 * min(timeit.repeat(lambda: glossary.term(name), number=runs)) / runs


def search_many() -> None:
    import glossary

    print(f"\n{TERMS:,} terms of a plug-in beside the installed ones:")
    terms = [*glossary.terms(), *made_up(random.Random(0))]
    start = perf_counter()
    many = glossary.Glossary.from_terms(terms)
    many.term("adam")
    print(f"  first lookup {perf_counter() - start:8.2f} s")
    start = perf_counter()
    many.search("adam")
    print(f"  first search {perf_counter() - start:8.2f} s, builds the index")
    for question in QUESTIONS:
        times = timeit.repeat(lambda q=question: many.search(q), number=1, repeat=9)
        middle, worst = 1e3 * statistics.median(times), 1e3 * max(times)
        found = many.search(question, limit=1)
        best = found[0].term.name if found else "nothing"
        print(f"  {middle:6.1f} ms (worst {worst:6.1f})  {question!r}: {best}")


def made_up(chance: random.Random) -> list[object]:
    """Terms whose words are common to many of them, as those of one field are."""
    import glossary

    terms: list[object] = []
    for number in range(TERMS):
        text = [" ".join(chance.choices(WORDS, k=n)) for n in (1, 2, 12, 30)]
        term = glossary.Term(
            id=f"made-up-{number}",
            name=f"{text[0]} layer {number}",
            category="training",
            level="beginner",
            summary=f"A {text[2]}.",
            definition=f"{text[3]} {number % 1000}.",
            aliases=(f"{text[1]} {number}",),
        )
        terms.append(term)
    return terms


if __name__ == "__main__":
    main()
