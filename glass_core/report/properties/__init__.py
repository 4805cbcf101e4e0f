"""Properties of a protein as tables, sentences and JSON."""
