"""Sends units to workers by Ray; with `speed` and `overhead` the only rooms that import Ray."""
