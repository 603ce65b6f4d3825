"""Networks that people bring: their graphs and layers, traced from unedited modules."""

from search_spaces.traced.network import Layer, LayerUse, TracedNetwork
from search_spaces.traced.trace import graph_of

__all__ = ["Layer", "LayerUse", "TracedNetwork", "graph_of"]
