"""What runs on the workers of Ray."""
