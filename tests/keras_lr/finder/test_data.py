"""Every kind of data that ``fit`` takes can be searched with."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_lr
from keras_lr.finder.batches import batches_for
from keras_lr.fit.building import Building
from keras_lr.fit.feed import Given
from tests.kit.sweeps import assert_same, everything, model_of

pytestmark = pytest.mark.backend

IS_TENSORFLOW = keras.backend.backend() == "tensorflow"
tensorflow_only = pytest.mark.skipif(not IS_TENSORFLOW, reason="of TensorFlow alone")
RELATION = np.array([[1.0], [-2.0], [0.5], [3.0]])


def rows(count=400):
    x = np.random.default_rng(1).normal(size=(count, 4)).astype("float32")
    return x, (x @ RELATION).astype("float32")


def batch(i):
    x, y = rows()
    here = np.arange(i * 8, i * 8 + 8) % 400
    return x[here], y[here]


class Sequence(keras.utils.PyDataset):
    def __init__(self, length):
        super().__init__()
        self.length = length
        self.epochs = 0

    @property
    def num_batches(self):
        return self.length

    def __getitem__(self, i):
        return batch(i)

    def on_epoch_end(self):
        self.epochs += 1


def generator(count):
    for i in range(count):
        yield batch(i)


def arrays():
    return rows()


def dataset():
    tf = pytest.importorskip("tensorflow")
    return (tf.data.Dataset.from_tensor_slices(rows()).shuffle(100).batch(8),)


def loader():
    torch = pytest.importorskip("torch")
    pairs = torch.utils.data.TensorDataset(*map(torch.tensor, rows()))
    return (torch.utils.data.DataLoader(pairs, batch_size=8, shuffle=True),)


def sparse():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    x, y = rows()
    return scipy_sparse.coo_matrix(x), y


def sequence():
    return (Sequence(50),)


def endless_sequence():
    return (Sequence(None),)


def endless_generator():
    return (generator(10**9),)


KINDS = (
    arrays,
    dataset,
    loader,
    sparse,
    sequence,
    endless_sequence,
    endless_generator,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_all_data_that_fit_takes_give_a_rate_and_the_model_back(kind):
    model = model_of("sgd")
    model.fit(*rows(32), batch_size=8, verbose=0)
    given = kind()
    state = everything(model)
    batch_size = {"batch_size": 8} if kind in (arrays, sparse) else {}
    result = keras_lr.find_lr(model, *given, budget=200, verbose=0, **batch_size)
    assert result.verdict == "trust"
    assert_same(everything(model), state)


def test_a_generator_is_told_how_many_batches_were_taken():
    source = generator(300)
    result = keras_lr.find_lr(model_of("sgd"), source, budget=200, verbose=0)
    assert result.batches_drawn == 300 - sum(1 for _ in source)
    assert f"{result.batches_drawn} batches" in str(result)


def test_the_hooks_of_a_sequence_are_not_called():
    sequence = Sequence(50)
    keras_lr.find_lr(model_of("sgd"), sequence, budget=120, verbose=0)
    assert sequence.epochs == 0


def feeds(given, *, room=2.0**30, count=12, validation=None, model=None):
    model = model or model_of("sgd")
    building = Building(model)
    return batches_for(model, given, count, validation, 0, room, building)


def numbers(feed, count):
    """The targets of the first batches, one row each."""
    return np.array(
        [np.ravel(keras.ops.convert_to_numpy(parts[1])) for parts in feed.first(count)]
    )


def counted(count=400):
    """Rows whose targets are their numbers."""
    x, _ = rows(count)
    return x, np.arange(float(count))[:, None]


def test_no_row_is_both_trained_on_and_held_out_and_none_is_seen_twice_an_epoch():
    x, y = counted()
    data = feeds(Given(x, y, None, 8), count=60)
    trained = numbers(data.train, 60).ravel()
    held = numbers(data.held, len(data.held.rows)).ravel()
    assert not set(trained) & set(held)
    assert len(set(held)) == len(held) == 80
    assert len(set(trained[:320])) == 320


def test_every_training_sees_the_same_batches():
    for given in (Given(*counted(), None, 8), Given(generator(100))):
        data = feeds(given)
        np.testing.assert_array_equal(numbers(data.train, 20), numbers(data.train, 20))


def test_arrays_that_do_not_fit_into_memory_are_cut_anew_each_time():
    given = Given(*rows(), None, 8)
    whole = numbers(feeds(given).train, 12)
    np.testing.assert_array_equal(numbers(feeds(given, room=800.0).train, 12), whole)


def test_batches_that_do_not_fit_into_memory_are_drawn_anew_each_time():
    asked = []

    class Watched(Sequence):
        def __getitem__(self, i):
            asked.append(i)
            return super().__getitem__(i)

    data = feeds(Given(Watched(50)), room=800.0)
    once = len(asked)
    targets = numbers(data.train, 12)
    assert len(np.unique(targets, axis=0)) == 12
    assert len(asked) >= once + 12


def test_a_generator_that_does_not_fit_into_memory_is_cut_and_repeated():
    a_batch = 8 * 5 * 4
    source = generator(100)
    data = feeds(Given(source), room=7.5 * a_batch, count=20)
    assert data.drawn == 8
    left = sum(1 for _ in source)
    assert left == 92
    seven = len(data.train.rows)
    targets = numbers(data.train, 2 * seven)
    np.testing.assert_array_equal(targets[:seven], targets[seven:])


def test_swapped_rows_have_the_targets_and_weights_of_others():
    x, y = counted()
    given = Given(x, y, y[:, 0] + 1, 8)
    data = feeds(given)
    pairs = zip(
        data.held.first(10), data.swapped().first(10), strict=True
    )  # fmt: skip
    moved = 0
    for (inputs, targets, _), (again, others, weights) in pairs:
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (inputs, again)))
        others = keras.ops.convert_to_numpy(others)
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(weights).ravel(), others.ravel() + 1
        )
        moved += int((keras.ops.convert_to_numpy(targets) != others).sum())
    assert moved == 80


def test_targets_are_not_swapped_where_that_says_nothing():
    x, y = rows()
    assert feeds(Given(np.zeros_like(x), y, None, 8)).swapped() is None


def test_few_batches_held_out_are_cut_into_parts():
    def large():
        for i in range(6):
            yield tuple(np.concatenate([batch(8 * i + k)[j] for k in range(8)])
                        for j in range(2))  # fmt: skip

    data = feeds(Given(large()))
    assert data.held.rows == [6] * 10


@tensorflow_only
def test_batches_of_other_lengths_and_strings_are_taken():
    import tensorflow as tf

    words = [f"{'good' if i % 3 else 'bad'} {i % 17} {i % 5}" for i in range(400)]
    vectorize = keras.layers.TextVectorization(100, output_sequence_length=4)
    vectorize.adapt(words)
    labels = np.array([[float(i % 3 > 0)] for i in range(400)])
    text = (tf.constant(words), labels)
    lengths = tf.data.Dataset.from_tensor_slices((tf.range(400), labels))

    def row(i, label):
        # Whole stretches of one length: the first batches do not tell of the others.
        length = 3 + i // 64
        first = tf.cast(label > 0, "int32")
        return tf.concat([first, tf.ones([length], "int32") * 2], 0), label

    padded = (lengths.map(row).padded_batch(32),)
    for first, data in ((vectorize, text), (None, padded)):
        shape, dtype = ((), "string") if first else ((None,), "int32")
        inputs = keras.Input(shape, dtype=dtype)
        hidden = keras.layers.Embedding(100, 8)(first(inputs) if first else inputs)
        pooled = keras.layers.GlobalAveragePooling1D()(hidden)
        model = keras.Model(inputs, keras.layers.Dense(1)(pooled))
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
        result = keras_lr.find_lr(model, *data, budget=300, verbose=0)
        assert result.verdict == "trust", result


@tensorflow_only
def test_single_rows_of_a_dataset_are_refused():
    import tensorflow as tf

    single = tf.data.Dataset.from_tensor_slices(rows())
    with pytest.raises(ValueError, match=r"must yield batches.*Give x\.batch"):
        keras_lr.find_lr(model_of("sgd"), single, verbose=0)


def test_class_weights_are_those_of_the_training_alone():
    x, _ = rows()
    labels = (x[:, :1] > 0).astype("float32")
    weight = {0: 0.0, 1: 2.0}
    data = feeds(Given(x, labels, None, 8, weight))
    targets, weights = map(keras.ops.convert_to_numpy, next(data.train.first(1))[1:])
    np.testing.assert_array_equal(targets.ravel() * 2, weights.ravel())
    assert len(next(data.held.first(1))) == 2
