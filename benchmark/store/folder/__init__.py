"""A folder of whole, sealed files on any filesystem that pyarrow opens; knows nothing of units."""
