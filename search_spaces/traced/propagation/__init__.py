"""How signals propagate through an exported program."""
