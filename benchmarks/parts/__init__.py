"""What is measured, a part a module; each gives its figures by ``measure(size)``.

A size is ``"quick"`` (the smallest that shows everyone), ``"default"`` or ``"full"``.
"""
