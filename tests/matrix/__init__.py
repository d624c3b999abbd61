"""The fast part of the tests, in environments at the corners of what is supported."""
