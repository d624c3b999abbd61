"""Long input: read in a time that grows with its length, and never repeated in full.

Each reader gets inputs of growing length in a process of its own, which may use far
more of a processor than all of them need together, however busy the machine is: what
grows with the square of the length, or faster, does not end within it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Seconds of a processor that a process may use; its readers use a few of them.
ENOUGH = 60

DURATIONS = """
from keras_lr.plan.duration import parse
for text in (
    "9" * n, "9" * n + "a\\nb", "1" + " " * n + "x", "." * n, "1e" + "9" * n,
    "5%" * n, "1 " + "epochs" * n, "-" * n, "\\u0663" * n, "1_" * n,
):
    read(parse, text)
read(parse, int("9" * min(n, 4000)))
"""

SCHEDULES = """
import keras_lr as k
from keras_lr.plan.config import from_config
from keras_lr.cli.written import schedules_in
config = k.Schedule(k.phases.linear(3)).get_config()
phase = config["phases"][0]
for changed in (
    {**config, "phases": [{"part": "x" * n}]},
    {**config, "phases": [{**phase, "curve": "x" * n}]},
    {**config, "phases": "x" * n},
    {**config, "x" * n: 1},
    {**config, **{str(i): i for i in range(n // 10)}},
    {**config, "max_lr": "9" * n},
    {**config, "horizon": "9" * n},
    {**config, "hyperparameter": "x" * n},
    {"phases": [{**phase, "duration": "60%"}] * min(n, 3000)},
):
    read(k.Schedule.from_config, changed)
for text in (
    "Warmup('" + "x" * n + "')", "x" * n, "(" * n, "Warmup(" * n, "-" * n,
    "Warmup(), " * n, "Warmup(" + "x" * (n // 2) + "=1)", "Warmup" + ".a" * n,
    "Schedule(" + "hold(1)," * (n // 10) + ")",
):
    read(schedules_in, text[:9_999])
    read(schedules_in, text)
for name in ("x" * n, "Step" * n):
    read(k.interop.from_torch, name)
read(lambda _: k.interop.from_torch("StepLR", **{"x" * n: 1}), "")
"""

RESULTS = """
from keras_lr.finder.result import LRFinderResult
rates = [0.1] * n
result = LRFinderResult(
    0.01, "trust", "b" * 100, (0.001, 0.1), rates, rates, rates, {}, (), 5
).to_dict()
read(LRFinderResult.from_dict, result)
for changed in (
    {**result, "lrs": ["x" * n]}, {**result, "x" * n: 1},
    {**result, "verdict": "x" * n},
    {**result, "probes": [{"x" * n: 1}]}, {**result, "lrs": rates[:-1] + [None]},
    {**result, **{str(i): 1 for i in range(n)}}, {**result, "suggestions": "x" * n},
):
    read(LRFinderResult.from_dict, changed)
"""

FILES = """
import pathlib, tempfile
from keras_lr.cli.files import described
folder = pathlib.Path(tempfile.mkdtemp())
for ending, content in (
    (".toml", "schedules = " + "[" * n), (".toml", "x" * n),
    (".toml", "a." * n + "b=1"), (".toml", "a." * 3_000 + "b=1"),
    (".toml", '"' + "x" * n + '" = 1\\nschedules = []'),
    (".toml", "schedules = '" + "x" * n + "'"),
    (".yaml", "[" * n), (".yaml", "[" * 19_000), (".yaml", "x" * n),
    (".yaml", "schedules: " + "x" * n),
    (".yaml", "!!python/object/apply:os.system ['" + "x" * n + "']"),
):
    path = folder / f"a{ending}"
    path.write_text(content)
    read(described, str(path))
"""

TERMS = """
import json, pathlib, tempfile
from glossary.read import load
from tests.glossary.conftest import RECORD
folder = pathlib.Path(tempfile.mkdtemp())
def told(path):
    for problem in load.check_files([path]).problems:
        assert len(str(problem)) <= 1000, len(str(problem))
for ending, content in (
    (".toml", "x" * n), (".toml", "a = " + "[" * n),
    (".toml", "a." * min(n, 3000) + "b=1"),
    (".toml", "a = '" + "x" * n), (".toml", '"' + "x" * n + '" = 1'),
    (".toml", "[a]\\n" * 2),
    (".json", "[" * n), (".json", '{"a": ' * n), (".json", json.dumps({"x" * n: 1})),
    (".json", json.dumps({**RECORD, "name": "x" * n})),
    (".json", json.dumps({**RECORD, "name": "drop out " * (n // 10)})),
    (".json", json.dumps({**RECORD, "aliases": ["x" * 30] * (n // 100)})),
    (".json", json.dumps({**RECORD, "definition": "[[" * (n // 2)})),
    (".json", json.dumps({**RECORD, "summary": "is a. " * (n // 6)})),
    (".json", json.dumps({**RECORD, "formula": {"latex": "{" * n}})),
    (".json", json.dumps({**RECORD, "formula": {"latex": "x", "expression": "(" * n}})),
    (".json", json.dumps({**RECORD, "references": [{"title": "x" * n,
    "arxiv": "9" * n}]})),
):
    path = folder / f"a{ending}"
    path.write_text(content)
    told(path)
    read(lambda path: load.read_checked([path]), path)
read(load.from_json, json.dumps({"terms": [{}] * min(n, 1_000)}))
read(load.from_json, "[" * n)
"""

QUESTIONS = """
import glossary
from glossary import formula
n //= 2
for text in (
    "x" * n, "train" + "ing" * n, "step size " * (n // 10), "s" * n, "-" * n,
    "\\u0301" * n,
    "'s " * (n // 3), "o" * n + "our", "\\ufb01" * n, "adam" * n, "9 " * (n // 2),
    "a.b" * n,
    " ".join(map(str, range(n // 7))),
):
    matches = glossary.search(text)
    assert all(len(match.reason) < 1000 for match in matches)
    read(glossary.term, text)
    read(lambda text: glossary.path(text, "adam"), text)
for text in ("(" * n, "x" * n, "x=" * n, "-" * n, "x+" * n + "1", "\\n" * n, "9" * n):
    read(formula.names, text)
    read(formula.names, text[:1_999])
read(lambda _: formula.call("x", ["x"], {"x": "9" * n}), "")
read(lambda _: formula.call("x", ["x"], {"x" * n: 1}), "")
read(lambda _: formula.call("sum(x)", ["x"], {"x": [0.1] * n}), "")
"""

READ = """
def read(reader, given):
    \"\"\"It is understood, or refused with a message that can be read.\"\"\"
    try:
        reader(given)
    except (ValueError, TypeError, LookupError) as error:
        message = str(error)
        assert 20 < len(message) <= {longest}, (len(message), message[:300])

import resource
resource.setrlimit(resource.RLIMIT_CPU, ({enough}, {enough}))
for n in (1_000, 30_000):
"""

#: What is read in one process, and how long a message may be.
READERS = {
    "schedules": (DURATIONS + SCHEDULES + RESULTS + FILES, 1000),
    # One sentence for each of the first eight problems.
    "terms": (TERMS, 8000),
    "questions": (QUESTIONS, 1000),
}


@pytest.mark.parametrize(("readers", "longest"), READERS.values(), ids=READERS)
def test_long_input_takes_no_more_than_its_share_of_time(readers, longest):
    loop = READ.format(longest=longest, enough=ENOUGH)
    program = loop + readers.replace("\n", "\n    ")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
