from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

from hypothesis import settings

# Machines are shared: no deadline, and the same examples everywhere.
settings.register_profile("here", deadline=None, derandomize=True)
settings.load_profile("here")
