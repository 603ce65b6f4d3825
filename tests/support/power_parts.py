"""A small part of every kind, whose power is simulated."""

from benchmark.study import NAS_BENCH_201, Depth, Rank, Study, Updates, rate_grid

CHAIN = Depth(
    name="chain",
    space="mlp",
    options={"width": 8},
    rules=("tuned-constant", "effective-depth"),
    seeds=3,
    depths=(1, 2, 4, 8, 16),
    rates=rate_grid(1e-4, 3.0, 18),
)
STEPS = Updates(
    name="steps",
    space="mlp",
    options={"width": 512},
    rules=("tuned-constant",),
    seeds=64,
    depths=(2, 4, 8, 16),
)
CELLS = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 4, "cells": 1},
    rules=("tuned-constant", "effective-depth"),
    seeds=2,
    sample=8,
    rates=(0.03, 0.3, 3.0),
    recipe=NAS_BENCH_201,
)


def whole(*parts: Depth | Rank | Updates) -> Study:
    return Study(name="planted", question="?", parts=parts)
