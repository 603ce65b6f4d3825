"""Trains one architecture under every learning-rate rule at once, and says which rule was right."""

__version__ = "0.1.0"
