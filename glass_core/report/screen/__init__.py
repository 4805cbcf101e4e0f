"""A screen for a reader: figures, tables, files."""
