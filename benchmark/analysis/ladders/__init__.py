"""Ladders of depth: optima, slopes, transfer and one-step updates."""
