import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.finder.climb import Seen, climb, point_of
from keras_lr.finder.runners import TRIES, Crew
from tests.kit.gan import GAN, images
from tests.kit.sweeps import assert_same, everything, model_of
from tests.kit.workers import Own, pool_of, rows, told

BACKEND = keras.backend.backend()
backend = pytest.mark.backend
on_one_backend = pytest.mark.skipif(BACKEND != "jax", reason="the same on all backends")
DOCS = Path(__file__).parents[3] / "docs"


def find(model, *given, **options):
    given = given or rows()
    options = {"batch_size": 8, "budget": 240, "verbose": 0, **options}
    return keras_lr.find_lr(model, *given, **options)


# The answer.


@backend
def test_the_answer_is_that_of_this_process_though_a_worker_dies(tmp_path):
    # A worker more takes seconds to begin; who is sent what is the same on all.
    dies = BACKEND == "jax"
    model = told(tmp_path)
    x, y = rows()
    model.fit(x[:32], y[:32], verbose=0)
    before = everything(model)
    schedule = keras_lr.OneCycle()
    here = find(model, schedule=schedule)
    assert_same(everything(model), before)
    if dies:
        (tmp_path / "death-0").touch()
    with pool_of(1) as pool:
        there = find(model, schedule=schedule, runner=pool)
        assert bool(pool._broken) == dies
    assert not list(tmp_path.iterdir())
    assert here.verdict == "trust"
    assert there.to_dict() == here.to_dict()
    assert_same(everything(model), before)


@backend
@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["generator", "doubtful", "sizes", "tf.data", "groups"]
)
def test_the_answer_is_the_same_with(kind):
    x, y = rows()
    options = {}
    optimizer = "adam"

    def data():
        return x, y

    if kind == "generator":

        def data():
            return (iter([(x[i : i + 8], y[i : i + 8]) for i in range(0, 400, 8)]),)

    if kind == "doubtful":
        # Targets that owe nothing to the inputs: those of other rows are looked at.
        other = np.random.default_rng(5).normal(size=y.shape).astype("float32")

        def data():
            return x, other

    if kind == "sizes":
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True)
        options = {"batch_size": [4, 16], "sample_weight": np.linspace(0, 2, 400)}
    if kind == "tf.data":
        tf = pytest.importorskip("tensorflow")

        def data():
            return (tf.data.Dataset.from_tensor_slices((x, y)).batch(7),)

    model = model_of(optimizer, dropout=0.2, metrics=["mae"])
    if kind == "groups":
        first = model.layers[0].name
        adam = keras.optimizers.Adam(0.01)
        model.compile(keras_lr.groups(model, {first: 0.1}, optimizer=adam), "mse")
    here = find(model, *data(), **options)
    with pool_of(1) as pool:
        there = find(model, *data(), runner=pool, **options)
    assert there.to_dict() == here.to_dict()


@backend
@pytest.mark.slow
def test_a_worker_imports_what_is_registered_with_keras():
    model = keras.Sequential([keras.Input((4,)), Own(1)])
    model.compile("adam", "mse")
    here = find(model)
    with pool_of(1) as pool:
        assert find(model, runner=pool).to_dict() == here.to_dict()


@backend
@pytest.mark.slow
def test_a_pool_serves_one_search_after_another_and_shows_the_same(capsys):
    model = model_of()
    find(model, verbose=1)
    here = capsys.readouterr().out
    with pool_of(2) as pool:
        for _ in range(2):
            find(model, verbose=1, runner=pool)
            there = capsys.readouterr().out
            # All but the time, at the end.
            assert there.splitlines()[:-1] == here.splitlines()[:-1]


# Workers that are lost.


@backend
@pytest.mark.slow
def test_a_training_that_kills_every_worker_is_given_up(tmp_path):
    model = told(tmp_path, deaths=99)
    before = model.get_weights()
    with pool_of(1) as pool, pytest.raises(RuntimeError, match="3 in turn that died"):
        find(model, runner=pool)
    assert len(list(tmp_path.iterdir())) == 99 - TRIES
    np.testing.assert_equal(model.get_weights(), before)


