"""Architectures as graphs and as modules: what depth is in a network with many paths."""
