"""Claims are measured here: demos run, evidence recorded, pictures drawn."""
