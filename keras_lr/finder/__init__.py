"""Finding a learning rate: an answer that says how sure it is and gives all back."""

from keras_lr.finder.by_batch import BatchSizesResult
from keras_lr.finder.lr_finder import LRFinder
from keras_lr.finder.ray_runner import RayRunner
from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.search import find_lr

__all__ = ["BatchSizesResult", "LRFinder", "LRFinderResult", "RayRunner", "find_lr"]
