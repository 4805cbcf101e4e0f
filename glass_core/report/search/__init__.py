"""What a search found, in words, tables, figures and files."""
