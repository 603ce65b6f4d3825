"""Spaces of plain torch modules: torchvision's networks, and those that a factory makes."""
