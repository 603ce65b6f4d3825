"""Rank correlation of many columns at once."""
