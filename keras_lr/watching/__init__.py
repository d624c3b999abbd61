"""What a monitor keeps of a fit, where it writes that, and how it is drawn."""
