"""One analysis for a reader: figures, tables, words, files."""
