"""A schedule's hold on a fit of Keras: all that touches a model and its optimizers."""
