"""Finding a learning rate: a sweep that says how sure it is and gives all back."""

from keras_lr.finder.result import LRFinderResult
from keras_lr.finder.sweep import LRFinder

__all__ = ["LRFinder", "LRFinderResult"]
