"""Several studies held against one another."""
