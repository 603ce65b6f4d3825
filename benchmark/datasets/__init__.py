"""Images and labels: where they come from, and their checksums."""
