"""Embedders: sequences in, one vector per residue out."""
