"""Search with two workers and be interrupted; say what became of the model.

Usage: python -m tests.kit.search_and_stop FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras_lr
from tests.kit.sweeps import assert_same, everything
from tests.kit.workers import pool_of, rows, told

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "slow").touch()
    model = told(folder, run_eagerly=True)
    x, y = rows()
    model.fit(x[:32], y[:32], verbose=0)
    before = everything(model)
    with pool_of(2) as pool:
        try:
            keras_lr.find_lr(
                model, x, y, batch_size=8, budget=240, runner=pool, verbose=0
            )
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            assert_same(everything(model), before)
            print("restored", flush=True)
    print("ended", flush=True)
