"""The pages from a server on this machine, with buttons that run claims."""
