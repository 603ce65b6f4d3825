"""What a data set is: images in memory or in files, and the checks on them."""
