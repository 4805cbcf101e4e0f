"""Protein space: where sequences, structures and stretches lie, and its map."""
