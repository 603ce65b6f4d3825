"""Replicas for tests, at a rate and seed of their own."""

from benchmark.unit import Replica


def replica(lr: float, seed: int, initialization: str = "he") -> Replica:
    return Replica(
        rule="default",
        rule_version=1,
        convention="",
        initialization=initialization,
        branch_multiplier=1.0,
        lr_multiplier=1.0,
        base_lr=lr,
        lr=lr,
        seed=seed,
    )
