"""Finding a learning rate: an answer that says how sure it is and gives all back."""

from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.search import find_lr
from keras_lr.finder.sweep import LRFinder

__all__ = ["LRFinder", "LRFinderResult", "find_lr"]
