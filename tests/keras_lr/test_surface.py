import ast
import dataclasses
import importlib
import inspect
import sys
import types
from pathlib import Path

import keras
import pytest

import keras_lr
from keras_lr import arguments, phases, presets
from keras_lr.fit import keras_names
from keras_lr.plan import curves, duration, parts
from tests.kit.names import schedules

PUBLIC = [
    "BatchSizesResult",
    "Cooldown",
    "CosineDecay",
    "CosineRestarts",
    "CyclicalLR",
    "ExponentialDecay",
    "Finding",
    "FlatCosine",
    "Function",
    "GradientNoiseScale",
    "GroupRates",
    "InverseSqrt",
    "InverseTimeDecay",
    "LRFinder",
    "LRFinderResult",
    "LinearDecay",
    "NoiseScaleResult",
    "OneCycle",
    "PiecewiseConstant",
    "PiecewiseLinear",
    "Plateau",
    "PolynomialDecay",
    "RateMonitor",
    "RayRunner",
    "Report",
    "Rex",
    "Schedule",
    "StepDecay",
    "Warmup",
    "WarmupCosine",
    "WarmupLinear",
    "WarmupStableDecay",
    "combine",
    "cooldown",
    "curves",
    "find_lr",
    "group_rates",
    "groups",
    "interop",
    "lint",
    "phases",
    "restored",
    "scale_length",
    "scale_lr",
]
SCHEDULES = schedules()
METHODS = ["values", "at", "momentum_values", "plot", "as_keras_schedule", "get_config"]


def test_the_public_surface_is_this():
    assert keras_lr.__all__ == PUBLIC


def test_the_public_surface_is_sorted():
    assert keras_lr.__all__ == sorted(keras_lr.__all__)


def test_every_public_name_is_there():
    assert all(hasattr(keras_lr, name) for name in PUBLIC)


def test_no_other_name_leaks():
    names = {
        name
        for name, value in vars(keras_lr).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert names <= set(PUBLIC)


def test_the_presets_are_all_public():
    assert set(presets.__all__) == set(SCHEDULES) - {"Schedule", "Plateau"}


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_a_keras_callback(name):
    schedule = getattr(keras_lr, name)
    assert issubclass(schedule, keras_lr.Schedule)
    assert issubclass(schedule, keras.callbacks.Callback)
    assert all(callable(getattr(schedule, method)) for method in METHODS)


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_documented(name):
    assert inspect.getdoc(getattr(keras_lr, name))


@pytest.mark.parametrize("name", [n for n in SCHEDULES if n != "Schedule"])
def test_every_argument_of_a_preset_is_explained(name):
    preset = getattr(keras_lr, name)
    shared = set(arguments.DEFAULTS)
    own = set(inspect.signature(preset).parameters) - shared
    text = inspect.getdoc(preset)
    missing = {argument for argument in own if f"    {argument}:" not in text}
    if name in ("OneCycle", "CyclicalLR"):
        assert not missing
    assert missing <= {"max_lr"}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_signature_lists_what_all_schedules_share_with_its_defaults(name):
    schedule = getattr(keras_lr, name)
    parameters = inspect.signature(schedule).parameters
    assert {"max_lr", *arguments.DEFAULTS} <= set(parameters)
    for shared, default in arguments.DEFAULTS.items():
        assert parameters[shared].default == default
        assert f"{shared}:" in inspect.getdoc(arguments.Common)
    assert "common" not in parameters


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_argument_that_no_schedule_has_is_refused_by_its_name(name):
    first = {"Function": [float], "PiecewiseConstant": [[3], [1, 0.5]]}
    first |= {"PiecewiseLinear": [[(0, 1.0)]], "Schedule": [phases.hold()]}
    with pytest.raises(TypeError, match=rf"^{name} has no argument `warmpu`\. It take"):
        getattr(keras_lr, name)(*first.get(name, []), warmpu=3)


def test_a_schedule_of_ones_own_has_the_signature_that_it_writes():
    class Mine(keras_lr.OneCycle):
        def __init__(self, peak):
            super().__init__(max_lr=peak, warmup=3)

    assert list(inspect.signature(Mine).parameters) == ["peak"]
    assert Mine(0.5).max_lr == 0.5
    with pytest.raises(ValueError, match=r"`warmup` must not be negative"):
        type("Yours", (keras_lr.OneCycle,), {})(warmup=-3)


def test_nothing_that_goes_into_a_config_is_a_data_class():
    classes = [getattr(keras_lr, name) for name in SCHEDULES]
    made = [phases.linear(3), phases.hold(), phases.function(float)]
    made += [phases.repeat(phases.cosine(3, to=0.0, start=1.0))]
    for cls in [*classes, *map(type, made), parts.Points]:
        assert not any(dataclasses.is_dataclass(each) for each in cls.__mro__)
        assert not hasattr(cls, "__attrs_attrs__")


def test_a_phase_cannot_be_changed():
    phase = phases.linear(3)
    with pytest.raises(AttributeError, match=r"cannot be changed.*duration=4.*another"):
        phase.duration = 4
    assert phase == phases.linear(3) != phases.linear(4)


def test_the_version_is_a_version():
    assert all(part.isdigit() for part in keras_lr.__version__.split("."))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("module", [curves, duration, phases])
def test_the_mathematics_imports_no_keras(module):
    third_party = {
        name.split(".")[0]
        for name in imports_of(Path(module.__file__))
        if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert third_party <= {"numpy", "keras_lr"}


def test_the_package_never_imports_the_glossary_but_for_its_demos():
    package = Path(keras_lr.__file__).parent
    for path in package.rglob("*.py"):
        names = [name for name in imports_of(path) if name.startswith("glossary")]
        if path.parent == package / "demos":
            assert all(name.startswith("glossary.lab") for name in names), path
        else:
            assert names == [], path


def test_only_one_file_imports_matplotlib_and_only_when_it_draws():
    package = Path(keras_lr.__file__).parent
    for path in package.rglob("*.py"):
        drawn = any(name.startswith("matplotlib") for name in imports_of(path))
        assert drawn == (path.name == "plot.py")
    body = ast.parse((package / "plot.py").read_text()).body
    assert not any("matplotlib" in ast.unparse(n) for n in body if is_import(n))


def is_import(node):
    return isinstance(node, ast.Import | ast.ImportFrom)


def test_importing_it_again_is_harmless():
    assert importlib.import_module("keras_lr") is keras_lr


def test_undocumented_names_of_keras_stand_in_two_files():
    contracts = {**keras_names.CONTRACT, **keras_names.INSTANCE_CONTRACT}
    names = {name for some in contracts.values() for name in some if name[0] == "_"}
    names |= {"train_function", "make_train_function", "jax_state_sync", "_jax_state"}
    package = Path(keras_lr.__file__).parent
    for path in package.rglob("*.py"):
        if path.name not in ("keras_names.py", "keras_data.py"):
            tree = ast.walk(ast.parse(path.read_text()))
            used = {node.attr for node in tree if isinstance(node, ast.Attribute)}
            assert not used & names, path
