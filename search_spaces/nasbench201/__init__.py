"""The 15,625 cells of NAS-Bench-201."""

from search_spaces.nasbench201.space import NasBench201

__all__ = ["NasBench201"]
