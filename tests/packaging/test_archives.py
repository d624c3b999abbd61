"""Wheel and sdist. ``make wheel`` installs the sdist as well, and adds a backend."""

from __future__ import annotations

import dataclasses
import zipfile

import pytest

from tests.packaging import archives, checks
from tests.packaging.__main__ import shows
from tests.packaging.installations import installation


# Two long tests rather than many short ones: processes share tests one by one, and each
# would build archives and an environment of its own.
def test_wheel_and_sdist_hold_the_same_files_of_the_working_tree(tmp_path):
    built = archives.build(tmp_path / "dist")
    checks.the_wheel_holds_the_packages_and_nothing_else(built)
    checks.the_wheel_is_small(built)
    checks.twine_has_nothing_to_say(built)
    checks.the_sdist_builds_the_same_wheel(built, tmp_path / "again")
    # The control: a wheel with a file less, or one more, is told.
    lacking = tmp_path / built.wheel.name
    with zipfile.ZipFile(lacking, "w") as copy:
        for name, content in archives.files_of_wheel(built.wheel).items():
            if name != "glossary/schema.json":
                copy.writestr(name, content)
    with pytest.raises(AssertionError, match=r"differ by \['glossary/schema\.json'\]"):
        checks.the_wheel_holds_the_packages_and_nothing_else(
            dataclasses.replace(built, wheel=lacking)
        )


def test_the_wheel_works_in_an_environment_with_nothing_else(tmp_path):
    built = archives.build(tmp_path / "dist")
    installed = installation(tmp_path / "environment", built.wheel)
    checks.requirements_are_met(installed)
    checks.no_tests_or_documents_came_along(installed)
    checks.the_glossary_works_without_a_backend(installed)
    checks.keras_lr_without_a_backend_leaves_the_word_to_keras(installed)


def test_a_check_that_fails_without_a_word_does_not_hold(capsys):
    def fails():
        raise AssertionError

    assert not shows(fails)
    assert capsys.readouterr().out == "  no fails (0 s)\n      AssertionError: \n"
