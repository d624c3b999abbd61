"""Keras' own tests with a constant schedule in every fit, against a plain run.

``make keras-tests``, or for one backend ``KERAS_BACKEND=jax python -m
tests.keras_own.compare``. All tests are run plainly once, which tells those that lead
to a fit. These are run again with ``Function(lambda step: 1.0)`` as the last callback
of each fit. A schedule adds ``learning_rate`` to the logs, and some of Keras' tests
compare all keys of logs: what ends otherwise is run a third time, with that key taken
away before a callback sees it. Any test that still ends otherwise is a fault of ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

ROOT = Path(__file__).parents[2]
#: Below the sources of Keras.
WANTED = (
    "models/model_test.py",
    "callbacks/*_test.py",
    "trainers/*_test.py",
    f"backend/{keras.backend.backend()}/trainer_test.py",
)
#: torch.compile takes minutes for what these compare among themselves.
LEFT_OUT = {"torch": ("-k", "not jit or non_jit")}
NO_TESTS = """\
Keras {version} ships no tests. Put those of its tag beside its sources:
  git clone --depth 1 --branch v{version} https://github.com/keras-team/keras /tmp/keras
  git -C /tmp/keras archive HEAD keras/src | tar -x -C {site} --wildcards '*_test.py'"""


@dataclass(frozen=True)
class Outcome:
    """How a test ended.

    Attributes:
        word: "passed", "failed", "skipped", "not collected" (of a file), or "not run".
        fits: Fits that it began.
    """

    word: str
    fits: int


Outcomes = dict[str, Outcome]


@dataclass(frozen=True)
class Comparison:
    """The runs of the same tests.

    Attributes:
        plain: All tests.
        scheduled: Those that lead to a fit, with a schedule in each.
        unlogged: Those of them that ended otherwise, again, without the extra key.
    """

    plain: Outcomes
    scheduled: Outcomes
    unlogged: Outcomes

    @property
    def by_the_key(self) -> list[str]:
        """Tests that only see the extra key."""
        return [test for test in self.unlogged if test not in self.otherwise]

    @property
    def otherwise(self) -> list[str]:
        """Tests that a schedule makes end otherwise."""
        return differing(self.plain, self.unlogged)


def differing(plain: Outcomes, others: Outcomes) -> list[str]:
    return [test for test, outcome in others.items() if outcome != plain[test]]


def run(
    files: Sequence[Path], root: Path, mode: str, only: Sequence[str], *options: str
) -> Outcomes:
    """How tests end.

    Args:
        files: Of tests, or folders.
        root: What their names begin at.
        mode: One of ``plugin.MODES``.
        only: Names of tests; all that there are where it is empty.
        options: For pytest.
    """
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "outcomes.json"
        names = Path(folder) / "names"
        names.write_text("\n".join(only))
        command = [sys.executable, "-m", "pytest", "-p", "tests.keras_own.plugin"]
        command += [f"--fits={mode}", f"--outcomes={outcomes}"]
        if only:
            command.append(f"--only={names}")
        # None of our settings: Keras' tests warn of much, and are not collected all.
        command += ["-c", "/dev/null", f"--rootdir={root}", "-p", "no:cacheprovider"]
        command += ["-q", "-W", "ignore", "--tb=no", "--continue-on-collection-errors"]
        command += [*options, *map(str, files)]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        # Tests that fail are an outcome as well; anything else is not.
        if code not in (0, 1):
            sys.exit(f"pytest broke off with {code}: {' '.join(command)}")
        found = json.loads(outcomes.read_text())
    wanted = only or sorted(found)
    return {test: Outcome(*found.get(test, ("not run", 0))) for test in wanted}


def compare(files: Sequence[Path], root: Path, *options: str) -> Comparison:
    """Run tests plainly, with a schedule, and where that differs without its key."""
    plain = run(files, root, "plain", (), *options)
    fitting = [test for test, outcome in plain.items() if outcome.fits]
    scheduled = run(files, root, "scheduled", fitting, *options) if fitting else {}
    others = differing(plain, scheduled)
    unlogged = run(files, root, "unlogged", others, *options) if others else {}
    return Comparison(plain, scheduled, unlogged)


def counted(outcomes: Iterable[Outcome]) -> str:
    words = Counter(outcome.word for outcome in outcomes)
    return ", ".join(f"{number} {word}" for word, number in sorted(words.items()))


def summary(found: Comparison) -> str:
    """A table of the runs, and the names of what differs or never passes."""
    selected = [found.plain[test] for test in found.scheduled]
    fits = sum(outcome.fits for outcome in selected)
    lines = [
        f"Keras {keras.__version__} on {keras.backend.backend()}",
        f"  all tests, plainly         {counted(found.plain.values())}",
        f"  selected: lead to a fit    {len(selected)}, with {fits} fits",
        f"  selected, plainly          {counted(selected)}",
        f"  selected, with a schedule  {counted(found.scheduled.values())}",
        f"  differ                     {len(found.unlogged)}",
        f"  by the extra key only      {len(found.by_the_key)}",
        f"  otherwise                  {len(found.otherwise)}",
    ]
    never = [test for test in found.scheduled if found.plain[test].word != "passed"]
    uncollected = [
        test for test, outcome in found.plain.items() if outcome.word == "not collected"
    ]
    lines += named("They see the extra key:", found.by_the_key)
    lines += named("They end otherwise with a schedule:", found.otherwise)
    lines += named("They do not pass without a schedule either:", never)
    lines += named("They cannot be imported:", uncollected)
    return "\n".join(lines)


def named(head: str, tests: Sequence[str]) -> list[str]:
    return [head, *(f"  {test}" for test in tests)] if tests else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default="2", help="processes that share the tests")
    jobs = parser.parse_args().jobs
    sources = Path(keras.__file__).parent / "src"
    files = [path for wanted in WANTED for path in sorted(sources.glob(wanted))]
    if not files:
        site = sources.parents[1]
        print(NO_TESTS.format(version=keras.__version__, site=site), file=sys.stderr)
        return 2
    options = LEFT_OUT.get(keras.backend.backend(), ())
    found = compare(files, sources, "-n", jobs, "--dist", "worksteal", *options)
    print(summary(found))
    return 0 if found.scheduled and not found.otherwise else 1


if __name__ == "__main__":
    sys.exit(main())
