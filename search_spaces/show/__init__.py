"""Shows architectures as text, drawings and tables."""
