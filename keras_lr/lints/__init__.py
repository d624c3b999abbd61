"""What :func:`keras_lr.lint` finds: pure functions of a scene, a module each few.

``finding`` (what is found), ``scene`` (what is looked at), then the findings:
``values`` (rates that no update can use, or that change nothing), ``joins`` (jumps),
``lengths`` (longer, shorter, counted in something else), ``writers`` (two of one rate),
``sizes`` (far from what is usual, a warmup too short), ``resumed`` (a fit that goes
on). ``looking`` has them all look; ``report`` is what comes of it, ``table`` and
``picture`` show that. This room knows the plan and nothing of Keras.
"""
