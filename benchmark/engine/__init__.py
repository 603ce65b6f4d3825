"""From a unit to its rows: how replicas are built, grouped into chunks and resumed."""
