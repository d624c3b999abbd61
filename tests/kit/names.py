"""Names of tests."""

from __future__ import annotations

import re


def name_of(value):
    """A representation without places in memory, on which processes must agree."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))
