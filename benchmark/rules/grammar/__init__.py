"""What a rule is, and how names, forms and compositions of rules are read."""
