"""What the files of a results folder hold: columns, units' rows, the manifest."""
