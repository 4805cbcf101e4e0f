"""Web services: UniProt, AlphaFold DB, RCSB and PDBe, EBI Proteins.

`lookup.look_up` is the way in. Addresses come from the settings, never from a user; what was
answered is kept on disk with its date.
"""
