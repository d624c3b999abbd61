from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from hypothesis import settings

# Machines are shared: no deadline, and the same examples everywhere.
settings.register_profile("here", deadline=None, derandomize=True)
settings.load_profile("here")
