"""Valid values of which some places are wrong: what fuzzing tries.

Noise is refused at the first look. What finds faults is a file or a config that is
right but for one to three places.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import strategies as st

Path = tuple[Any, ...]

#: Would leave a trace if any of it were run, formatted, unpickled or looked up.
TRAPS = (
    "__import__('os').system('touch escaped')",
    "().__class__.__base__.__subclasses__()",
    "{0.__class__.__init__.__globals__}",
    "%(secret)s %s %d %n",
    "!!python/object/apply:os.system ['touch escaped']",
    "!!python/name:os.system",
    "cos\nsystem\n(S'touch escaped'\ntR.",
    "${jndi:ldap://127.0.0.1/a}",
    "os:system",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "__class__",
    "eval",
)
#: Texts at the edge of what readers know.
WORDS = (
    "",
    " ",
    "nan",
    "-inf",
    "1e999",
    "1e-999 epochs",
    "5%",
    "0%",
    "2 epochs",
    "1_0 steps",
    "٣ epochs",
    "Phase",
    "class_name",
    "two",
    "auto",
    "\x00",
    "\ud800",
    "\u202e\u0301",
    "ﬁ",
    "a\nb",
    "\\",
    "'",
    '"""',
)
#: Numbers that are none, or larger than something counts.
NUMBERS = (
    0,
    -1,
    True,
    1,
    2**31,
    2**63,
    10**16,
    10**400,
    -(10**400),
    -0.0,
    0.5,
    1e-320,
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
)
#: Keras makes things of such tables. (Tensors are left out: JAX compiles to make one,
#: which the seal takes for an escape.)
SERIALIZED = (
    {"class_name": "function", "config": "system", "module": "os"},
    {"class_name": "Popen", "config": {"args": "ls"}, "module": "subprocess"},
    {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
    {"class_name": "__numpy__", "config": {"value": [0.5], "dtype": "object"}},
    {"class_name": "Dense", "config": {"units": 1}, "module": "keras.layers"},
    {"class_name": "get_file", "config": {}, "module": "keras.utils"},
    {"class_name": ["a"], "config": None},
)


def _nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


numbers = st.sampled_from(NUMBERS) | st.integers() | st.floats()
texts = st.sampled_from(TRAPS + WORDS) | st.text(max_size=8)
long_texts = st.sampled_from(["9" * 5000, "a" * 5000, "é " * 3000, "[" * 3000])
scalars = st.none() | st.booleans() | numbers | texts | long_texts
poison = st.one_of(
    scalars,
    st.sampled_from(SERIALIZED).map(copy.deepcopy),
    st.sampled_from([[], {}, (), set(), b"bytes", 1j, date(2026, 1, 1), object]),
    st.sampled_from([[[]], [{}], {"": None}, {1: 2}, {None: []}, [None] * 300]),
    st.sampled_from([40, 600]).map(_nested),
    st.lists(scalars, max_size=4),
    st.dictionaries(texts, scalars, max_size=3),
)
#: What a file of JSON or TOML can hold of it.
plain_poison = st.one_of(
    st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | texts | long_texts,
    st.sampled_from([[], {}, [[]], [{}], {"a": {"b": {}}}, [1, "a", []]]),
    st.sampled_from([40, 200]).map(_nested),
)


def paths(value: Any, above: Path = ()) -> list[Path]:
    """All places in a value of lists and dicts, the value itself first."""
    held: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        held = list(value.items())
    elif isinstance(value, list | tuple):
        held = list(enumerate(value))
    every = [above]
    for name, inner in held:
        every += paths(inner, (*above, name))
    return every


def at(value: Any, path: Path) -> Any:
    """What stands at a place."""
    for name in path:
        value = value[name]
    return value


def _lists(value: Any) -> Any:
    """A copy in which lists stand for tuples, so that any place can be changed."""
    if isinstance(value, dict):
        return {name: _lists(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(inner) for inner in value]
    return copy.deepcopy(value)


@st.composite
def mutated(
    draw: st.DrawFn,
    value: Any,
    poisons: st.SearchStrategy[Any] = poison,
    most: int = 2,
) -> Any:
    """A value of which one place, or some, are gone, others, too many or elsewhere."""
    whole = {"": _lists(value)}
    for _ in range(draw(st.integers(1, most))):
        places = paths(whole)[1:]
        if not places:
            break
        path = draw(st.sampled_from(places))
        holder = at(whole, path[:-1])
        name = path[-1]
        elsewhere = at(whole, draw(st.sampled_from(places)))
        holder[name] = _lists(draw(_other(holder[name], elsewhere, poisons)))
        if path != ("",) and draw(st.integers(0, 4)) == 0:
            del holder[name]
    return whole[""]


def _other(
    value: Any, elsewhere: Any, poisons: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    """What may stand in the place of a value."""
    others = [
        poisons,
        st.just([value]),
        st.just({"a": value}),
        st.just(copy.deepcopy(elsewhere)),
        st.just(repr(value)),
    ]
    if isinstance(value, dict):
        key = st.sampled_from([*value, "class_name"]) | texts
        others.append(st.tuples(key, poisons).map(lambda pair: value | dict([pair])))
        others.append(st.just(list(value.items())))
    elif isinstance(value, list):
        others.append(poisons.map(lambda more: [*value, more]))
        others.append(st.just(value * 60))
    elif isinstance(value, str):
        others.append(st.just(value * 200))
        others.append(mutated_text(value))
    elif isinstance(value, int | float):
        others.append(numbers)
    return st.one_of(others)


_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


@st.composite
def mutated_text(draw: st.DrawFn, text: str, most: int = 2) -> str:
    """A text of which some words or marks are gone, doubled, others or elsewhere."""
    tokens = _TOKEN.findall(text) or [""]
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.integers(0, len(tokens) - 1))
        kind = draw(st.integers(0, 7))
        if kind == 0 and len(tokens) > 1:
            del tokens[place]
        elif kind == 1:
            tokens.insert(place, tokens[place])
        elif kind == 2:
            tokens[place] = draw(texts)
        elif kind == 3:
            tokens.insert(place, draw(texts | st.sampled_from("()[]{},=:.*\\#\"'\n")))
        elif kind == 4:
            tokens[place] = str(draw(numbers))[:400]
        elif kind == 5:
            other = draw(st.integers(0, len(tokens) - 1))
            tokens[place], tokens[other] = tokens[other], tokens[place]
        elif kind == 6:
            tokens[place] *= draw(st.sampled_from([2, 40, 800]))
        else:
            tokens = tokens[: place + 1]
    return "".join(tokens)
