"""Schedules in files: TOML, or YAML where PyYAML is installed."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_lr.cli.names import CALLABLES, call
from keras_lr.cli.written import check_schedule, schedules_in
from keras_lr.outlook import Outlook
from keras_lr.plan.words import cut, listed, naming, received, shown

#: How a file's name may end.
ENDINGS = (".toml", ".yaml", ".yml")
#: Characters that a file may have. Parsers of TOML and YAML are not linear in all they
#: read: a key of 30,000 parts takes a quarter of a minute.
LONGEST = 20_000
#: What a file may say.
KEYS = ("schedules", "epochs", "steps_per_epoch", "base_lr")


@dataclass(frozen=True)
class Described:
    """Schedules, and the run that they are for as far as it is known.

    Attributes:
        schedules: At least one.
        epochs: Epochs of the run.
        steps_per_epoch: Updates of an epoch.
        base_lr: The optimizer's own rate.
    """

    schedules: list[Outlook]
    epochs: float | None = None
    steps_per_epoch: float | None = None
    base_lr: float | None = None


def described(text: str) -> Described:
    """What a text describes: a file by its name, or schedules as in Python.

    Raises:
        OSError: If there is no such file.
        TypeError: If something is of another type.
        ValueError: If something is not as it must be.
    """
    if not text.strip().lower().endswith(ENDINGS):
        return Described(schedules_in(text))
    path = Path(text.strip())
    with naming(path.name):
        told = _parsed(path)
        unknown = [key for key in told if key not in KEYS]
        if unknown or "schedules" not in told:
            raise ValueError(
                f"A file must have `schedules`, and may have {', '.join(KEYS[1:])}. "
                f"Received: {listed(told) or 'nothing'}."
            )
        run = {key: told.get(key) for key in KEYS[1:]}
        return Described(_schedules(told["schedules"]), **run)


def _parsed(path: Path) -> Mapping[str, Any]:
    content = path.read_text("utf-8")
    if len(content) > LONGEST:
        raise ValueError(
            f"A file of schedules must have at most {LONGEST} characters. Received: "
            f"{len(content)}. Write them in Python."
        )
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(content)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            # Which says line and column, but for brackets in brackets in brackets.
            raise ValueError(f"The file is no TOML: {cut(str(error), 300)}.") from None
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise ImportError(
            "Reading YAML needs PyYAML: pip install pyyaml. Or write it as TOML."
        ) from None
    try:
        told = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"The file is no YAML: {cut(str(error), 300)}.") from None
    if not isinstance(told, Mapping):
        raise ValueError(f"A file must be a mapping. Received: {shown(told)}.")
    return told


def _schedules(entries: Any) -> list[Outlook]:
    if isinstance(entries, str | Mapping):
        entries = [entries]
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            "`schedules` must be one or several, each a text as in Python or a table "
            f"with its name. {received(schedules=entries)}"
        )
    schedules: list[Outlook] = []
    for entry in entries:
        if isinstance(entry, str):
            schedules += schedules_in(entry)
        else:
            one = _made(entry)
            check_schedule(one)
            schedules.append(one)
    return schedules


def _made(entry: Any) -> Any:
    """What a table stands for: ``name``, ``from`` another library, and arguments."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError(
            "A schedule in a file is a table with its `name`, and `from` where it is "
            f"another library's. Received: {shown(entry)}."
        )
    rest = {str(key): value for key, value in entry.items()}
    name = rest.pop("name")
    peer = rest.pop("from", None)
    if peer is not None:
        keywords = {key: _of_peer(value) for key, value in rest.items()}
        return call(f"from_{peer}", [name], keywords, f"for `from` {shown(peer)}")
    phases = rest.pop("phases", [])
    arguments = [_argument(phase) for phase in phases]
    keywords = {key: _argument(value) for key, value in rest.items()}
    return call(name, arguments, keywords, "as `name`")


def _argument(value: Any) -> Any:
    """An argument of ours, in which a table with a known name is a phase."""
    if isinstance(value, list):
        return [_argument(each) for each in value]
    if isinstance(value, Mapping) and value.get("name") in CALLABLES:
        return _made(value)
    return value


def _of_peer(value: Any) -> Any:
    """An argument of another library, in which a table is a schedule of its own."""
    if isinstance(value, list):
        return [_of_peer(each) for each in value]
    if isinstance(value, Mapping) and "name" in value:
        rest = {key: _of_peer(each) for key, each in value.items()}
        return rest.pop("name"), rest
    return value
