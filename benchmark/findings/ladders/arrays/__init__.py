"""A depth part as arrays: its curves, optima and losses."""
