"""How far one step moves the nodes of a network."""
