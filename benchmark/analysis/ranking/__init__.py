"""Rankings of architectures: agreement, accuracy shift, top-k and who moved."""
