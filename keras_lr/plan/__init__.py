"""What a schedule is, in numbers: durations, curves, parts, their layout over a run.

This room knows NumPy and nothing of Keras. Its modules, each on those before it:
``words`` (how messages are worded), ``plain`` (arguments as plain values),
``duration`` (what a user wrote -> updates), ``curves`` (progress -> value), ``checks``,
``cycles`` (where cycles begin), ``phase``, ``seam`` and ``parts`` (curves with a
length), ``config`` (parts as plain data), ``layout`` (parts laid end to end),
``course`` (one hyperparameter's way through a run), ``product`` (courses that multiply)
and ``oddities`` (what a fit warns of).
"""
