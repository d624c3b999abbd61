"""What terms link to: each object of Keras and of keras_lr exists."""

from __future__ import annotations

import pytest

import glossary

pytest.importorskip("keras")
pytestmark = pytest.mark.backend


def test_the_api_links_of_installed_terms_exist() -> None:
    from glossary.read import validate

    assert validate.check_terms(glossary.terms(), links=True) == []
