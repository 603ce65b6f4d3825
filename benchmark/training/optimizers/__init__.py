"""Optimizers over replicas, each at a rate of its own: one file each."""
