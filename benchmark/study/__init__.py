"""What is asked: studies, their parts, recipes and units."""

from benchmark.study.parts import Depth, Part, Rank, Study, Updates, rate_grid
from benchmark.study.recipe import NAS_BENCH_201, NAS_BENCH_201_CODE, PLAIN_SGD, Recipe

__all__ = [
    "NAS_BENCH_201",
    "NAS_BENCH_201_CODE",
    "PLAIN_SGD",
    "Depth",
    "Part",
    "Rank",
    "Recipe",
    "Study",
    "Updates",
    "rate_grid",
]