@backend
@pytest.mark.slow
@pytest.mark.parametrize("whom", ["the search alone", "workers as well"])
def test_an_interrupt_ends_workers_and_gives_the_model_back(tmp_path, whom):
    command = [sys.executable, "-m", "tests.kit.search_and_stop", str(tmp_path)]
    search = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        while not (tmp_path / "begun").exists():
            assert search.poll() is None
            time.sleep(0.1)
        if whom == "the search alone":
            search.send_signal(signal.SIGINT)
        else:
            os.killpg(search.pid, signal.SIGINT)
        # What workers have before them takes ten minutes, if nobody tells them to stop.
        said, _ = search.communicate(timeout=200)
        assert said.split() == ["interrupted", "restored", "ended"]
        # Python's own process for what processes share ends a little later.
        assert any(not is_alive(search.pid) or time.sleep(0.2) for _ in range(150))
    finally:
        if is_alive(search.pid):
            os.killpg(search.pid, signal.SIGKILL)


def is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class Mortal(Executor):
    """Calls at once, and is lost over the first calls; then it is as broken as told."""

    def __init__(self, deaths, *, stays_broken=False):
        self.deaths = deaths
        self.stays_broken = stays_broken
        self.calls = 0

    def submit(self, fn, /, *args, **kwargs):
        self.calls += 1
        if self.deaths and self.stays_broken:
            raise BrokenProcessPool("it is broken")
        future = Future()
        if self.deaths:
            self.deaths -= 1
            future.set_exception(BrokenExecutor("lost"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_what_is_lost_with_a_worker_is_done_again():
    pool = Mortal(deaths=2)
    crew = Crew(pool)
    job = crew.begin("a sum", sum, [1, 2])
    assert crew.result(job) == 3
    assert pool.calls == 3


@pytest.mark.parametrize("stays_broken", [False, True])
def test_what_is_lost_three_times_is_given_up(stays_broken):
    pool = Mortal(deaths=9, stays_broken=stays_broken)
    crew = Crew(pool)
    job = crew.begin("a sum", sum, [1, 2])
    with pytest.raises(RuntimeError, match="3 in turn that died over a sum"):
        crew.result(job)
    assert pool.calls == TRIES


def test_an_error_of_a_worker_is_raised_and_nothing_is_done_again():
    pool = Mortal(deaths=0)
    failed = Future()
    failed.set_exception(ValueError("wrong"))
    pool.submit = lambda *_: failed
    crew = Crew(pool)
    with pytest.raises(ValueError, match="wrong"):
        crew.result(crew.begin("a sum", sum, [1, 2]))


# What is told beforehand.


@pytest.mark.parametrize("vertex", [-15, -9, -6, -3, 0, 2])
@pytest.mark.parametrize("looks_wide", [False, True])
def test_what_is_told_beforehand_changes_no_answer_and_little_of_it_is_in_vain(
    vertex, looks_wide
):
    begun = set()
    asked = set()

    def ahead(rates, updates, follows):
        begun.update((point_of(rate), follows) for rate in rates)

    def probe(rate, updates, follows):
        point = point_of(rate)
        asked.add((point, follows))
        loss = float(abs(point - vertex))
        return Seen(loss, np.array([loss]))

    start = Seen(100.0, np.array([100.0]))
    options = {"updates": 700, "start": start, "first": 0.03, "looks_wide": looks_wide}
    told = climb(probe, **options, ahead=ahead)
    longs = {place for place in asked if place[1]}
    # The last one has nothing beside it; of the edges one is in vain, where two moved.
    assert len(longs - begun) <= 1
    assert len({place for place in begun if place[1]} - longs) <= 2
    # All of the short ones are asked for.
    assert {place for place in begun if not place[1]} <= asked
    assert len(begun) >= len(asked) - 4
    assert climb(probe, **options).rate == told.rate


# What is refused, before any training.


def test_what_is_no_executor_is_refused():
    with pytest.raises(TypeError, match="`runner` must be an Executor"):
        find(model_of(), runner=4)


def test_a_pool_that_forks_is_refused():
    pool = ProcessPoolExecutor(1, mp_context=get_context("fork"))
    with pytest.raises(ValueError, match="Received: a ProcessPoolExecutor that forks"):
        find(model_of(), runner=pool)


@backend
@on_one_backend
def test_threads_are_refused():
    model = model_of()
    before = model.get_weights()
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(ValueError, match="threads and forks share"),
    ):
        find(model, runner=pool)
    np.testing.assert_equal(model.get_weights(), before)


@backend
@on_one_backend
def test_batches_that_do_not_fit_into_memory_are_refused():
    x, y = rows(3000)
    with pytest.raises(ValueError, match="needs batches that fit into memory"):
        find(model_of(), x, y, memory_limit=100, runner=Mortal(0))


@backend
@on_one_backend
def test_a_step_that_no_file_of_the_model_tells_is_refused():
    model = model_of()
    model.train_step = lambda *given: type(model).train_step(model, *given)
    with pytest.raises(ValueError, match=r"was given a 'train_step' of its own"):
        find(model, runner=Mortal(0))


@backend
@on_one_backend
def test_a_compile_that_no_file_of_the_model_tells_is_refused():
    gan = GAN()
    gan.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
    with pytest.raises(ValueError, match="`compile` is its own"):
        find(gan, images(100), optimizer="d_optimizer", runner=Mortal(0))


@backend
@pytest.mark.slow
def test_what_workers_cannot_import_is_refused_before_any_training():
    class Local(keras.layers.Dense):
        pass

    model = keras.Sequential([keras.Input((4,)), Local(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pool_of(1) as pool, pytest.raises(ValueError, match="one that Keras can load"):
        find(model, runner=pool)
    np.testing.assert_equal(model.get_weights(), before)


@backend
@pytest.mark.slow
def test_a_model_that_is_another_one_in_a_worker_is_refused():
    model = model_of(loss=as_only_here)
    with pool_of(1) as pool, pytest.raises(ValueError, match=r"here and .* there"):
        find(model, runner=pool)


@keras.saving.register_keras_serializable("tests")
def as_only_here(y, prediction):
    """A loss that depends on a setting which was made in this process alone."""
    scale = 1.0 if parent_process() is None else 2.0
    return scale * keras.ops.mean((y - prediction) ** 2)


# Ray.


@pytest.fixture
def cluster(monkeypatch):
    # Else it writes a file to the user's folder.
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@backend
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ray_gives_the_same_answer_though_a_worker_dies(tmp_path, cluster):
    model = told(tmp_path)
    here = find(model)
    before = everything(model)
    (tmp_path / "death-0").touch()
    there = find(model, runner=keras_lr.RayRunner(num_cpus=1))
    assert not list(tmp_path.iterdir())
    assert there.to_dict() == here.to_dict()
    assert_same(everything(model), before)


@backend
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ray_passes_on_what_a_function_returns_and_raises(cluster):
    runner = keras_lr.RayRunner(num_cpus=1)
    assert runner.submit(math.hypot, 3.0, 4.0).result() == 5.0
    with pytest.raises(ZeroDivisionError):
        runner.submit(divmod, 7, 0).result()
    with pytest.raises(BrokenExecutor):
        runner.submit(os._exit, 3).result()


# The page.


@backend
@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1], ids=["pool", "ray"])
def test_the_programs_of_the_page_run(number, tmp_path):
    page = (DOCS / "searching_elsewhere.md").read_text("utf-8")
    program = page.split("```python\n")[number + 1].split("```")[0]
    file = tmp_path / "program.py"
    file.write_text(program, "utf-8")
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    environment["PYTHONPATH"] = str(DOCS.parent)
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Learning rate" in done.stdout
