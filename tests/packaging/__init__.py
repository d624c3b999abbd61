"""Wheel and sdist, and what an installation of them can do."""
