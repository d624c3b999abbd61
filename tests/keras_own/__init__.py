"""Keras' own tests, run with a schedule in every fit."""
