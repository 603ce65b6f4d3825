"""The accuracies that NAS-Bench-201 publishes, as one small table."""
