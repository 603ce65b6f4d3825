"""What depth and updates parts say."""
