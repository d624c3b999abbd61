"""Two more normalization layers, as terms for the glossary.

Looking one up runs no code.
"""
