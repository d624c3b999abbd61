"""Two more normalization layers, as terms for the glossary. There is no code here."""
