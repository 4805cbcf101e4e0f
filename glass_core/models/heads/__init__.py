"""The heads: what maps an embedding to a number that is told, one file each."""
