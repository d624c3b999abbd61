"""What a schedule is, in numbers: durations, curves, parts, their layout over a run.

This room knows NumPy and nothing of Keras. Its modules, each on those before it:
``duration`` (what a user wrote -> updates), ``curves`` (progress -> value), ``checks``,
``parts`` (curves with a length), ``config`` (parts as plain data), ``layout`` (parts
laid end to end) and ``course`` (one hyperparameter's way through a run).
"""
