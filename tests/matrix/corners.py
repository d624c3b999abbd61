"""The corners: which versions go together, and which tests each of them runs."""

from __future__ import annotations

from dataclasses import dataclass

NIGHTLY = "nightly"
NEWEST = "newest"


@dataclass(frozen=True)
class Engine:
    """What Keras computes with.

    Attributes:
        backend: What ``KERAS_BACKEND`` calls it.
        distribution: What pip calls it. TensorFlow's is the build without CUDA: the
            same code in a third of the size.
        version: Its release. Those of torch end in ``+cpu``, since without it pip would
            fetch CUDA, three gigabytes of it.
    """

    backend: str
    distribution: str
    version: str


@dataclass(frozen=True)
class Corner:
    """Versions that are installed together.

    Attributes:
        name: What ``--only`` and the table call it.
        python: Major and minor version.
        keras: A release, or ``"nightly"``.
        engine: The engine of Keras, and its release.
        numpy: A release, or ``"newest"`` for what pip chooses.
        extras: Releases of what extras name; the newest of what is not there.
    """

    name: str
    python: str
    keras: str
    engine: Engine
    numpy: str = NEWEST
    extras: tuple[str, ...] = ()


def _tensorflow(version: str) -> Engine:
    return Engine("tensorflow", "tensorflow-cpu", version)


def _jax(version: str) -> Engine:
    return Engine("jax", "jax", version)


def _torch(version: str) -> Engine:
    return Engine("torch", "torch", f"{version}+cpu")


CORNERS = (
    # All of the oldest together.
    Corner("oldest-tensorflow", "3.11", "3.12.0", _tensorflow("2.18.0"), "1.26.0"),
    Corner(
        "oldest-jax",
        "3.11",
        "3.12.0",
        _jax("0.5.0"),
        "1.26.0",
        extras=("matplotlib==3.9.0",),
    ),
    Corner("oldest-torch", "3.11", "3.12.0", _torch("2.6.0"), "1.26.0"),
    # All of the newest together.
    Corner("newest-tensorflow", "3.13", "3.15.1", _tensorflow("2.21.0")),
    Corner("newest-jax", "3.13", "3.15.1", _jax("0.10.2")),
    Corner("newest-torch", "3.13", "3.15.1", _torch("2.15.0")),
    Corner("newest-python", "3.14", "3.15.1", _jax("0.10.2")),
    # Old and new the other way round: what pip makes of an old project.
    Corner(
        "new-keras-old-tensorflow", "3.11", "3.15.1", _tensorflow("2.18.0"), "1.26.0"
    ),
    Corner("new-keras-old-jax", "3.11", "3.15.1", _jax("0.5.0"), "1.26.0"),
    Corner("old-keras-new-tensorflow", "3.13", "3.12.0", _tensorflow("2.21.0")),
    Corner("old-keras-new-jax", "3.13", "3.12.0", _jax("0.10.2")),
    Corner("old-keras-torch", "3.11", "3.12.0", _torch("2.13.0"), "1.26.0"),
    # The releases of Keras in between.
    Corner("keras-3.13", "3.12", "3.13.2", _jax("0.7.2"), "2.1.3"),
    Corner("keras-3.14", "3.12", "3.14.1", _tensorflow("2.20.0"), "2.2.6"),
    # What Keras will be.
    Corner("nightly-tensorflow", "3.13", NIGHTLY, _tensorflow("2.21.0")),
    Corner("nightly-jax", "3.13", NIGHTLY, _jax("0.10.2")),
    Corner("nightly-torch", "3.11", NIGHTLY, _torch("2.13.0")),
)

#: Enough for the tests below, beside the corner's own.
TOOLS = (
    "hypothesis",
    "jinja2",
    "markdown-it-py",
    "matplotlib",
    "mdit-py-plugins",
    "pytest",
    "rich",
    "scikit-learn",
    "shtab",
    "starlette",
    "tqdm",
    "uvicorn",
)

_RATES = "tests/keras_lr/fit/test_rates.py::test_"
_MOMENTUM = "tests/keras_lr/fit/test_momentum.py::test_"

#: The fast part: what depends on Python, NumPy, Keras or its engine, once each.
FAST_PART = (
    # The rate of every update, and momentum.
    f"{_RATES}every_optimizer_updates_at_the_scheduled_rate",
    f"{_RATES}a_weight_moves_by_exactly_the_scheduled_rate",
    f"{_RATES}rates_are_exact_under_steps_per_execution",
    f"{_RATES}gradient_accumulation_counts_updates_not_batches",
    f"{_RATES}rates_are_exact_in_mixed_precision",
    f"{_RATES}a_skipped_update_holds_the_schedule_still",
    f"{_RATES}groups_of_a_multi_optimizer_keep_their_ratios",
    f"{_MOMENTUM}sgd_momentum_swings_in_the_compiled_step",
    f"{_MOMENTUM}adam_beta_1_swings_in_the_compiled_step",
    f"{_MOMENTUM}adamw_decays_by_the_scheduled_rate_and_decay",
    # What callbacks assign and read, Keras' own and those of others.
    "tests/keras_lr/fit/test_written.py",
    "tests/keras_lr/fit/test_clients.py::test_history_csv_and_tqdm_tell_the_last_rate",
    # The step is kept, and a run resumed.
    "tests/keras_lr/fit/test_one_step.py::test_plain_and_scheduled_fits_in_turn_trace_each_step_once",
    "tests/keras_lr/fit/test_resume.py::test_backup_and_restore_works_in_either_order",
    # A sweep, a search, and what looks into a step.
    "tests/keras_lr/finder/test_sweep.py::test_the_losses_are_those_the_updates_were_computed_from[jit]",
    "tests/keras_lr/finder/test_find_lr.py::test_the_model_is_unchanged_and_looks_untouched",
    "tests/keras_lr/test_noise_scale.py::test_of_a_quadratic_it_is_the_known_one",
    "tests/keras_lr/test_cooldowns.py::test_a_fit_does_not_notice_its_branches",
    "tests/keras_lr/test_plateau.py::test_it_cuts_as_keras_callback_does_and_logs_say_so",
    "tests/keras_lr/test_monitor.py::test_a_sample_is_what_its_very_update_was_made_with",
    "tests/keras_lr/test_grouping.py::test_an_update_moves_weights_by_the_rate_of_their_group",
    # The numbers, pictures, and the glossary, which needs no Keras.
    "tests/keras_lr/test_golden.py",
    "tests/keras_lr/presets/test_presets.py",
    "tests/keras_lr/test_plot.py",
    "tests/glossary/test_formula.py",
    "tests/glossary/test_validate.py",
    "tests/glossary/test_terms.py",
)
