"""What NAS-Bench-201's published accuracies say."""
