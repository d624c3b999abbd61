"""Two more ways to normalize, as terms for the glossary.

Looking one up runs no code.
"""
