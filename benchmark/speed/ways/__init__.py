"""The ways to train that the speed table compares, each timed from its first line to its last."""
