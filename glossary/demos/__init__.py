"""One module a term, one function a claim: what measures it.

A demo is a function of a seed. It returns a mapping with ``measured`` (the number that
is compared with the claim's threshold), ``data`` (names and the numbers behind it),
``figure`` (``kind`` "lines" or "bars"; ``x`` and ``y``, names of data; ``labels`` of
bars; ``x_label``, ``y_label``, ``log``), and, where a control arm could not do its job,
``inconclusive``: why. It never decides the verdict.
"""
