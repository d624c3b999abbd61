"""How good finders are, on real tasks with a known truth."""
