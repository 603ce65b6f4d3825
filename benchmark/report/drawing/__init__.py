"""Figures as SVG: their marks, colors and sizes, and how they stand in the page."""
