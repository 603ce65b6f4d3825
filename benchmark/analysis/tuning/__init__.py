"""The constant of a tuned rule, and how sure it is."""
