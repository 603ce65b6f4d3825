"""Trains one architecture under every learning-rate rule at once, and says which rule was right."""
