"""Ladders of depth: MLPs, CNNs, residual nets and vision transformers."""
