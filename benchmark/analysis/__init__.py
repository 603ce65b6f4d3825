"""Statistics on plain arrays: numpy and scipy in, frozen dataclasses out.

The docstrings of exported functions, up to their `Args:`, are the text of the methods section of
every report: they must read as prose, and a change of wording changes the committed example
(`make report-example` makes it anew; tests/golden compare it). Suffixes of names say what the axes
of an array are; the docstring of each module lists its letters.
"""
