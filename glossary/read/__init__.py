"""Terms come in here: read from files, checked, and made into data."""
