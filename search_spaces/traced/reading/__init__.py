"""An exported program and its operations, one by one."""
