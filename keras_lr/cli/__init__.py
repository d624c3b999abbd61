"""The command line ``keras-lr``: schedules that are written down, and what they do."""
