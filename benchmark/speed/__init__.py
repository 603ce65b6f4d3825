"""``python -m benchmark.speed``: what the engine gains, and where it does not."""
