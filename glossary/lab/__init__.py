"""What demos are made of: types for what they return, data, and small nets in NumPy.

A demo is a function of a seed that returns a `Measurement`:

>>> import numpy as np
>>> from glossary.lab import Bars, Control, Measurement
>>> def mean_shrinks(seed):
...     draws = np.random.default_rng(seed).normal(size=(4096, 64))
...     one, all_of_64 = draws[:, 0].std(), draws.mean(axis=1).std()
...     shown = Bars(
...         labels=["one draw", "mean of 64"], ys={"spread": [one, all_of_64]},
...         y_label="standard deviation",
...     )
...     return Measurement(
...         measured=one / all_of_64,
...         panels=(shown,),
...         seen="The mean of 64 draws scatters an eighth as much as one draw.",
...         controls=(Control(one > 0.9, "One draw does not scatter."),),
...     )
>>> 7 < mean_shrinks(0).measured < 9
True

`import glossary.lab` brings these types, which need the standard library alone. The
modules need NumPy, and some scikit-learn:

* `data`: real data that ships in scikit-learn; nothing is downloaded.
* `nets`: a dense net with backpropagation by hand; `deep`: what happens inside a deep
  one; `fitting`: it on few examples, and ridge regression.
* `tape`: automatic differentiation for any other net; `training` trains what it
  computes; `attention`, `norms` and `pretrained` are pieces to compute with.
* `steps`: one update of each optimizer, as its paper writes it.
"""

from glossary.pictures import Bars, Control, Lines, Measurement

__all__ = ["Bars", "Control", "Lines", "Measurement"]
