"""The map of protein space, drawn."""
