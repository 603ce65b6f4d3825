"""The 59,049 DAGs of five nodes, as MLPs and as CNNs."""

from search_spaces.dag.space import DagCnn, DagMlp

__all__ = ["DagCnn", "DagMlp"]
