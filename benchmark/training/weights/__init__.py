"""The weights before the first step: variances, drawing, pinning."""
