"""Demos of the claims that the terms of ``keras_lr`` make, made of `glossary.lab`.

Most are NumPy and the ``.values`` of schedules. `range_test` and `patience` train with
Keras; no other module imports it by itself.
"""
