"""Terms are found here: by name, by words, along relations."""
