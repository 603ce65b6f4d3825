"""What is asked: studies, their parts, recipes and units."""

from benchmark.study.parts import Depth, LadderPart, Part, Rank, Updates
from benchmark.study.rates import rate_grid
from benchmark.study.recipe import NAS_BENCH_201, NAS_BENCH_201_CODE, PLAIN_SGD, Recipe
from benchmark.study.study import Study

__all__ = [
    "NAS_BENCH_201",
    "NAS_BENCH_201_CODE",
    "PLAIN_SGD",
    "Depth",
    "LadderPart",
    "Part",
    "Rank",
    "Recipe",
    "Study",
    "Updates",
    "rate_grid",
]
