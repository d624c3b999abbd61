"""No callback hears that a fit has failed, so that none can give back what it took."""

import contextlib
import sys

import keras
import numpy as np


class Heard(keras.callbacks.Callback):
    """Writes down every hook that is called, whatever hooks there are."""

    def __init__(self):
        super().__init__()
        self.hooks = []
        for name in dir(keras.callbacks.Callback):
            if name.startswith("on_"):
                setattr(self, name, self.hook(name))

    def hook(self, name):
        """A hook that says that it was called; one of them fails."""

        def called(*arguments, **named):
            self.hooks.append(name)
            if name == "on_train_batch_end":
                self.hooks.append("the fit fails")
                raise RuntimeError("of whatever kind")

        return called


heard = Heard()
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
with contextlib.suppress(RuntimeError):
    model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[heard], verbose=0)
after = heard.hooks[heard.hooks.index("the fit fails") + 1 :]
print("expected: some hook after the failure")
print("got:     ", ", ".join(after) or "none")
is_there = not after
print("The fault is there." if is_there else "mended")
sys.exit(0 if is_there else 1)
