import doctest
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_examples_of_the_conventions_are_right():
    failed, tried = doctest.testfile(
        str(DOCS / "conventions.md"), module_relative=False
    )
    assert tried > 5
    assert not failed


def test_the_picture_shows_what_its_labels_say():
    drawn = runpy.run_path(str(DOCS / "conventions.py"))
    ends = {t: s.values(20) for t, (s, _) in drawn["PEERS"].items()}
    zero_first = [t for t, values in ends.items() if values[0] == 0]
    assert len(zero_first) == 4
    assert all(values[9] > 0.02 for values in ends.values())
    ours = drawn["OURS"].values(drawn["RUN"])
    assert (ours[0], ours[2], ours[9]) == (1 / 3, 1.0, 0.0)
