"""What was found, for a reader: pictures, tables, words, files. Nothing is computed here."""
