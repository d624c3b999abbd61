"""A claim of *early stopping* about the callback of Keras: it trains with Keras."""

from __future__ import annotations

import keras
import numpy as np

from glossary.lab import Control, Lines, Measurement


def keeps_best(seed: int) -> Measurement:
    """Distance of the weights after the callback from those of its best epoch.

    One weight moves by its gradient of a constant: at epoch e it is at e, and the loss
    on held-out data, (w - 3)^2, is lowest at epoch 3.
    """
    start = float(np.random.default_rng(seed).uniform(-0.2, 0.2))
    paths = {}
    ends = {}
    for name, restores in (("as it is", False), ("restore_best_weights", True)):
        model = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(1, use_bias=False)]
        )
        model.compile(keras.optimizers.SGD(1.0), "mse")
        stopping = keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=4, restore_best_weights=restores
        )
        stopping.set_model(model)
        model.set_weights([np.full((1, 1), start)])
        stopping.on_train_begin()
        path = []
        for epoch in range(12):
            weight = start + epoch
            model.set_weights([np.full((1, 1), weight)])
            path.append(weight)
            stopping.on_epoch_end(epoch, {"val_loss": (weight - 3.0) ** 2})
            if model.stop_training:
                break
        stopping.on_train_end()
        ends[name] = float(model.get_weights()[0].item())
        paths[name] = [*path, ends[name]]
    best = min(paths["as it is"], key=lambda weight: (weight - 3.0) ** 2)
    shown = Lines(
        x=range(len(paths["as it is"])),
        ys=paths,
        x_label="epoch (the last point: after training)",
        y_label="weight",
        marks={"best epoch": best},
    )
    restored = Control(
        abs(ends["restore_best_weights"] - best) < 1e-6, "It restores nothing if asked."
    )
    return Measurement(
        measured=abs(ends["as it is"] - best),
        panels=(shown,),
        seen="After training the weight is that of the last epoch, unless the callback "
        "is told to restore that of the best.",
        controls=(restored,),
    )
