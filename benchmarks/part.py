"""One part on one backend, in a process of its own: started by ``benchmarks/run.py``.

    KERAS_BACKEND=jax python -m benchmarks.part steps default FILE

It writes its figures into the file as JSON. With ``--gpu`` it fails where the backend
has none.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, to_json


def measured(part: str, size: str) -> list[Figure]:
    """What a part measures."""
    module = importlib.import_module(f"benchmarks.parts.{part}")
    figures: list[Figure] = module.measure(size)
    return figures


def gpu() -> str:
    """Name of the GPU that the backend uses.

    Raises:
        RuntimeError: If it uses none.
    """
    import keras

    backend = keras.backend.backend()
    names = {"jax": _of_jax, "tensorflow": _of_tensorflow, "torch": _of_torch}[
        backend
    ]()
    if not names:
        raise RuntimeError(
            f"A part with --gpu needs one that {backend} can use. Received: none. "
            "Install the build of it for your GPU, or leave --gpu out."
        )
    return names[0]


def _of_jax() -> list[str]:
    import jax

    return [device.device_kind for device in jax.devices() if device.platform != "cpu"]


def _of_tensorflow() -> list[str]:
    import tensorflow

    config: Any = tensorflow.config
    details = [
        config.experimental.get_device_details(device)
        for device in config.list_physical_devices("GPU")
    ]
    return [detail.get("device_name", "a GPU") for detail in details]


def _of_torch() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(0)] if torch.cuda.is_available() else []


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure one part of the benchmark.")
    parser.add_argument("part")
    parser.add_argument("size")
    parser.add_argument("file", type=Path)
    parser.add_argument("--gpu", action="store_true")
    options = parser.parse_args()
    name = gpu() if options.gpu else ""
    figures = json.loads(to_json(measured(options.part, options.size)))
    options.file.write_text(json.dumps({"accelerator": name, "figures": figures}))


if __name__ == "__main__":
    main()
