"""What survives: one sealed file per finished unit, on any filesystem."""
