"""What a rank part says."""
