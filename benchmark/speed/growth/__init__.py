"""How the cost of the machinery grows with units, and on a cluster of many nodes."""
