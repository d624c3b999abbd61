"""Demos of the claims that the terms of ``keras_lr`` make; plain NumPy."""
