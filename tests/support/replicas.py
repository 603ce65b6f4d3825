"""Replicas for tests, at a rate and seed of their own."""

from dataclasses import replace

from benchmark.study.unit import Replica


def replica(lr: float, seed: int, initialization: str = "he") -> Replica:
    return replace(Replica.plain(lr, seed), initialization=initialization)
