"""What must hold of wheel, sdist and their installations: the one place that says it.

Each function takes what it looks at and raises AssertionError where it does not hold;
``make wheel`` runs all of them, the tests those that take seconds.
"""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from tests.packaging import archives
from tests.packaging.archives import Archives
from tests.packaging.installations import Installation

#: Trains three updates, and says the rates of them.
TRAINS = """
import keras, numpy, keras_lr
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.5), "mse")
schedule = keras_lr.LinearDecay()
x = numpy.ones((12, 2))
model.fit(x, x[:, :1], batch_size=4, callbacks=[schedule], verbose=0)
print(*(round(float(rate), 4) for rate in schedule.values(3, base_lr=0.5)))
"""
BACKENDS = ("tensorflow", "jax", "torch")


def the_wheel_holds_the_packages_and_nothing_else(built: Archives) -> None:
    """All files of both, byte for byte, and no tests, documents or examples."""
    held = archives.files_of_wheel(built.wheel)
    about = {name for name in held if name.split("/")[0].endswith(".dist-info")}
    wanted = archives.files_of_packages()
    packed = held.keys() - about
    assert packed == wanted, f"differ by {sorted(packed ^ wanted)}"
    for name in wanted:
        assert held[name] == (archives.ROOT / name).read_bytes(), name
    for pattern in archives.NEEDED:
        assert any(fnmatch(name, pattern) for name in held), f"no {pattern}"


def the_wheel_is_small(built: Archives) -> None:
    """Below the limit."""
    size = built.wheel.stat().st_size
    limit = archives.LARGEST_WHEEL
    assert size < limit, f"the wheel has {size} bytes, above {limit}"


def the_sdist_builds_the_same_wheel(built: Archives, folder: Path) -> None:
    """To the byte, and it has what its tests need."""
    again = archives.wheel_of(built.sdist, folder)
    assert again.name == built.wheel.name
    assert archives.files_of_wheel(again) == archives.files_of_wheel(built.wheel)
    missing = set(archives.BESIDE) - archives.folders_of_sdist(built.sdist)
    assert not missing, f"the sdist lacks {sorted(missing)}"


def twine_has_nothing_to_say(built: Archives) -> None:
    """Metadata are whole, and the README can be shown."""
    command = [sys.executable, "-m", "twine", "check", "--strict"]
    ran = subprocess.run(
        [*command, built.wheel, built.sdist], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def requirements_are_met(installed: Installation) -> None:
    """And none of the extras came along."""
    installed.answer("python", "-m", "pip", "check")
    extras = {"matplotlib", "sklearn", "jinja2", "starlette", *BACKENDS}
    assert not extras & installed.packages()


def no_tests_or_documents_came_along(installed: Installation) -> None:
    """In site-packages there are the two packages, not what lies beside them."""
    there = installed.packages()
    assert set(archives.PACKAGES) <= there
    strangers = {"tests", "docs", "examples", "benchmarks"} & there
    assert not strangers, f"site-packages has {sorted(strangers)}"


def the_glossary_works_without_a_backend(installed: Installation) -> None:
    """Imported without NumPy or Keras, checked, and asked; terms of both packages."""
    code = "import glossary, sys; print({'numpy', 'keras'} & set(sys.modules))"
    assert installed.python(code) == "set()"
    assert "Adam" in installed.answer("glossary", "show", "adam")
    assert "one-cycle" in installed.answer("glossary", "list").lower()
    checked = installed.run("glossary", "check")
    assert checked.returncode == 0, checked.stderr
    # Where programs do not read it.
    assert "0 errors, 0 warnings" in checked.stderr, checked.stderr


def keras_lr_without_a_backend_leaves_the_word_to_keras(
    installed: Installation,
) -> None:
    """The import fails with Keras' own sentence, not with one of ours."""
    ran = installed.run("python", "-c", "import keras_lr")
    assert ran.returncode != 0
    said = ran.stderr.strip().splitlines()[-1]
    plain = installed.run("python", "-c", "import keras")
    assert said == plain.stderr.strip().splitlines()[-1]
    assert "ModuleNotFoundError" in said, said


def keras_lr_trains(installed: Installation) -> None:
    """With JAX beside it."""
    installed.install("jax")
    installed.answer("python", "-m", "pip", "check")
    code = f"import os; os.environ['KERAS_BACKEND'] = 'jax'\n{TRAINS}"
    assert installed.python(code) == "0.5 0.25 0.0"
    assert "usage: keras-lr" in installed.answer("keras-lr", "--help")
    run = ("--epochs", "1", "--steps-per-epoch", "3", "--csv")
    values = installed.answer("keras-lr", "values", "LinearDecay()", *run)
    assert values.split() == ["update,learning_rate", "0,1.0", "1,0.5", "2,0.0"]
